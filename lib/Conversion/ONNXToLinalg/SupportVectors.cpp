//===- SupportVectors.cpp - SVMClassifier, SVMRegressor -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// LIBSVM's decision functions (Chang and Lin, 2011): one per pair of classes, which vote, and whose probabilities are
// coupled (Wu, Lin and Weng, Probability Estimates for Multi-class Classification by Pairwise Coupling, 2004, algorithm
// 2). What the specification leaves open (scores of two classes, transforms) is as in ONNX Runtime.
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"
#include "Operands.h"
#include "Reductions.h"
#include "Scalars.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

namespace {
enum class Kernel { Linear, Polynomial, Radial, Sigmoid };

/// What both operators share.
class SupportVectors {
public:
  SupportVectors(Lowering &lowering, Node &node)
      : lowering(lowering), node(node), b(lowering.b()), f32(b.getF32Type()), coefficients(floats("coefficients")),
        offsets(floats("rho")) {}

  LogicalResult classify();
  LogicalResult regress();

private:
  SmallVector<float> floats(StringRef name);
  LogicalResult read();
  Value constant(ArrayRef<float> values, ArrayRef<int64_t> shape, StringRef name);
  Value combine(Value left, Value right, bool isDistance);
  Value addRow(Value matrix, ArrayRef<float> row);
  Value kernels(int64_t count);
  Value kernelOf(Scalar &s, Value sum);

  LogicalResult readClasses();
  LogicalResult classifyPairs();
  LogicalResult classifyLinear();
  Value pairScores();
  Value vote(Value scores);
  Value couple(Value scores);
  Value labelsOf(Value indices);
  FailureOr<Value> finish(Value scores, int64_t count);
  FailureOr<Value> finishPair(Value scores);

  int64_t numClasses() const { return static_cast<int64_t>(labels.size()); }
  int64_t numPairs() const { return numClasses() * (numClasses() - 1) / 2; }

  Lowering &lowering;
  Node &node;
  OpBuilder &b;
  Type f32;
  SmallVector<float> coefficients, offsets;
  Value data; ///< [rows, features] in f32
  Size rows;
  int64_t features = 0;
  Kernel kernel = Kernel::Linear;
  float gamma = 0, shift = 0, degree = 0;
  SmallVector<int64_t> labels, vectorsPerClass;
};
} // namespace

SmallVector<float> SupportVectors::floats(StringRef name) {
  auto array = dyn_cast_or_null<DenseF32ArrayAttr>(node.getOperation()->getAttr(name));
  return array ? SmallVector<float>(array.asArrayRef()) : SmallVector<float>();
}

Value SupportVectors::constant(ArrayRef<float> values, ArrayRef<int64_t> shape, StringRef name) {
  return lowering.loadConstant(DenseElementsAttr::get(RankedTensorType::get(shape, f32), values), name);
}

LogicalResult SupportVectors::read() {
  StringRef name = node.getString("kernel_type", "LINEAR");
  std::optional<Kernel> known = llvm::StringSwitch<std::optional<Kernel>>(name)
                                    .Case("LINEAR", Kernel::Linear)
                                    .Case("POLY", Kernel::Polynomial)
                                    .Case("RBF", Kernel::Radial)
                                    .Case("SIGMOID", Kernel::Sigmoid)
                                    .Default(std::nullopt);
  if (!known)
    return node.emitError() << "has the unknown kernel '" << name << "'";
  kernel = *known;
  SmallVector<float> parameters = floats("kernel_params");
  if (kernel != Kernel::Linear && parameters.size() != 3)
    return node.emitError() << "has " << parameters.size() << " kernel_params instead of gamma, coef0 and degree";
  if (parameters.size() == 3)
    gamma = parameters[0], shift = parameters[1], degree = parameters[2];
  data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  if (sizes.size() == 1)
    sizes.insert(sizes.begin(), lowering.sizes().constant(1));
  std::optional<int64_t> width = sizes.size() == 2 ? constantOf(sizes[1]) : std::nullopt;
  if (!width)
    return node.emitError() << "has data that are not rows of a static number of features";
  data = lowering.reshape(data, sizes);
  rows = sizes[0], features = *width;
  Type element = node.getInputElement(0);
  if (element != f32)
    data = lowering.pointwise(data, b.getMultiDimIdentityMap(2), sizes, f32,
                              [&](OpBuilder &body, Location loc, ValueRange args) {
                                return convertElement(body, loc, args[0], element, f32);
                              });
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Sums of products of [rows, k] and [k, columns], or of squared differences: those of the radial kernel are not taken
/// from products, which would cancel.
Value SupportVectors::combine(Value left, Value right, bool isDistance) {
  AffineExpr m = b.getAffineDimExpr(0), n = b.getAffineDimExpr(1), k = b.getAffineDimExpr(2);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(3, 0, exprs, b.getContext()); };
  Value init = lowering.fill({lowering.getSizes(left)[0], lowering.getSizes(right)[1]}, f32, b.getF32FloatAttr(0));
  return lowering
      .generic({left, right}, init, {map({m, k}), map({k, n}), map({m, n})},
               {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction},
               [&](OpBuilder &body, Location loc, ValueRange args) -> SmallVector<Value> {
                 Scalar s(body, loc, f32);
                 Value difference = isDistance ? s.sub(args[0], args[1]) : Value();
                 Value term = isDistance ? s.mul(difference, difference) : s.mul(args[0], args[1]);
                 return {s.add(args[2], term)};
               })
      .front();
}

