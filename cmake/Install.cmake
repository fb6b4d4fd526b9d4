# What `cmake --install` puts where, and the Debian package.
#
#   bin/leafc
#   include/leaf/*.h, lib/libleaf_runtime.a, lib/pkgconfig/leafcutter-runtime.pc    the runtime, for this machine
#   share/leafcutter/runtime/*.c                                                    its source, for any machine
#   share/cmake/leafcutter/                                                         find_package(leafcutter)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir share/cmake/leafcutter)
set(runtime_dir share/leafcutter/runtime)
# libMLIR lies in LLVM's own folder.
set_target_properties(leafc PROPERTIES INSTALL_RPATH ${LLVM_LIBRARY_DIR})
install(TARGETS leafc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS leaf_runtime ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY runtime/include/leaf DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES runtime/src/leaf.c runtime/src/weights.c runtime/port/threads.c DESTINATION ${runtime_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES README.md CHANGELOG.md docs/RuntimeABI.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The package works for any machine that the consumer compiles for: no version file that compares pointer sizes, and a
# place that is searched for all architectures.
configure_package_config_file(cmake/Package/leafcutterConfig.cmake.in ${CMAKE_BINARY_DIR}/leafcutterConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_INCLUDEDIR runtime_dir)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/leafcutterConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_BINARY_DIR}/leafcutterConfig.cmake ${CMAKE_BINARY_DIR}/leafcutterConfigVersion.cmake
  cmake/Package/LeafcutterAddModel.cmake cmake/Package/LeafcutterWeights.cmake DESTINATION ${package_dir})

file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/Package/leafcutter-runtime.pc.in ${CMAKE_BINARY_DIR}/leafcutter-runtime.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/leafcutter-runtime.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME leafcutter)
set(CPACK_PACKAGE_VENDOR Leafcutter)
set(CPACK_PACKAGE_CONTACT "The Leafcutter maintainers <maintainers@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiler of neural networks to small C libraries")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "leafc compiles ONNX models to a header and a static library (or one C99 file) that
 needs no runtime, no heap and no operating system, for x86-64, ARM and Cortex-M.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# dpkg-shlibdeps finds libLLVM through a link of the -dev package, about which it says nothing.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libllvm${LLVM_VERSION_MAJOR}")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gcc | clang, cmake, pkg-config")
include(CPack)
