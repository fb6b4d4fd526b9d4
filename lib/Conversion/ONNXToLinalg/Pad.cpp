//===- Pad.cpp - Pad in its four modes ---------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Scalars.h"
#include "Windows.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {
enum class PadMode { Constant, Edge, Reflect, Wrap };
} // namespace

/// Source index that a position (already shifted by the padding in front) shows.
static Value padIndex(OpBuilder &b, Location loc, PadMode mode, Value index, const BodySize &extent,
                      const BodySize &last) {
  if (mode == PadMode::Edge)
    return clampIndex(b, loc, index, last);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  auto abs = [&](Value value) -> Value {
    return arith::MaxSIOp::create(b, loc, value, arith::SubIOp::create(b, loc, zero, value));
  };
  Value end = last.get(b, loc);
  if (mode == PadMode::Reflect) {
    Value distance = abs(arith::SubIOp::create(b, loc, end, abs(index)));
    return clampIndex(b, loc, arith::SubIOp::create(b, loc, end, distance), last);
  }
  Value size = extent.get(b, loc);
  Value rem = arith::RemSIOp::create(b, loc, index, size);
  Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rem, zero);
  return arith::SelectOp::create(b, loc, negative, arith::AddIOp::create(b, loc, rem, size), rem);
}

static FailureOr<PadMode> getPadMode(Node &node) {
  StringRef mode = node.getString("mode", "constant");
  if (mode == "constant")
    return PadMode::Constant;
  if (mode == "edge")
    return PadMode::Edge;
  if (mode == "reflect")
    return PadMode::Reflect;
  if (mode == "wrap")
    return PadMode::Wrap;
  return node.emitError() << "has unknown mode '" << mode << "'";
}

/// Pads with input 2, a constant or one element of a tensor; with zero where it is absent.
static Value padWithInput(Lowering &lowering, Node &node, Value data, ArrayRef<Size> begin, ArrayRef<Size> sizes) {
  if (!node.hasInput(2))
    return padConstant(lowering, data, begin, sizes, numberAttr(node.getInputElement(0), 0));
  if (std::optional<Attribute> splat = lowering.getSplat(node.getInput(2)))
    return padConstant(lowering, data, begin, sizes, signlessAttr(*splat));
  Value fill = lowering.getTensor(node.getInput(2));
  unsigned rank = cast<RankedTensorType>(fill.getType()).getRank();
  return padWith(lowering, data, begin, sizes, [&](OpBuilder &b, Location loc) -> Value {
    SmallVector<Value> first(rank, rank ? arith::ConstantIndexOp::create(b, loc, 0).getResult() : Value());
    return tensor::ExtractOp::create(b, loc, fill, first);
  });
}

static LogicalResult lowerPad(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes source = lowering.getSizes(data), sizes = source, begin(source.size(), s.constant(0));
  FailureOr<ShapeValue> pads = lowering.readShapeValue(node, 1);
  FailureOr<PadMode> mode = getPadMode(node);
  if (failed(pads) || failed(mode))
    return failure();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, source.size()));
  if (node.hasInput(3)) {
    std::optional<SmallVector<int64_t>> constant = lowering.getConstantInts(node.getInput(3));
    if (!constant)
      return node.emitError() << "has axes that are not constant";
    axes = *constant;
  }
  if (pads->elements.size() != 2 * axes.size())
    return node.emitError() << "has " << pads->elements.size() << " pads for " << axes.size() << " axes";
  for (auto [i, axis] : llvm::enumerate(axes)) {
    size_t d = axis < 0 ? axis + source.size() : axis;
    begin[d] = pads->elements[i];
    sizes[d] = s.add(s.add(source[d], begin[d]), pads->elements[axes.size() + i]);
  }
  sizes = lowering.refine(sizes, node);
  Value result;
  if (*mode == PadMode::Constant) {
    result = padWithInput(lowering, node, data, begin, sizes);
  } else {
    SmallVector<BodySize> begins, extents, lasts;
    for (size_t d = 0; d < source.size(); ++d) {
      begins.emplace_back(begin[d]);
      extents.emplace_back(source[d]);
      lasts.emplace_back(s.sub(source[d], s.constant(1)));
    }
    Type element = cast<RankedTensorType>(data.getType()).getElementType();
    result = lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
      SmallVector<Value> position;
      for (size_t d = 0; d < source.size(); ++d) {
        Value index = linalg::IndexOp::create(b, loc, d);
        if (constantOf(begin[d]) != 0)
          index = arith::SubIOp::create(b, loc, index, begins[d].get(b, loc));
        bool padded = constantOf(begin[d]) != 0 || !s.same(source[d], sizes[d]);
        position.push_back(padded ? padIndex(b, loc, *mode, index, extents[d], lasts[d]) : index);
      }
      return tensor::ExtractOp::create(b, loc, data, position);
    });
  }
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerPad(Registry &registry) { registry.add("Pad", lowerPad); }