Value SupportVectors::addRow(Value matrix, ArrayRef<float> row) {
  Value added = constant(row, {static_cast<int64_t>(row.size())}, "svm_offsets");
  return lowering.pointwise({matrix, added}, {b.getMultiDimIdentityMap(2), AffineMap::get(2, 0, b.getAffineDimExpr(1))},
                            lowering.getSizes(matrix), f32, [&](OpBuilder &body, Location loc, ValueRange args) {
                              return Scalar(body, loc, f32).add(args[0], args[1]);
                            });
}

Value SupportVectors::kernelOf(Scalar &s, Value sum) {
  if (kernel == Kernel::Radial)
    return s.exp(s.mul(sum, s.number(-gamma)));
  Value x = s.add(s.mul(sum, s.number(gamma)), s.number(shift));
  if (kernel == Kernel::Sigmoid)
    return s.tanh(x);
  if (degree != std::floor(degree) || degree < 1 || degree > 8)
    return math::PowFOp::create(s.b, s.loc, x, s.number(degree));
  Value power = x;
  for (int i = 1; i < static_cast<int>(degree); ++i)
    power = s.mul(power, x);
  return power;
}

/// The kernel of each row with each of `count` support vectors: [rows, count].
Value SupportVectors::kernels(int64_t count) {
  SmallVector<float> vectors = floats("support_vectors"), columns(vectors.size());
  for (int64_t v = 0; v < count; ++v)
    for (int64_t f = 0; f < features; ++f)
      columns[f * count + v] = vectors[v * features + f];
  Value sums = combine(data, constant(columns, {features, count}, "support_vectors"), kernel == Kernel::Radial);
  if (kernel == Kernel::Linear)
    return sums;
  return lowering.pointwise(sums, b.getMultiDimIdentityMap(2), lowering.getSizes(sums), f32,
                            [&](OpBuilder &body, Location loc, ValueRange args) {
                              Scalar s(body, loc, f32);
                              return kernelOf(s, args[0]);
                            });
}

//===----------------------------------------------------------------------===//
// SVMRegressor
//===----------------------------------------------------------------------===//

