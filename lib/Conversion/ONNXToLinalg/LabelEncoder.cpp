//===- LabelEncoder.cpp - ml.LabelEncoder -----------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Keys are sorted when the model is compiled and searched by halves. Values are a table in the same order, with the
// default at its end.
//
//===----------------------------------------------------------------------===//

#include "Scalars.h"
#include "Strings.h"

#include <cmath>

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {
/// Numbers of an attribute.
struct Numbers {
  SmallVector<double> floats;
  SmallVector<int64_t> ints;
  bool isFloat = false;

  size_t size() const { return isFloat ? floats.size() : ints.size(); }
  double asDouble(size_t i) const { return isFloat ? floats[i] : static_cast<double>(ints[i]); }
  int64_t asInt(size_t i) const { return isFloat ? static_cast<int64_t>(floats[i]) : ints[i]; }
};
} // namespace

static void append(Numbers &numbers, Attribute attribute) {
  if (auto ints = dyn_cast<DenseI64ArrayAttr>(attribute)) {
    numbers.ints.append(ints.asArrayRef().begin(), ints.asArrayRef().end());
  } else if (auto number = dyn_cast<IntegerAttr>(attribute)) {
    numbers.ints.push_back(number.getValue().getSExtValue());
  } else if (auto floats = dyn_cast<DenseF32ArrayAttr>(attribute)) {
    numbers.isFloat = true;
    numbers.floats.append(floats.asArrayRef().begin(), floats.asArrayRef().end());
  } else if (auto number = dyn_cast<FloatAttr>(attribute)) {
    numbers.isFloat = true;
    numbers.floats.push_back(number.getValueAsDouble());
  } else if (auto elements = dyn_cast<DenseElementsAttr>(attribute)) {
    for (Attribute element : elements.getValues<Attribute>())
      append(numbers, element);
  }
}

/// The attribute `what`_strings, _int64s, _floats or _tensor; null where there is none.
static Attribute findList(Operation *op, StringRef what) {
  for (StringRef kind : {"_tensor", "_strings", "_int64s", "_floats"})
    if (Attribute list = op->getAttr((what + kind).str()))
      return list;
  return {};
}

/// Positions of `keys` in sorted order; of equal ones the first counts, and the others are left out.
template <typename Less> static SmallVector<int64_t> sortKeys(int64_t count, Less less) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, count));
  llvm::stable_sort(order, less);
  order.erase(std::unique(order.begin(), order.end(), [&](int64_t a, int64_t b) { return !less(a, b) && !less(b, a); }),
              order.end());
  return order;
}

/// For each element its position among the sorted numbers, or -1.
static Value lookUpNumbers(Lowering &lowering, Value data, Type element, const Numbers &keys, ArrayRef<int64_t> order) {
  OpBuilder &b = lowering.b();
  SizeArithmetic &s = lowering.sizes();
  // NaN is a key like others, and sorts last.
  int64_t numKeys = order.size(), nan = -1;
  Type type = keys.isFloat ? Type(b.getF64Type()) : b.getI64Type();
  SmallVector<Attribute> sorted;
  for (auto [i, key] : llvm::enumerate(order)) {
    if (keys.isFloat && std::isnan(keys.floats[key]))
      nan = i;
    sorted.push_back(keys.isFloat ? Attribute(b.getF64FloatAttr(keys.floats[key]))
                                  : b.getI64IntegerAttr(keys.ints[key]));
  }
  Value table = lowering.loadConstant(DenseElementsAttr::get(RankedTensorType::get({numKeys}, type), sorted), "keys");
  Size count = s.product(lowering.getSizes(data));
  auto body = [&](Code &c, const ForallArguments &args) {
    Scalar f(c.b, c.loc, type);
    Value x = convertElement(c.b, c.loc, c.load(args.inputs[0], args.point[0]), element, type);
    Value zero = c.index(0), end = c.index(nan >= 0 ? numKeys - 1 : numKeys);
    Value low = c.loop(
        zero, c.index(llvm::Log2_64_Ceil(numKeys + 1) + 1), {zero, end}, [&](Value, ValueRange range) -> Code::Values {
          Value isOpen = c.less(range[0], range[1]);
          Value middle = arith::ShRUIOp::create(c.b, c.loc, c.add(range[0], range[1]), c.index(1));
          Value key = c.load(args.inputs[1], c.select(isOpen, middle, zero));
          Value up = c.both(isOpen, f.compare(Scalar::lt, key, x));
          return {c.select(up, c.add(middle, 1), range[0]), c.select(up, range[1], c.select(isOpen, middle, range[1]))};
        })[0];
    Value inside = c.less(low, end);
    Value isEqual = c.both(inside, f.compare(Scalar::eq, c.load(args.inputs[1], c.select(inside, low, zero)), x));
    Value none = c.sub(zero, c.index(1));
    Value found = c.select(isEqual, low, none);
    if (nan >= 0)
      found = c.select(f.compare(Scalar::ne, x, x), c.index(nan), found);
    c.store(toI64(c, found), args.outs[0], args.point[0]);
  };
  return forall(lowering, {lowering.reshape(data, {count}), table}, {{count}}, b.getI64Type(), {count}, body).front();
}

