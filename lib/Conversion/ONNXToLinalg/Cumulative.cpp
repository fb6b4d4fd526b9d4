//===- Cumulative.cpp - CumSum, CumProd -----------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Imperative.h"
#include "Scalars.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// One pass along each line of the data.
template <bool isProduct> static LogicalResult lowerCumulative(Lowering &lowering, Node &node) {
  Value data = lowering.getTensor(node.getInput(0));
  Sizes sizes = lowering.getSizes(data);
  std::optional<SmallVector<int64_t>> axes = lowering.getConstantInts(node.getInput(1));
  if (!axes || axes->size() != 1)
    return node.emitError() << "has an axis that is not constant";
  unsigned rank = sizes.size(), axis = axes->front() < 0 ? axes->front() + rank : axes->front();
  bool exclusive = node.getInt("exclusive", 0) != 0, reverse = node.getInt("reverse", 0) != 0;
  Type element = node.getInputElement(0), accumulator = isa<FloatType>(element) ? computeType(element) : element;
  Sizes lines(sizes);
  lines.erase(lines.begin() + axis);
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar s(c.b, c.loc, accumulator);
    Value length = c.size(args.outs[0], axis), last = c.sub(length, c.index(1));
    c.loop(c.index(0), length, s.number(isProduct ? 1 : 0), [&](Value i, ValueRange carried) -> Code::Values {
      SmallVector<Value> at(args.point);
      at.insert(at.begin() + axis, reverse ? c.sub(last, i) : i);
      Value x = convertElement(c.b, c.loc, c.load(args.inputs[0], at), element, accumulator);
      Value next = isProduct ? s.mul(carried[0], x) : s.add(carried[0], x);
      c.store(convertElement(c.b, c.loc, exclusive ? carried[0] : next, accumulator, element), args.outs[0], at);
      return {next};
    });
  };
  lowering.setTensor(node.getOperation()->getResult(0), forall(lowering, data, {sizes}, element, lines, body).front());
  return success();
}

void leaf::onnxtolinalg::registerCumulative(Registry &registry) {
  registry.add("CumSum", lowerCumulative<false>);
  registry.add("CumProd", lowerCumulative<true>);
}
