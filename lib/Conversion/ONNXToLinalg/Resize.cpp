//===- Resize.cpp - Resize ----------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Interpolation is separable: one pass per axis that changes. Source positions and coefficients follow the formulas of
// the ONNX specification (Resize-19), in f32 as the reference runtimes compute them, and depend on the loop of their
// axis only, so that they are computed once per row or pixel where channels are innermost.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Lowering.h"
#include "Scalars.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// More coefficients than this per element make no sense to unroll.
static constexpr int64_t kMaxTaps = 64;

namespace {
/// One axis that changes its size. The scale is a constant, an element of a run-time tensor, or out / in.
struct ResizeAxis {
  int64_t dim;
  Size in, out;
  std::optional<float> scale;
  Value scales; ///< tensor, read at `position` where the scale is no constant
  int64_t position = 0;
  float roiBegin = 0, roiEnd = 1;
};

struct ResizeMode {
  StringRef mode, coordinates, nearest;
  float cubicA, extrapolation;
  bool excludeOutside, antialias;
};

/// Emits the interpolation along one axis in a body.
class AxisBody {
public:
  AxisBody(OpBuilder &b, Location loc, const ResizeAxis &axis, const ResizeMode &mode)
      : b(b), loc(loc), s(b, loc, b.getF32Type()), axis(axis), mode(mode) {}

  Value coordinate(Value index);
  Value nearest(Value index);
  /// Sum over the taps of coefficient * load(position).
  Value interpolate(Value index, int64_t taps, function_ref<Value(Value)> load);

private:
  Value toFloat(Value index) {
    Value integer = arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), integer);
  }
  Value toIndex(Value number) {
    Value integer = arith::FPToSIOp::create(b, loc, b.getI32Type(), number);
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
  }
  /// in * scale where the operator was given scales; not always a whole number, which the formulas below ask for.
  Value outLength() { return axis.scale ? s.mul(scale(), length(axis.in)) : length(axis.out); }
  Value length(Size size) { return toFloat(BodySize(size).get(b, loc)); }
  Value floor(Value x) { return math::FloorOp::create(b, loc, x); }
  Value ceil(Value x) { return math::CeilOp::create(b, loc, x); }
  Value clamp(Value position);
  Value scale();
  Value cubic(Value distance);
  Value coefficient(Value distance);

  OpBuilder &b;
  Location loc;
  Scalar s;
  const ResizeAxis &axis;
  const ResizeMode &mode;
};
} // namespace

Value AxisBody::scale() {
  if (axis.scale)
    return s.number(*axis.scale);
  if (!axis.scales)
    return s.div(length(axis.out), length(axis.in));
  Value position = arith::ConstantIndexOp::create(b, loc, axis.position);
  return tensor::ExtractOp::create(b, loc, axis.scales, position);
}

/// Where the centre of output element `index` lies on the input's axis.
Value AxisBody::coordinate(Value index) {
  Value o = toFloat(index), half = s.number(0.5), one = s.number(1), zero = s.number(0);
  auto halfPixel = [&] { return s.sub(s.div(s.add(o, half), scale()), half); };
  auto unlessSingle = [&](Value x, Value otherwise) {
    return s.select(s.compare(Scalar::gt, outLength(), one), x, otherwise);
  };
  if (mode.coordinates == "asymmetric")
    return s.div(o, scale());
  if (mode.coordinates == "pytorch_half_pixel")
    return unlessSingle(halfPixel(), zero);
  Value last = s.sub(length(axis.in), one), outLast = s.sub(outLength(), one);
  if (mode.coordinates == "align_corners")
    return unlessSingle(s.div(s.mul(o, last), outLast), zero);
  if (mode.coordinates == "half_pixel_symmetric") {
    Value adjustment = s.div(length(axis.out), s.mul(scale(), length(axis.in)));
    Value center = s.div(length(axis.in), s.number(2));
    return s.add(s.mul(center, s.sub(one, adjustment)), halfPixel());
  }
  if (mode.coordinates == "tf_crop_and_resize") {
    Value begin = s.mul(s.number(axis.roiBegin), last);
    Value step = s.div(s.mul(s.number(axis.roiEnd - axis.roiBegin), last), outLast);
    return unlessSingle(s.add(begin, s.mul(o, step)), s.mul(s.number(0.5 * (axis.roiBegin + axis.roiEnd)), last));
  }
  return halfPixel();
}

