//===- ONNXDialect.cpp - the onnx dialect -----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ONNX/ONNX.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "ONNX/ONNXDialect.cpp.inc"

using namespace mlir;
using namespace leaf::onnx;

#define GET_TYPEDEF_CLASSES
#include "ONNX/ONNXTypes.cpp.inc"

void ONNXDialect::initialize() {
  registerONNXDialectOperations(this);
  addTypes<
#define GET_TYPEDEF_LIST
#include "ONNX/ONNXTypes.cpp.inc"
      >();
}

Operation *ONNXDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  if (isa<NoneType>(type) && isa<UnitAttr>(value))
    return NoValueOp::create(builder, loc, type);
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getShapedType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

void leaf::onnx::detail::build(OperationState &state, TypeRange types, ValueRange operands,
                               ArrayRef<NamedAttribute> attributes) {
  state.addTypes(types);
  state.addOperands(operands);
  state.addAttributes(attributes);
}

void leaf::onnx::detail::setAttribute(OperationState &state, StringRef name, Attribute value) {
  if (value)
    state.addAttribute(name, value);
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

OpFoldResult NoValueOp::fold(FoldAdaptor) { return UnitAttr::get(getContext()); }

std::pair<llvm::StringRef, llvm::StringRef> leaf::onnx::getOperatorName(Operation *op) {
  StringRef name = op->getName().stripDialect();
  if (name.consume_front("ml."))
    return {"ai.onnx.ml", name};
  if (name.consume_front("ms."))
    return {"com.microsoft", name};
  return {"", name};
}

llvm::StringRef leaf::onnx::getSchemaName(StringRef odsName) {
  odsName.consume_back("_attr");
  return odsName;
}
