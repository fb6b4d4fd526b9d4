//===- RoiAlign.cpp - RoiAlign -------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Mask R-CNN (He et al., 2017): each bin of a region is the mean, or the largest, of samples interpolated between four
// pixels. The innermost loop is over channels, which share positions and weights.
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"
#include "Operands.h"
#include "Scalars.h"
#include "Windows.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {
class RoiBody {
public:
  RoiBody(Code &c, const ForallArguments &args, Node &node, Layout layout)
      : c(c), s(c.b, c.loc, computeType(node.getInputElement(0))), args(args), node(node), layout(layout),
        element(node.getInputElement(0)), scale(node.getFloat("spatial_scale", 1)),
        ratio(node.getInt("sampling_ratio", 0)), isMax(node.getString("mode", "avg") == "max"),
        halfPixel(node.getString("coordinate_transformation_mode", "half_pixel") == "half_pixel") {}

  void emit();

private:
  /// The samples of a bin along one axis, and the corners that each lies between.
  struct Bins {
    Value start, size, samples; ///< start of the bin, extent of a bin, samples (index)
    Value extent;               ///< pixels along the axis (index)
  };
  struct Corner {
    Value low, high, toLow, toHigh; ///< pixels, and their weights
    Value outside;
  };

  Value toFloat(Value index) {
    return arith::SIToFPOp::create(c.b, c.loc, s.type, arith::IndexCastOp::create(c.b, c.loc, c.b.getI32Type(), index));
  }
  Value toIndex(Value number) {
    return arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(),
                                      arith::FPToSIOp::create(c.b, c.loc, c.b.getI32Type(), number));
  }
  Bins bins(unsigned axis);
  Corner corner(const Bins &bins, Value sample);
  void accumulate(const Corner &y, const Corner &x, Value isFirst);
  SmallVector<Value> at(Value outer, Value channel, Value y, Value x);

  Code &c;
  Scalar s;
  const ForallArguments &args;
  Node &node;
  Layout layout;
  Type element;
  double scale;
  int64_t ratio;
  bool isMax, halfPixel;
  Value image; ///< position of the region's image in the batch
};
} // namespace

SmallVector<Value> RoiBody::at(Value outer, Value channel, Value y, Value x) {
  if (layout.channelsLast)
    return {outer, y, x, channel};
  return {outer, channel, y, x};
}

RoiBody::Bins RoiBody::bins(unsigned axis) {
  Value region = args.point[0];
  auto border = [&](int64_t column) {
    Value value = c.load(args.inputs[1], {region, c.index(column)});
    Value scaled = s.mul(convertElement(c.b, c.loc, value, node.getInputElement(1), s.type), s.number(scale));
    return halfPixel ? s.sub(scaled, s.number(0.5)) : scaled;
  };
  // Regions are x1, y1, x2, y2.
  Value start = border(axis == 0 ? 1 : 0), extent = s.sub(border(axis == 0 ? 3 : 2), start);
  if (!halfPixel)
    extent = s.max(extent, s.number(1));
  unsigned dim = layout.spatial(axis);
  Value size = s.div(extent, toFloat(c.size(args.outs[0], dim)));
  Value samples = ratio > 0 ? c.index(ratio) : toIndex(math::CeilOp::create(c.b, c.loc, size));
  Value first = s.add(start, s.mul(toFloat(args.point[1 + axis]), size));
  return {first, size, samples, c.size(args.inputs[0], dim)};
}

RoiBody::Corner RoiBody::corner(const Bins &bins, Value sample) {
  Value zero = s.number(0), one = s.number(1), step = s.div(bins.size, toFloat(bins.samples));
  Value position = s.add(bins.start, s.mul(s.add(toFloat(sample), s.number(0.5)), step));
  Value extent = toFloat(bins.extent), last = s.sub(extent, one);
  Value outside = c.either(s.compare(Scalar::lt, position, s.number(-1)), s.compare(Scalar::gt, position, extent));
  Value inside = s.min(s.max(position, zero), last);
  Value low = toIndex(inside), lastIndex = c.sub(bins.extent, c.index(1));
  Value next = c.add(low, 1), high = c.select(c.less(next, bins.extent), next, lastIndex);
  Value toHigh = s.sub(inside, toFloat(low));
  return {low, high, s.sub(one, toHigh), toHigh, outside};
}

