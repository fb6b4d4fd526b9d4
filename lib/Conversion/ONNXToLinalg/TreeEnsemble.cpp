//===- TreeEnsemble.cpp - TreeEnsemble, TreeEnsembleClassifier, TreeEnsembleRegressor -===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The trees become tables of nodes. A sample walks each tree for as many steps as the deepest one has, without
// branches: a leaf is its own child. Semantics of the classifier's scores: ONNX Runtime, which the specification of
// the operator leaves open.
//
//===----------------------------------------------------------------------===//

#include "Forest.h"
#include "Imperative.h"
#include "Scalars.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {
class ForestLowering {
public:
  ForestLowering(Lowering &lowering, Node &node, Forest forest)
      : lowering(lowering), node(node), forest(std::move(forest)), b(lowering.b()), f32(b.getF32Type()),
        mixedModes(llvm::any_of(this->forest.nodes, [&](const Forest::Node &row) {
          return row.mode != Forest::Mode::Leaf && row.mode != mainMode(this->forest);
        })) {}

  /// Scores [N, targets] before the transform.
  LogicalResult score();
  Value transformed();
  LogicalResult classify(ArrayRef<int64_t> labels);

private:
  enum Table {
    Features,
    Values,
    OnTrue,
    OnFalse,
    Missing,
    Modes,
    FirstWeight,
    LastWeight,
    Targets,
    Weights,
    Roots,
    FirstMember,
    LastMember,
    Members,
    NumTables
  };

  static Forest::Mode mainMode(const Forest &forest) {
    for (const Forest::Node &row : forest.nodes)
      if (row.mode != Forest::Mode::Leaf)
        return row.mode;
    return Forest::Mode::Leaf;
  }
  template <typename T, typename Get> Value nodeTable(Type element, Get get, StringRef hint);
  template <typename T> Value table(ArrayRef<T> values, Type element, StringRef hint);
  void makeTables();
  Value take(Code &c, Table which, Value at) { return c.load(tables[which], at); }
  Value takeIndex(Code &c, Table which, Value at) {
    return arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), take(c, which, at));
  }
  Value decide(Code &c, Scalar &s, Value node, Value x);
  Value compare(Scalar &s, Forest::Mode mode, Value x, Value split);
  Value isMember(Code &c, Scalar &s, Value node, Value x);
  void walk(Code &c, Value data, Value scores, Value sample);
  void accumulate(Code &c, Scalar &s, Value scores, Value sample, Value leaf);

  Lowering &lowering;
  Node &node;
  Forest forest;
  OpBuilder &b;
  Type f32;
  bool mixedModes;
  Value scores;
  SmallVector<Value> tables; ///< tensors, then the body's buffers while it is emitted
};
} // namespace

template <typename T> Value ForestLowering::table(ArrayRef<T> values, Type element, StringRef hint) {
  SmallVector<T> list(values);
  if (list.empty())
    list.push_back(T());
  auto type = RankedTensorType::get({static_cast<int64_t>(list.size())}, element);
  return lowering.loadConstant(DenseElementsAttr::get(type, ArrayRef<T>(list)), hint);
}

template <typename T, typename Get> Value ForestLowering::nodeTable(Type element, Get get, StringRef hint) {
  SmallVector<T> list;
  for (const Forest::Node &row : forest.nodes)
    list.push_back(static_cast<T>(get(row)));
  return table<T>(list, element, hint);
}

