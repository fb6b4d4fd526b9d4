//===- HostTensor.cpp - tensor values at compile time -------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/HostTensor.h"

#include "Leaf/Leaf.h"
#include "leafcutter/Support/ElementTypes.h"
#include "leafcutter/Transforms/Onnx.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace leaf;

/// Constants up to this size are attributes, larger ones weights (docs/Architecture.md, "After import").
static constexpr int64_t kMaxInlineBytes = 256;

unsigned HostTensor::elementBytes(Type elementType) {
  const ElementType *type = findElementType(elementType);
  return type ? type->bytes : 0;
}

bool HostTensor::canHold(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && elementBytes(tensor.getElementType()) != 0;
}

HostTensor HostTensor::make(RankedTensorType type) {
  HostTensor result;
  result.tensorType = type;
  result.storage = std::make_shared<std::vector<char>>(type.getNumElements() * elementBytes(type.getElementType()));
  result.view = *result.storage;
  return result;
}

HostTensor HostTensor::borrow(RankedTensorType type, ArrayRef<char> bytes) {
  HostTensor result;
  result.tensorType = type;
  result.view = bytes;
  return result;
}

HostTensor HostTensor::ofInts(RankedTensorType type, ArrayRef<int64_t> values) {
  HostTensor result = make(type);
  for (auto [i, value] : llvm::enumerate(values))
    result.setInt(i, value);
  return result;
}

template <typename T> static T loadAs(const char *bytes, int64_t i) {
  T value;
  std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T> static void storeAs(char *bytes, int64_t i, T value) {
  std::memcpy(bytes + i * sizeof(T), &value, sizeof(T));
}

double HostTensor::getFloat(int64_t i) const {
  Type type = elementType();
  if (type.isF32())
    return loadAs<float>(view.data(), i);
  if (type.isF64())
    return loadAs<double>(view.data(), i);
  unsigned bytes = elementBytes(type);
  uint64_t bits = bytes == 1 ? loadAs<uint8_t>(view.data(), i) : loadAs<uint16_t>(view.data(), i);
  return findElementType(type)->toDouble(bits);
}

void HostTensor::setFloat(int64_t i, double number) {
  Type type = elementType();
  if (type.isF32())
    return storeAs<float>(data(), i, static_cast<float>(number));
  if (type.isF64())
    return storeAs<double>(data(), i, number);
  APFloat value(number);
  bool lossy = false;
  value.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
  uint64_t bits = value.bitcastToAPInt().getZExtValue();
  if (elementBytes(type) == 1)
    return storeAs<uint8_t>(data(), i, static_cast<uint8_t>(bits));
  storeAs<uint16_t>(data(), i, static_cast<uint16_t>(bits));
}

int64_t HostTensor::getInt(int64_t i) const {
  const char *bytes = view.data();
  switch (elementBytes(elementType())) {
  case 1:
    return isUnsigned() ? int64_t(loadAs<uint8_t>(bytes, i))
                        : llvm::SignExtend64(loadAs<uint8_t>(bytes, i), elementType().getIntOrFloatBitWidth());
  case 2:
    return isUnsigned() ? int64_t(loadAs<uint16_t>(bytes, i)) : int64_t(loadAs<int16_t>(bytes, i));
  case 4:
    return isUnsigned() ? int64_t(loadAs<uint32_t>(bytes, i)) : int64_t(loadAs<int32_t>(bytes, i));
  default:
    return loadAs<int64_t>(bytes, i);
  }
}

void HostTensor::setInt(int64_t i, int64_t value) {
  switch (elementBytes(elementType())) {
  case 1:
    if (elementType().isInteger(1))
      return storeAs<uint8_t>(data(), i, value != 0);
    return storeAs<uint8_t>(data(), i, value & llvm::maskTrailingOnes<uint8_t>(elementType().getIntOrFloatBitWidth()));
  case 2:
    return storeAs<uint16_t>(data(), i, static_cast<uint16_t>(value));
  case 4:
    return storeAs<uint32_t>(data(), i, static_cast<uint32_t>(value));
  default:
    return storeAs<int64_t>(data(), i, value);
  }
}

double HostTensor::getNumber(int64_t i) const {
  if (isFloat())
    return getFloat(i);
  int64_t value = getInt(i);
  return elementType().isUnsignedInteger(64) ? static_cast<double>(static_cast<uint64_t>(value))
                                             : static_cast<double>(value);
}

void HostTensor::setSymbol(int64_t i, int32_t symbol) {
  if (symbol == 0 && symbols.empty())
    return;
  symbols.resize(size(), 0);
  symbols[i] = symbol;
}

void HostTensor::normalizeSymbols() {
  if (llvm::all_of(symbols, [](int32_t symbol) { return symbol == 0; }))
    symbols.clear();
}

HostTensor HostTensor::reshaped(ArrayRef<int64_t> shape) const {
  HostTensor result = *this;
  result.tensorType = RankedTensorType::get(shape, elementType());
  return result;
}

std::optional<SmallVector<int64_t>> HostTensor::ints() const {
  if (!isFullyKnown() || isFloat())
    return std::nullopt;
  SmallVector<int64_t> values;
  for (int64_t i = 0, e = size(); i < e; ++i)
    values.push_back(getInt(i));
  return values;
}

//===----------------------------------------------------------------------===//
// Constants in the IR
//===----------------------------------------------------------------------===//

/// Splats and packed i1 are expanded; other dense attributes are borrowed (the context owns their bytes).
std::optional<HostTensor> leaf::getHostElements(ElementsAttr elements) {
  auto type = dyn_cast<RankedTensorType>(elements.getShapedType());
  if (!type || !HostTensor::canHold(type))
    return std::nullopt;
  int64_t expected = type.getNumElements() * HostTensor::elementBytes(type.getElementType());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || static_cast<int64_t>(blob->getData().size()) != expected)
      return std::nullopt;
    return HostTensor::borrow(type, blob->getData());
  }
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense)
    return std::nullopt;
  if (!dense.isSplat() && !type.getElementType().isInteger(1))
    return HostTensor::borrow(type, dense.getRawData());
  HostTensor result = HostTensor::make(type);
  if (type.getElementType().isInteger(1)) {
    for (auto [i, bit] : llvm::enumerate(dense.getValues<bool>()))
      result.setInt(i, bit);
    return result;
  }
  unsigned bytes = HostTensor::elementBytes(type.getElementType());
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i)
    std::memcpy(result.data() + i * bytes, dense.getRawData().data(), bytes);
  return result;
}

