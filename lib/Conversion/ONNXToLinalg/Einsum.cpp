//===- Einsum.cpp - Einsum --------------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractBuilder.h"
#include "Scalars.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

namespace {
/// The labels of an equation per operand and of the result. Dimensions under an ellipsis get labels from `A` - 1 down,
/// aligned at the last.
struct Equation {
  SmallVector<SmallVector<int>> operands;
  SmallVector<int> result;
};
} // namespace

/// Labels of one term; `rank` is -1 for the result, whose ellipsis stands for `ellipsis` dimensions.
static FailureOr<SmallVector<int>> parseTerm(Node &node, StringRef term, int64_t rank, int64_t &ellipsis) {
  SmallVector<int> labels;
  size_t dots = term.find("...");
  size_t letters = term.size() - (dots == StringRef::npos ? 0 : 3);
  if (rank >= 0) {
    if (dots == StringRef::npos ? static_cast<int64_t>(letters) != rank : static_cast<int64_t>(letters) > rank)
      return node.emitError() << "has the term '" << term << "' for an operand of rank " << rank;
    if (dots != StringRef::npos)
      ellipsis = rank - letters;
  }
  for (size_t i = 0; i < term.size(); ++i) {
    if (i == dots) {
      for (int64_t d = ellipsis; d > 0; --d)
        labels.push_back(-static_cast<int>(d));
      i += 2;
    } else if (llvm::isAlpha(term[i])) {
      labels.push_back(term[i]);
    } else {
      return node.emitError() << "has an equation with the character '" << term[i] << "'";
    }
  }
  return labels;
}

/// Without an arrow the result has the ellipsis, then all labels that occur once, in alphabetical order.
static SmallVector<int> implicitResult(const Equation &equation, int64_t ellipsis) {
  std::map<int, int> counts;
  for (const auto &labels : equation.operands)
    for (int label : labels)
      ++counts[label];
  SmallVector<int> result;
  for (int64_t d = ellipsis; d > 0; --d)
    result.push_back(-static_cast<int>(d));
  for (auto [label, count] : counts)
    if (label > 0 && count == 1)
      result.push_back(label);
  return result;
}

static FailureOr<Equation> parse(Node &node) {
  std::string text;
  for (char c : node.getString("equation", ""))
    if (c != ' ')
      text += c;
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != node.getNumInputs())
    return node.emitError() << "has " << terms.size() << " terms for " << node.getNumInputs() << " operands";
  Equation equation;
  int64_t most = 0;
  for (auto [i, term] : llvm::enumerate(terms)) {
    int64_t ellipsis = 0;
    FailureOr<SmallVector<int>> labels = parseTerm(node, term, node.getInputType(i).getRank(), ellipsis);
    if (failed(labels))
      return failure();
    most = std::max(most, ellipsis);
    equation.operands.push_back(*labels);
  }
  if (!StringRef(text).contains("->")) {
    equation.result = implicitResult(equation, most);
    return equation;
  }
  FailureOr<SmallVector<int>> labels = parseTerm(node, right, -1, most);
  if (failed(labels))
    return failure();
  equation.result = *labels;
  return equation;
}

namespace {
/// Loops of the labels: those of the result in order, then the summed ones.
struct LabelLoops {
  std::map<int, unsigned> loop;
  std::map<int, Size> size;
  unsigned numParallel = 0;

  AffineMap map(Lowering &lowering, ArrayRef<int> labels, ArrayRef<Size> sizes) const {
    SmallVector<AffineExpr> exprs;
    for (auto [i, label] : llvm::enumerate(labels)) {
      bool isBroadcast = !sizes.empty() && constantOf(sizes[i]) == 1 && constantOf(size.at(label)) != 1;
      exprs.push_back(isBroadcast ? lowering.b().getAffineConstantExpr(0)
                                  : lowering.b().getAffineDimExpr(loop.at(label)));
    }
    return AffineMap::get(loop.size(), 0, exprs, lowering.b().getContext());
  }
};
} // namespace

