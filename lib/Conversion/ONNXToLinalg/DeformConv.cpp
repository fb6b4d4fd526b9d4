//===- DeformConv.cpp - DeformConv ---------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Deformable ConvNets v2 (Zhu et al., 2019): what the weights see is gathered into columns, interpolated at positions
// that an operand shifts, and the rest is a matrix product per group.
//
//===----------------------------------------------------------------------===//

#include "ContractBuilder.h"
#include "Imperative.h"
#include "Operands.h"
#include "Scalars.h"
#include "Windows.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

namespace {
/// Operands X, W, offset, B, mask. Columns are [groups, N, OH, OW, C / groups, KH, KW].
class DeformConv {
public:
  DeformConv(Lowering &lowering, Node &node) : lowering(lowering), node(node), b(lowering.b()) {}
  LogicalResult lower();

private:
  LogicalResult read();
  void gather(Code &c, const ForallArguments &args);
  Value interpolate(Code &c, Scalar &s, Value image, Value channel, ValueRange position, Value data);
  Value product(Value columns);
  Value addBias(Value product);

  Lowering &lowering;
  Node &node;
  OpBuilder &b;
  Type element, compute;
  Sizes sizes, outSizes; ///< of X and of the result
  int64_t groups = 1, offsetGroups = 1, channels = 0, outChannels = 0;
  Window window;
};
} // namespace

LogicalResult DeformConv::read() {
  element = node.getInputElement(0), compute = computeType(element);
  sizes = lowering.getSizesOf(node.getInput(0));
  Sizes kernel = lowering.getSizesOf(node.getInput(1));
  if (sizes.size() != 4 || kernel.size() != 4)
    return node.emitError() << "has data of rank " << sizes.size() << "; only images (rank 4) are supported";
  groups = node.getInt("group", 1), offsetGroups = node.getInt("offset_group", 1);
  std::optional<int64_t> inputs = constantOf(sizes[1]), outputs = constantOf(kernel[0]);
  std::optional<int64_t> height = constantOf(kernel[2]), width = constantOf(kernel[3]);
  if (!inputs || !outputs || !height || !width)
    return node.emitError() << "needs static channels and kernel";
  channels = *inputs, outChannels = *outputs;
  if (groups < 1 || offsetGroups < 1 || channels % groups || outChannels % groups || channels % offsetGroups)
    return node.emitError() << "has groups that do not divide its channels";
  FailureOr<Window> found = getWindow(lowering, node, {*height, *width}, {sizes[2], sizes[3]});
  if (failed(found))
    return failure();
  window = *found;
  outSizes = lowering.refine({sizes[0], kernel[0], window.outSizes[0], window.outSizes[1]}, node);
  SizeArithmetic &s = lowering.sizes();
  int64_t taps = offsetGroups * *height * *width;
  Sizes offsets = {sizes[0], s.constant(2 * taps), outSizes[2], outSizes[3]}, masks = offsets;
  masks[1] = s.constant(taps);
  if (failed(expectSizes(lowering, node, 1, {kernel[0], s.constant(channels / groups), kernel[2], kernel[3]})) ||
      failed(expectSizes(lowering, node, 2, offsets)))
    return failure();
  if (node.hasInput(3) && failed(expectSizes(lowering, node, 3, kernel[0])))
    return failure();
  return node.hasInput(4) ? expectSizes(lowering, node, 4, masks) : success();
}

