//===- Quantization.cpp - QuantizeLinear and DequantizeLinear ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "QuantizedOperands.h"

#include "Leaf/Saturation.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf;
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

/// What x / scale becomes: saturate(round_half_even(x / scale) + zero point) for integers.
static Value quantize(Scalar s, Value quotient, Value zero, Type result, bool saturate) {
  if (isa<FloatType>(result)) {
    // The zero point of 8-bit floats is 0, which would turn -0 into 0.
    if (zero && result.getIntOrFloatBitWidth() < 8)
      quotient = s.add(quotient, zero);
    return convertElement(s.b, s.loc, quotient, s.type, result, {saturate});
  }
  bool isUnsigned = result.isUnsignedInteger();
  unsigned width = result.getIntOrFloatBitWidth();
  double low = isUnsigned ? 0 : -std::ldexp(1.0, width - 1), high = std::ldexp(1.0, width - !isUnsigned) - 1;
  Value value = math::RoundEvenOp::create(s.b, s.loc, quotient);
  if (zero)
    value = s.add(value, zero);
  value = s.min(s.max(value, s.number(low)), s.number(high));
  Value wide = arith::FPToSIOp::create(s.b, s.loc, s.b.getI32Type(), value);
  return arith::TruncIOp::create(s.b, s.loc, Lowering::signless(result), wide);
}

static LogicalResult lowerQuantizeLinear(Lowering &lowering, Node &node) {
  Type element = node.getInputElement(0), result = node.getResultElement();
  if (result.getIntOrFloatBitWidth() > 16 || (isa<FloatType>(result) && !isSmallFloat(result)))
    return node.emitError() << "to " << result
                            << " is not supported; quantize to an integer of at most 16 bits or a float of at most 8";
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  SmallVector<Value> tensors = {data};
  SmallVector<AffineMap> maps = {lowering.b().getMultiDimIdentityMap(sizes.size())};
  Parameter scale = addParameter(lowering, node, 1, sizes.size(), tensors, maps);
  Parameter zero = addParameter(lowering, node, 2, sizes.size(), tensors, maps);
  Type compute = isa<FloatType>(element) ? computeType(element) : Type(lowering.b().getF32Type());
  bool saturate = node.getInt("saturate", 1) != 0;
  Value quantized = lowering.pointwise(tensors, maps, sizes, result, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, compute);
    Value x = convertElement(b, loc, args[0], element, compute);
    Value quotient = s.div(x, load(b, loc, scale, args, compute));
    if (isa<IntegerType>(result) && compute.isF32())
      quotient.getDefiningOp()->setAttr(kSaturates, b.getUnitAttr());
    return quantize(s, quotient, load(b, loc, zero, args, compute), result, saturate);
  });
  lowering.setTensor(node.getOperation()->getResult(0), quantized);
  return success();
}

/// (x - zero point) * scale; floats have no zero point.
static LogicalResult lowerDequantizeLinear(Lowering &lowering, Node &node) {
  Type element = node.getInputElement(0), result = node.getResultElement();
  // A constant of 32-bit integers, a bias, takes no more bytes as numbers.
  if (std::optional<SmallVector<float>> numbers = dequantizeConstant(lowering, node)) {
    auto dense = DenseElementsAttr::get(node.getResultType(), ArrayRef(*numbers));
    lowering.setTensor(node.getOperation()->getResult(0), lowering.loadConstant(dense, "dequantized"));
    return success();
  }
  if (!(isa<IntegerType>(element) || isSmallFloat(element)) || !isa<FloatType>(result))
    return node.emitError() << "from " << element << " to " << result << " is not supported";
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  SmallVector<Value> tensors = {data};
  SmallVector<AffineMap> maps = {lowering.b().getMultiDimIdentityMap(sizes.size())};
  Parameter scale = addParameter(lowering, node, 1, sizes.size(), tensors, maps);
  Parameter zero;
  if (isa<IntegerType>(element))
    zero = addParameter(lowering, node, 2, sizes.size(), tensors, maps);
  Type compute = computeType(result), wide = lowering.b().getI32Type();
  Value numbers = lowering.pointwise(tensors, maps, sizes, result, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalar s(b, loc, compute);
    Value x = args[0];
    if (isa<IntegerType>(element)) {
      x = convertElement(b, loc, x, element, wide);
      if (Value offset = load(b, loc, zero, args, wide))
        x = arith::SubIOp::create(b, loc, x, offset);
      x = convertElement(b, loc, x, wide, compute);
    } else {
      x = convertElement(b, loc, x, element, compute);
    }
    return convertElement(b, loc, s.mul(x, load(b, loc, scale, args, compute)), compute, result);
  });
  lowering.setTensor(node.getOperation()->getResult(0), numbers);
  return success();
}

void leaf::onnxtolinalg::registerQuantization(Registry &registry) {
  registry.add("QuantizeLinear", lowerQuantizeLinear);
  registry.add("DequantizeLinear", lowerDequantizeLinear);
}
