//===- EvaluateMovement.cpp - data movement at compile time -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Evaluation.h"
#include <cstring>

using namespace mlir;
using namespace leaf;

SmallVector<int64_t> leaf::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

std::optional<SmallVector<int64_t>> leaf::broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SmallVector<int64_t> out(a);
  for (size_t i = 0, shift = a.size() - b.size(); i < b.size(); ++i) {
    int64_t &size = out[shift + i];
    if (size != b[i] && size != 1 && b[i] != 1)
      return std::nullopt;
    size = size == 1 ? b[i] : size;
  }
  return out;
}

SmallVector<int64_t> leaf::broadcastStrides(ArrayRef<int64_t> shape, ArrayRef<int64_t> out) {
  SmallVector<int64_t> strides(out.size(), 0), own = rowMajorStrides(shape);
  for (size_t i = 0, shift = out.size() - shape.size(); i < shape.size(); ++i)
    strides[shift + i] = shape[i] == 1 ? 0 : own[i];
  return strides;
}

HostTensor leaf::stridedCopy(const HostTensor &in, ArrayRef<int64_t> outShape, ArrayRef<int64_t> strides,
                             int64_t offset) {
  HostTensor out = HostTensor::make(RankedTensorType::get(outShape, in.elementType()));
  unsigned bytes = HostTensor::elementBytes(in.elementType());
  const char *from = in.bytes().data();
  char *to = out.data();
  forEachIndex(outShape, SmallVector<int64_t>(strides), [&](int64_t linear, ArrayRef<int64_t> at) {
    int64_t source = offset + at[0];
    std::memcpy(to + linear * bytes, from + source * bytes, bytes);
    if (!in.isFullyKnown())
      out.setSymbol(linear, in.symbol(source));
  });
  return out;
}

/// Copies a run of elements with their symbols.
static void copyRun(HostTensor &out, int64_t to, const HostTensor &in, int64_t from, int64_t count) {
  unsigned bytes = HostTensor::elementBytes(in.elementType());
  if (count > 0)
    std::memcpy(out.data() + to * bytes, in.bytes().data() + from * bytes, count * bytes);
  if (!in.isFullyKnown())
    for (int64_t i = 0; i < count; ++i)
      out.setSymbol(to + i, in.symbol(from + i));
}

static int64_t product(ArrayRef<int64_t> sizes) {
  int64_t total = 1;
  for (int64_t size : sizes)
    total *= size;
  return total;
}

static LogicalResult evaluateIdentity(EvalRequest &request) { return request.add(*request.operand(0)); }

static LogicalResult evaluateReshape(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  std::optional<SmallVector<int64_t>> shape = request.ints(1);
  if (!shape)
    return failure();
  bool allowZero = intAttr(request.op, "allowzero", 0) != 0;
  int64_t inferred = -1, rest = 1;
  for (auto [d, size] : llvm::enumerate(*shape)) {
    if (size == 0 && !allowZero) {
      if (static_cast<int64_t>(d) >= in.rank())
        return failure();
      size = in.shape()[d];
    }
    if (size == -1)
      inferred = d;
    else
      rest *= size;
  }
  if (inferred >= 0) {
    if (rest == 0 || in.size() % rest != 0)
      return failure();
    (*shape)[inferred] = in.size() / rest;
  }
  if (llvm::any_of(*shape, [](int64_t size) { return size < 0; }) || product(*shape) != in.size())
    return failure();
  return request.add(in.reshaped(*shape));
}

static LogicalResult evaluateFlatten(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  int64_t axis = intAttr(request.op, "axis", 1);
  axis = axis < 0 ? axis + in.rank() : axis;
  if (axis < 0 || axis > in.rank())
    return failure();
  return request.add(in.reshaped({product(in.shape().take_front(axis)), product(in.shape().drop_front(axis))}));
}

static LogicalResult evaluateSqueeze(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  llvm::SmallBitVector dropped(in.rank());
  if (request.operand(1)) {
    std::optional<SmallVector<int64_t>> axes = request.ints(1);
    if (!axes)
      return failure();
    for (int64_t axis : *axes) {
      std::optional<int64_t> at = normalizeAxis(axis, in.rank());
      if (!at || in.shape()[*at] != 1)
        return failure();
      dropped.set(*at);
    }
  } else {
    for (int64_t d = 0; d < in.rank(); ++d)
      dropped[d] = in.shape()[d] == 1;
  }
  SmallVector<int64_t> shape;
  for (int64_t d = 0; d < in.rank(); ++d)
    if (!dropped[d])
      shape.push_back(in.shape()[d]);
  return request.add(in.reshaped(shape));
}