void ForestLowering::makeTables() {
  Type i32 = b.getI32Type(), i8 = b.getI8Type();
  using Row = Forest::Node;
  auto floats = [](ArrayRef<double> values) { return SmallVector<float>(values.begin(), values.end()); };
  tables.assign(NumTables, Value());
  tables[Features] = nodeTable<int32_t>(i32, [](const Row &r) { return r.feature; }, "tree_features");
  tables[Values] = nodeTable<float>(f32, [](const Row &r) { return r.value; }, "tree_values");
  tables[OnTrue] = nodeTable<int32_t>(i32, [](const Row &r) { return r.onTrue; }, "tree_true");
  tables[OnFalse] = nodeTable<int32_t>(i32, [](const Row &r) { return r.onFalse; }, "tree_false");
  tables[Missing] = nodeTable<int8_t>(i8, [](const Row &r) { return r.missingIsTrue; }, "tree_missing");
  tables[Modes] = nodeTable<int8_t>(i8, [](const Row &r) { return static_cast<int8_t>(r.mode); }, "tree_modes");
  tables[FirstWeight] = nodeTable<int32_t>(i32, [](const Row &r) { return r.firstWeight; }, "tree_first");
  tables[LastWeight] = nodeTable<int32_t>(i32, [](const Row &r) { return r.lastWeight; }, "tree_last");
  tables[Targets] = table<int32_t>(forest.targets, i32, "tree_targets");
  tables[Weights] = table<float>(floats(forest.weights), f32, "tree_weights");
  tables[Roots] = table<int32_t>(forest.roots, i32, "tree_roots");
  tables[FirstMember] = nodeTable<int32_t>(i32, [](const Row &r) { return r.firstMember; }, "tree_first_member");
  tables[LastMember] = nodeTable<int32_t>(i32, [](const Row &r) { return r.lastMember; }, "tree_last_member");
  tables[Members] = table<float>(floats(forest.members), f32, "tree_members");
}

//===----------------------------------------------------------------------===//
// Walking
//===----------------------------------------------------------------------===//

Value ForestLowering::compare(Scalar &s, Forest::Mode mode, Value x, Value split) {
  switch (mode) {
  case Forest::Mode::Lt:
    return s.compare(Scalar::lt, x, split);
  case Forest::Mode::Gte:
    return s.compare(Scalar::ge, x, split);
  case Forest::Mode::Gt:
    return s.compare(Scalar::gt, x, split);
  case Forest::Mode::Eq:
    return s.compare(Scalar::eq, x, split);
  case Forest::Mode::Neq:
    return s.compare(Scalar::ne, x, split);
  default:
    return s.compare(Scalar::le, x, split);
  }
}

Value ForestLowering::isMember(Code &c, Scalar &s, Value at, Value x) {
  Value no = arith::ConstantOp::create(c.b, c.loc, c.b.getBoolAttr(false));
  return c.loop(takeIndex(c, FirstMember, at), takeIndex(c, LastMember, at), no,
                [&](Value i, ValueRange found) -> Code::Values {
                  return {c.either(found[0], s.compare(Scalar::eq, x, take(c, Members, i)))};
                })[0];
}

/// True where the sample goes to the node's true child.
Value ForestLowering::decide(Code &c, Scalar &s, Value at, Value x) {
  Value split = take(c, Values, at);
  Forest::Mode main = mainMode(forest);
  Value result = main == Forest::Mode::Member ? isMember(c, s, at, x) : compare(s, main, x, split);
  if (mixedModes) {
    Value mode = take(c, Modes, at);
    for (int8_t m = 0; m < static_cast<int8_t>(Forest::Mode::Leaf); ++m) {
      auto candidate = static_cast<Forest::Mode>(m);
      if (candidate == main || !forest.hasMode(candidate))
        continue;
      Value is = c.equal(mode, arith::ConstantOp::create(c.b, c.loc, c.b.getI8IntegerAttr(m)));
      Value other = candidate == Forest::Mode::Member ? isMember(c, s, at, x) : compare(s, candidate, x, split);
      result = c.select(is, other, result);
    }
  }
  if (llvm::any_of(forest.nodes, [](const Forest::Node &row) { return row.missingIsTrue; })) {
    Value zero = arith::ConstantOp::create(c.b, c.loc, c.b.getI8IntegerAttr(0));
    Value tracks = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::ne, take(c, Missing, at), zero);
    result = c.either(result, c.both(tracks, s.compare(Scalar::ne, x, x)));
  }
  return result;
}

