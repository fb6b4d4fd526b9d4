//===- Branches.cpp - branches of onnx.If --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Branches.h"

#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"

#include "ONNX/ONNX.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace leaf;

static constexpr llvm::StringLiteral kInvalid[] = {"leaf.invalid_else", "leaf.invalid_then"};

Operation *leaf::inlineKnownBranch(Operation *ifOp) {
  std::optional<HostTensor> condition = getHostConstant(ifOp->getOperand(0));
  if (!condition || condition->size() != 1 || !condition->isFullyKnown())
    return nullptr;
  unsigned taken = condition->getInt(0) != 0;
  Block &branch = ifOp->getRegion(taken).front();
  Operation *yield = branch.getTerminator();
  ifOp->replaceAllUsesWith(yield->getOperands());
  yield->erase();
  Operation *first = branch.empty() ? ifOp->getNextNode() : &branch.front();
  ifOp->getBlock()->getOperations().splice(ifOp->getIterator(), branch.getOperations());
  ifOp->erase();
  return first;
}

LogicalResult leaf::invalidateBranch(Operation *ifOp, unsigned region, StringRef reason) {
  if (ifOp->hasAttr(kInvalid[1 - region]))
    return failure();
  Operation *other = ifOp->getRegion(1 - region).front().getTerminator();
  for (Type type : other->getOperandTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type); !tensor || !tensor.hasStaticShape())
      return failure();
  Block &branch = ifOp->getRegion(region).front();
  OpBuilder builder = OpBuilder::atBlockBegin(&branch);
  SmallVector<Value> zeros;
  for (Type type : other->getOperandTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    Attribute zero = tensor.getElementType().isUnsignedInteger() ? builder.getIntegerAttr(tensor.getElementType(), 0)
                                                                 : builder.getZeroAttr(tensor.getElementType());
    zeros.push_back(leaf::onnx::ConstantOp::create(builder, ifOp->getLoc(), DenseElementsAttr::get(tensor, zero)));
  }
  Operation *yield = leaf::onnx::YieldOp::create(builder, ifOp->getLoc(), zeros);
  while (&branch.back() != yield) {
    branch.back().dropAllUses();
    branch.back().erase();
  }
  ifOp->setAttr(kInvalid[region], builder.getStringAttr(reason));
  return success();
}