/// Adds a sample to all channels of the bin.
void RoiBody::accumulate(const Corner &y, const Corner &x, Value isFirst) {
  Value in = args.inputs[0], out = args.outs[0];
  Value outside = c.either(y.outside, x.outside);
  auto weight = [&](Value a, Value b) { return s.select(outside, s.number(0), s.mul(a, b)); };
  Value weights[] = {weight(y.toLow, x.toLow), weight(y.toLow, x.toHigh), weight(y.toHigh, x.toLow),
                     weight(y.toHigh, x.toHigh)};
  std::pair<Value, Value> corners[] = {{y.low, x.low}, {y.low, x.high}, {y.high, x.low}, {y.high, x.high}};
  c.loop(c.index(0), c.size(in, layout.channel()), [&](Value channel) {
    Value sample;
    for (auto [weight, corner] : llvm::zip(weights, corners)) {
      Value pixel = c.load(in, at(image, channel, corner.first, corner.second));
      Value term = s.mul(weight, convertElement(c.b, c.loc, pixel, element, s.type));
      sample = !sample ? term : isMax ? s.max(sample, term) : s.add(sample, term);
    }
    SmallVector<Value> point = at(args.point[0], channel, args.point[1], args.point[2]);
    Value sum = convertElement(c.b, c.loc, c.load(out, point), element, s.type);
    Value both = isMax ? s.select(isFirst, sample, s.max(sum, sample)) : s.add(sum, sample);
    c.store(convertElement(c.b, c.loc, both, s.type, element), out, point);
  });
}

void RoiBody::emit() {
  Value out = args.outs[0], zero = c.index(0), channels = c.size(args.inputs[0], layout.channel());
  Value batch = arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), c.load(args.inputs[2], args.point[0]));
  Value last = c.sub(c.size(args.inputs[0], 0), c.index(1));
  image = arith::MaxSIOp::create(c.b, c.loc, arith::MinSIOp::create(c.b, c.loc, batch, last), zero);
  auto forChannels = [&](function_ref<Value(Value)> value) {
    c.loop(zero, channels, [&](Value channel) {
      SmallVector<Value> point = at(args.point[0], channel, args.point[1], args.point[2]);
      Value old = convertElement(c.b, c.loc, c.load(out, point), element, s.type);
      c.store(convertElement(c.b, c.loc, value(old), s.type, element), out, point);
    });
  };
  forChannels([&](Value) { return s.number(0); });
  Bins rows = bins(0), columns = bins(1);
  c.loop(zero, rows.samples, [&](Value i) {
    Corner y = corner(rows, i);
    c.loop(zero, columns.samples, [&](Value j) {
      Value isFirst = c.both(c.equal(i, zero), c.equal(j, zero));
      accumulate(y, corner(columns, j), isFirst);
    });
  });
  if (isMax)
    return;
  Value count = s.max(toFloat(c.mul(rows.samples, columns.samples)), s.number(1));
  forChannels([&](Value sum) { return s.div(sum, count); });
}

static LogicalResult lowerRoiAlign(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Value data = lowering.getTensor(node.getInput(0)), regions = lowering.getTensor(node.getInput(1)),
        batches = lowering.getTensor(node.getInput(2));
  Sizes sizes = lowering.getSizes(data), outSizes(sizes);
  if (sizes.size() != 4 || lowering.getSizes(regions).empty())
    return node.emitError() << "has data of rank " << sizes.size() << ", but regions are of images of rank 4";
  StringRef mode = node.getString("mode", "avg");
  if (mode != "avg" && mode != "max")
    return node.emitError() << "has the unknown mode '" << mode << "'";
  if (node.getInt("output_height", 1) < 1 || node.getInt("output_width", 1) < 1)
    return node.emitError() << "has an output without elements";
  Size count = lowering.getSizes(regions)[0];
  if (failed(expectSizes(lowering, node, 1, {count, s.constant(4)})) || failed(expectSizes(lowering, node, 2, count)))
    return failure();
  Layout layout = getLayout(node, 4);
  outSizes[0] = count;
  outSizes[layout.spatial(0)] = s.constant(node.getInt("output_height", 1));
  outSizes[layout.spatial(1)] = s.constant(node.getInt("output_width", 1));
  outSizes = lowering.refine(outSizes, node);
  Sizes points = {outSizes[0], outSizes[layout.spatial(0)], outSizes[layout.spatial(1)]};
  Value result = forall(lowering, {data, regions, batches}, {outSizes}, node.getResultElement(), points,
                        [&](Code &c, const ForallArguments &args) { RoiBody(c, args, node, layout).emit(); })
                     .front();
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerRoiAlign(Registry &registry) { registry.add("RoiAlign", lowerRoiAlign); }
