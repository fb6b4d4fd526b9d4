//===- DotProducts.h - dot products that a target has -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_DOTPRODUCTS_H
#define LEAFCUTTER_TARGET_DOTPRODUCTS_H

#include "leafcutter/Target/TargetSpec.h"

namespace leaf {

/// Instructions of a target that multiply and add groups of bytes or bfloat16.
struct DotProducts {
  /// x86: vpdpbusd, or vpmaddwd (of 16-bit numbers, to which bytes are widened). AArch64: usdot (and sdot), sdot, or
  /// smlal. ARM: vmlal (NEON), vmladava (Helium), smlad (SIMD32). Empty: none.
  std::string bytes;
  std::string bf16;     ///< vdpbf16ps; empty: none
  bool amxInt8 = false; ///< tile registers with dot products of bytes
  bool amxBf16 = false; ///< tile registers with dot products of bfloat16

  /// Bytes, and numbers of bfloat16, that one lane of a sum takes; 1: no such instruction.
  unsigned byteGroup() const { return bytes.empty() ? 1 : takesRows() ? 16 : 4; }
  unsigned bf16Group() const { return bf16.empty() ? 1 : 2; }

private:
  /// A vector of bytes is a part of one row or one column.
  bool takesRows() const { return bytes == "smlal" || bytes == "vmlal" || bytes == "vmladava"; }
};

DotProducts getDotProducts(const TargetSpec &target);

} // namespace leaf

#endif // LEAFCUTTER_TARGET_DOTPRODUCTS_H