/// X at a position between pixels; zero counts for pixels outside.
Value DeformConv::interpolate(Code &c, Scalar &s, Value image, Value channel, ValueRange position, Value data) {
  Type i32 = c.b.getI32Type();
  struct Tap {
    Value index, weight, inside;
  };
  SmallVector<SmallVector<Tap, 2>, 2> taps;
  for (unsigned axis = 0; axis < 2; ++axis) {
    Value base = math::FloorOp::create(c.b, c.loc, position[axis]), ratio = s.sub(position[axis], base);
    Value extent = c.size(data, 2 + axis);
    Value last = arith::SIToFPOp::create(c.b, c.loc, s.type,
                                         arith::IndexCastOp::create(c.b, c.loc, i32, c.sub(extent, c.index(1))));
    SmallVector<Tap, 2> pair;
    for (int k = 0; k < 2; ++k) {
      Value at = k ? s.add(base, s.number(1)) : base, weight = k ? ratio : s.sub(s.number(1), ratio);
      Value inside = c.both(s.compare(Scalar::ge, at, s.number(0)), s.compare(Scalar::le, at, last));
      Value clamped = s.max(s.min(at, last), s.number(0));
      Value index =
          arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), arith::FPToSIOp::create(c.b, c.loc, i32, clamped));
      pair.push_back({index, weight, inside});
    }
    taps.push_back(pair);
  }
  Value sum;
  for (const Tap &y : taps[0])
    for (const Tap &x : taps[1]) {
      Value pixel = c.load(data, {image, channel, y.index, x.index});
      Value term = s.mul(s.mul(y.weight, x.weight), convertElement(c.b, c.loc, pixel, element, s.type));
      term = s.select(c.both(y.inside, x.inside), term, s.number(0));
      sum = sum ? s.add(sum, term) : term;
    }
  return sum;
}

/// One point is an image, an offset group, a row and a column of the result: all taps of all its channels.
void DeformConv::gather(Code &c, const ForallArguments &args) {
  Scalar s(c.b, c.loc, compute);
  Value data = args.inputs[0], offsets = args.inputs[1];
  Value image = args.point[0], offsetGroup = args.point[1], row = args.point[2], column = args.point[3];
  Value perGroup = c.index(channels / groups), perOffsetGroup = c.index(channels / offsetGroups);
  int64_t height = window.kernel[0], width = window.kernel[1];
  auto number = [&](Value index) -> Value {
    return arith::SIToFPOp::create(c.b, c.loc, s.type, arith::IndexCastOp::create(c.b, c.loc, c.b.getI32Type(), index));
  };
  c.loop(c.index(0), c.index(height), [&](Value ky) {
    c.loop(c.index(0), c.index(width), [&](Value kx) {
      Value tap = c.add(c.mul(c.add(c.mul(offsetGroup, c.index(height)), ky), c.index(width)), kx);
      SmallVector<Value> position;
      for (unsigned axis = 0; axis < 2; ++axis) {
        Value offset = c.load(offsets, {image, c.add(c.mul(tap, c.index(2)), axis), row, column});
        Value start = c.sub(c.mul(axis ? column : row, c.index(window.strides[axis])),
                            c.index(constantOf(window.padBegin[axis]).value_or(0)));
        Value regular = c.add(start, c.mul(axis ? kx : ky, c.index(window.dilations[axis])));
        position.push_back(s.add(number(regular), convertElement(c.b, c.loc, offset, node.getInputElement(2), s.type)));
      }
      Value mask;
      if (args.inputs.size() > 2)
        mask = convertElement(c.b, c.loc, c.load(args.inputs[2], {image, tap, row, column}), node.getInputElement(4),
                              s.type);
      c.loop(c.index(0), perOffsetGroup, [&](Value i) {
        Value channel = c.add(c.mul(offsetGroup, perOffsetGroup), i);
        Value group = arith::DivUIOp::create(c.b, c.loc, channel, perGroup);
        Value within = arith::RemUIOp::create(c.b, c.loc, channel, perGroup);
        Value x = interpolate(c, s, image, channel, position, data);
        c.store(mask ? s.mul(x, mask) : x, args.outs[0], {group, image, row, column, within, ky, kx});
      });
    });
  });
}