void ForestLowering::accumulate(Code &c, Scalar &s, Value out, Value sample, Value leaf) {
  c.loop(takeIndex(c, FirstWeight, leaf), takeIndex(c, LastWeight, leaf), [&](Value i) {
    Value target = takeIndex(c, Targets, i), weight = take(c, Weights, i);
    Value old = c.load(out, {sample, target}), next;
    if (forest.aggregate == Forest::Aggregate::Min)
      next = s.min(old, weight);
    else if (forest.aggregate == Forest::Aggregate::Max)
      next = s.max(old, weight);
    else
      next = s.add(old, weight);
    c.store(next, out, {sample, target});
  });
}

void ForestLowering::walk(Code &c, Value data, Value out, Value sample) {
  Scalar s(c.b, c.loc, f32);
  Type element = node.getInputElement(0);
  double start = forest.aggregate == Forest::Aggregate::Min   ? std::numeric_limits<double>::infinity()
                 : forest.aggregate == Forest::Aggregate::Max ? -std::numeric_limits<double>::infinity()
                                                              : 0;
  Value zero = c.index(0), targets = c.index(forest.numTargets);
  c.loop(zero, targets, [&](Value t) { c.store(s.number(start), out, {sample, t}); });
  c.loop(zero, c.index(forest.roots.size()), [&](Value tree) {
    Value root = takeIndex(c, Roots, tree);
    Value leaf = c.loop(zero, c.index(forest.depth), root, [&](Value, ValueRange at) -> Code::Values {
      Value x = convertElement(c.b, c.loc, c.load(data, {sample, takeIndex(c, Features, at[0])}), element, f32);
      return {c.select(decide(c, s, at[0], x), takeIndex(c, OnTrue, at[0]), takeIndex(c, OnFalse, at[0]))};
    })[0];
    accumulate(c, s, out, sample, leaf);
  });
}

LogicalResult ForestLowering::score() {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  SizeArithmetic &sz = lowering.sizes();
  if (sizes.size() == 1) {
    sizes.insert(sizes.begin(), sz.constant(1));
    data = lowering.reshape(data, sizes);
  }
  int64_t features = 0;
  for (const Forest::Node &row : forest.nodes)
    features = std::max<int64_t>(features, row.feature + 1);
  if (sizes.size() != 2 || !constantOf(sizes[1]) || *constantOf(sizes[1]) < features)
    return node.emitError() << "reads feature " << features - 1 << ", so its input must be a matrix with at least "
                            << features << " columns";
  makeTables();
  SmallVector<Value> inputs(tables);
  inputs.push_back(data);
  scores = forall(lowering, inputs, {{sizes[0], sz.constant(forest.numTargets)}}, f32, sizes[0],
                  [&](Code &c, const ForallArguments &args) {
                    ValueRange buffers = args.inputs.drop_back();
                    tables.assign(buffers.begin(), buffers.end());
                    walk(c, args.inputs.back(), args.outs[0], args.point[0]);
                  })
               .front();
  bool average = forest.aggregate == Forest::Aggregate::Average;
  if (forest.base.empty() && !average)
    return success();
  AffineMap identity = b.getMultiDimIdentityMap(2), column = AffineMap::get(2, 0, b.getAffineDimExpr(1));
  SmallVector<float> base(forest.numTargets, 0);
  for (int64_t t = 0; t < forest.numTargets && !forest.base.empty(); ++t)
    base[t] = forest.base[forest.base.size() == 1 ? 0 : t];
  Value offsets = table<float>(base, f32, "tree_base");
  double factor = average ? 1.0 / forest.roots.size() : 1.0;
  scores = lowering.pointwise({scores, offsets}, {identity, column}, lowering.getSizes(scores), f32,
                              [&](OpBuilder &inner, Location loc, ValueRange args) {
                                Scalar s(inner, loc, inner.getF32Type());
                                return s.add(s.mul(args[0], s.number(factor)), args[1]);
                              });
  return success();
}

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

