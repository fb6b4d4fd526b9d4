//===- NpyFormat.h - one .npy in memory --------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_SUPPORT_NPYFORMAT_H
#define LEAFCUTTER_LIB_SUPPORT_NPYFORMAT_H

#include "leafcutter/Support/Npz.h"

namespace leaf {

/// Decodes a whole .npy. Errors say what is wrong, not where the bytes came from.
llvm::Expected<NpyArray> decodeNpy(llvm::StringRef bytes);

/// The bytes of a .npy (format 1.0, little-endian, C order) up to where the data starts.
std::string encodeNpyHeader(const NpyArray &array);

} // namespace leaf

#endif // LEAFCUTTER_LIB_SUPPORT_NPYFORMAT_H
