//===- Groups.h - contractions whose reduction goes in groups ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// With attribute `leaf.depth` = K the last two loops (g, i) of a leaf.contract walk one reduction of K elements in
// groups of G, the extent of i: element g * G + i, as dot-product instructions take them. The rhs is packed
// [N/NR][...][K/G][NR][G] and is zero from element K on; lhs is not read there.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_LEAF_GROUPS_H
#define LEAF_DIALECTS_LEAF_GROUPS_H

#include "Leaf/Leaf.h"

namespace leaf {

/// I64Attr on a leaf.contract.
inline constexpr llvm::StringLiteral kDepth = "leaf.depth";

/// UnitAttr on a leaf.contract whose weights, bytes, are all above -128: two products by one fit 16 bits with their
/// sum.
inline constexpr llvm::StringLiteral kAboveMinimum = "leaf.above_minimum";

/// Elements of the grouped reduction; nothing where there are no groups.
std::optional<int64_t> getDepth(ContractOp contract);

/// How a contraction reads an operand that dot-product instructions take as it is stored: bytes, or bfloat16.
struct DotOperand {
  mlir::Type element; ///< i8 or bf16, as stored
  bool isSigned;
};

/// Both operands where the prologues of `contract` only widen them: to i32, or to f32.
std::optional<std::pair<DotOperand, DotOperand>> matchDot(ContractOp contract);

} // namespace leaf

#endif // LEAF_DIALECTS_LEAF_GROUPS_H