/// sqrt(2) * erfinv(2 x - 1) by Winitzki's formula (2008), as ONNX Runtime computes it.
static Value probit(Scalar &s, Value p) {
  Value x = s.sub(s.mul(p, s.number(2)), s.number(1));
  Value logarithm = s.log(s.mul(s.sub(s.number(1), x), s.add(s.number(1), x)));
  Value v = s.add(s.number(2 / (3.14159 * 0.147)), s.mul(s.number(0.5), logarithm));
  Value root = s.sqrt(s.sub(s.sqrt(s.sub(s.mul(v, v), s.mul(s.number(1 / 0.147), logarithm))), v));
  Value sign = s.select(s.compare(Scalar::lt, x, s.number(0)), s.number(-1), s.number(1));
  return s.mul(s.mul(sign, root), s.number(1.41421356));
}

Value ForestLowering::transformed() {
  using Transform = Forest::Transform;
  if (forest.transform == Transform::None)
    return scores;
  Sizes sizes = lowering.getSizes(scores);
  if (forest.transform == Transform::Logistic || forest.transform == Transform::Probit)
    return lowering.pointwise(
        scores, b.getMultiDimIdentityMap(2), sizes, f32, [&](OpBuilder &inner, Location loc, ValueRange args) {
          Scalar s(inner, loc, inner.getF32Type());
          return forest.transform == Transform::Logistic ? s.sigmoid(args[0]) : probit(s, args[0]);
        });
  // SOFTMAX_ZERO leaves zeros out: no leaf gave that target a weight.
  bool keepZeros = forest.transform == Transform::SoftmaxZero;
  return forall(lowering, scores, {sizes}, f32, sizes[0],
                [&](Code &c, const ForallArguments &args) {
                  Scalar s(c.b, c.loc, c.b.getF32Type());
                  Value in = args.inputs[0], out = args.outs[0], row = args.point[0], zero = c.index(0);
                  Value count = c.index(forest.numTargets), lowest = s.number(-std::numeric_limits<float>::infinity());
                  Value most = c.loop(zero, count, lowest, [&](Value t, ValueRange best) -> Code::Values {
                    return {s.max(best[0], c.load(in, {row, t}))};
                  })[0];
                  Value sum = c.loop(zero, count, s.number(0), [&](Value t, ValueRange total) -> Code::Values {
                    Value x = c.load(in, {row, t}), e = s.exp(s.sub(x, most));
                    if (keepZeros)
                      e = s.select(s.compare(Scalar::eq, x, s.number(0)), s.number(0), e);
                    c.store(e, out, {row, t});
                    return {s.add(total[0], e)};
                  })[0];
                  c.loop(zero, count, [&](Value t) { c.store(s.div(c.load(out, {row, t}), sum), out, {row, t}); });
                })
      .front();
}