/// [groups, N * OH * OW, taps] x [groups, taps, OC / groups].
Value DeformConv::product(Value columns) {
  SizeArithmetic &s = lowering.sizes();
  int64_t taps = channels / groups * window.kernel[0] * window.kernel[1], outputs = outChannels / groups;
  Size pixels = s.product({outSizes[0], outSizes[2], outSizes[3]});
  Value weight = lowering.getTensor(node.getInput(1));
  Type stored = cast<RankedTensorType>(weight.getType()).getElementType();
  Value packed = lowering.relayoutWeight(weight, {groups, outputs, taps}, {0, 2, 1}, {groups, taps, outputs});
  AffineExpr g = b.getAffineDimExpr(0), m = b.getAffineDimExpr(1), n = b.getAffineDimExpr(2), k = b.getAffineDimExpr(3);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(4, 0, exprs, b.getContext()); };
  ContractBuilder contract;
  contract.lhs = lowering.reshape(columns, {s.constant(groups), pixels, s.constant(taps)});
  contract.rhs =
      packed ? packed : lowering.reshape(weight, {s.constant(groups), s.constant(outputs), s.constant(taps)});
  contract.lhsMap = map({g, m, k});
  contract.rhsMap = packed ? map({g, k, n}) : map({g, n, k});
  contract.outMap = map({g, m, n});
  contract.iterators = {IteratorType::parallel, IteratorType::parallel, IteratorType::parallel,
                        IteratorType::reduction};
  contract.accumulator = contract.outElement = compute;
  contract.outSizes = {s.constant(groups), pixels, s.constant(outputs)};
  contract.lhsPrologue = [](OpBuilder &, Location, ValueRange args) { return args[0]; };
  contract.rhsPrologue = [stored, this](OpBuilder &builder, Location loc, ValueRange args) {
    return convertElement(builder, loc, args[0], stored, compute);
  };
  return lowering.reshape(contract.build(lowering),
                          {s.constant(groups), outSizes[0], outSizes[2], outSizes[3], s.constant(outputs)});
}

/// [groups, N, OH, OW, OC / groups] -> [N, OC, OH, OW], plus the bias of the channel.
Value DeformConv::addBias(Value product) {
  SizeArithmetic &s = lowering.sizes();
  int64_t outputs = outChannels / groups;
  Sizes split = {outSizes[0], s.constant(groups), s.constant(outputs), outSizes[2], outSizes[3]};
  auto dims = [&](ArrayRef<unsigned> order) {
    SmallVector<AffineExpr> exprs = llvm::map_to_vector(order, [&](unsigned d) { return b.getAffineDimExpr(d); });
    return AffineMap::get(5, 0, exprs, b.getContext());
  };
  SmallVector<Value> inputs = {product};
  SmallVector<AffineMap> maps = {dims({1, 0, 3, 4, 2})};
  if (node.hasInput(3)) {
    inputs.push_back(lowering.reshape(lowering.getTensor(node.getInput(3)), {s.constant(groups), s.constant(outputs)}));
    maps.push_back(dims({1, 2}));
  }
  Value result = lowering.pointwise(inputs, maps, split, element, [&](OpBuilder &body, Location loc, ValueRange args) {
    Value x = args[0];
    if (args.size() > 1)
      x = Scalar(body, loc, compute).add(x, convertElement(body, loc, args[1], node.getInputElement(3), compute));
    return convertElement(body, loc, x, compute, element);
  });
  return lowering.reshape(result, outSizes);
}

LogicalResult DeformConv::lower() {
  if (failed(read()))
    return failure();
  SizeArithmetic &s = lowering.sizes();
  SmallVector<Value> inputs = {lowering.getTensor(node.getInput(0)), lowering.getTensor(node.getInput(2))};
  if (node.hasInput(4))
    inputs.push_back(lowering.getTensor(node.getInput(4)));
  Sizes columns = {s.constant(groups),
                   outSizes[0],
                   outSizes[2],
                   outSizes[3],
                   s.constant(channels / groups),
                   s.constant(window.kernel[0]),
                   s.constant(window.kernel[1])};
  Sizes points = {outSizes[0], s.constant(offsetGroups), outSizes[2], outSizes[3]};
  Value gathered = forall(lowering, inputs, {columns}, compute, points, [&](Code &c, const ForallArguments &args) {
                     gather(c, args);
                   }).front();
  lowering.setTensor(node.getOperation()->getResult(0), addBias(product(gathered)));
  return success();
}

void leaf::onnxtolinalg::registerDeformConv(Registry &registry) {
  registry.add("DeformConv", [](Lowering &lowering, Node &node) { return DeformConv(lowering, node).lower(); });
}
