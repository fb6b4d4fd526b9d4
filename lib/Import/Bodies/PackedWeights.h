//===- PackedWeights.h - weights of few bits in com.microsoft ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_IMPORT_BODIES_PACKEDWEIGHTS_H
#define LEAF_LIB_IMPORT_BODIES_PACKEDWEIGHTS_H

#include "Body.h"

namespace leaf::importer {

/// Matrices as MatMulNBits and QMoE store them: 8 / bits integers in each byte, the first in its lowest bits; each
/// `block` of them along a row has a scale and a zero point.
struct PackedWeights {
  Body &body;
  int64_t bits, block;

  /// Integers [rows, columns] in bytes, of packed bytes that are as many for each row.
  std::string unpackBytes(std::string packed, int64_t rows, int64_t columns);

  /// The numbers [rows, columns] of packed bytes. `zeros` are packed too (their element type uint8), or numbers of the
  /// scales' type, or absent (""): then half of the range.
  std::string unpack(std::string packed, std::string scales, std::string zeros, int32_t zeroType, int64_t rows,
                     int64_t columns);
};

} // namespace leaf::importer

#endif // LEAF_LIB_IMPORT_BODIES_PACKEDWEIGHTS_H
