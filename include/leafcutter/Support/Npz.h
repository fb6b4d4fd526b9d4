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

/// Elements of one or two bytes in a file that does not say what they are: numpy writes types of ml_dtypes so.
inline constexpr llvm::StringLiteral kUnknownByte = "void1", kUnknownWord = "void2";

/// A dense row-major little-endian array.
struct NpyArray {
  std::string elementType;    ///< ElementType::name, kUnknownByte or kUnknownWord
  std::vector<int64_t> shape; ///< elements; empty for a scalar
  std::vector<char> bytes;    ///< product(shape) * element size
};

/// Bytes of one element of a type named as in NpyArray; 0 where the name is unknown.
unsigned getElementBytes(llvm::StringRef elementType);

/// Arrays by name, in the file's order.
using NpzFile = std::vector<std::pair<std::string, NpyArray>>;

/// Read a .npz (stored or deflated members, zip64 included), a .npy. Big-endian and Fortran-order arrays are
/// converted. Types that numpy lacks are records with one field named as in ml_dtypes (docs/RuntimeABI.md). Fail with a
/// message on anything malformed, truncated, or larger than the file can hold.
llvm::Expected<NpzFile> readNpz(llvm::StringRef path);
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Writes stored members; the file appears only when complete (temporary name, then rename).
llvm::Error writeNpz(llvm::StringRef path, const NpzFile &arrays);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_NPZ_H
