//===- NpyFormat.h - one .npy in memory --------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_SUPPORT_NPYFORMAT_H
#define LEAFCUTTER_LIB_SUPPORT_NPYFORMAT_H

#include "leafcutter/Support/Npz.h"

namespace leaf {

/// What the header of a .npy says of the data behind it.
struct NpyLayout {
  std::string elementType; ///< as in NpyArray
  std::vector<int64_t> shape;
  uint64_t dataBytes = 0;
  unsigned elementBytes = 0;
  bool bigEndian = false, fortranOrder = false;
};

/// So many bytes tell how long the header is.
inline constexpr size_t npyPrefixBytes = 12;

// Errors of these say what is wrong, not where the bytes came from.

/// Offset of the data, from the first npyPrefixBytes of a .npy (all of it, where it is shorter).
llvm::Expected<uint64_t> getNpyDataOffset(llvm::StringRef prefix);

/// Decodes what is before the data of a .npy that has `fileBytes` bytes in all; fails unless the array fills them.
llvm::Expected<NpyLayout> decodeNpyHeader(llvm::StringRef header, uint64_t fileBytes);

/// The array of `layout` with its data as it is in the file.
NpyArray makeNpyArray(NpyLayout layout, std::vector<char> data);

/// The bytes of a .npy (format 1.0, little-endian, C order) up to where the data starts.
std::string encodeNpyHeader(const NpyArray &array);

} // namespace leaf

#endif // LEAFCUTTER_LIB_SUPPORT_NPYFORMAT_H
