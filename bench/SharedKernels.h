//===- SharedKernels.h - the C kernels of ../shared/kernels ------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_BENCH_SHAREDKERNELS_H
#define LEAF_BENCH_SHAREDKERNELS_H

#include "llvm/Support/Error.h"
#include <functional>
#include <string>
#include <vector>

namespace leaf::bench {

/// How a kernel of ../shared/kernels is built and called. Its vectors have 16 floats; on a machine without AVX-512 a
/// copy with vectors of 8 and half the register tile is built.
struct SharedKernel {
  std::string source; ///< file
  std::string function = "kern";
  std::vector<std::string> wide;   ///< definitions for 16 floats
  std::vector<std::string> narrow; ///< for 8
  std::vector<size_t> elements;    ///< of its arguments; all but the last are read
};

/// A call of the kernel on arrays that this owns. Fails where the folder or clang is missing.
llvm::Expected<std::function<void()>> buildSharedKernel(const SharedKernel &kernel);

} // namespace leaf::bench

#endif // LEAF_BENCH_SHAREDKERNELS_H