/// The values at `order`, then the default, as elements of the result.
static DenseElementsAttr makeValues(Node &node, Attribute list, ArrayRef<int64_t> order) {
  Operation *op = node.getOperation();
  Numbers values, other;
  append(values, list);
  Attribute given = op->getAttr("default_tensor");
  if (!given)
    given = op->getAttr(values.isFloat ? "default_float" : "default_int64");
  if (given)
    append(other, given);
  Type element = Lowering::signless(node.getResultElement());
  SmallVector<Attribute> all;
  auto add = [&](const Numbers &numbers, size_t i) {
    all.push_back(isa<FloatType>(element) ? Attribute(FloatAttr::get(element, numbers.asDouble(i)))
                                          : IntegerAttr::get(element, numbers.asInt(i)));
  };
  for (int64_t key : order)
    add(values, key);
  if (other.size())
    add(other, 0);
  else // -0.0 of floats, -1 of integers
    all.push_back(isa<FloatType>(element) ? Attribute(FloatAttr::get(element, -0.0)) : IntegerAttr::get(element, -1));
  return DenseElementsAttr::get(RankedTensorType::get({static_cast<int64_t>(all.size())}, element), all);
}

/// Elements of `table` at the positions found, its last where there is none.
static Value takeValues(Lowering &lowering, Value found, Value table, int64_t last, ArrayRef<Size> sizes) {
  Value positions = lowering.reshape(found, sizes);
  Type element = cast<RankedTensorType>(table.getType()).getElementType();
  return lowering.pointwise(positions, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, element,
                            [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                              Value at = arith::IndexCastOp::create(b, loc, b.getIndexType(), args[0]);
                              Value zero = arith::ConstantIndexOp::create(b, loc, 0),
                                    end = arith::ConstantIndexOp::create(b, loc, last);
                              Value isNone = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, zero);
                              at = arith::SelectOp::create(b, loc, isNone, end, at);
                              return tensor::ExtractOp::create(b, loc, table, at);
                            });
}

LogicalResult leaf::onnxtolinalg::lowerLabelEncoder(Lowering &lowering, Node &node) {
  Operation *op = node.getOperation();
  Attribute keyList = findList(op, "keys"), valueList = findList(op, "values");
  SmallVector<std::string> keyStrings = getStrings(keyList), valueStrings = getStrings(valueList);
  Numbers keys, values;
  if (keyList)
    append(keys, keyList);
  if (valueList)
    append(values, valueList);
  size_t numKeys = std::max(keys.size(), keyStrings.size()), numValues = std::max(values.size(), valueStrings.size());
  if (numKeys == 0 || numKeys != numValues)
    return node.emitError() << "has " << numKeys << " keys and " << numValues << " values";
  bool takesStrings = node.hasInput(1), givesStrings = node.hasResult(1);
  if (takesStrings == keyStrings.empty() || givesStrings == valueStrings.empty())
    return node.emitError() << "has keys or values that are not of the type of its input or output";
  Value data = lowering.getTensor(node.getInput(0)), found;
  Sizes sizes = lowering.getSizes(data);
  SmallVector<int64_t> order;
  if (takesStrings) {
    order = sortKeys(numKeys, [&](int64_t a, int64_t b) { return keyStrings[a] < keyStrings[b]; });
    SmallVector<std::string> table;
    for (int64_t key : order)
      table.push_back(keyStrings[key]);
    found = lookUpStrings(lowering, {data, lowering.getTensor(node.getInput(1))}, table);
  } else {
    auto less = [&](int64_t a, int64_t b) {
      if (!keys.isFloat)
        return keys.ints[a] < keys.ints[b];
      bool isNaN = std::isnan(keys.floats[b]);
      return isNaN ? !std::isnan(keys.floats[a]) : keys.floats[a] < keys.floats[b];
    };
    order = sortKeys(numKeys, less);
    found = lookUpNumbers(lowering, data, node.getInputElement(0), keys, order);
  }
  if (!givesStrings) {
    Value table = lowering.loadConstant(makeValues(node, valueList, order), "labels");
    lowering.setTensor(op->getResult(0), takeValues(lowering, found, table, order.size(), sizes));
    return success();
  }
  SmallVector<std::string> table;
  for (int64_t key : order)
    table.push_back(valueStrings[key]);
  SmallVector<std::string> other = getStrings(op->getAttr("default_tensor"));
  table.push_back(other.empty() ? node.getString("default_string", "_Unused").str() : other.front());
  StringTensor labels = loadStrings(lowering, table);
  lowering.setTensor(op->getResult(0), takeValues(lowering, found, labels.spans, order.size(), sizes));
  lowering.setTensor(op->getResult(1), labels.pool);
  return success();
}
