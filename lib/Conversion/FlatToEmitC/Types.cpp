//===- Types.cpp - types and constants in C ----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallString.h"
#include <algorithm>

using namespace mlir;

namespace leaf {

Type opaqueType(MLIRContext *context, const Twine &text) {
  std::string name = text.str();
  // The dialect forbids '*' at the end; emitC takes the space away again.
  if (StringRef(name).ends_with("*"))
    name += ' ';
  return emitc::OpaqueType::get(context, name);
}

std::string typeText(Type type) { return StringRef(cast<emitc::OpaqueType>(type).getValue()).rtrim().str(); }

std::string typeSuffix(Type type) {
  if (VectorType vector = dyn_cast<VectorType>(type)) {
    std::string element = typeSuffix(vector.getElementType());
    if (element.empty() || vector.getRank() != 1 || vector.isScalable())
      return "";
    return element + "x" + std::to_string(vector.getDimSize(0));
  }
  if (isa<Float16Type, BFloat16Type>(type))
    return "u16";
  if (type.isF32() || type.isF64())
    return type.isF32() ? "f32" : "f64";
  if (type.isSignlessInteger(8) || type.isSignlessInteger(16) || type.isSignlessInteger(32) ||
      type.isSignlessInteger(64))
    return "i" + std::to_string(type.getIntOrFloatBitWidth());
  return "";
}

/// The pointer to an element of `type` in a buffer. int8_t is a character type, which may alias anything by itself.
static Type pointerType(Type type) {
  if (type.isInteger(8) || type.isInteger(1))
    return opaqueType(type.getContext(), "int8_t *");
  std::string suffix = typeSuffix(type);
  return suffix.empty() ? Type() : opaqueType(type.getContext(), "leaf_" + suffix + " *");
}

unsigned CTypeConverter::maskBits(int64_t lanes) const {
  unsigned bits = 8;
  while (bits < 64 && uint64_t(bits) * 2 * lanes <= uint64_t(vectorBytes) * 8)
    bits *= 2;
  return bits;
}

CTypeConverter::CTypeConverter(MLIRContext *context, unsigned vectorBytes) : vectorBytes(vectorBytes) {
  addConversion([](Type type) -> std::optional<Type> {
    if (isa<emitc::LValueType>(type) || emitc::isSupportedEmitCType(type))
      return isa<Float16Type, BFloat16Type, IndexType>(type) ? std::nullopt : std::optional<Type>(type);
    return std::nullopt;
  });
  addConversion([](IndexType type) -> Type { return emitc::PtrDiffTType::get(type.getContext()); });
  addConversion([](FloatType type) -> std::optional<Type> {
    if (isa<Float16Type, BFloat16Type>(type))
      return IntegerType::get(type.getContext(), 16, IntegerType::Unsigned);
    return std::nullopt;
  });
  addConversion([](MemRefType type) -> Type { return pointerType(type.getElementType()); });
  addConversion([this](VectorType type) -> Type {
    MLIRContext *context = type.getContext();
    if (type.getElementType().isInteger(1) && type.getRank() == 1)
      type = VectorType::get(type.getShape(), IntegerType::get(context, maskBits(type.getDimSize(0))));
    std::string suffix = typeSuffix(type);
    return suffix.empty() ? Type() : opaqueType(context, "leaf_" + suffix);
  });
}

Value buildLiteral(OpBuilder &builder, Location loc, const Twine &text, Type type) {
  return emitc::LiteralOp::create(builder, loc, type, builder.getStringAttr(text));
}

Value buildCall(OpBuilder &builder, Location loc, Type result, const Twine &name, ValueRange operands) {
  return emitc::CallOpaqueOp::create(builder, loc, TypeRange{result}, name.str(), operands).getResult(0);
}

/// Decimal text of an integer. The least value of a type has no literal of its own; a negative one gets parentheses,
/// so that it can be the operand of any operator.
static std::string integerText(const APInt &value, Type type) {
  if (type.isInteger(1))
    return value.isZero() ? "false" : "true";
  if (value.isMinSignedValue() && value.getBitWidth() >= 32 && !type.isIndex())
    return "INT" + std::to_string(value.getBitWidth()) + "_MIN";
  SmallString<24> text;
  value.toStringSigned(text);
  return value.isNegative() ? ("(" + text + ")").str() : text.str().str();
}

/// Shortest decimal text that reads back as the same float.
static std::string floatText(const APFloat &value, bool isDouble) {
  SmallString<32> text;
  value.toString(text, /*FormatPrecision=*/0, /*FormatMaxPadding=*/6);
  if (StringRef(text).find_first_of(".E") == StringRef::npos)
    text += ".0";
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c == 'E' ? 'e' : c; });
  if (!isDouble)
    text += "f";
  return value.isNegative() ? ("(" + text + ")").str() : text.str().str();
}

Value buildScalar(OpBuilder &builder, Location loc, TypedAttr value, Type type) {
  if (IntegerAttr integer = dyn_cast<IntegerAttr>(value))
    return buildLiteral(builder, loc, integerText(integer.getValue(), value.getType()), type);
  APFloat number = cast<FloatAttr>(value).getValue();
  APInt bits = number.bitcastToAPInt();
  if (isa<Float16Type, BFloat16Type>(value.getType()))
    return buildLiteral(builder, loc, std::to_string(bits.getZExtValue()), type);
  if (number.isFinite())
    return buildLiteral(builder, loc, floatText(number, value.getType().isF64()), type);
  IntegerType bitsType = builder.getIntegerType(bits.getBitWidth());
  Value literal = buildLiteral(builder, loc, integerText(bits, bitsType), bitsType);
  return buildCall(builder, loc, type, "leaf_bitcast_" + typeSuffix(bitsType) + "_" + typeSuffix(value.getType()),
                   literal);
}

} // namespace leaf
