//===- Random.cpp - random numbers, Dropout ----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Numbers are a function of the seed and the element's position, so a model stays re-entrant and gives the same numbers
// at every run, with any number of threads, as C and as machine code. Without a seed the node's name takes its place:
// different nodes differ. The function is Philox2x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
// (2011).
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"
#include "Indexing.h"
#include "Scalars.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/xxhash.h"
#include <numbers>

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

namespace {

/// Two words of 32 random bits.
struct Words {
  Value first, second;
};

class Philox {
public:
  Philox(OpBuilder &b, Location loc, uint32_t key) : b(b), loc(loc), key(key) {}

  /// `position` is an i64.
  Words at(Value position) {
    constexpr uint32_t multiplier = 0xD256D193, weyl = 0x9E3779B9;
    constexpr int rounds = 10;
    Value x = low(position), y = high(position);
    uint32_t k = key;
    for (int round = 0; round < rounds; ++round, k += weyl) {
      Value wide = arith::ExtUIOp::create(b, loc, b.getI64Type(), x);
      Value product =
          arith::MulIOp::create(b, loc, wide, arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(multiplier)));
      Value mixed = arith::XOrIOp::create(b, loc, high(product), word(k));
      x = arith::XOrIOp::create(b, loc, mixed, y);
      y = low(product);
    }
    return {x, y};
  }

private:
  Value word(uint32_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(static_cast<int32_t>(value)));
  }
  Value low(Value wide) { return arith::TruncIOp::create(b, loc, b.getI32Type(), wide); }
  Value high(Value wide) {
    Value bits = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(32));
    return low(arith::ShRUIOp::create(b, loc, wide, bits));
  }

  OpBuilder &b;
  Location loc;
  uint32_t key;
};

} // namespace

/// The seed attribute, or the name of the node in its place.
static uint32_t getKey(Node &node) {
  if (node.hasAttr("seed")) {
    double seed = node.getName() == "Dropout" ? static_cast<double>(node.getInt("seed", 0)) : node.getFloat("seed", 0);
    return static_cast<uint32_t>(llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(&seed), sizeof seed)));
  }
  auto name = node.getLoc()->findInstanceOf<NameLoc>();
  return static_cast<uint32_t>(llvm::xxh3_64bits(name ? name.getName().strref() : node.getName()));
}

/// A word as a number of `s`'s type in [0, 1): of as many bits as it holds exactly.
static Value toUnit(Scalar &s, Value word) {
  unsigned dropped = s.type.isF64() ? 0 : 8;
  Value bits = arith::ShRUIOp::create(
      s.b, s.loc, word, arith::ConstantOp::create(s.b, s.loc, s.b.getI32IntegerAttr(static_cast<int32_t>(dropped))));
  return s.mul(arith::UIToFPOp::create(s.b, s.loc, s.type, bits), s.number(std::ldexp(1.0, int(dropped) - 32)));
}

static Value uniform(Scalar &s, Words words) {
  Value unit = toUnit(s, words.first);
  if (!s.type.isF64())
    return unit;
  // 53 bits in all, so that the sum is below 1.
  Value rest = arith::ShRUIOp::create(s.b, s.loc, words.second,
                                      arith::ConstantOp::create(s.b, s.loc, s.b.getI32IntegerAttr(11)));
  return s.add(unit, s.mul(arith::UIToFPOp::create(s.b, s.loc, s.type, rest), s.number(std::ldexp(1.0, -53))));
}

/// Box and Muller: sqrt(-2 ln u) cos(2 pi v), u in (0, 1].
static Value normal(Scalar &s, Words words) {
  Value u = s.sub(s.number(1), toUnit(s, words.first)), v = toUnit(s, words.second);
  Value radius = s.sqrt(s.mul(s.number(-2), s.log(u)));
  return s.mul(radius, math::CosOp::create(s.b, s.loc, s.mul(v, s.number(2 * std::numbers::pi))));
}

