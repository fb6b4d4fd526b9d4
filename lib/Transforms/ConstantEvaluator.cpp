//===- ConstantEvaluator.cpp - runs onnx ops at compile time ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Evaluation.h"
#include "Leaf/Leaf.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace leaf;

bool EvalRequest::fits(ArrayRef<int64_t> shape, Type elementType) const {
  int64_t limit = options.maxResultBytes, bytes = HostTensor::elementBytes(elementType);
  if (bytes == 0)
    return false;
  for (int64_t size : shape) {
    if (size < 0 || (size != 0 && bytes > limit / size))
      return false;
    bytes *= size;
  }
  return true;
}

static const Evaluation *lookupEvaluation(StringRef name) {
  static const llvm::StringMap<const Evaluation *> table = [] {
    llvm::StringMap<const Evaluation *> entries;
    for (ArrayRef<Evaluation> part : {getMovementEvaluations(), getElementwiseEvaluations(), getReductionEvaluations()})
      for (const Evaluation &evaluation : part)
        entries[evaluation.name] = &evaluation;
    return entries;
  }();
  return table.lookup(name);
}

/// Shape and Size read the type, not the value.
static LogicalResult evaluateShape(EvalRequest &request) {
  Operation *op = request.op;
  auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  if (!type)
    return failure();
  auto i64 = IntegerType::get(op->getContext(), 64);
  if (onnxName(op) == "Size") {
    if (!type.hasStaticShape())
      return failure();
    return request.add(HostTensor::ofInts(RankedTensorType::get({}, i64), {type.getNumElements()}));
  }
  int64_t rank = type.getRank();
  auto clampToRank = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  int64_t start = clampToRank(intAttr(op, "start", 0)), end = clampToRank(intAttr(op, "end", rank));
  HostTensor shape = HostTensor::make(RankedTensorType::get({std::max<int64_t>(end - start, 0)}, i64));
  for (int64_t d = start; d < end; ++d) {
    if (!type.isDynamicDim(d)) {
      shape.setInt(d - start, type.getDimSize(d));
      continue;
    }
    int32_t symbol = request.options.dimSymbol ? request.options.dimSymbol(op->getOperand(0), d) : 0;
    shape.setSymbol(d - start, symbol ? symbol : -1);
  }
  return request.add(std::move(shape));
}

FailureOr<std::vector<HostTensor>> ConstantEvaluator::evaluate(Operation *op,
                                                               ArrayRef<const HostTensor *> operands) const {
  if (!isOnnx(op))
    return failure();
  std::vector<HostTensor> results;
  EvalRequest request{op, operands, options, results};
  StringRef name = onnxName(op);
  if (name == "Shape" || name == "Size") {
    if (failed(evaluateShape(request)))
      return failure();
    return results;
  }
  bool known = true;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (!operands[i] && !isNoValue(operand) && !(name == "CastLike" && i == 1))
      return failure();
    known &= !operands[i] || operands[i]->isFullyKnown();
  }
  const Evaluation *evaluation = lookupEvaluation(name);
  if (!evaluation) {
    std::vector<HostTensor> values;
    for (const HostTensor *operand : operands)
      values.push_back(operand ? *operand : HostTensor());
    if (!known || !options.fallback || !options.fallback(op, values, results))
      return failure();
    return results;
  }
  if ((!known && !evaluation->partial) || failed(evaluation->run(request)) || results.size() != op->getNumResults())
    return failure();
  for (HostTensor &result : results)
    result.normalizeSymbols();
  return results;
}

bool leaf::isWeightDecoding(Operation *op) {
  if (isOnnx(op, "DequantizeLinear"))
    return isConstantValue(op->getOperand(0));
  if (!isOnnx(op, "Cast") || !isa_and_nonnull<LoadWeightOp>(op->getOperand(0).getDefiningOp()))
    return false;
  Type to = elementTypeOfONNX(op->getContext(), intAttr(op, "to", 0));
  Type from = cast<ShapedType>(op->getOperand(0).getType()).getElementType();
  return !to || HostTensor::elementBytes(to) > HostTensor::elementBytes(from);
}

FailureOr<std::vector<HostTensor>> ConstantEvaluator::evaluateConstants(Operation *op) const {
  if (!isOnnx(op) || isOnnx(op, "Constant") || isOnnx(op, "NoValue") || op->getNumResults() == 0 ||
      op->getNumRegions() != 0 || isWeightDecoding(op))
    return failure();
  SmallVector<std::optional<HostTensor>> constants;
  SmallVector<const HostTensor *> operands;
  bool readsTypeOnly = isOnnx(op, "Shape") || isOnnx(op, "Size");
  for (Value operand : op->getOperands()) {
    constants.push_back(readsTypeOnly || !isConstantValue(operand) ? std::nullopt : getHostConstant(operand));
    if (!constants.back() && !readsTypeOnly && !isNoValue(operand))
      return failure();
  }
  for (std::optional<HostTensor> &constant : constants)
    operands.push_back(constant ? &*constant : nullptr);
  FailureOr<std::vector<HostTensor>> results = evaluate(op, operands);
  if (failed(results) || !llvm::all_of(*results, [](const HostTensor &result) { return result.isFullyKnown(); }))
    return failure();
  return results;
}

bool leaf::foldToConstants(Operation *op, const ConstantEvaluator &evaluator) {
  FailureOr<std::vector<HostTensor>> results = evaluator.evaluateConstants(op);
  if (failed(results))
    return false;
  OpBuilder builder(op);
  for (auto [result, value] : llvm::zip_equal(op->getResults(), *results))
    if (!result.use_empty())
      result.replaceAllUsesWith(createConstant(builder, op->getLoc(), value, nodeName(op)));
  op->erase();
  return true;
}
