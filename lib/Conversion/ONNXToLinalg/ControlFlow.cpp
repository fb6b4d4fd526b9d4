//===- ControlFlow.cpp - If ----------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "OpenTensor.h"
#include "Plan/Plan.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

namespace {
/// What a branch yields. Sizes are values of its block.
struct Branch {
  SmallVector<Value> values;
  SmallVector<Sizes> sizes;
};
} // namespace

/// Lowers one branch into `block`. A branch that cannot run with the sizes of this build ends the run.
static LogicalResult lowerBranch(Lowering &lowering, Node &node, Region &region, Block *block, StringRef invalidAttr,
                                 Branch &branch) {
  RegionScope scope(lowering, block);
  OpBuilder &b = lowering.b();
  if (auto reason = node.getOperation()->getAttrOfType<StringAttr>(invalidAttr)) {
    Value never = arith::ConstantOp::create(b, lowering.loc(), b.getBoolAttr(false));
    plan::RequireOp::create(b, lowering.loc(), never, reason);
  }
  if (failed(lowering.lowerRegion(region, branch.values)))
    return failure();
  for (Value value : branch.values)
    branch.sizes.push_back(lowering.getSizes(value));
  return success();
}

namespace {
/// The results of an If. One whose two values have the same static type is that of the branch taken; what differs in
/// size is written into a buffer that holds either, made before the If.
class BranchResults {
public:
  BranchResults(Lowering &lowering, Node &node, scf::IfOp branch) : lowering(lowering), node(node), branch(branch) {}

  LogicalResult open(const Branch &then, const Branch &otherwise);
  void yield(Block *block, const Branch &values);
  void setResults(ValueRange results);

private:
  struct Result {
    std::optional<OpenTensor> open;
    Value buffer;
  };
  Lowering &lowering;
  Node &node;
  scf::IfOp branch;
  SmallVector<Result> results;
};
} // namespace

/// What both sizes are, and otherwise the larger upper bound in `bound` (-1: there is none).
static int64_t joinSizes(SizeArithmetic &s, Size a, Size b, int64_t &bound) {
  std::optional<int64_t> x = s.upperBound(a), y = s.upperBound(b);
  bound = x && y ? std::max(*x, *y) : -1;
  return constantOf(a) && constantOf(a) == constantOf(b) ? *x : ShapedType::kDynamic;
}

LogicalResult BranchResults::open(const Branch &then, const Branch &otherwise) {
  OpBuilder::InsertionGuard guard(lowering.b());
  lowering.b().setInsertionPoint(branch);
  for (auto [i, value, other] : llvm::enumerate(then.values, otherwise.values)) {
    auto type = cast<RankedTensorType>(value.getType()), otherType = cast<RankedTensorType>(other.getType());
    Result &result = results.emplace_back();
    if (type == otherType && type.hasStaticShape())
      continue;
    if (type.getRank() != otherType.getRank() || type.getElementType() != otherType.getElementType())
      return node.emitError() << "yields " << type << " as result " << i << " of one branch and " << otherType
                              << " of the other";
    SmallVector<int64_t> shape, derived(type.getRank());
    for (auto [a, b, bound] : llvm::zip(then.sizes[i], otherwise.sizes[i], derived))
      shape.push_back(joinSizes(lowering.sizes(), a, b, bound));
    FailureOr<SmallVector<int64_t>> most = findBounds(node, i, type.clone(shape), derived);
    if (failed(most))
      return failure();
    result.open.emplace(lowering, *most, type.getElementType());
    result.buffer = result.open->createBuffer();
  }
  return success();
}

void BranchResults::yield(Block *block, const Branch &from) {
  RegionScope scope(lowering, block);
  SmallVector<Value> yielded;
  for (auto [result, value, own] : llvm::zip_equal(results, from.values, from.sizes)) {
    lowering.setSizes(value, own);
    if (!result.open) {
      yielded.push_back(value);
      continue;
    }
    SmallVector<Value> sizes;
    yielded.push_back(result.open->write(value, result.buffer, sizes));
    llvm::append_range(yielded, sizes);
  }
  scf::YieldOp::create(lowering.b(), lowering.loc(), yielded);
}

void BranchResults::setResults(ValueRange values) {
  for (auto [i, result] : llvm::enumerate(results)) {
    Value value = values.front();
    unsigned numSizes = result.open ? result.open->getNumSizes() : 0;
    if (result.open)
      value = result.open->read(value, values.slice(1, numSizes));
    values = values.drop_front(1 + numSizes);
    lowering.setTensor(node.getOperation()->getResult(i), value);
  }
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
  Branch thenResults, elseResults;
  if (failed(lowerBranch(lowering, node, then, branch.thenBlock(), "leaf.invalid_then", thenResults)) ||
      failed(lowerBranch(lowering, node, otherwise, branch.elseBlock(), "leaf.invalid_else", elseResults)))
    return failure();
  BranchResults results(lowering, node, branch);
  if (failed(results.open(thenResults, elseResults)))
    return failure();
  results.yield(branch.thenBlock(), thenResults);
  results.yield(branch.elseBlock(), elseResults);
  auto typed = scf::IfOp::create(b, lowering.loc(), branch.thenYield().getOperandTypes(), branch.getCondition(),
                                 /*addThenBlock=*/false, /*addElseBlock=*/false);
  typed.getThenRegion().takeBody(branch.getThenRegion());
  typed.getElseRegion().takeBody(branch.getElseRegion());
  branch.erase();
  results.setResults(typed.getResults());
  return success();
}

void leaf::onnxtolinalg::registerControlFlow(Registry &registry) { registry.add("If", lowerIf); }
