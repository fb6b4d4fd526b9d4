//===- EvaluateReduction.cpp - reductions and generators at compile time ------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Evaluation.h"
#include <cmath>

using namespace mlir;
using namespace leaf;

namespace {
struct Reduction {
  StringLiteral name;
  double (*onFloat)(double, double);
  int64_t (*onInt)(int64_t, int64_t);
  std::optional<double> start; ///< nothing: the first element
};
} // namespace

static const Reduction reductionTable[] = {
    {"ReduceMax", [](double a, double b) { return a != a || b != b ? NAN : std::max(a, b); },
     [](int64_t a, int64_t b) { return std::max(a, b); }, std::nullopt},
    {"ReduceMean", [](double a, double b) { return a + b; }, nullptr, 0.0},
    {"ReduceMin", [](double a, double b) { return a != a || b != b ? NAN : std::min(a, b); },
     [](int64_t a, int64_t b) { return std::min(a, b); }, std::nullopt},
    {"ReduceProd", [](double a, double b) { return a * b; },
     [](int64_t a, int64_t b) { return static_cast<int64_t>(uint64_t(a) * uint64_t(b)); }, 1.0},
    {"ReduceSum", [](double a, double b) { return a + b; },
     [](int64_t a, int64_t b) { return static_cast<int64_t>(uint64_t(a) + uint64_t(b)); }, 0.0},
    {"ReduceSumSquare", [](double a, double b) { return a + b * b; },
     [](int64_t a, int64_t b) { return static_cast<int64_t>(uint64_t(a) + uint64_t(b) * uint64_t(b)); }, 0.0},
    {"ReduceL2", [](double a, double b) { return a + b * b; }, nullptr, 0.0},
};

/// The dimensions that `request` reduces; nothing when its axes are not known. None at all: noop_with_empty_axes.
static std::optional<llvm::SmallBitVector> reducedDims(EvalRequest &request) {
  int64_t rank = request.operand(0)->rank();
  llvm::SmallBitVector reduced(rank);
  SmallVector<int64_t> axes;
  if (request.operand(1)) {
    std::optional<SmallVector<int64_t>> given = request.ints(1);
    if (!given)
      return std::nullopt;
    axes = *given;
  }
  if (axes.empty())
    return intAttr(request.op, "noop_with_empty_axes", 0) ? reduced : reduced.flip();
  for (int64_t axis : axes) {
    std::optional<int64_t> at = normalizeAxis(axis, rank);
    if (!at)
      return std::nullopt;
    reduced.set(*at);
  }
  return reduced;
}

static double finish(StringRef name, double value, int64_t count) {
  if (name == "ReduceMean")
    return value / static_cast<double>(count);
  return name == "ReduceL2" ? std::sqrt(value) : value;
}

static LogicalResult evaluateReduction(EvalRequest &request) {
  StringRef name = onnxName(request.op);
  const Reduction *op = llvm::find_if(reductionTable, [&](const Reduction &entry) { return entry.name == name; });
  const HostTensor &in = *request.operand(0);
  std::optional<llvm::SmallBitVector> reduced = reducedDims(request);
  if (!reduced || (!in.isFloat() && (!op->onInt || in.elementType().isUnsignedInteger(64))))
    return failure();
  SmallVector<int64_t> kept, dropped, inner;
  int64_t count = 1;
  for (int64_t d = 0; d < in.rank(); ++d) {
    kept.push_back((*reduced)[d] ? 1 : in.shape()[d]);
    if (!(*reduced)[d])
      dropped.push_back(in.shape()[d]);
    count *= (*reduced)[d] ? in.shape()[d] : 1;
  }
  if (count == 0 && !op->start)
    return failure();
  int64_t total = 1;
  for (int64_t size : kept)
    total *= size;
  std::vector<double> floats(in.isFloat() ? total : 0, op->start.value_or(0));
  std::vector<int64_t> ints(in.isFloat() ? 0 : total, static_cast<int64_t>(op->start.value_or(0)));
  std::vector<bool> started(total, op->start.has_value());
  forEachIndex(in.shape(), broadcastStrides(kept, in.shape()), [&](int64_t i, ArrayRef<int64_t> at) {
    int64_t to = at[0];
    if (in.isFloat())
      floats[to] = started[to] ? op->onFloat(floats[to], in.getFloat(i)) : in.getFloat(i);
    else
      ints[to] = started[to] ? op->onInt(ints[to], in.getInt(i)) : in.getInt(i);
    started[to] = true;
  });
  HostTensor out = HostTensor::make(RankedTensorType::get(kept, in.elementType()));
  for (int64_t i = 0; i < total; ++i) {
    if (in.isFloat())
      out.setFloat(i, finish(name, floats[i], count));
    else
      out.setInt(i, ints[i]);
  }
  return request.add(intAttr(request.op, "keepdims", 1) ? out : out.reshaped(dropped));
}