LogicalResult SupportVectors::regress() {
  if (failed(read()))
    return failure();
  int64_t count = node.getInt("n_supports", 0), terms = count > 0 ? count : features;
  StringRef transform = node.getString("post_transform", "NONE");
  if (transform != "NONE")
    return node.emitError() << "has post_transform '" << transform << "', which is not supported for a regression";
  if (offsets.empty() || static_cast<int64_t>(coefficients.size()) != terms ||
      (count > 0 && static_cast<int64_t>(floats("support_vectors").size()) != count * features))
    return node.emitError() << "has attributes that do not fit its " << features << " features and " << count
                            << " support vectors";
  // Without support vectors the coefficients are those of the features.
  Value terms2d = count > 0 ? kernels(count) : data;
  Value sums = combine(terms2d, constant(coefficients, {terms, 1}, "svm_coefficients"), /*isDistance=*/false);
  Value result = addRow(sums, offsets[0]);
  if (node.getInt("one_class", 0) != 0)
    result = lowering.pointwise(result, b.getMultiDimIdentityMap(2), lowering.getSizes(result), f32,
                                [&](OpBuilder &body, Location loc, ValueRange args) {
                                  Scalar s(body, loc, f32);
                                  Value isInside = s.compare(Scalar::gt, args[0], s.number(0));
                                  return s.select(isInside, s.number(1), s.number(-1));
                                });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// SVMClassifier
//===----------------------------------------------------------------------===//

LogicalResult SupportVectors::readClasses() {
  if (node.hasAttr("classlabels_strings") && node.getInts("classlabels_ints").empty())
    return node.emitError() << "has classes named by strings, which are not supported; export it with integer classes";
  labels = node.getInts("classlabels_ints");
  vectorsPerClass = node.getInts("vectors_per_class");
  int64_t vectors = 0;
  for (int64_t count : vectorsPerClass)
    vectors += std::max<int64_t>(count, 0);
  bool fits = numClasses() > 0 && llvm::none_of(vectorsPerClass, [](int64_t count) { return count < 0; }) &&
              floats("prob_a").size() == floats("prob_b").size();
  if (vectors > 0)
    fits &= static_cast<int64_t>(vectorsPerClass.size()) == numClasses() &&
            static_cast<int64_t>(floats("support_vectors").size()) == vectors * features &&
            static_cast<int64_t>(coefficients.size()) == (numClasses() - 1) * vectors &&
            static_cast<int64_t>(offsets.size()) >= numPairs() &&
            (floats("prob_a").empty() || static_cast<int64_t>(floats("prob_a").size()) >= numPairs());
  else
    fits &= !offsets.empty() && static_cast<int64_t>(coefficients.size()) == numClasses() * features;
  if (!fits)
    return node.emitError() << "has attributes that do not fit its " << features << " features, " << vectors
                            << " support vectors and " << numClasses() << " classes";
  return success();
}

/// Decision of class i against class j > i, pair by pair: [rows, pairs]. Row c of the coefficients holds, for the
/// vectors of a class, those against the c-th of the other classes.
Value SupportVectors::pairScores() {
  int64_t vectors = 0, pair = 0;
  SmallVector<int64_t> begin;
  for (int64_t count : vectorsPerClass) {
    begin.push_back(vectors);
    vectors += count;
  }
  SmallVector<float> matrix(vectors * numPairs(), 0);
  for (int64_t i = 0; i < numClasses(); ++i)
    for (int64_t j = i + 1; j < numClasses(); ++j, ++pair) {
      for (int64_t v = begin[i]; v < begin[i] + vectorsPerClass[i]; ++v)
        matrix[v * numPairs() + pair] = coefficients[(j - 1) * vectors + v];
      for (int64_t v = begin[j]; v < begin[j] + vectorsPerClass[j]; ++v)
        matrix[v * numPairs() + pair] = coefficients[i * vectors + v];
    }
  Value sums =
      combine(kernels(vectors), constant(matrix, {vectors, numPairs()}, "svm_coefficients"), /*isDistance=*/false);
  return addRow(sums, ArrayRef<float>(offsets).take_front(numPairs()));
}

/// The first class with the most pairs won: [rows] of indices.
Value SupportVectors::vote(Value scores) {
  int64_t classes = numClasses();
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, f32);
    Value row = args.point[0], votes = args.outs[1], zero = c.index(0), count = c.index(classes);
    Value none = arith::ConstantIntOp::create(c.b, c.loc, c.b.getI32Type(), 0);
    Value one = arith::ConstantIntOp::create(c.b, c.loc, c.b.getI32Type(), 1);
    c.loop(zero, count, [&](Value i) { c.store(none, votes, i); });
    c.loop(zero, count, zero, [&](Value i, ValueRange pairs) {
      return c.loop(c.add(i, 1), count, pairs, [&](Value j, ValueRange pair) -> Code::Values {
        Value isFirst = s.compare(Scalar::gt, c.load(args.inputs[0], {row, pair[0]}), s.number(0));
        Value winner = c.select(isFirst, i, j);
        c.store(c.add(c.load(votes, winner), one), votes, winner);
        return {c.add(pair[0], 1)};
      });
    });
    Value best = c.loop(zero, count, {zero, none}, [&](Value i, ValueRange now) -> Code::Values {
      Value mine = c.load(votes, i), better = c.less(now[1], mine);
      return {c.select(better, i, now[0]), c.select(better, mine, now[1])};
    })[0];
    c.store(arith::IndexCastOp::create(c.b, c.loc, c.b.getI64Type(), best), args.outs[0], row);
  };
  Sizes counts = {lowering.sizes().constant(classes)};
  return forall(lowering, scores, {Sizes{rows}, counts}, {b.getI64Type(), b.getI32Type()}, rows, body).front();
}