static LogicalResult evaluateUnsqueeze(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  std::optional<SmallVector<int64_t>> axes = request.ints(1);
  if (!axes)
    return failure();
  int64_t rank = in.rank() + axes->size();
  llvm::SmallBitVector added(rank);
  for (int64_t axis : *axes) {
    std::optional<int64_t> at = normalizeAxis(axis, rank);
    if (!at || added[*at])
      return failure();
    added.set(*at);
  }
  SmallVector<int64_t> shape;
  for (int64_t d = 0, next = 0; d < rank; ++d)
    shape.push_back(added[d] ? 1 : in.shape()[next++]);
  return request.add(in.reshaped(shape));
}

static LogicalResult evaluateTranspose(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  SmallVector<int64_t> perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, in.rank())));
  if (std::optional<SmallVector<int64_t>> given = intsAttr(request.op, "perm"); given && !given->empty())
    perm = *given;
  if (static_cast<int64_t>(perm.size()) != in.rank())
    return failure();
  SmallVector<int64_t> shape, strides, own = rowMajorStrides(in.shape());
  for (int64_t from : perm) {
    if (from < 0 || from >= in.rank())
      return failure();
    shape.push_back(in.shape()[from]);
    strides.push_back(own[from]);
  }
  return request.add(stridedCopy(in, shape, strides));
}

static LogicalResult evaluateConcat(EvalRequest &request) {
  const HostTensor &first = *request.operand(0);
  std::optional<int64_t> axis = normalizeAxis(intAttr(request.op, "axis", 0), first.rank());
  if (!axis)
    return failure();
  SmallVector<int64_t> shape(first.shape());
  shape[*axis] = 0;
  for (const HostTensor *operand : request.operands)
    shape[*axis] += operand->shape()[*axis];
  if (!request.fits(shape, first.elementType()))
    return failure();
  HostTensor out = HostTensor::make(RankedTensorType::get(shape, first.elementType()));
  int64_t outer = product(ArrayRef(shape).take_front(*axis)), to = 0;
  for (int64_t i = 0; i < outer; ++i)
    for (const HostTensor *operand : request.operands) {
      int64_t run = product(operand->shape().drop_front(*axis));
      copyRun(out, to, *operand, i * run, run);
      to += run;
    }
  return request.add(std::move(out));
}

static LogicalResult evaluateGather(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  const HostTensor &indices = *request.operand(1);
  std::optional<int64_t> axis = normalizeAxis(intAttr(request.op, "axis", 0), in.rank());
  std::optional<SmallVector<int64_t>> which = request.ints(1);
  if (!axis || !which)
    return failure();
  SmallVector<int64_t> shape(in.shape().take_front(*axis));
  shape.append(indices.shape().begin(), indices.shape().end());
  shape.append(in.shape().begin() + *axis + 1, in.shape().end());
  if (!request.fits(shape, in.elementType()))
    return failure();
  HostTensor out = HostTensor::make(RankedTensorType::get(shape, in.elementType()));
  int64_t outer = product(in.shape().take_front(*axis)), run = product(in.shape().drop_front(*axis + 1)), to = 0;
  int64_t extent = in.shape()[*axis];
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t index : *which) {
      if (index < -extent || index >= extent)
        return failure();
      copyRun(out, to, in, (i * extent + (index < 0 ? index + extent : index)) * run, run);
      to += run;
    }
  return request.add(std::move(out));
}

