//===- Quantization.cpp - QuantizeLinear and DequantizeLinear ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Map of a scale or zero point over the data: one for all, one per position along the axis, or one per block.
static AffineMap parameterMap(MLIRContext *context, Node &node, unsigned input, unsigned rank) {
  RankedTensorType type = node.getInputType(input);
  if (type.getRank() == 0)
    return AffineMap::get(rank, 0, context);
  if (type.getRank() == 1 && type.getDimSize(0) == 1)
    return AffineMap::get(rank, 0, getAffineConstantExpr(0, context));
  unsigned axis = node.getAxis("axis", 1, rank);
  int64_t block = node.getInt("block_size", 0);
  if (block == 0)
    return AffineMap::get(rank, 0, getAffineDimExpr(axis, context));
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d < rank; ++d)
    exprs.push_back(d == axis ? getAffineDimExpr(d, context).floorDiv(block) : getAffineDimExpr(d, context));
  return AffineMap::get(rank, 0, exprs, context);
}

namespace {
/// Scale or zero point: a constant of the body or an operand.
struct Parameter {
  TypedAttr constant;
  Type element;
  int position = -1; ///< among the operands
};
} // namespace

static Parameter addParameter(Lowering &lowering, Node &node, unsigned input, unsigned rank,
                              SmallVectorImpl<Value> &tensors, SmallVectorImpl<AffineMap> &maps) {
  Parameter result;
  if (!node.hasInput(input))
    return result;
  result.element = node.getInputElement(input);
  if (std::optional<Attribute> splat = lowering.getSplat(node.getInput(input))) {
    result.constant = signlessAttr(*splat);
    return result;
  }
  result.position = tensors.size();
  tensors.push_back(lowering.getTensor(node.getInput(input)));
  maps.push_back(parameterMap(lowering.b().getContext(), node, input, rank));
  return result;
}

static Value load(OpBuilder &b, Location loc, const Parameter &parameter, ValueRange args, Type to) {
  if (!parameter.element)
    return nullptr;
  Value value =
      parameter.constant ? arith::ConstantOp::create(b, loc, parameter.constant).getResult() : args[parameter.position];
  return convertElement(b, loc, value, parameter.element, to);
}

/// saturate(round_half_even(x / scale) + zero point)
static LogicalResult lowerQuantizeLinear(Lowering &lowering, Node &node) {
  Type element = node.getInputElement(0), result = node.getResultElement();
  if (!isa<IntegerType>(result) || result.getIntOrFloatBitWidth() > 16)
    return node.emitError() << "to " << result << " is not supported; quantize to an 8- or 16-bit integer";
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  SmallVector<Value> tensors = {data};
  SmallVector<AffineMap> maps = {lowering.b().getMultiDimIdentityMap(sizes.size())};
  Parameter scale = addParameter(lowering, node, 1, sizes.size(), tensors, maps);
  Parameter zero = addParameter(lowering, node, 2, sizes.size(), tensors, maps);
  Type compute = isa<FloatType>(element) ? computeType(element) : Type(lowering.b().getF32Type());
  bool isUnsigned = result.isUnsignedInteger();
  unsigned width = result.getIntOrFloatBitWidth();
  double low = isUnsigned ? 0 : -std::ldexp(1.0, width - 1), high = std::ldexp(1.0, width - !isUnsigned) - 1;
  Value quantized = lowering.pointwise(tensors, maps, sizes, result, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, compute);
    Value x = convertElement(b, loc, args[0], element, compute);
    Value value = s.div(x, load(b, loc, scale, args, compute));
    value = math::RoundEvenOp::create(b, loc, value);
    if (Value offset = load(b, loc, zero, args, compute))
      value = s.add(value, offset);
    value = s.min(s.max(value, s.number(low)), s.number(high));
    Value wide = arith::FPToSIOp::create(b, loc, b.getI32Type(), value);
    return arith::TruncIOp::create(b, loc, Lowering::signless(result), wide).getResult();
  });
  lowering.setTensor(node.getOperation()->getResult(0), quantized);
  return success();
}

/// (x - zero point) * scale
static LogicalResult lowerDequantizeLinear(Lowering &lowering, Node &node) {
  Type element = node.getInputElement(0), result = node.getResultElement();
  if (!isa<IntegerType>(element) || !isa<FloatType>(result))
    return node.emitError() << "from " << element << " to " << result << " is not supported";
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  SmallVector<Value> tensors = {data};
  SmallVector<AffineMap> maps = {lowering.b().getMultiDimIdentityMap(sizes.size())};
  Parameter scale = addParameter(lowering, node, 1, sizes.size(), tensors, maps);
  Parameter zero = addParameter(lowering, node, 2, sizes.size(), tensors, maps);
  Type compute = computeType(result), wide = lowering.b().getI32Type();
  Value numbers = lowering.pointwise(tensors, maps, sizes, result, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, compute);
    Value x = convertElement(b, loc, args[0], element, wide);
    if (Value offset = load(b, loc, zero, args, wide))
      x = arith::SubIOp::create(b, loc, x, offset);
    Value product = s.mul(convertElement(b, loc, x, wide, compute), load(b, loc, scale, args, compute));
    return convertElement(b, loc, product, compute, result);
  });
  lowering.setTensor(node.getOperation()->getResult(0), numbers);
  return success();
}

void leaf::onnxtolinalg::registerQuantization(Registry &registry) {
  registry.add("QuantizeLinear", lowerQuantizeLinear);
  registry.add("DequantizeLinear", lowerDequantizeLinear);
}