namespace {
/// Pairwise coupling of one row: minimizes sum_{i, j} (r_ji p_i - r_ij p_j)^2 over probabilities p.
struct Coupling {
  Code &c;
  Scalar &s;
  Value p, row, r, q, qp; ///< p[row, class]; r and q [classes, classes]; qp [classes]
  Value zero, count;
  int64_t classes;

  void each(function_ref<void(Value)> body) { c.loop(zero, count, body); }
  void makeMatrix();
  Value quality();
  Value isDone(Value total);
  void improve(Value total);
};
} // namespace

void Coupling::makeMatrix() {
  each([&](Value i) {
    c.store(s.number(1.0 / static_cast<double>(classes)), p, {row, i});
    Value diagonal = c.loop(zero, count, s.number(0), [&](Value j, ValueRange sum) -> Code::Values {
      Value mine = c.load(r, {j, i}), isOther = c.equal(i, j);
      c.store(s.neg(s.mul(mine, c.load(r, {i, j}))), q, {i, j});
      return {s.select(isOther, sum[0], s.add(sum[0], s.mul(mine, mine)))};
    })[0];
    c.store(diagonal, q, {i, i});
  });
}

/// p q p, leaving q p in `qp`.
Value Coupling::quality() {
  return c.loop(zero, count, s.number(0), [&](Value i, ValueRange total) -> Code::Values {
    Value sum = c.loop(zero, count, s.number(0), [&](Value j, ValueRange now) -> Code::Values {
      return {s.add(now[0], s.mul(c.load(q, {i, j}), c.load(p, {row, j})))};
    })[0];
    c.store(sum, qp, i);
    return {s.add(total[0], s.mul(c.load(p, {row, i}), sum))};
  })[0];
}

Value Coupling::isDone(Value total) {
  Value error = c.loop(zero, count, s.number(0), [&](Value i, ValueRange now) -> Code::Values {
    return {s.max(now[0], s.abs(s.sub(c.load(qp, i), total)))};
  })[0];
  return s.compare(Scalar::lt, error, s.number(0.005 / static_cast<double>(classes)));
}

void Coupling::improve(Value total) {
  c.loop(zero, count, total, [&](Value i, ValueRange now) -> Code::Values {
    Value diagonal = c.load(q, {i, i}), mine = c.load(qp, i);
    Value step = s.div(s.sub(now[0], mine), diagonal), scale = s.add(s.number(1), step);
    c.store(s.add(c.load(p, {row, i}), step), p, {row, i});
    Value gain = s.mul(step, s.add(s.mul(step, diagonal), s.mul(s.number(2), mine)));
    Value next = s.div(s.div(s.add(now[0], gain), scale), scale);
    each([&](Value j) {
      c.store(s.div(s.add(c.load(qp, j), s.mul(step, c.load(q, {i, j}))), scale), qp, j);
      c.store(s.div(c.load(p, {row, j}), scale), p, {row, j});
    });
    return {next};
  });
}

