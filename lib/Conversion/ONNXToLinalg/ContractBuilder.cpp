//===- ContractBuilder.cpp - builds leaf.contract ----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractBuilder.h"

#include "Scalars.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

Type leaf::onnxtolinalg::accumulatorType(Type element) {
  Type type = computeType(element);
  if (isa<IntegerType>(type) && type.getIntOrFloatBitWidth() < 32)
    return IntegerType::get(type.getContext(), 32);
  return type;
}

void ContractBuilder::setPrologues(Type lhsType, const WeightOperand &weight, AffineMap scaleMap) {
  Type target = accumulator;
  lhsPrologue = [lhsType, target](OpBuilder &b, Location loc, ValueRange args) {
    return convertElement(b, loc, args[0], lhsType, target);
  };
  for (Value parameter : {weight.scale, weight.zero}) {
    if (!parameter)
      continue;
    rhsExtras.push_back(parameter);
    rhsExtraMaps.push_back(scaleMap);
  }
  rhsPrologue = [weight, target](OpBuilder &b, Location loc, ValueRange args) {
    unsigned next = 1;
    Value scale = weight.scale ? args[next++] : Value();
    Value zero = weight.zero ? args[next++] : Value();
    Value value = weight.convert(b, loc, args[0], scale, zero);
    bool isUnsigned = weight.type.isUnsignedInteger();
    Type type = isUnsigned ? weight.type : value.getType();
    return convertElement(b, loc, value, type, target);
  };
}

/// Adds a region with one block that takes `types` and yields what `fn` returns.
static void fillRegion(OpBuilder &builder, Location loc, Region &region, ArrayRef<Type> types,
                       const ContractBuilder::RegionFn &fn) {
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Location> locs(types.size(), loc);
  Block *block = builder.createBlock(&region, region.end(), types, locs);
  YieldOp::create(builder, loc, fn(builder, loc, block->getArguments()));
}

static Type elementOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }

Value ContractBuilder::build(Lowering &lowering) {
  OpBuilder &b = lowering.b();
  SmallVector<AffineMap> maps = {lhsMap, rhsMap};
  llvm::append_range(maps, rhsExtraMaps);
  llvm::append_range(maps, extraMaps);
  maps.push_back(outMap);
  SmallVector<Value> allExtras(rhsExtras);
  llvm::append_range(allExtras, extras);
  SmallVector<Attribute> names;
  for (utils::IteratorType iterator : iterators)
    names.push_back(b.getStringAttr(utils::stringifyIteratorType(iterator)));
  Value out = lowering.empty(outSizes, outElement);
  auto op =
      ContractOp::create(b, lowering.loc(), out.getType(), lhs, rhs, allExtras, out, b.getAffineMapArrayAttr(maps),
                         b.getArrayAttr(names), b.getI64IntegerAttr(rhsExtras.size()), /*winograd=*/IntegerAttr());
  fillRegion(b, op.getLoc(), op.getLhsPrologue(), {elementOf(lhs)}, lhsPrologue);
  SmallVector<Type> rhsTypes = {elementOf(rhs)}, epilogueTypes = {accumulator};
  for (Value extra : rhsExtras)
    rhsTypes.push_back(elementOf(extra));
  for (Value extra : extras)
    epilogueTypes.push_back(elementOf(extra));
  fillRegion(b, op.getLoc(), op.getRhsPrologue(), rhsTypes, rhsPrologue);
  fillRegion(b, op.getLoc(), op.getEpilogue(), epilogueTypes, [&](OpBuilder &inner, Location loc, ValueRange args) {
    Value value = epilogue ? epilogue(inner, loc, args) : args[0];
    return convertElement(inner, loc, value, value.getType(), outElement);
  });
  lowering.setSizes(op.getResult(), outSizes);
  return op.getResult();
}

//===----------------------------------------------------------------------===//
// Integer operands
//===----------------------------------------------------------------------===//

Value leaf::onnxtolinalg::subtractZeroPoint(Lowering &lowering, Node &node, unsigned input, unsigned zeroInput,
                                            int64_t axis) {
  MLIRContext *context = lowering.b().getContext();
  Value tensor = lowering.getTensor(node.getInput(input)), zero = lowering.getTensor(node.getInput(zeroInput));
  Sizes sizes = lowering.getSizes(tensor), zeroSizes = lowering.getSizes(zero);
  SmallVector<AffineExpr> exprs(zeroSizes.size(), getAffineConstantExpr(0, context));
  if (zeroSizes.size() == 1 && constantOf(zeroSizes[0]) != 1)
    exprs[0] = getAffineDimExpr(axis, context);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(sizes.size(), context);
  Type wide = lowering.b().getI32Type(), from = node.getInputElement(input), zeroType = node.getInputElement(zeroInput);
  return lowering.pointwise({tensor, zero}, {identity, AffineMap::get(sizes.size(), 0, exprs, context)}, sizes, wide,
                            [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                              return arith::SubIOp::create(b, loc, convertElement(b, loc, args[0], from, wide),
                                                           convertElement(b, loc, args[1], zeroType, wide));
                            });
}

IntegerOperand leaf::onnxtolinalg::getIntegerOperand(Lowering &lowering, Node &node, unsigned input, unsigned zeroInput,
                                                     int64_t axis) {
  Type wide = lowering.b().getI32Type(), from = node.getInputElement(input);
  std::optional<Attribute> splat =
      node.hasInput(zeroInput) ? lowering.getSplat(node.getInput(zeroInput)) : std::optional<Attribute>();
  if (node.hasInput(zeroInput) && !splat) {
    auto prologue = [](OpBuilder &, Location, ValueRange args) { return args[0]; };
    return {subtractZeroPoint(lowering, node, input, zeroInput, axis), prologue, numberAttr(wide, 0)};
  }
  TypedAttr zero = splat ? signlessAttr(*splat) : numberAttr(from, 0);
  auto prologue = [=](OpBuilder &b, Location loc, ValueRange args) -> Value {
    Value value = convertElement(b, loc, args[0], from, wide);
    if (!splat)
      return value;
    Value offset = convertElement(b, loc, arith::ConstantOp::create(b, loc, zero), from, wide);
    return arith::SubIOp::create(b, loc, value, offset);
  };
  return {lowering.getTensor(node.getInput(input)), prologue, zero};
}
