//===- Lowering.cpp - the walk over @main ------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Scalars.h"
#include "WeightOperands.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::onnxtolinalg;

Lowering::Lowering(ModuleOp module, func::FuncOp main)
    : module(module), main(main), builder(module.getContext()), currentLoc(main.getLoc()), arithmetic(builder) {}

static bool isONNX(Operation *op) { return op->getName().getDialectNamespace() == "onnx"; }

LogicalResult Lowering::run() {
  if (!main.getBody().hasOneBlock())
    return main.emitError("the entry function must have one block");
  if (failed(lowerEntry()))
    return failure();
  main.walk([&](LoadWeightOp load) {
    if (load->getParentOp() != main)
      load->moveBefore(&main.getBody().front().front());
  });
  for (Operation &op : llvm::make_early_inc_range(main.getBody().front())) {
    builder.setInsertionPoint(&op);
    currentLoc = op.getLoc();
    arithmetic.setLoc(currentLoc);
    if (isa<func::ReturnOp>(op)) {
      if (failed(lowerReturn(&op)))
        return failure();
    } else if (isONNX(&op)) {
      if (failed(lowerNode(&op)))
        return failure();
    }
  }
  eraseDead();
  return success();
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// Constant nodes come with one of several attributes.
static ElementsAttr getConstantAttr(Operation *op) {
  if (auto value = dyn_cast_or_null<ElementsAttr>(op->getAttr("value")))
    return value;
  Builder b(op->getContext());
  if (auto value = dyn_cast_or_null<FloatAttr>(op->getAttr("value_float")))
    return DenseElementsAttr::get(RankedTensorType::get({}, b.getF32Type()), value.getValue());
  if (auto value = dyn_cast_or_null<IntegerAttr>(op->getAttr("value_int")))
    return DenseElementsAttr::get(RankedTensorType::get({}, b.getI64Type()), value.getValue());
  if (auto values = dyn_cast_or_null<DenseI64ArrayAttr>(op->getAttr("value_ints")))
    return DenseElementsAttr::get(RankedTensorType::get({values.size()}, b.getI64Type()), values.asArrayRef());
  if (auto values = dyn_cast_or_null<DenseF32ArrayAttr>(op->getAttr("value_floats")))
    return DenseElementsAttr::get(RankedTensorType::get({values.size()}, b.getF32Type()), values.asArrayRef());
  return nullptr;
}

LogicalResult Lowering::lowerNode(Operation *op) {
  Node node = nodeOf(op);
  if (node.getName() == "NoValue")
    return success();
  if (node.getName() == "Constant") {
    ElementsAttr value = getConstantAttr(op);
    if (!value)
      return node.emitError() << "has no tensor value";
    setConstant(op->getResult(0), value);
    return success();
  }
  for (OpResult result : op->getResults())
    if (!isa<RankedTensorType, NoneType>(result.getType()))
      return node.emitError() << "has a result without rank; run leaf-stage-normalize first";
  LowerFn lower = Registry::get().lookup(node.getName());
  if (!lower)
    return node.emitError() << "has no lowering; replace it by supported operators "
                               "('leafc inspect' lists what is not supported)";
  if (isFoldableIntoReader(*this, node)) {
    defer(node);
    return success();
  }
  FailureOr<bool> isShape = lowerShapeArithmetic(*this, node);
  if (failed(isShape))
    return failure();
  return *isShape ? success() : lower(*this, node);
}

//===----------------------------------------------------------------------===//
// Exit
//===----------------------------------------------------------------------===//

Value leaf::onnxtolinalg::getRoot(Value tensor) {
  while (Operation *op = tensor.getDefiningOp()) {
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op))
      break;
    tensor = op->getOperand(0);
  }
  return tensor;
}