static FailureOr<LabelLoops> makeLoops(Lowering &lowering, Node &node, const Equation &equation) {
  LabelLoops loops;
  for (auto [i, labels] : llvm::enumerate(equation.operands)) {
    Sizes sizes = lowering.getSizesOf(node.getInput(i));
    for (auto [label, size] : llvm::zip(labels, sizes)) {
      auto [found, isNew] = loops.size.try_emplace(label, size);
      if (isNew || constantOf(size) == 1)
        continue;
      if (constantOf(found->second) != 1) {
        FailureOr<Size> both = lowering.unify(node, found->second, size);
        if (failed(both))
          return failure();
        size = *both;
      }
      found->second = size;
    }
  }
  for (int label : equation.result) {
    if (!loops.size.count(label) || !loops.loop.try_emplace(label, loops.loop.size()).second)
      return node.emitError() << "has a result label that no operand has, or that occurs twice";
  }
  loops.numParallel = loops.loop.size();
  for (const auto &labels : equation.operands)
    for (int label : labels)
      loops.loop.try_emplace(label, loops.loop.size());
  return loops;
}

/// A product of two matrices for each batch: every label is in the result or in both operands, and none twice in one.
static bool isContraction(const Equation &equation, const LabelLoops &loops) {
  if (equation.operands.size() != 2)
    return false;
  for (const auto &labels : equation.operands) {
    SmallVector<int> sorted(labels);
    llvm::sort(sorted);
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      return false;
    for (int label : labels)
      if (!llvm::is_contained(equation.result, label) &&
          !(llvm::is_contained(equation.operands[0], label) && llvm::is_contained(equation.operands[1], label)))
        return false;
  }
  return loops.loop.size() > loops.numParallel;
}

static LogicalResult lowerEinsum(Lowering &lowering, Node &node) {
  FailureOr<Equation> equation = parse(node);
  if (failed(equation))
    return failure();
  FailureOr<LabelLoops> loops = makeLoops(lowering, node, *equation);
  if (failed(loops))
    return failure();
  Type element = node.getResultElement(), accumulator = accumulatorType(element);
  Sizes sizes;
  for (int label : equation->result)
    sizes.push_back(loops->size.at(label));
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (auto [i, labels] : llvm::enumerate(equation->operands)) {
    tensors.push_back(lowering.getTensor(node.getInput(i)));
    maps.push_back(loops->map(lowering, labels, lowering.getSizes(tensors.back())));
  }
  maps.push_back(loops->map(lowering, equation->result, {}));
  SmallVector<IteratorType> iterators(loops->loop.size(), IteratorType::reduction);
  std::fill(iterators.begin(), iterators.begin() + loops->numParallel, IteratorType::parallel);
  Value result;
  if (isContraction(*equation, *loops) && isa<FloatType>(element)) {
    ContractBuilder contract;
    contract.lhs = tensors[0];
    contract.rhs = tensors[1];
    contract.lhsMap = maps[0];
    contract.rhsMap = maps[1];
    contract.outMap = maps[2];
    contract.iterators = iterators;
    contract.accumulator = accumulator;
    contract.outElement = Lowering::signless(element);
    contract.outSizes = sizes;
    WeightOperand operand;
    operand.stored = tensors[1];
    operand.storedType = operand.type = node.getInputElement(1);
    contract.setPrologues(node.getInputElement(0), operand, AffineMap());
    result = contract.build(lowering);
  } else {
    Value init = lowering.fill(sizes, accumulator, numberAttr(accumulator, 0));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
      Scalar s(b, loc, accumulator);
      Value product;
      for (Value x : args.drop_back()) {
        Value factor = convertElement(b, loc, x, element, accumulator);
        product = product ? s.mul(product, factor) : factor;
      }
      return {s.add(args.back(), product)};
    };
    result = lowering.generic(tensors, init, maps, iterators, body).front();
    if (accumulator != Lowering::signless(element))
      result = lowering.pointwise(result, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, element,
                                  [&](OpBuilder &b, Location loc, ValueRange args) {
                                    return convertElement(b, loc, args[0], accumulator, element);
                                  });
  }
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerEinsum(Registry &registry) { registry.add("Einsum", lowerEinsum); }
