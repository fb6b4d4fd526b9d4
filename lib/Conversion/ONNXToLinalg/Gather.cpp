//===- Gather.cpp - Gather, GatherElements, Pad ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Scalars.h"
#include "Windows.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Loops: dimensions before the axis, dimensions of the indices, dimensions behind the axis.
static LogicalResult lowerGather(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Operand data = lowering.getOperand(node.getInput(0));
  Value indices = lowering.getTensor(node.getInput(1));
  Sizes dataSizes = lowering.getSizes(data.tensor), indexSizes = lowering.getSizes(indices);
  unsigned axis = node.getAxis("axis", 0, dataSizes.size()), indexRank = indexSizes.size();
  Sizes sizes(dataSizes.begin(), dataSizes.begin() + axis);
  llvm::append_range(sizes, indexSizes);
  sizes.append(dataSizes.begin() + axis + 1, dataSizes.end());
  sizes = lowering.refine(sizes, node);
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d < indexRank; ++d)
    exprs.push_back(lowering.b().getAffineDimExpr(axis + d));
  AffineMap indexMap = AffineMap::get(sizes.size(), 0, exprs, lowering.b().getContext());
  BodySize extent(dataSizes[axis]), last(s.sub(dataSizes[axis], s.constant(1)));
  Type indexType = node.getInputElement(1);
  Value result = lowering.pointwise(
      indices, indexMap, sizes, node.getResultElement(), [&](OpBuilder &b, Location loc, ValueRange args) {
        SmallVector<Value> position;
        for (unsigned d = 0; d < dataSizes.size(); ++d) {
          if (d == axis)
            position.push_back(wrapIndex(b, loc, args[0], indexType, extent, last));
          else
            position.push_back(linalg::IndexOp::create(b, loc, d < axis ? d : d + indexRank - 1));
        }
        return data.load(b, loc, tensor::ExtractOp::create(b, loc, data.tensor, position));
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerGatherElements(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Operand data = lowering.getOperand(node.getInput(0));
  Value indices = lowering.getTensor(node.getInput(1));
  Sizes dataSizes = lowering.getSizes(data.tensor), sizes = lowering.getSizes(indices);
  unsigned axis = node.getAxis("axis", 0, dataSizes.size());
  BodySize extent(dataSizes[axis]), last(s.sub(dataSizes[axis], s.constant(1)));
  Value result = lowering.pointwise(
      indices, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, node.getResultElement(),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        SmallVector<Value> position;
        for (unsigned d = 0; d < sizes.size(); ++d)
          position.push_back(d == axis ? wrapIndex(b, loc, args[0], node.getInputElement(1), extent, last)
                                       : linalg::IndexOp::create(b, loc, d).getResult());
        return data.load(b, loc, tensor::ExtractOp::create(b, loc, data.tensor, position));
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Tuples of indices in the last dimension address the dimensions behind the batch dimensions.
static LogicalResult lowerGatherND(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Operand data = lowering.getOperand(node.getInput(0));
  Value indices = lowering.getTensor(node.getInput(1));
  Sizes dataSizes = lowering.getSizes(data.tensor), indexSizes = lowering.getSizes(indices);
  std::optional<int64_t> tuple = constantOf(indexSizes.back());
  if (!tuple)
    return node.emitError() << "needs index tuples of static length";
  unsigned batch = node.getInt("batch_dims", 0), indexRank = indexSizes.size() - 1;
  Sizes sizes(indexSizes.begin(), indexSizes.end() - 1);
  sizes.append(dataSizes.begin() + batch + *tuple, dataSizes.end());
  sizes = lowering.refine(sizes, node);
  Type indexType = node.getInputElement(1);
  SmallVector<BodySize> extents, lasts;
  for (unsigned d = 0; d < dataSizes.size(); ++d) {
    extents.emplace_back(dataSizes[d]);
    lasts.emplace_back(s.sub(dataSizes[d], s.constant(1)));
  }
  Value result = lowering.pointwise({}, {}, sizes, node.getResultElement(), [&](OpBuilder &b, Location loc, ValueRange) {
    SmallVector<Value> position, at;
    for (unsigned d = 0; d < indexRank; ++d)
      at.push_back(linalg::IndexOp::create(b, loc, d));
    for (unsigned d = 0; d < dataSizes.size(); ++d) {
      if (d < batch) {
        position.push_back(linalg::IndexOp::create(b, loc, d));
      } else if (d < batch + *tuple) {
        SmallVector<Value> element(at);
        element.push_back(arith::ConstantIndexOp::create(b, loc, d - batch));
        Value index = tensor::ExtractOp::create(b, loc, indices, element);
        position.push_back(wrapIndex(b, loc, index, indexType, extents[d], lasts[d]));
      } else {
        position.push_back(linalg::IndexOp::create(b, loc, indexRank + d - batch - *tuple));
      }
    }
    return data.load(b, loc, tensor::ExtractOp::create(b, loc, data.tensor, position));
  });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

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
    TypedAttr value = numberAttr(node.getInputElement(0), 0);
    if (node.hasInput(2)) {
      std::optional<Attribute> splat = lowering.getSplat(node.getInput(2));
      if (!splat)
        return node.emitError() << "pads with a value that is not constant";
      value = signlessAttr(*splat);
    }
    result = padConstant(lowering, data, begin, sizes, value);
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

void leaf::onnxtolinalg::registerIndexing(Registry &registry) {
  registry.add("Gather", lowerGather);
  registry.add("GatherElements", lowerGatherElements);
  registry.add("GatherND", lowerGatherND);
  registry.add("Pad", lowerPad);
}
