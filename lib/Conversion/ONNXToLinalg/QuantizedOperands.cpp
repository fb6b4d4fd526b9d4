//===- QuantizedOperands.cpp - contractions of quantized tensors -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "QuantizedOperands.h"

#include "Scalars.h"

#include <cmath>

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Products of bytes are below 2^15: so many of them, and a zero point times the sum of weights, stay in 32 bits.
static constexpr int64_t mostProducts = 1 << 15;

static bool isByte(Type type) { return type.isInteger(8); }

static bool isUnsignedByte(Type type) { return type.isUnsignedInteger(8); }

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// All numbers of a constant, or nothing where its bytes are not here.
static std::optional<SmallVector<double>> numbersOf(ElementsAttr value, bool isUnsigned) {
  std::optional<SmallVector<char, 0>> bytes = value ? getDenseBytes(value) : std::nullopt;
  if (!bytes)
    return std::nullopt;
  Type element = value.getElementType();
  SmallVector<double> numbers;
  auto read = [&](auto sample) {
    for (size_t at = 0; at + sizeof(sample) <= bytes->size(); at += sizeof(sample)) {
      std::memcpy(&sample, bytes->data() + at, sizeof(sample));
      numbers.push_back(static_cast<double>(sample));
    }
  };
  if (element.isF32())
    read(float());
  else if (element.isInteger(8) && (isUnsigned || element.isUnsignedInteger()))
    read(uint8_t());
  else if (element.isInteger(8))
    read(int8_t());
  else if (element.isInteger(32))
    read(int32_t());
  else
    return std::nullopt;
  return numbers;
}

/// The numbers of an ONNX value that is constant.
static std::optional<SmallVector<double>> constantNumbers(Lowering &lowering, Value onnx) {
  return numbersOf(lowering.getConstant(onnx), lowering.getONNXType(onnx).getElementType().isUnsignedInteger());
}

/// The one number of a constant value with equal elements.
static std::optional<double> splatNumber(Lowering &lowering, Value onnx) {
  std::optional<SmallVector<double>> numbers = constantNumbers(lowering, onnx);
  if (!numbers || numbers->empty() || !llvm::all_equal(*numbers))
    return std::nullopt;
  return numbers->front();
}

/// A lowered weight or the constant that stands in its place; empty numbers where neither is there.
static std::optional<SmallVector<double>> parameterNumbers(Lowering &lowering, Value tensor, TypedAttr constant,
                                                           bool isUnsigned) {
  if (tensor)
    return numbersOf(lowering.getWeightValue(tensor), isUnsigned);
  if (auto number = dyn_cast_or_null<FloatAttr>(constant))
    return SmallVector<double>{number.getValueAsDouble()};
  if (auto number = dyn_cast_or_null<IntegerAttr>(constant))
    return SmallVector<double>{isUnsigned ? static_cast<double>(number.getValue().getZExtValue())
                                          : static_cast<double>(number.getValue().getSExtValue())};
  return SmallVector<double>();
}

static bool areFinite(ArrayRef<double> numbers) {
  return llvm::all_of(numbers, [](double x) { return std::isfinite(x); });
}

