# leafcutter_add_model(<target> <model.onnx>
#   [NAME <identifier>]     prefix of the C symbols, and name of the header; default: the stem of the file
#   [EMIT lib|c]            lib (default): machine code by leafc; c: C by leafc, compiled by the project's compiler
#   [TARGET <name>]         what leafc compiles for (leafc compile --help); default: the variable LEAFCUTTER_TARGET,
#                           else the toolchain's machine when cross-compiling, else "host": the CPU that builds
#   [OPTIONS <option>...]   more options of leafc, e.g. --dim=seq=1 "--dim=past<=63" --alias=past_key=present_key
#   [DEPENDS <file>...])    more files that the result depends on: external weights, files given to --pin
#
# Makes <target>, a library to link with; `#include "NAME.h"` works then. It is compiled at build time, anew whenever the
# model, its DEPENDS or leafc changes. The results lie in ${CMAKE_CURRENT_BINARY_DIR}/leafcutter/<target>.

# The value of the last -m<flag>=<value> among the compiler's flags, without extensions (cortex-a72+crypto); or "".
function(_leafcutter_machine_flag flag result)
  get_directory_property(options COMPILE_OPTIONS)
  string(REGEX MATCHALL "-m${flag}=[^ ;+]+" found "${CMAKE_C_FLAGS};${CMAKE_CXX_FLAGS};${options}")
  set(value "")
  if(found)
    list(GET found -1 value)
    string(REPLACE "-m${flag}=" "" value "${value}")
  endif()
  if(value STREQUAL "native")
    set(value "")
  endif()
  set(${result} "${value}" PARENT_SCOPE)
endfunction()

# LLVM's architecture of a Cortex-M core.
function(_leafcutter_thumb_arch cpu result)
  if(cpu MATCHES "^cortex-m(0|0plus|1)$")
    set(arch thumbv6m)
  elseif(cpu STREQUAL "cortex-m3")
    set(arch thumbv7m)
  elseif(cpu MATCHES "^cortex-m(4|7)$")
    set(arch thumbv7em)
  elseif(cpu STREQUAL "cortex-m23")
    set(arch thumbv8m.base)
  elseif(cpu MATCHES "^cortex-m(33|35p)$")
    set(arch thumbv8m.main)
  elseif(cpu MATCHES "^cortex-m(52|55|85)$")
    set(arch thumbv8.1m.main)
  else()
    message(FATAL_ERROR "leafcutter_add_model: the toolchain's flags name no Cortex-M core that leafc knows "
      "(-mcpu=${cpu}); give TARGET, or set LEAFCUTTER_TARGET ('leafc compile --help' lists the names)")
  endif()
  set(${result} ${arch} PARENT_SCOPE)
endfunction()

# Options of leafc for a microcontroller.
function(_leafcutter_bare_metal cpu result)
  _leafcutter_thumb_arch("${cpu}" arch)
  _leafcutter_machine_flag(float-abi float)
  # Code for the soft-float ABI does not link with the hard-float one, and the other way round.
  set(environment eabi)
  if(float STREQUAL "hard")
    set(environment eabihf)
  endif()
  set(${result} --triple=${arch}-none-${environment} --mcpu=${cpu} PARENT_SCOPE)
endfunction()

# Options of leafc for the machine that the toolchain compiles for.
function(_leafcutter_machine result)
  if(NOT CMAKE_CROSSCOMPILING)
    set(${result} --target=host PARENT_SCOPE)
    return()
  endif()
  string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
  _leafcutter_machine_flag(cpu cpu)
  set(options "")
  if(CMAKE_SYSTEM_NAME STREQUAL "Android")
    # The NDK's toolchain file names the triple; its API level means nothing to leafc.
    string(REGEX REPLACE "[0-9]+$" "" triple "${CMAKE_C_COMPILER_TARGET}")
    set(options --triple=${triple})
  elseif(processor MATCHES "^(aarch64|arm64)")
    set(options --triple=aarch64-unknown-linux-gnu)
  elseif(processor MATCHES "^(x86_64|amd64)")
    set(options --triple=x86_64-unknown-linux-gnu)
    _leafcutter_machine_flag(arch cpu)
  elseif(processor MATCHES "^(arm|thumb|cortex-m)" AND CMAKE_SYSTEM_NAME STREQUAL "Generic")
    if(processor MATCHES "^cortex-m" AND NOT cpu)
      set(cpu ${processor})
    endif()
    _leafcutter_bare_metal("${cpu}" options)
    set(cpu "")
  elseif(processor MATCHES "^(armv7|armv8|arm)")
    set(options --triple=armv7-unknown-linux-gnueabihf)
    _leafcutter_machine_flag(fpu fpu)
    if(fpu MATCHES "neon" AND fpu MATCHES "vfpv4|armv8")
      list(APPEND options --mattr=+neon,+vfp4)
    elseif(fpu MATCHES "^vfp")
      list(APPEND options --mattr=-neon)
    endif()
  endif()
  if(NOT options)
    message(FATAL_ERROR "leafcutter_add_model: leafc does not know the machine '${CMAKE_SYSTEM_PROCESSOR}' "
      "(${CMAKE_SYSTEM_NAME}) of the toolchain; give TARGET, or set LEAFCUTTER_TARGET ('leafc compile --help' lists "
      "the names)")
  endif()
  if(cpu)
    list(APPEND options --mcpu=${cpu})
  endif()
  set(${result} ${options} PARENT_SCOPE)