static LogicalResult evaluateRange(EvalRequest &request) {
  const HostTensor &start = *request.operand(0), &limit = *request.operand(1), &delta = *request.operand(2);
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1 || delta.getNumber(0) == 0)
    return failure();
  double count = std::ceil((limit.getNumber(0) - start.getNumber(0)) / delta.getNumber(0));
  if (!(count <= 1e15))
    return failure();
  SmallVector<int64_t> shape = {count > 0 ? static_cast<int64_t>(count) : 0};
  if (!request.fits(shape, start.elementType()))
    return failure();
  HostTensor out = HostTensor::make(RankedTensorType::get(shape, start.elementType()));
  for (int64_t i = 0; i < shape[0]; ++i) {
    if (out.isFloat())
      out.setFloat(i, start.getFloat(0) + static_cast<double>(i) * delta.getFloat(0));
    else
      out.setInt(i, start.getInt(0) + i * delta.getInt(0));
  }
  return request.add(std::move(out));
}

static LogicalResult evaluateConstantOfShape(EvalRequest &request) {
  std::optional<SmallVector<int64_t>> shape = request.ints(0);
  auto value = request.op->getAttrOfType<DenseElementsAttr>("value");
  if (!shape || (value && value.getNumElements() != 1))
    return failure();
  Type elementType = value ? value.getElementType() : Float32Type::get(request.op->getContext());
  if (!request.fits(*shape, elementType))
    return failure();
  HostTensor out = HostTensor::make(RankedTensorType::get(*shape, elementType));
  for (int64_t i = 0, e = out.size(); value && i < e; ++i) {
    if (out.isFloat())
      out.setFloat(i, value.getSplatValue<APFloat>().convertToDouble());
    else
      out.setInt(i, value.getSplatValue<APInt>().getSExtValue());
  }
  return request.add(std::move(out));
}

static LogicalResult evaluateTrilu(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  std::optional<SmallVector<int64_t>> k = request.operand(1) ? request.ints(1) : SmallVector<int64_t>{0};
  if (in.rank() < 2 || !k || k->size() != 1)
    return failure();
  bool upper = intAttr(request.op, "upper", 1) != 0;
  int64_t columns = in.shape().back(), rows = in.shape()[in.rank() - 2];
  HostTensor out = HostTensor::make(in.type());
  for (int64_t i = 0, e = in.size(); i < e; ++i) {
    int64_t distance = i % columns - i / columns % rows - (*k)[0];
    if (upper ? distance < 0 : distance > 0)
      continue;
    if (in.isFloat())
      out.setFloat(i, in.getFloat(i));
    else
      out.setInt(i, in.getInt(i));
  }
  return request.add(std::move(out));
}

ArrayRef<Evaluation> leaf::getReductionEvaluations() {
  static const SmallVector<Evaluation> table = [] {
    SmallVector<Evaluation> entries = {{"ConstantOfShape", evaluateConstantOfShape, false},
                                       {"Range", evaluateRange, false},
                                       {"Trilu", evaluateTrilu, false}};
    for (const Reduction &op : reductionTable)
      entries.push_back({op.name, evaluateReduction, false});
    return entries;
  }();
  return table;
}