/// Label and scores of each sample. Where all weights belong to one of two classes its score decides alone.
LogicalResult ForestLowering::classify(ArrayRef<int64_t> labels) {
  bool single = labels.size() == 2 && llvm::all_equal(forest.targets);
  bool positive = llvm::all_of(forest.weights, [](double weight) { return weight >= 0; });
  Sizes sizes = lowering.getSizes(scores);
  Value names = table<int64_t>(labels, b.getI64Type(), "class_labels");
  int64_t decisive = single ? forest.targets.front() : 0;
  Forest::Transform transform = forest.transform;
  SmallVector<Value> results = forall(
      lowering, {scores, names}, {{sizes[0]}, sizes}, {b.getI64Type(), f32}, sizes[0],
      [&](Code &c, const ForallArguments &args) {
        Scalar s(c.b, c.loc, c.b.getF32Type());
        Value in = args.inputs[0], row = args.point[0], zero = c.index(0), one = c.index(1);
        if (single) {
          Value x = c.load(in, {row, c.index(decisive)});
          Value wins = s.compare(Scalar::gt, x, s.number(positive ? 0.5 : 0));
          c.store(c.load(args.inputs[1], c.select(wins, one, zero)), args.outs[0], row);
          bool isLogistic = transform == Forest::Transform::Logistic && !positive;
          Value second = isLogistic ? s.sigmoid(x) : transform == Forest::Transform::Probit ? probit(s, x) : x;
          Value first = positive ? s.sub(s.number(1), x) : isLogistic ? s.sigmoid(s.neg(x)) : s.neg(x);
          c.store(first, args.outs[1], {row, zero});
          c.store(second, args.outs[1], {row, one});
          return;
        }
        Code::Values best = c.loop(one, c.index(labels.size()), {zero, c.load(in, {row, zero})},
                                   [&](Value t, ValueRange now) -> Code::Values {
                                     Value x = c.load(in, {row, t}), more = s.compare(Scalar::gt, x, now[1]);
                                     return {c.select(more, t, now[0]), c.select(more, x, now[1])};
                                   });
        c.store(c.load(args.inputs[1], best[0]), args.outs[0], row);
        c.loop(zero, c.index(labels.size()), [&](Value t) { c.store(c.load(in, {row, t}), args.outs[1], {row, t}); });
      });
  Operation *op = node.getOperation();
  if (node.hasResult(0))
    lowering.setTensor(op->getResult(0), results[0]);
  if (single)
    scores = results[1];
  if (node.hasResult(1))
    lowering.setTensor(op->getResult(1), single ? scores : transformed());
  return success();
}

static LogicalResult lowerTrees(Lowering &lowering, Node &node) {
  FailureOr<Forest> forest = readForest(node);
  if (failed(forest))
    return failure();
  ForestLowering trees(lowering, node, *forest);
  if (failed(trees.score()))
    return failure();
  if (node.getName() == "ml.TreeEnsembleClassifier") {
    SmallVector<int64_t> labels = node.getInts("classlabels_int64s");
    if (labels.empty())
      return node.emitError() << "has labels that are strings; export it with integer labels";
    return trees.classify(labels);
  }
  Value result = trees.transformed();
  Type element = node.getResultElement();
  if (!element.isF32())
    result = lowering.pointwise(result, lowering.b().getMultiDimIdentityMap(2), lowering.getSizes(result), element,
                                [&](OpBuilder &b, Location loc, ValueRange args) {
                                  return convertElement(b, loc, args[0], b.getF32Type(), element);
                                });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Columns of X picked by Y; a vector X counts as one row.
static LogicalResult lowerArrayFeatureExtractor(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0)), picked = lowering.getTensor(node.getInput(1));
  Sizes source = lowering.getSizes(data), indices = lowering.getSizes(picked), sizes = source;
  Size count = lowering.sizes().product(indices);
  picked = lowering.reshape(picked, {count});
  if (sizes.size() == 1)
    sizes.insert(sizes.begin(), lowering.sizes().constant(1));
  sizes.back() = count;
  Value last = lowering.sizes().value(lowering.sizes().sub(source.back(), lowering.sizes().constant(1)));
  size_t skip = sizes.size() - source.size();
  AffineMap map = AffineMap::get(sizes.size(), 0, lowering.b().getAffineDimExpr(sizes.size() - 1));
  Value result = lowering.pointwise(picked, map, sizes, node.getResultElement(),
                                    [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                                      SmallVector<Value> at;
                                      for (size_t d = skip; d + 1 < sizes.size(); ++d)
                                        at.push_back(linalg::IndexOp::create(b, loc, d));
                                      Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), args[0]);
                                      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
                                      index = arith::MaxSIOp::create(b, loc, index, zero);
                                      at.push_back(arith::MinSIOp::create(b, loc, index, last));
                                      return tensor::ExtractOp::create(b, loc, data, at);
                                    });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerTrees(Registry &registry) {
  for (StringRef name : {"ml.TreeEnsemble", "ml.TreeEnsembleClassifier", "ml.TreeEnsembleRegressor"})
    registry.add(name, lowerTrees);
  registry.add("ml.ArrayFeatureExtractor", lowerArrayFeatureExtractor);
}