/// Probabilities [rows, classes] of Platt's sigmoids of the pairs' decisions.
Value SupportVectors::couple(Value scores) {
  constexpr int64_t kMaxSteps = 100;
  constexpr double kLeast = 1e-7;
  SizeArithmetic &sizes = lowering.sizes();
  int64_t classes = numClasses(), pairs = numPairs();
  auto list = [&](StringRef name) { return constant(ArrayRef<float>(floats(name)).take_front(pairs), {pairs}, name); };
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, f32);
    Coupling coupling{
        c,      s, args.outs[0], args.point[0], args.outs[1], args.outs[2], args.outs[3], c.index(0), c.index(classes),
        classes};
    Value row = args.point[0], r = coupling.r;
    c.loop(coupling.zero, coupling.count, coupling.zero, [&](Value i, ValueRange begin) {
      c.store(s.number(0), r, {i, i});
      return c.loop(c.add(i, 1), coupling.count, begin, [&](Value j, ValueRange pair) -> Code::Values {
        Value at = pair[0], score = c.load(args.inputs[0], {row, at});
        Value x = s.add(s.mul(score, c.load(args.inputs[1], at)), c.load(args.inputs[2], at));
        Value wins = s.sigmoid(s.neg(x));
        Value inside = s.min(s.max(wins, s.number(kLeast)), s.number(1 - kLeast));
        c.store(inside, r, {i, j});
        c.store(s.sub(s.number(1), inside), r, {j, i});
        return {c.add(at, 1)};
      });
    });
    coupling.makeMatrix();
    Value yes = arith::ConstantIntOp::create(c.b, c.loc, c.b.getI1Type(), 1);
    Value no = arith::ConstantIntOp::create(c.b, c.loc, c.b.getI1Type(), 0);
    c.loop(coupling.zero, c.index(kMaxSteps), no, [&](Value, ValueRange done) {
      return c.choose(
          done[0], [&]() -> Code::Values { return {yes}; },
          [&]() -> Code::Values {
            Value total = coupling.quality(), isDone = coupling.isDone(total);
            return c.choose(
                isDone, [&]() -> Code::Values { return {yes}; },
                [&]() -> Code::Values {
                  coupling.improve(total);
                  return {no};
                });
          });
    });
  };
  Size count = sizes.constant(classes);
  SmallVector<Sizes> outs = {{rows, count}, {count, count}, {count, count}, {count}};
  return forall(lowering, {scores, list("prob_a"), list("prob_b")}, outs, SmallVector<Type>(4, f32), rows, body)
      .front();
}

/// The labels at positions [rows].
Value SupportVectors::labelsOf(Value indices) {
  auto type = RankedTensorType::get({numClasses()}, b.getI64Type());
  Value table = lowering.loadConstant(DenseElementsAttr::get(type, ArrayRef<int64_t>(labels)), "class_labels");
  return lowering.pointwise(indices, b.getMultiDimIdentityMap(1), rows, b.getI64Type(),
                            [&](OpBuilder &body, Location loc, ValueRange args) -> Value {
                              Value at = arith::IndexCastOp::create(body, loc, body.getIndexType(), args[0]);
                              return tensor::ExtractOp::create(body, loc, table, at);
                            });
}

/// post_transform of rows of several scores.
FailureOr<Value> SupportVectors::finish(Value scores, int64_t count) {
  StringRef name = node.getString("post_transform", "NONE");
  if (name == "NONE" || (count < 2 && (name == "SOFTMAX" || name == "LOGISTIC")))
    return scores;
  Sizes sizes = lowering.getSizes(scores);
  AffineMap identity = b.getMultiDimIdentityMap(2);
  if (name == "LOGISTIC")
    return lowering.pointwise(scores, identity, sizes, f32, [&](OpBuilder &body, Location loc, ValueRange args) {
      return Scalar(body, loc, f32).sigmoid(args[0]);
    });
  if (name != "SOFTMAX") {
    node.emitError() << "has post_transform '" << name << "', which is not supported";
    return failure();
  }
  ReductionLoops loops(sizes, ArrayRef<int64_t>{1});
  AffineMap row = AffineMap::get(2, 0, b.getAffineDimExpr(0));
  Value max = reduce(lowering, scores, f32, loops, f32, lowestAttr(f32),
                     [](Scalar &s, ArrayRef<Value> x, Value acc) { return s.max(x[0], acc); });
  Value exps = lowering.pointwise({scores, max}, {identity, row}, sizes, f32,
                                  [&](OpBuilder &body, Location loc, ValueRange args) {
                                    Scalar s(body, loc, f32);
                                    return s.exp(s.sub(args[0], args[1]));
                                  });
  Value sum = reduce(lowering, exps, f32, loops, f32, numberAttr(f32, 0),
                     [](Scalar &s, ArrayRef<Value> x, Value acc) { return s.add(acc, x[0]); });
  return lowering.pointwise(
      {exps, sum}, {identity, row}, sizes, f32,
      [&](OpBuilder &body, Location loc, ValueRange args) { return Scalar(body, loc, f32).div(args[0], args[1]); });
}

