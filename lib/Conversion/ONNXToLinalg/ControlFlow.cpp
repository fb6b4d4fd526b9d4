//===- ControlFlow.cpp - If ----------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Plan/Plan.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

/// Lowers one branch into `block`. A branch that cannot run with the sizes of this build ends the run.
static LogicalResult lowerBranch(Lowering &lowering, Node &node, Region &region, Block *block, StringRef invalidAttr,
                                 SmallVectorImpl<Value> &results) {
  RegionScope scope(lowering, block);
  OpBuilder &b = lowering.b();
  if (auto reason = node.getOperation()->getAttrOfType<StringAttr>(invalidAttr)) {
    Value never = arith::ConstantOp::create(b, lowering.loc(), b.getBoolAttr(false));
    plan::RequireOp::create(b, lowering.loc(), never, reason);
  }
  if (failed(lowering.lowerRegion(region, results)))
    return failure();
  for (auto [i, tensor] : llvm::enumerate(results)) {
    auto type = cast<RankedTensorType>(tensor.getType());
    if (!type.hasStaticShape())
      return node.emitError() << "yields a tensor of open size as result " << i
                              << "; fix the model's open dimensions with --dim NAME=N";
  }
  return success();
}

static LogicalResult lowerIf(Lowering &lowering, Node &node) {
  Operation *op = node.getOperation();
  OpBuilder &b = lowering.b();
  FailureOr<ShapeValue> condition = lowering.readShapeValue(node, 0);
  if (failed(condition))
    return failure();
  Region &otherwise = op->getRegion(0), &then = op->getRegion(1);
  auto branch = scf::IfOp::create(b, lowering.loc(), TypeRange(), lowering.sizes().value(condition->elements.front()),
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  SmallVector<Value> thenResults, elseResults;
  if (failed(lowerBranch(lowering, node, then, branch.thenBlock(), "leaf.invalid_then", thenResults)) ||
      failed(lowerBranch(lowering, node, otherwise, branch.elseBlock(), "leaf.invalid_else", elseResults)))
    return failure();
  SmallVector<Type> types(ValueRange(thenResults).getTypes());
  for (auto [i, type] : llvm::enumerate(types))
    if (elseResults[i].getType() != type)
      return node.emitError() << "yields " << type << " as result " << i << " of one branch and "
                              << elseResults[i].getType() << " of the other";
  auto yield = [&](Block *block, ValueRange values) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(block);
    scf::YieldOp::create(b, lowering.loc(), values);
  };
  yield(branch.thenBlock(), thenResults);
  yield(branch.elseBlock(), elseResults);
  auto typed = scf::IfOp::create(b, lowering.loc(), types, branch.getCondition(), /*addThenBlock=*/false,
                                 /*addElseBlock=*/false);
  typed.getThenRegion().takeBody(branch.getThenRegion());
  typed.getElseRegion().takeBody(branch.getElseRegion());
  branch.erase();
  for (auto [i, result] : llvm::enumerate(typed.getResults()))
    lowering.setTensor(op->getResult(i), result);
  return success();
}

void leaf::onnxtolinalg::registerControlFlow(Registry &registry) { registry.add("If", lowerIf); }
