//===- Npz.h - reads and writes numpy's .npy and .npz ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_NPZ_H
#define LEAFCUTTER_SUPPORT_NPZ_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace leaf {

/// A dense row-major little-endian array.
struct NpyArray {
  std::string elementType;     ///< "float32", "float16", "int64", "uint8", "bool", ... as in TensorInterface
  std::vector<int64_t> shape;  ///< elements; empty for a scalar
  std::vector<char> bytes;     ///< product(shape) * element size
};

/// Arrays by name, in the file's order.
using NpzFile = std::vector<std::pair<std::string, NpyArray>>;

/// Reads a .npz (stored or deflated members, zip64 included) or a .npy. Big-endian and Fortran-order arrays are
/// converted. Fails with a message on anything malformed, truncated, or larger than the file can hold.
llvm::Expected<NpzFile> readNpz(llvm::StringRef path);
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Writes stored members; the file appears only when complete (temporary name, then rename).
llvm::Error writeNpz(llvm::StringRef path, const NpzFile &arrays);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_NPZ_H