LogicalResult Lowering::lowerReturn(Operation *op) {
  llvm::SmallDenseSet<Value> returned;
  for (auto [i, onnx] : llvm::enumerate(op->getOperands())) {
    Value tensor = getTensor(onnx);
    if (!tensor)
      return failure();
    // Each result is a buffer of its own: what is an argument, a weight or returned already is copied.
    Value root = getRoot(tensor);
    if (isa<BlockArgument>(root) || root.getDefiningOp<LoadWeightOp>() || !returned.insert(root).second) {
      Sizes shape = getSizes(tensor);
      tensor = pointwise(tensor, builder.getMultiDimIdentityMap(shape.size()), shape,
                         cast<RankedTensorType>(tensor.getType()).getElementType(),
                         [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    }
    op->setOperand(i, castTo(tensor, cast<RankedTensorType>(main.getResultTypes()[i])));
  }
  return success();
}

void Lowering::eraseDead() {
  Block &block = main.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (isONNX(&op)) {
      op.dropAllUses();
      op.erase();
    } else if (isOpTriviallyDead(&op)) {
      op.erase();
    }
  }
  llvm::StringSet<> used;
  module.walk([&](LoadWeightOp load) { used.insert(load.getWeight()); });
  for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
    if (!used.contains(weight.getSymName()))
      weight.erase();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

void Lowering::setTensor(Value onnx, Value tensor) { tensors[onnx] = tensor; }

void Lowering::setShapeValue(Value onnx, ShapeValue value) { shapeValues[onnx] = std::move(value); }

/// Known scalars as a tensor of `type`.
static Value materialize(Lowering &lowering, const ShapeValue &value, RankedTensorType type) {
  OpBuilder &b = lowering.b();
  Type element = Lowering::signless(type.getElementType());
  SmallVector<Value> scalars;
  for (Size size : value.elements) {
    if (std::optional<int64_t> c = constantOf(size)) {
      scalars.push_back(arith::ConstantOp::create(
          b, lowering.loc(), element.isInteger(1) ? b.getBoolAttr(*c != 0) : b.getIntegerAttr(element, *c)));
      continue;
    }
    auto scalar = cast<Value>(size);
    scalars.push_back(scalar.getType() == element
                          ? scalar
                          : arith::IndexCastOp::create(b, lowering.loc(), element, scalar).getResult());
  }
  SmallVector<int64_t> shape;
  if (!value.isScalar)
    shape.push_back(static_cast<int64_t>(scalars.size()));
  return tensor::FromElementsOp::create(b, lowering.loc(), RankedTensorType::get(shape, element), scalars);
}

Value Lowering::getTensor(Value onnx) {
  if (Value tensor = tensors.lookup(onnx))
    return tensor;
  if (Operation *op = deferred.lookup(onnx)) {
    deferred.erase(onnx);
    Node node = nodeOf(op);
    return succeeded(Registry::get().lookup(node.getName())(*this, node)) ? tensors.lookup(onnx) : Value();
  }
  if (ElementsAttr constant = constants.lookup(onnx)) {
    auto name = dyn_cast<NameLoc>(onnx.getLoc());
    return tensors[onnx] = loadConstant(constant, name ? name.getName().getValue() : "constant");
  }
  if (auto it = shapeValues.find(onnx); it != shapeValues.end())
    return tensors[onnx] = materialize(*this, it->second, getONNXType(onnx));
  // Not an ONNX value: already lowered.
  return onnx;
}

const ShapeValue *Lowering::getShapeValue(Value onnx) {
  constexpr int64_t kMaxElements = 16;
  if (auto it = shapeValues.find(onnx); it != shapeValues.end())
    return &it->second;
  ElementsAttr constant = constants.lookup(onnx);
  if (!constant || isa<FloatType>(constant.getElementType()))
    return nullptr;
  auto type = cast<ShapedType>(constant.getType());
  if (type.getRank() > 1 || type.getNumElements() > kMaxElements)
    return nullptr;
  ShapeValue value;
  value.isScalar = type.getRank() == 0;
  bool isUnsigned = type.getElementType().isUnsignedInteger() || type.getElementType().isInteger(1);
  for (APInt number : cast<DenseElementsAttr>(constant).getValues<APInt>()) {
    int64_t integer = isUnsigned ? static_cast<int64_t>(number.getZExtValue()) : number.getSExtValue();
    value.elements.push_back(type.getElementType().isInteger(1) ? Size(builder.getBoolAttr(integer))
                                                                : arithmetic.constant(integer));
  }
  return &shapeValues.try_emplace(onnx, std::move(value)).first->second;
}

bool Lowering::isRuntimeShapeValue(Value onnx) { return shapeValues.count(onnx) && !constants.count(onnx); }

FailureOr<ShapeValue> Lowering::readShapeValue(Node &node, unsigned input) {
  Value onnx = node.getInput(input);
  if (const ShapeValue *value = getShapeValue(onnx))
    return *value;
  RankedTensorType type = node.getInputType(input);
  if (type.getRank() > 1 || !type.hasStaticShape())
    return node.emitError() << "input " << input << " must hold a known number of integers";
  ShapeValue value;
  value.isScalar = type.getRank() == 0;
  Value tensor = getTensor(onnx);
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    SmallVector<Value> indices;
    if (!value.isScalar)
      indices.push_back(arithmetic.value(arithmetic.constant(i)));
    Value element = tensor::ExtractOp::create(builder, currentLoc, tensor, indices);
    if (isa<FloatType>(element.getType()))
      element = arith::FPToSIOp::create(builder, currentLoc, builder.getI64Type(), element);
    if (!element.getType().isInteger(1))
      element = arith::IndexCastOp::create(builder, currentLoc, builder.getIndexType(), element);
    value.elements.push_back(element);
  }
  return value;
}

ElementsAttr Lowering::getConstant(Value onnx) {
  if (ElementsAttr constant = constants.lookup(onnx))
    return constant;
  return getWeightValue(onnx);
}

std::optional<Attribute> Lowering::getSplat(Value onnx) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(constants.lookup(onnx));
  if (!dense || !dense.isSplat())
    return std::nullopt;
  return dense.getSplatValue<Attribute>();
}

std::optional<SmallVector<int64_t>> Lowering::getConstantInts(Value onnx) {
  SmallVector<int64_t> result;
  if (const ShapeValue *value = getShapeValue(onnx)) {
    for (Size size : value->elements) {
      std::optional<int64_t> c = constantOf(size);
      if (!c)
        return std::nullopt;
      result.push_back(*c);
    }
    return result;
  }
  auto dense = dyn_cast_or_null<DenseElementsAttr>(getConstant(onnx));
  if (!dense || !isa<IntegerType>(dense.getElementType()))
    return std::nullopt;
  for (APInt number : dense.getValues<APInt>())
    result.push_back(number.getSExtValue());
  return result;
}