endfunction()

# The library of EMIT lib: an imported one whose file a custom command makes.
function(_leafcutter_add_archive target name folder)
  add_custom_target(${target}_leafc DEPENDS "${folder}/lib${name}.a")
  add_library(${target} STATIC IMPORTED GLOBAL)
  # The folder of an imported target must exist when the project is generated.
  file(MAKE_DIRECTORY "${folder}")
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${folder}/lib${name}.a")
  target_include_directories(${target} INTERFACE "${folder}")
  target_link_libraries(${target} INTERFACE m)
  add_dependencies(${target} ${target}_leafc)
endfunction()

# The library of EMIT c: an ordinary one.
function(_leafcutter_add_source target name folder)
  add_library(${target} STATIC "${folder}/${name}.c" "${folder}/${name}_weights.c" "${folder}/${name}.h")
  target_include_directories(${target} PUBLIC "${folder}")
  target_link_libraries(${target} PUBLIC m)
  # Nobody steps through it, and at -O0 it would be many times slower.
  target_compile_options(${target} PRIVATE $<$<OR:$<CONFIG:Debug>,$<CONFIG:>>:-O2>)
endfunction()

function(leafcutter_add_model target model)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "" "NAME;EMIT;TARGET" "OPTIONS;DEPENDS")
  if(ARG_UNPARSED_ARGUMENTS OR ARG_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "leafcutter_add_model: unexpected or empty: ${ARG_UNPARSED_ARGUMENTS} "
      "${ARG_KEYWORDS_MISSING_VALUES}")
  endif()
  get_filename_component(model "${model}" ABSOLUTE)
  if(NOT EXISTS "${model}")
    # A model that another rule of the project makes is known to CMake as generated.
    get_source_file_property(generated "${model}" GENERATED)
    if(NOT generated)
      message(FATAL_ERROR "leafcutter_add_model: there is no file '${model}'")
    endif()
  endif()
  if(NOT ARG_NAME)
    get_filename_component(ARG_NAME "${model}" NAME_WE)
    string(MAKE_C_IDENTIFIER "${ARG_NAME}" ARG_NAME)
  endif()
  if(NOT ARG_EMIT)
    set(ARG_EMIT lib)
  endif()
  if(NOT ARG_TARGET)
    set(ARG_TARGET "${LEAFCUTTER_TARGET}")
  endif()
  if("${ARG_OPTIONS}" MATCHES "(^|;)--(target|triple)(=|;|$)")
    set(machine "")
  elseif(ARG_TARGET)
    set(machine --target=${ARG_TARGET})
  else()
    _leafcutter_machine(machine)
  endif()

  # By its path: CMake would run an executable target of a cross build in an emulator.
  get_target_property(leafc leafcutter::leafc IMPORTED_LOCATION)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/leafcutter/${target}")
  set(command "${leafc}" compile "${model}" -o "${folder}" --emit=${ARG_EMIT} --name=${ARG_NAME} ${machine}
    ${ARG_OPTIONS})
  set(common OUTPUT "${folder}/${ARG_NAME}.h" DEPENDS "${model}" ${ARG_DEPENDS} "${leafc}"
    BYPRODUCTS "${folder}/example.c" "${folder}/${ARG_NAME}.cmake"
    COMMENT "leafc: ${ARG_NAME} (${ARG_EMIT}) ${machine}" VERBATIM)
  if(ARG_EMIT STREQUAL "lib")
    add_custom_command(OUTPUT "${folder}/lib${ARG_NAME}.a" ${common} COMMAND ${command})
    _leafcutter_add_archive(${target} ${ARG_NAME} "${folder}")
  elseif(ARG_EMIT STREQUAL "c")
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(NOT "C" IN_LIST languages)
      message(FATAL_ERROR "leafcutter_add_model: EMIT c needs the language C: project(… LANGUAGES C CXX)")
    endif()
    add_custom_command(OUTPUT "${folder}/${ARG_NAME}.c" "${folder}/${ARG_NAME}_weights.c" ${common}
      COMMAND ${CMAKE_COMMAND} -E rm -f "${folder}/${ARG_NAME}_weights.bin"
      COMMAND ${command}
      COMMAND ${CMAKE_COMMAND} "-DFOLDER=${folder}" "-DNAME=${ARG_NAME}" -P "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/LeafcutterWeights.cmake")
    _leafcutter_add_source(${target} ${ARG_NAME} "${folder}")
  else()
    message(FATAL_ERROR "leafcutter_add_model: EMIT takes lib or c, not '${ARG_EMIT}'")
  endif()
endfunction()
