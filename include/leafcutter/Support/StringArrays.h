//===- StringArrays.h - arrays of strings in .npz files ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_STRINGARRAYS_H
#define LEAFCUTTER_SUPPORT_STRINGARRAYS_H

#include "leafcutter/Support/Npz.h"

namespace leaf {

/// Element type of the places of strings in the C ABI: an int64 `offset << 32 | length`.
inline constexpr llvm::StringLiteral kStringElement = "string";
/// The bytes of the strings NAME are the input or output NAME.bytes.
inline constexpr llvm::StringLiteral kStringBytes = ".bytes";

/// Whether the elements are strings of numpy: of N characters ("U7") or bytes ("S5").
bool isStringArray(const NpyArray &array);

/// The elements in UTF-8 (bytes as they are), without the zeros that numpy fills up with.
std::vector<std::string> getStrings(const NpyArray &array);
/// An array of numpy's characters. What is no UTF-8 becomes U+FFFD.
NpyArray makeStringArray(std::vector<int64_t> shape, const std::vector<std::string> &strings);

/// Arrays of strings as inputs of the C ABI: NAME, places of type kStringElement, and NAME.bytes. Others as they are.
NpzFile splitStrings(const NpzFile &arrays);
/// The other way round, for outputs.
NpzFile joinStrings(NpzFile arrays);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_STRINGARRAYS_H
