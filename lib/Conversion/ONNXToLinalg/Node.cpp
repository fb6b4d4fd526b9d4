//===- Node.cpp - reading ONNX operators -------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "Leaf/OutputNames.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

bool Node::hasInput(unsigned i) const {
  return i < op->getNumOperands() && !isa<NoneType>(op->getOperand(i).getType());
}

bool Node::hasResult(unsigned i) const {
  return i < op->getNumResults() && isa<RankedTensorType>(op->getResult(i).getType());
}

RankedTensorType Node::typeOf(Value value) const {
  if (RankedTensorType type = signedTypes.lookup(value))
    return type;
  return cast<RankedTensorType>(value.getType());
}

int64_t Node::getInt(StringRef name, int64_t fallback) const {
  auto attr = dyn_cast_or_null<IntegerAttr>(op->getAttr(name));
  return attr ? attr.getValue().getSExtValue() : fallback;
}

double Node::getFloat(StringRef name, double fallback) const {
  auto attr = dyn_cast_or_null<FloatAttr>(op->getAttr(name));
  return attr ? attr.getValueAsDouble() : fallback;
}

StringRef Node::getString(StringRef name, StringRef fallback) const {
  auto attr = dyn_cast_or_null<StringAttr>(op->getAttr(name));
  return attr ? attr.getValue() : fallback;
}

SmallVector<int64_t> Node::getInts(StringRef name) const {
  Attribute attr = op->getAttr(name);
  if (auto array = dyn_cast_or_null<DenseI64ArrayAttr>(attr))
    return SmallVector<int64_t>(array.asArrayRef());
  return {};
}

int64_t Node::getAxis(StringRef name, int64_t fallback, int64_t rank) const {
  int64_t axis = getInt(name, fallback);
  return axis < 0 ? axis + rank : axis;
}

std::optional<int64_t> Node::getBound(unsigned i) const {
  auto bounds = op->getAttrOfType<DenseI64ArrayAttr>(leaf::attrs::kResultBounds);
  return bounds && i < bounds.size() && bounds[i] >= 0 ? std::optional(bounds[i]) : std::nullopt;
}

std::string Node::getBoundOption(unsigned i) const { return leaf::getBoundOption(op->getLoc(), i); }

InFlightDiagnostic Node::emitError() const { return op->emitOpError(); }