/// Row-major position of the body's element, an i64. `sizes` may be known at run time only.
static Value getPosition(OpBuilder &b, Location loc, ArrayRef<BodySize> sizes) {
  Value position = arith::ConstantIndexOp::create(b, loc, 0);
  for (auto [d, size] : llvm::enumerate(sizes)) {
    position = arith::MulIOp::create(b, loc, position, size.get(b, loc));
    position = arith::AddIOp::create(b, loc, position, linalg::IndexOp::create(b, loc, d));
  }
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), position);
}

static SmallVector<BodySize> makeBodySizes(ArrayRef<Size> sizes) {
  SmallVector<BodySize> result;
  for (Size size : sizes)
    result.emplace_back(size);
  return result;
}

/// RandomUniform, RandomNormal, and what takes its shape from a tensor.
template <bool isNormal> static LogicalResult lowerRandom(Lowering &lowering, Node &node) {
  Type element = node.getResultElement();
  if (!isa<FloatType>(element) || element.getIntOrFloatBitWidth() < 16)
    return node.emitError() << "of " << element << " is not supported: random numbers are floats of 16 bits or more";
  Sizes sizes;
  if (node.getNumInputs() > 0)
    sizes = lowering.getSizesOf(node.getInput(0));
  else
    for (int64_t size : node.getInts("shape"))
      sizes.push_back(lowering.sizes().constant(size));
  uint32_t key = getKey(node);
  double shift = isNormal ? node.getFloat("mean", 0) : node.getFloat("low", 0);
  double scale = isNormal ? node.getFloat("scale", 1) : node.getFloat("high", 1) - shift;
  SmallVector<BodySize> bodySizes = makeBodySizes(sizes);
  Value result = lowering.pointwise({}, {}, sizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    Scalar s(b, loc, element);
    Words words = Philox(b, loc, key).at(getPosition(b, loc, bodySizes));
    // The words have no more digits than f32 shows, and there is no cosine of f64.
    Scalar narrow(b, loc, b.getF32Type());
    Value number = isNormal ? convertElement(b, loc, normal(narrow, words), narrow.type, s.type) : uniform(s, words);
    return convertElement(b, loc, s.add(s.mul(number, s.number(scale)), s.number(shift)), s.type, element);
  });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Samples of a category by its logarithmic, unnormalized probability: the first whose share of the sum, with all
/// before it, is above a random number.
static LogicalResult lowerMultinomial(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  if (sizes.size() != 2)
    return node.emitError() << "has an input of rank " << sizes.size() << ", not [batch, classes]";
  Sizes out = {sizes[0], lowering.sizes().constant(node.getInt("sample_size", 1))};
  Type element = node.getInputElement(0), result = node.getResultElement();
  uint32_t key = getKey(node);
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, element);
    Value row = args.point[0], classes = c.size(args.inputs[0], 1);
    auto weight = [&](Value k) {
      return s.exp(convertElement(c.b, c.loc, c.load(args.inputs[0], {row, k}), element, s.type));
    };
    Value total = c.loop(c.index(0), classes, s.number(0),
                         [&](Value k, ValueRange sum) -> Code::Values { return {s.add(sum[0], weight(k))}; })[0];
    Value position = c.add(c.mul(row, c.size(args.outs[0], 1)), args.point[1]);
    position = arith::IndexCastOp::create(c.b, c.loc, c.b.getI64Type(), position);
    Value goal = s.mul(uniform(s, Philox(c.b, c.loc, key).at(position)), total);
    // Classes at or below the goal are passed by; rounding never leads past the last one.
    Code::Values found = c.loop(c.index(0), c.sub(classes, c.index(1)), {s.number(0), c.index(0)},
                                [&](Value k, ValueRange carried) -> Code::Values {
                                  Value sum = s.add(carried[0], weight(k));
                                  return {sum, c.select(s.compare(Scalar::le, sum, goal), c.add(k, 1), carried[1])};
                                });
    Value index = arith::IndexCastOp::create(c.b, c.loc, Lowering::signless(result), found[1]);
    c.store(index, args.outs[0], args.point);
  };
  lowering.setTensor(node.getOperation()->getResult(0), forall(lowering, data, {out}, result, out, body).front());
  return success();
}

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

