//===- Groups.cpp - contractions whose reduction goes in groups --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Groups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace leaf;

std::optional<int64_t> leaf::getDepth(ContractOp contract) {
  auto depth = contract->getAttrOfType<IntegerAttr>(kDepth);
  return depth && contract.getNumLoops() >= 2 ? std::optional<int64_t>(depth.getInt()) : std::nullopt;
}

/// The element that the block's value widens: an i8 by a sign or zero extension, a bf16 by one of floats.
static std::optional<DotOperand> matchWidening(Block &block) {
  Operation *op = block.getTerminator()->getOperand(0).getDefiningOp();
  if (!op || block.getNumArguments() != 1 || op->getNumOperands() != 1 || op->getOperand(0) != block.getArgument(0))
    return std::nullopt;
  Type from = block.getArgument(0).getType(), to = op->getResult(0).getType();
  if (isa<arith::ExtSIOp, arith::ExtUIOp>(op) && from.isInteger(8) && to.isInteger(32))
    return DotOperand{from, isa<arith::ExtSIOp>(op)};
  if (isa<arith::ExtFOp>(op) && from.isBF16() && to.isF32())
    return DotOperand{from, true};
  return std::nullopt;
}

std::optional<std::pair<DotOperand, DotOperand>> leaf::matchDot(ContractOp contract) {
  std::optional<DotOperand> lhs = matchWidening(contract.getLhsPrologue().front());
  std::optional<DotOperand> rhs = matchWidening(contract.getRhsPrologue().front());
  if (!lhs || !rhs || contract.getNumRhsExtras() || lhs->element != rhs->element)
    return std::nullopt;
  return std::make_pair(*lhs, *rhs);
}