bool leaf::isConstantValue(Value value) {
  Operation *op = value.getDefiningOp();
  return op && (isa<LoadWeightOp>(op) || isOnnx(op, "Constant"));
}

std::optional<HostTensor> leaf::getHostConstant(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto load = dyn_cast<LoadWeightOp>(op)) {
    WeightOp weight = load.resolve();
    return weight ? getHostElements(weight.getValue()) : std::nullopt;
  }
  if (!isOnnx(op, "Constant"))
    return std::nullopt;
  auto elements = op->getAttrOfType<ElementsAttr>("value");
  return elements ? getHostElements(elements) : std::nullopt;
}

static DenseElementsAttr toElements(const HostTensor &tensor) {
  if (!tensor.elementType().isInteger(1))
    return DenseElementsAttr::getFromRawBuffer(tensor.type(), tensor.bytes());
  SmallVector<bool> bits;
  for (int64_t i = 0, e = tensor.size(); i < e; ++i)
    bits.push_back(tensor.getInt(i) != 0);
  return DenseElementsAttr::get(tensor.type(), bits);
}

Value leaf::createConstant(OpBuilder &builder, Location loc, const HostTensor &tensor, StringRef hint) {
  if (static_cast<int64_t>(tensor.bytes().size()) <= kMaxInlineBytes)
    return createOnnx(builder, loc, "Constant", tensor.type(), {}, {{"value", toElements(tensor)}})->getResult(0);
  auto module = builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  WeightOp weight = createWeight(module, loc, hint, tensor.type(), tensor.bytes());
  return LoadWeightOp::create(builder, loc, tensor.type(), weight.getSymName());
}

Value leaf::createInts(OpBuilder &builder, Location loc, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, builder.getI64Type());
  return createConstant(builder, loc, HostTensor::ofInts(type, values), "ints");
}