std::optional<SmallVector<float>> leaf::onnxtolinalg::dequantizeConstant(Lowering &lowering, Node &node) {
  if (!node.getInputElement(0).isInteger(32) || !node.getResultElement().isF32() || node.getInputType(0).getRank() > 1)
    return std::nullopt;
  std::optional<SmallVector<double>> numbers = constantNumbers(lowering, node.getInput(0));
  std::optional<SmallVector<double>> scales = constantNumbers(lowering, node.getInput(1));
  bool isPlain = !node.hasInput(2) || splatNumber(lowering, node.getInput(2)) == 0.0;
  if (!numbers || !scales || !isPlain || (scales->size() != 1 && scales->size() != numbers->size()))
    return std::nullopt;
  SmallVector<float> result;
  for (auto [i, number] : llvm::enumerate(*numbers))
    result.push_back(static_cast<float>(number) *
                     static_cast<float>(scales->size() == 1 ? (*scales)[0] : (*scales)[i]));
  return result;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

std::optional<QuantizedWeight> leaf::onnxtolinalg::getQuantizedWeight(Lowering &lowering, Value onnx, Value zero,
                                                                      int64_t axis) {
  // Of a value that is computed nothing may be lowered here.
  if (!lowering.getDeferred(onnx) && !lowering.getConstant(onnx))
    return std::nullopt;
  QuantizedWeight result;
  WeightOperand &weight = result.operand;
  weight = getWeightOperand(lowering, onnx);
  ElementsAttr value = weight.stored ? lowering.getWeightValue(weight.stored) : ElementsAttr();
  if (!value || !isByte(weight.storedType))
    return std::nullopt;
  int64_t storedAxis = weight.perm.empty() ? axis : weight.perm[axis];
  auto type = cast<RankedTensorType>(value.getType());
  int64_t channels = type.getDimSize(storedAxis);
  bool hasScale = weight.scale || weight.scaleConstant;
  std::optional<SmallVector<double>> scales = parameterNumbers(lowering, weight.scale, weight.scaleConstant, false);
  std::optional<SmallVector<double>> zeros =
      zero ? constantNumbers(lowering, zero)
           : parameterNumbers(lowering, weight.zero, weight.zeroConstant,
                              weight.zeroType && weight.zeroType.isUnsignedInteger());
  std::optional<SmallVector<double>> numbers = numbersOf(value, isUnsignedByte(weight.storedType));
  bool perAxis = weight.scale || weight.zero;
  if (!scales || !zeros || !numbers || (perAxis && weight.axis != storedAxis) || !areFinite(*scales) ||
      (hasScale && !weight.type.isF32()))
    return std::nullopt;
  auto fits = [&](ArrayRef<double> list) { return list.size() <= 1 || static_cast<int64_t>(list.size()) == channels; };
  if (!fits(*scales) || !fits(*zeros) || type.getNumElements() / channels > mostProducts)
    return std::nullopt;
  int64_t stride = 1;
  for (int64_t d = storedAxis + 1; d < type.getRank(); ++d)
    stride *= type.getDimSize(d);
  result.sums.assign(channels, 0);
  SmallVector<int8_t> bytes;
  for (auto [i, number] : llvm::enumerate(*numbers)) {
    int64_t channel = static_cast<int64_t>(i) / stride % channels;
    double offset = zeros->empty() ? 0 : zeros->size() == 1 ? zeros->front() : (*zeros)[channel];
    double difference = number - offset;
    if (difference < -128 || difference > 127)
      return std::nullopt;
    bytes.push_back(static_cast<int8_t>(difference));
    result.sums[channel] += bytes.back();
  }
  bool isStored = !isUnsignedByte(weight.storedType) && llvm::all_of(*zeros, [](double z) { return z == 0; });
  if (!isStored) {
    auto dense = DenseElementsAttr::get(type.clone(lowering.b().getI8Type()), ArrayRef<int8_t>(bytes));
    weight.stored = lowering.loadConstant(dense, cast<LoadWeightOp>(weight.stored.getDefiningOp()).getWeight());
  }
  weight.storedType = lowering.b().getI8Type();
  weight.type = lowering.b().getI32Type();
  weight.scale = weight.zero = nullptr;
  weight.scaleConstant = weight.zeroConstant = nullptr;
  result.scales = hasScale ? *scales : SmallVector<double>{1};
  return result;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

TypedAttr QuantizedOperands::zeroAttr() const { return numberAttr(dataType, static_cast<double>(zero)); }

/// Fills data, scale and zero point from the DequantizeLinear that makes input 0.
static bool matchData(Lowering &lowering, Node &node, QuantizedOperands &result) {
  Operation *op = node.getInput(0).getDefiningOp();
  if (!op || op->getName().getStringRef() != "onnx.DequantizeLinear" || lowering.getDeferred(node.getInput(0)))
    return false;
  Node dequantize = lowering.nodeOf(op);
  result.dataType = dequantize.getInputElement(0);
  std::optional<double> scale = splatNumber(lowering, dequantize.getInput(1));
  std::optional<double> zero =
      dequantize.hasInput(2) ? splatNumber(lowering, dequantize.getInput(2)) : std::optional<double>(0);
  if (!isByte(result.dataType) || !dequantize.getResultElement().isF32() || !scale || !zero || !std::isfinite(*scale))
    return false;
  result.scale = *scale;
  result.zero = static_cast<int64_t>(*zero);
  result.data = lowering.getTensor(dequantize.getInput(0));
  return static_cast<bool>(result.data);
}

/// The bias: integers where it is quantized in units of the sums, numbers otherwise.
static bool matchBias(Lowering &lowering, Value bias, QuantizedOperands &result) {
  size_t channels = result.weight.sums.size();
  auto fits = [&](const std::optional<SmallVector<double>> &list) {
    return list && (list->size() == 1 || list->size() == channels) && areFinite(*list);
  };
  auto at = [](ArrayRef<double> list, size_t i) { return list.size() == 1 ? list[0] : list[i]; };
  Operation *op = bias.getDefiningOp();
  if (!op || op->getName().getStringRef() != "onnx.DequantizeLinear") {
    std::optional<SmallVector<double>> numbers = constantNumbers(lowering, bias);
    if (!fits(numbers) || !lowering.getONNXType(bias).getElementType().isF32())
      return false;
    for (size_t i = 0; i < channels; ++i)
      result.bias.push_back(at(*numbers, i));
    return true;
  }
  Node node = lowering.nodeOf(op);
  std::optional<SmallVector<double>> numbers = constantNumbers(lowering, node.getInput(0));
  std::optional<SmallVector<double>> scales = constantNumbers(lowering, node.getInput(1));
  bool isPlain = !node.hasInput(2) || splatNumber(lowering, node.getInput(2)) == 0.0;
  if (!fits(numbers) || !fits(scales) || !isPlain || !node.getInputElement(0).isInteger(32))
    return false;
  bool isInUnits = true;
  for (size_t i = 0; i < channels; ++i) {
    double unit = result.scale * at(result.weight.scales, i);
    isInUnits &= std::abs(at(*scales, i) - unit) <= 0x1p-22 * std::abs(unit) && std::abs(at(*numbers, i)) < 0x1p30;
  }
  for (size_t i = 0; i < channels; ++i)
    if (isInUnits)
      result.integerBias.push_back(static_cast<int64_t>(at(*numbers, i)));
    else
      result.bias.push_back(at(*numbers, i) * at(*scales, i));
  return true;
}

std::optional<QuantizedOperands> leaf::onnxtolinalg::matchQuantized(Lowering &lowering, Node &node, int64_t axis,
                                                                    Value bias) {
  QuantizedOperands result;
  if (!node.getResultElement().isF32() || !lowering.getDeferred(node.getInput(1)) || !matchData(lowering, node, result))
    return std::nullopt;
  std::optional<QuantizedWeight> weight = getQuantizedWeight(lowering, node.getInput(1), nullptr, axis);
  if (!weight)
    return std::nullopt;
  result.weight = std::move(*weight);
  if (bias && !matchBias(lowering, bias, result))
    return std::nullopt;
  return result;
}

std::optional<QuantizedOperands> leaf::onnxtolinalg::matchInteger(Lowering &lowering, Node &node, int64_t axis) {
  QuantizedOperands result;
  result.isInteger = true;
  result.dataType = node.getInputElement(0);
  if (!isByte(result.dataType) || lowering.getDeferred(node.getInput(1)))
    return std::nullopt;
  if (Value zero = node.getInput(2)) {
    RankedTensorType type = node.getInputType(2);
    if (std::optional<double> number = splatNumber(lowering, zero))
      result.zero = static_cast<int64_t>(*number);
    else if (type.hasStaticShape() && type.getNumElements() == 1)
      result.zeroTensor = lowering.getTensor(zero);
    else
      return std::nullopt;
  }
  std::optional<QuantizedWeight> weight = getQuantizedWeight(lowering, node.getInput(1), node.getInput(3), axis);
  if (!weight)
    return std::nullopt;
  result.weight = std::move(*weight);
  result.data = lowering.getTensor(node.getInput(0));
  return result;
}

//===----------------------------------------------------------------------===//
// Contraction
//===----------------------------------------------------------------------===//

namespace {
/// A number for each output channel: a constant of the epilogue where all are equal, an extra operand otherwise.
struct ChannelNumbers {
  TypedAttr constant; ///< null where an extra
  int position = -1;  ///< among the epilogue's arguments

  Value get(OpBuilder &b, Location loc, ValueRange args) const {
    return constant ? arith::ConstantOp::create(b, loc, constant).getResult() : args[position];
  }
};
} // namespace

void leaf::onnxtolinalg::setQuantized(Lowering &lowering, ContractBuilder &contract, const QuantizedOperands &operands,
                                      function_ref<std::pair<Value, AffineMap>(Value)> channels) {
  OpBuilder &b = lowering.b();
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  size_t count = operands.weight.sums.size();
  auto addExtra = [&](Value tensor, AffineMap map) {
    contract.extras.push_back(tensor);
    contract.extraMaps.push_back(map);
    return static_cast<int>(contract.extras.size());
  };
  auto addNumbers = [&](auto numbers, StringRef name) {
    Type type = std::is_same_v<decltype(numbers), SmallVector<float>> ? f32 : i32;
    auto dense = DenseElementsAttr::get(RankedTensorType::get({static_cast<int64_t>(count)}, type), ArrayRef(numbers));
    if (dense.isSplat())
      return ChannelNumbers{cast<TypedAttr>(dense.template getSplatValue<Attribute>()), -1};
    auto [tensor, map] = channels(lowering.loadConstant(dense, name));
    return ChannelNumbers{TypedAttr(), addExtra(tensor, map)};
  };
  SmallVector<int32_t> offsets, sums;
  SmallVector<float> scales, bias;
  for (size_t i = 0; i < count; ++i) {
    int64_t sum = operands.weight.sums[i];
    sums.push_back(static_cast<int32_t>(sum));
    offsets.push_back(
        static_cast<int32_t>((operands.integerBias.empty() ? 0 : operands.integerBias[i]) - operands.zero * sum));
    const SmallVector<double> &weights = operands.weight.scales;
    scales.push_back(static_cast<float>(operands.scale * (weights.size() == 1 ? weights[0] : weights[i])));
    if (!operands.bias.empty())
      bias.push_back(static_cast<float>(operands.bias[i]));
  }
  ChannelNumbers offset = addNumbers(offsets, "offset"), sum, scale, addend;
  int zeroPosition = -1;
  if (operands.zeroTensor) {
    sum = addNumbers(sums, "sum");
    SmallVector<AffineExpr> zeros(cast<RankedTensorType>(operands.zeroTensor.getType()).getRank(),
                                  b.getAffineConstantExpr(0));
    zeroPosition =
        addExtra(operands.zeroTensor, AffineMap::get(contract.outMap.getNumDims(), 0, zeros, b.getContext()));
  }
  if (!operands.isInteger)
    scale = addNumbers(scales, "scale");
  if (!bias.empty())
    addend = addNumbers(bias, "bias");
  contract.accumulator = i32;
  contract.outElement = operands.isInteger ? i32 : f32;
  contract.lhsPrologue = [type = operands.dataType, i32](OpBuilder &b, Location loc, ValueRange args) {
    return convertElement(b, loc, args[0], type, i32);
  };
  contract.rhsPrologue = [i32](OpBuilder &b, Location loc, ValueRange args) -> Value {
    return arith::ExtSIOp::create(b, loc, i32, args[0]);
  };
  contract.epilogue = [=, type = operands.dataType, isInteger = operands.isInteger,
                       hasBias = !bias.empty()](OpBuilder &b, Location loc, ValueRange args) -> Value {
    Value value = args[0];
    bool isZero = offset.constant && cast<IntegerAttr>(offset.constant).getValue().isZero();
    if (!isZero)
      value = arith::AddIOp::create(b, loc, value, offset.get(b, loc, args));
    if (zeroPosition >= 0) {
      Value zero = convertElement(b, loc, args[zeroPosition], type, i32);
      value = arith::SubIOp::create(b, loc, value, arith::MulIOp::create(b, loc, zero, sum.get(b, loc, args)));
    }
    if (isInteger)
      return value;
    value = arith::SIToFPOp::create(b, loc, f32, value);
    value = arith::MulFOp::create(b, loc, value, scale.get(b, loc, args));
    return hasBias ? arith::AddFOp::create(b, loc, value, addend.get(b, loc, args)).getResult() : value;
  };
}