static LogicalResult evaluateSlice(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  std::optional<SmallVector<int64_t>> starts = request.ints(1), ends = request.ints(2);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, starts ? starts->size() : 0));
  SmallVector<int64_t> steps(axes.size(), 1);
  if (request.operand(3))
    axes = request.ints(3).value_or(SmallVector<int64_t>());
  if (request.operand(4))
    steps = request.ints(4).value_or(SmallVector<int64_t>());
  if (!starts || !ends || ends->size() != starts->size() || axes.size() != starts->size() ||
      steps.size() != starts->size())
    return failure();
  SmallVector<int64_t> shape(in.shape()), strides = rowMajorStrides(in.shape()), own = strides;
  int64_t offset = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    std::optional<int64_t> axis = normalizeAxis(axes[i], in.rank());
    if (!axis || steps[i] == 0)
      return failure();
    int64_t size = in.shape()[*axis], step = steps[i];
    auto wrap = [&](int64_t at) { return at < 0 ? at + size : at; };
    int64_t start = std::clamp<int64_t>(wrap((*starts)[i]), 0, step < 0 ? size - 1 : size);
    int64_t end = std::clamp<int64_t>(wrap((*ends)[i]), step < 0 ? -1 : 0, step < 0 ? size - 1 : size);
    int64_t distance = step < 0 ? start - end : end - start, stride = std::abs(step);
    shape[*axis] = size == 0 ? 0 : std::max<int64_t>(0, (distance + stride - 1) / stride);
    strides[*axis] = own[*axis] * step;
    offset += shape[*axis] == 0 ? 0 : start * own[*axis];
  }
  return request.add(stridedCopy(in, shape, strides, offset));
}

static LogicalResult evaluateSplit(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  std::optional<int64_t> axis = normalizeAxis(intAttr(request.op, "axis", 0), in.rank());
  if (!axis)
    return failure();
  int64_t count = request.op->getNumResults(), size = in.shape()[*axis], chunk = (size + count - 1) / count;
  SmallVector<int64_t> sizes;
  if (request.operand(1)) {
    sizes = request.ints(1).value_or(SmallVector<int64_t>());
  } else {
    for (int64_t i = 0; i < count; ++i)
      sizes.push_back(std::clamp<int64_t>(size - i * chunk, 0, chunk));
  }
  if (static_cast<int64_t>(sizes.size()) != count || std::accumulate(sizes.begin(), sizes.end(), int64_t(0)) != size)
    return failure();
  SmallVector<int64_t> shape(in.shape()), strides = rowMajorStrides(in.shape());
  int64_t at = 0;
  for (int64_t part : sizes) {
    shape[*axis] = part;
    request.results.push_back(stridedCopy(in, shape, strides, part == 0 ? 0 : at * strides[*axis]));
    at += part;
  }
  return success();
}

static LogicalResult evaluateExpand(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  std::optional<SmallVector<int64_t>> target = request.ints(1);
  std::optional<SmallVector<int64_t>> shape = target ? broadcastShapes(in.shape(), *target) : std::nullopt;
  if (!shape || !request.fits(*shape, in.elementType()))
    return failure();
  return request.add(stridedCopy(in, *shape, broadcastStrides(in.shape(), *shape)));
}

static LogicalResult evaluateTile(EvalRequest &request) {
  const HostTensor &in = *request.operand(0);
  std::optional<SmallVector<int64_t>> repeats = request.ints(1);
  if (!repeats || static_cast<int64_t>(repeats->size()) != in.rank())
    return failure();
  // Tiling is an expansion of [r0, d0, r1, d1, ...] from [1, d0, 1, d1, ...].
  SmallVector<int64_t> wide, strides, shape, own = rowMajorStrides(in.shape());
  for (int64_t d = 0; d < in.rank(); ++d) {
    wide.append({(*repeats)[d], in.shape()[d]});
    strides.append({0, own[d]});
    shape.push_back((*repeats)[d] * in.shape()[d]);
  }
  if (!request.fits(shape, in.elementType()))
    return failure();
  return request.add(stridedCopy(in, wide, strides).reshaped(shape));
}

ArrayRef<Evaluation> leaf::getMovementEvaluations() {
  static const Evaluation table[] = {
      {"Concat", evaluateConcat, true}, {"Expand", evaluateExpand, true},       {"Flatten", evaluateFlatten, true},
      {"Gather", evaluateGather, true}, {"Identity", evaluateIdentity, true},   {"Reshape", evaluateReshape, true},
      {"Slice", evaluateSlice, true},   {"Split", evaluateSplit, true},         {"Squeeze", evaluateSqueeze, true},
      {"Tile", evaluateTile, true},     {"Transpose", evaluateTranspose, true}, {"Unsqueeze", evaluateUnsqueeze, true},
  };
  return table;
}