Value AxisBody::clamp(Value position) {
  Value last = arith::SubIOp::create(b, loc, BodySize(axis.in).get(b, loc), arith::ConstantIndexOp::create(b, loc, 1));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  return arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, position, last), zero);
}

Value AxisBody::nearest(Value index) {
  Value x = coordinate(index), rounded;
  if (mode.nearest == "floor")
    rounded = floor(x);
  else if (mode.nearest == "ceil")
    rounded = ceil(x);
  else if (mode.nearest == "round_prefer_ceil")
    rounded = floor(s.add(x, s.number(0.5)));
  else
    rounded = ceil(s.sub(x, s.number(0.5)));
  return clamp(toIndex(rounded));
}

/// Keys' cubic convolution kernel with parameter a.
Value AxisBody::cubic(Value distance) {
  Value x = s.abs(distance);
  double a = mode.cubicA;
  auto polynomial = [&](ArrayRef<double> coefficients) {
    Value sum = s.number(coefficients[0]);
    for (double c : coefficients.drop_front())
      sum = s.add(s.mul(sum, x), s.number(c));
    return sum;
  };
  Value inner = polynomial({a + 2, -(a + 3), 0, 1}), outer = polynomial({a, -5 * a, 8 * a, -4 * a});
  Value far = s.select(s.compare(Scalar::lt, x, s.number(2)), outer, s.number(0));
  return s.select(s.compare(Scalar::le, x, s.number(1)), inner, far);
}

Value AxisBody::coefficient(Value distance) {
  if (mode.mode == "cubic")
    return cubic(distance);
  return s.max(s.sub(s.number(1), s.abs(distance)), s.number(0));
}

Value AxisBody::interpolate(Value index, int64_t taps, function_ref<Value(Value)> load) {
  Value x = coordinate(index), base = floor(x), ratio = s.sub(x, base), first = toIndex(base);
  int64_t start = 1 - taps / 2;
  // With antialiasing the kernel is stretched to cover what one output element stands for.
  Value stretch = mode.antialias ? s.min(scale(), s.number(1)) : Value();
  bool normalize = mode.excludeOutside || mode.antialias;
  Value sum, total;
  for (int64_t tap = 0; tap < taps; ++tap) {
    Value distance = s.sub(s.number(start + tap), ratio);
    Value weight = coefficient(stretch ? s.mul(distance, stretch) : distance);
    Value position = arith::AddIOp::create(b, loc, first, arith::ConstantIndexOp::create(b, loc, start + tap));
    if (mode.excludeOutside) {
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, position, BodySize(axis.in).get(b, loc));
      weight = s.select(inside, weight, s.number(0));
    }
    Value term = s.mul(weight, load(clamp(position)));
    sum = sum ? s.add(sum, term) : term;
    total = total ? s.add(total, weight) : weight;
  }
  Value result = normalize ? s.div(sum, total) : sum;
  if (mode.coordinates != "tf_crop_and_resize")
    return result;
  Value last = s.sub(length(axis.in), s.number(1));
  Value outside = arith::OrIOp::create(b, loc, s.compare(Scalar::lt, x, s.number(0)), s.compare(Scalar::gt, x, last));
  return s.select(outside, s.number(mode.extrapolation), result);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// floor(size * scale), exactly: a float is an integer times a power of two.
static FailureOr<Size> scaleSize(SizeArithmetic &s, Node &node, Size size, float scale) {
  if (!(scale > 0) || !std::isfinite(scale) || scale > 65536 || scale < 1.0f / 65536)
    return node.emitError() << "has a scale of " << scale;
  int exponent;
  auto mantissa = static_cast<int64_t>(std::ldexp(std::frexp(scale, &exponent), 24));
  exponent -= 24;
  while (mantissa % 2 == 0) {
    mantissa /= 2;
    ++exponent;
  }
  if (exponent >= 0)
    return s.mul(size, s.constant(mantissa << exponent));
  return s.divFloor(s.mul(size, s.constant(mantissa)), s.constant(int64_t(1) << -exponent));
}

