//===- SharedKernels.cpp - the C kernels of ../shared/kernels ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SharedKernels.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include <cstdlib>
#include <memory>
#include <regex>

using namespace llvm;

namespace leaf::bench {

/// Halves the vectors: 64 bytes and offsets of 16, 32, 48 floats. Pragmas count iterations, not floats.
static std::string narrowVectors(StringRef text) {
  static const std::regex size("vector_size\\(64\\)"), sixteen("\\b16\\b"), thirtyTwo("\\b32\\b"), rest("\\b48\\b");
  static const std::regex strip("j\\+=64"), rows("#define MR 8"), columns("#define NV 3"), tiles("#define MR 7");
  std::string result;
  while (!text.empty()) {
    auto [line, tail] = text.split('\n');
    std::string one = line.str();
    // Sizes of a problem are given as definitions; those in a file are no multiples of a vector.
    if (!line.ltrim().starts_with("#pragma") && !line.starts_with("#define C ")) {
      one = std::regex_replace(one, strip, "j+=@32");
      one = std::regex_replace(one, sixteen, "8");
      one = std::regex_replace(one, thirtyTwo, "16");
      one = std::regex_replace(one, rest, "24");
      one = std::regex_replace(one, size, "vector_size(32)");
      one = std::regex_replace(one, std::regex("@16"), "32"); // 32, which became 16
      one = std::regex_replace(one, tiles, "#define MR 4");
      one = std::regex_replace(one, rows, "#define MR 6");
      one = std::regex_replace(one, columns, "#define NV 2");
    }
    result += one + "\n";
    text = tail;
  }
  return result;
}

static Expected<std::string> compile(const SharedKernel &kernel, StringRef folder) {
  std::string path = std::string(LEAF_SHARED_KERNELS) + "/" + kernel.source;
  ErrorOr<std::unique_ptr<MemoryBuffer>> source = MemoryBuffer::getFile(path);
  if (!source)
    return createStringError("'" + path + "' is missing");
  ErrorOr<std::string> clang = sys::findProgramByName("clang-22");
  if (!clang)
    return createStringError("clang-22 is missing");
  bool wide = sys::getHostCPUFeatures().lookup("avx512f");
  std::string copy = (folder + "/kernel.c").str(), library = (folder + "/kernel.so").str();
  std::error_code code;
  raw_fd_ostream out(copy, code), coefficients((folder + "/erfc.h").str(), code);
  if (code)
    return createStringError(code, "cannot write '" + copy + "'");
  out << (wide ? (*source)->getBuffer().str() : narrowVectors((*source)->getBuffer()));
  // Of erf for GELU, which is generated there; only its cost counts here.
  coefficients << "#define ED 9\n#define EA 3.0f\nstatic const float EC[ED + 1] = {1.1283791f, -0.37612f, 0.1128f, "
                  "-0.0268f, 0.0052f, -0.00085f, 0.00012f, -1e-5f, 1e-6f, -1e-7f};\n";
  out.close();
  coefficients.close();
  // Clang splits vectors of 64 bytes on Intel's CPUs unless it is told not to.
  std::vector<std::string> command = {*clang,        "-O3",     "-march=native", "-mprefer-vector-width=512",
                                      "-ffast-math", "-shared", "-fPIC",         "-w"};
  for (const std::string &definition : wide ? kernel.wide : kernel.narrow)
    command.push_back("-D" + definition);
  command.insert(command.end(), {copy, "-o", library});
  std::vector<StringRef> arguments(command.begin(), command.end());
  std::string message;
  if (sys::ExecuteAndWait(*clang, arguments, std::nullopt, {}, 60, 0, &message) != 0)
    return createStringError(kernel.source + " does not compile" + (message.empty() ? "" : ": " + message));
  return library;
}

namespace {

struct FreeMemory {
  void operator()(float *memory) const { std::free(memory); }
};
using Array = std::unique_ptr<float, FreeMemory>;

} // namespace

static Array makeArray(size_t elements) {
  Array array(static_cast<float *>(std::aligned_alloc(64, (elements * sizeof(float) + 127) / 64 * 64)));
  for (size_t i = 0; i < elements; ++i)
    array.get()[i] = static_cast<float>(i % 17) / 16;
  return array;
}

Expected<std::function<void()>> buildSharedKernel(const SharedKernel &kernel) {
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("kernel-bench", folder))
    return createStringError(code, "cannot make a temporary folder");
  Expected<std::string> library = compile(kernel, folder);
  void *function = nullptr;
  std::string message;
  if (library) {
    sys::DynamicLibrary loaded = sys::DynamicLibrary::getPermanentLibrary(library->c_str(), &message);
    function = loaded.isValid() ? loaded.getAddressOfSymbol(kernel.function.c_str()) : nullptr;
  }
  (void)sys::fs::remove_directories(folder);
  if (!library)
    return library.takeError();
  if (!function)
    return createStringError(kernel.source + " has no " + kernel.function + " " + message);
  auto arrays = std::make_shared<std::vector<Array>>();
  for (size_t elements : kernel.elements)
    arrays->push_back(makeArray(elements));
  return [function, arrays] {
    const std::vector<Array> &a = *arrays;
    if (a.size() == 2)
      reinterpret_cast<void (*)(const float *, float *)>(function)(a[0].get(), a[1].get());
    else
      reinterpret_cast<void (*)(const float *, const float *, float *)>(function)(a[0].get(), a[1].get(), a[2].get());
  };
}

} // namespace leaf::bench
