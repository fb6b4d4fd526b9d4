//===- Casts.cpp - Cast, CastLike, BitCast -------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "leafcutter/Support/ElementTypes.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

/// Attributes of Cast and CastLike.
static FailureOr<SmallFloatRounding> getRounding(Node &node) {
  SmallFloatRounding rounding;
  rounding.saturate = node.getInt("saturate", 1) != 0;
  StringRef mode = node.getString("round_mode", "up");
  if (mode != "up" && mode != "down" && mode != "nearest")
    return node.emitError() << "round_mode is '" << mode << "', not up, down or nearest";
  rounding.e8m0 = mode == "up"     ? SmallFloatRounding::Up
                  : mode == "down" ? SmallFloatRounding::Down
                                   : SmallFloatRounding::Nearest;
  return rounding;
}

/// Of CastLike only the type of the second operand counts.
static LogicalResult lowerCast(Lowering &lowering, Node &node) {
  Type from = node.getInputElement(0), to = node.getResultElement();
  if (!isa<IntegerType, FloatType>(to) || !isa<IntegerType, FloatType>(from))
    return node.emitError() << "from " << from << " to " << to << " is not supported";
  FailureOr<SmallFloatRounding> rounding = getRounding(node);
  if (failed(rounding))
    return failure();
  bool sameBits = isa<IntegerType>(from) && isa<IntegerType>(to) &&
                  from.getIntOrFloatBitWidth() == to.getIntOrFloatBitWidth() && from.getIntOrFloatBitWidth() >= 8;
  if (from == to || sameBits) {
    lowering.setTensor(node.getOperation()->getResult(0), lowering.getTensor(node.getInput(0)));
    return success();
  }
  Operand data = lowering.getOperand(node.getInput(0));
  Sizes sizes = lowering.getSizes(data.tensor);
  Value result = lowering.pointwise(data.tensor, lowering.b().getMultiDimIdentityMap(sizes.size()),
                                    lowering.refine(sizes, node), to, [&](OpBuilder &b, Location loc, ValueRange args) {
                                      return convertElement(b, loc, data.load(b, loc, args[0]), from, to, *rounding);
                                    });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// The bits of an element, bools as 0 and 1: of another type of as many bits.
static LogicalResult lowerBitCast(Lowering &lowering, Node &node) {
  Type given = node.getInputElement(0), wanted = node.getResultElement();
  auto bitsOf = [](Type type) { return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth(); };
  if (bitsOf(given) != bitsOf(wanted))
    return node.emitError() << "from " << given << " to " << wanted
                            << " is not supported: only types of the same width are";
  Type from = Lowering::signless(given), to = Lowering::signless(wanted);
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  if (from != to || given.getIntOrFloatBitWidth() < 8)
    data = lowering.pointwise(data, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, to,
                              [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                                if (given.getIntOrFloatBitWidth() < 8 || wanted.isInteger(1))
                                  return convertElement(b, loc, args[0], given.isInteger(1) ? given : from,
                                                        isSmallFloat(wanted) ? b.getIntegerType(4, false) : wanted);
                                return arith::BitcastOp::create(b, loc, to, args[0]);
                              });
  lowering.setTensor(node.getOperation()->getResult(0), data);
  return success();
}

void leaf::onnxtolinalg::registerCasts(Registry &registry) {
  registry.add("Cast", lowerCast);
  registry.add("CastLike", lowerCast);
  registry.add("BitCast", lowerBitCast);
}