static std::optional<SmallVector<float>> getConstantFloats(Lowering &lowering, Value onnx) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(lowering.getConstant(onnx));
  if (!dense || !dense.getElementType().isF32())
    return std::nullopt;
  return llvm::to_vector(dense.getValues<float>());
}

/// All axes get the same scale, the smallest or the largest that the requested sizes ask for.
static LogicalResult keepAspectRatio(Lowering &lowering, Node &node, SmallVectorImpl<ResizeAxis> &axes,
                                     StringRef policy) {
  float common = 0;
  for (ResizeAxis &axis : axes) {
    std::optional<int64_t> in = constantOf(axis.in), out = constantOf(axis.out);
    if (!in || !out)
      return node.emitError() << "keeps the aspect ratio of a picture whose size is open; fix its sizes with --dim";
    float scale = static_cast<float>(*out) / static_cast<float>(*in);
    common = common == 0 ? scale : policy == "not_larger" ? std::min(common, scale) : std::max(common, scale);
  }
  for (ResizeAxis &axis : axes) {
    axis.scale = common;
    axis.out = lowering.sizes().constant(static_cast<int64_t>(std::floor(common * *constantOf(axis.in) + 0.5f)));
  }
  return success();
}

static LogicalResult setScales(Lowering &lowering, Node &node, SmallVectorImpl<ResizeAxis> &axes) {
  std::optional<SmallVector<float>> scales = getConstantFloats(lowering, node.getInput(2));
  if (!scales || scales->size() != axes.size())
    return node.emitError() << "has scales that are no constant, so its output has no known size; give sizes, or make "
                               "the scales a constant with --pin";
  for (auto [axis, scale] : llvm::zip(axes, *scales)) {
    FailureOr<Size> size = scaleSize(lowering.sizes(), node, axis.in, scale);
    if (failed(size))
      return failure();
    axis.scale = scale;
    axis.out = *size;
  }
  return success();
}

static FailureOr<SmallVector<ResizeAxis>> getAxes(Lowering &lowering, Node &node, ArrayRef<Size> sizes) {
  SmallVector<int64_t> dims = node.getInts("axes");
  if (dims.empty())
    dims = llvm::to_vector(llvm::seq<int64_t>(0, sizes.size()));
  SmallVector<ResizeAxis> axes;
  for (int64_t d : dims) {
    int64_t dim = d < 0 ? d + static_cast<int64_t>(sizes.size()) : d;
    axes.push_back({dim, sizes[dim], sizes[dim], std::nullopt, Value()});
  }
  bool hasScales = node.hasInput(2) && node.getInputType(2).getNumElements() != 0;
  if (hasScales) {
    if (failed(setScales(lowering, node, axes)))
      return failure();
  } else {
    FailureOr<ShapeValue> target = lowering.readShapeValue(node, 3);
    if (failed(target))
      return failure();
    if (target->elements.size() != axes.size())
      return node.emitError() << "has " << target->elements.size() << " sizes for " << axes.size() << " axes";
    for (auto [axis, size] : llvm::zip(axes, target->elements))
      axis.out = size;
    StringRef policy = node.getString("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch" && failed(keepAspectRatio(lowering, node, axes, policy)))
      return failure();
  }
  if (node.getString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize") {
    std::optional<SmallVector<float>> roi = getConstantFloats(lowering, node.getInput(1));
    if (!roi || roi->size() != 2 * axes.size())
      return node.emitError() << "needs a constant region of interest; make it one with --pin";
    for (auto [i, axis] : llvm::enumerate(axes)) {
      axis.roiBegin = (*roi)[i];
      axis.roiEnd = (*roi)[axes.size() + i];
    }
  }
  return axes;
}

//===----------------------------------------------------------------------===//
// The operator
//===----------------------------------------------------------------------===//