namespace {
/// A scalar input of Dropout: a constant, an operand of the body, or absent.
struct Setting {
  std::optional<Attribute> constant;
  int position = -1;
  Type element;

  Setting(Lowering &lowering, Node &node, unsigned input, unsigned rank, SmallVectorImpl<Value> &tensors,
          SmallVectorImpl<AffineMap> &maps) {
    if (!node.hasInput(input))
      return;
    element = node.getInputElement(input);
    constant = lowering.getSplat(node.getInput(input));
    if (constant)
      return;
    position = static_cast<int>(tensors.size());
    tensors.push_back(lowering.getTensor(node.getInput(input)));
    SmallVector<AffineExpr> first(node.getInputType(input).getRank(), lowering.b().getAffineConstantExpr(0));
    maps.push_back(AffineMap::get(rank, 0, first, lowering.b().getContext()));
  }

  Value get(Scalar &s, ValueRange args, Type to, double absent) const {
    if (position >= 0)
      return convertElement(s.b, s.loc, args[position], element, to);
    Value value = constant ? arith::ConstantOp::create(s.b, s.loc, signlessAttr(*constant)).getResult() : Value();
    return value ? convertElement(s.b, s.loc, value, element, to)
                 : arith::ConstantOp::create(s.b, s.loc, numberAttr(to, absent)).getResult();
  }
};
} // namespace

/// In inference the data itself, and a mask of ones. In training a share `ratio` of the elements is zero, and the
/// others are scaled so that the expected sum stays.
static LogicalResult lowerDropout(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  SmallVector<Value> tensors = {data};
  SmallVector<AffineMap> maps = {lowering.b().getMultiDimIdentityMap(sizes.size())};
  Setting ratio(lowering, node, 1, sizes.size(), tensors, maps),
      training(lowering, node, 2, sizes.size(), tensors, maps);
  bool infers = !node.hasInput(2) || (training.constant && cast<IntegerAttr>(*training.constant).getValue().isZero());
  if (infers) {
    tensors = {data};
    maps.resize(1);
  }
  Type element = node.getInputElement(0), boolean = lowering.b().getI1Type();
  uint32_t key = getKey(node);
  SmallVector<BodySize> bodySizes = makeBodySizes(sizes);
  auto keeps = [&](Scalar &s, ValueRange args) -> Value {
    Value yes = arith::ConstantOp::create(s.b, s.loc, s.b.getBoolAttr(true));
    if (infers)
      return yes;
    Value number = uniform(s, Philox(s.b, s.loc, key).at(getPosition(s.b, s.loc, bodySizes)));
    Value kept = s.compare(Scalar::ge, number, ratio.get(s, args, s.type, 0.5));
    return s.select(training.get(s, args, boolean, 0), kept, yes);
  };
  Value result = data;
  if (!infers)
    result = lowering.pointwise(tensors, maps, sizes, element, [&](OpBuilder &b, Location loc, ValueRange args) {
      Scalar s(b, loc, element);
      Value x = convertElement(b, loc, args[0], element, s.type);
      Value factor = s.div(s.number(1), s.sub(s.number(1), ratio.get(s, args, s.type, 0.5)));
      Value scaled = s.select(keeps(s, args), s.mul(x, factor), s.number(0));
      return convertElement(b, loc, s.select(training.get(s, args, boolean, 0), scaled, x), s.type, element);
    });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  if (node.hasResult(1))
    lowering.setTensor(
        node.getOperation()->getResult(1),
        lowering.pointwise(tensors, maps, sizes, boolean, [&](OpBuilder &b, Location loc, ValueRange args) {
          Scalar s(b, loc, element);
          return keeps(s, args);
        }));
  return success();
}

void leaf::onnxtolinalg::registerRandom(Registry &registry) {
  registry.add("RandomUniform", lowerRandom<false>);
  registry.add("RandomUniformLike", lowerRandom<false>);
  registry.add("RandomNormal", lowerRandom<true>);
  registry.add("RandomNormalLike", lowerRandom<true>);
  registry.add("Multinomial", lowerMultinomial);
  registry.add("Dropout", lowerDropout);
}