/// Two scores from the one of two classes: its negative and itself, or the sigmoids of these; with any other transform
/// 1 - itself and itself.
FailureOr<Value> SupportVectors::finishPair(Value scores) {
  StringRef name = node.getString("post_transform", "NONE");
  if (name == "PROBIT") {
    node.emitError() << "has post_transform 'PROBIT', which is not supported";
    return failure();
  }
  bool isLogistic = name == "LOGISTIC", negates = isLogistic || name == "NONE";
  AffineMap first = AffineMap::get(2, 0, {b.getAffineDimExpr(0), b.getAffineConstantExpr(0)}, b.getContext());
  return lowering.pointwise(scores, first, {rows, lowering.sizes().constant(2)}, f32,
                            [&](OpBuilder &body, Location loc, ValueRange args) -> Value {
                              Scalar s(body, loc, f32);
                              Value other = s.sub(s.number(negates ? 0 : 1), args[0]);
                              Value column = linalg::IndexOp::create(body, loc, 1);
                              Value zero = arith::ConstantIndexOp::create(body, loc, 0);
                              Value isFirst = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::eq, column, zero);
                              Value score = s.select(isFirst, other, args[0]);
                              return isLogistic ? s.sigmoid(score) : score;
                            });
}

LogicalResult SupportVectors::classifyPairs() {
  Value scores = pairScores();
  lowering.setTensor(node.getOperation()->getResult(0), labelsOf(vote(scores)));
  bool hasProbabilities = !floats("prob_a").empty();
  FailureOr<Value> result = hasProbabilities    ? finish(couple(scores), numClasses())
                            : numClasses() == 2 ? finishPair(scores)
                                                : finish(scores, numPairs());
  if (failed(result))
    return failure();
  lowering.setTensor(node.getOperation()->getResult(1), *result);
  return success();
}

/// Without support vectors: one linear score for each class, all with the same offset.
LogicalResult SupportVectors::classifyLinear() {
  if (numClasses() == 2)
    return node.emitError() << "has two classes and no support vectors, which is not supported; export it as a "
                               "LinearClassifier";
  SmallVector<float> columns(coefficients.size());
  for (int64_t i = 0; i < numClasses(); ++i)
    for (int64_t f = 0; f < features; ++f)
      columns[f * numClasses() + i] = coefficients[i * features + f];
  Value sums = combine(data, constant(columns, {features, numClasses()}, "svm_coefficients"), /*isDistance=*/false);
  Value scores = addRow(sums, SmallVector<float>(numClasses(), offsets[0]));
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, f32);
    Value row = args.point[0], zero = c.index(0), first = c.load(args.inputs[0], {row, zero});
    Value best = c.loop(zero, c.index(numClasses()), {zero, first}, [&](Value i, ValueRange now) -> Code::Values {
      Value mine = c.load(args.inputs[0], {row, i}), better = s.compare(Scalar::gt, mine, now[1]);
      return {c.select(better, i, now[0]), c.select(better, mine, now[1])};
    })[0];
    c.store(arith::IndexCastOp::create(c.b, c.loc, c.b.getI64Type(), best), args.outs[0], row);
  };
  Value best = forall(lowering, scores, {Sizes{rows}}, b.getI64Type(), rows, body).front();
  lowering.setTensor(node.getOperation()->getResult(0), labelsOf(best));
  FailureOr<Value> result = finish(scores, numClasses());
  if (failed(result))
    return failure();
  lowering.setTensor(node.getOperation()->getResult(1), *result);
  return success();
}

LogicalResult SupportVectors::classify() {
  if (failed(read()) || failed(readClasses()))
    return failure();
  return vectorsPerClass.empty() ? classifyLinear() : classifyPairs();
}

void leaf::onnxtolinalg::registerSupportVectors(Registry &registry) {
  registry.add("ml.SVMClassifier",
               [](Lowering &lowering, Node &node) { return SupportVectors(lowering, node).classify(); });
  registry.add("ml.SVMRegressor",
               [](Lowering &lowering, Node &node) { return SupportVectors(lowering, node).regress(); });
}