static bool isUnchanged(SizeArithmetic &s, const ResizeAxis &axis, const ResizeMode &mode) {
  return s.same(axis.in, axis.out) && (!axis.scale || *axis.scale == 1.0f) &&
         (mode.coordinates != "tf_crop_and_resize" || (axis.roiBegin == 0 && axis.roiEnd == 1));
}

static Value resizeNearest(Lowering &lowering, Value data, Type element, ArrayRef<ResizeAxis> axes,
                           const ResizeMode &mode, ArrayRef<Size> sizes) {
  return lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> indices;
    for (size_t d = 0; d < sizes.size(); ++d)
      indices.push_back(linalg::IndexOp::create(b, loc, d));
    for (const ResizeAxis &axis : axes)
      indices[axis.dim] = AxisBody(b, loc, axis, mode).nearest(indices[axis.dim]);
    return tensor::ExtractOp::create(b, loc, data, indices);
  });
}

/// Coefficients per element of one axis; failure where antialiasing needs a scale that is not known.
static FailureOr<int64_t> countTaps(Node &node, const ResizeAxis &axis, const ResizeMode &mode) {
  int64_t taps = mode.mode == "cubic" ? 4 : 2;
  if (!mode.antialias)
    return taps;
  std::optional<int64_t> in = constantOf(axis.in), out = constantOf(axis.out);
  std::optional<float> scale = axis.scale;
  if (!scale && in && out)
    scale = static_cast<float>(*out) / static_cast<float>(*in);
  if (!scale)
    return node.emitError() << "has antialiasing and an open size; fix it with --dim";
  if (*scale < 1)
    taps = 2 - 2 * (static_cast<int64_t>(std::floor(-taps / 2 / *scale)) + 1);
  if (taps > kMaxTaps)
    return node.emitError() << "shrinks axis " << axis.dim << " by more than antialiasing with " << kMaxTaps
                            << " coefficients covers";
  return taps;
}

static LogicalResult lowerResize(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  ResizeMode mode{node.getString("mode", "nearest"),
                  node.getString("coordinate_transformation_mode", "half_pixel"),
                  node.getString("nearest_mode", "round_prefer_floor"),
                  static_cast<float>(node.getFloat("cubic_coeff_a", -0.75)),
                  static_cast<float>(node.getFloat("extrapolation_value", 0)),
                  node.getInt("exclude_outside", 0) != 0,
                  node.getInt("antialias", 0) != 0};
  FailureOr<SmallVector<ResizeAxis>> axes = getAxes(lowering, node, sizes);
  if (failed(axes))
    return failure();
  llvm::erase_if(*axes, [&](const ResizeAxis &axis) { return isUnchanged(lowering.sizes(), axis, mode); });
  Type element = node.getInputElement(0), f32 = lowering.b().getF32Type();
  if (mode.mode == "nearest") {
    for (const ResizeAxis &axis : *axes)
      sizes[axis.dim] = axis.out;
    Value result = resizeNearest(lowering, data, element, *axes, mode, lowering.refine(sizes, node));
    lowering.setTensor(node.getOperation()->getResult(0), result);
    return success();
  }
  Type from = element;
  for (const ResizeAxis &axis : *axes) {
    FailureOr<int64_t> taps = countTaps(node, axis, mode);
    if (failed(taps))
      return failure();
    sizes[axis.dim] = axis.out;
    bool last = &axis == &axes->back();
    Type to = last ? element : f32;
    data = lowering.pointwise({}, {}, sizes, to, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
      SmallVector<Value> indices;
      for (size_t d = 0; d < sizes.size(); ++d)
        indices.push_back(linalg::IndexOp::create(b, loc, d));
      Value index = indices[axis.dim];
      Value value = AxisBody(b, loc, axis, mode).interpolate(index, *taps, [&](Value position) {
        indices[axis.dim] = position;
        return convertElement(b, loc, tensor::ExtractOp::create(b, loc, data, indices), from, f32);
      });
      return convertElement(b, loc, value, f32, to);
    });
    from = f32;
  }
  lowering.setTensor(node.getOperation()->getResult(0), data);
  return success();
}

void leaf::onnxtolinalg::registerResize(Registry &registry) { registry.add("Resize", lowerResize); }
