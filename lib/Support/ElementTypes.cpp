//===- ElementTypes.cpp - the element types of tensors -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/ElementTypes.h"

#include "llvm/ADT/STLExtras.h"
#include <limits>

using namespace mlir;
using namespace leaf;

// Numbers of onnx.proto's TensorProto.DataType.
static constexpr ElementType elementTypes[] = {
    {"float32", 1, ElementType::Float, 32, 4, "f4", "float32", "float"},
    {"float64", 11, ElementType::Float, 64, 8, "f8", "float64", "double"},
    {"float16", 10, ElementType::Float, 16, 2, "f2", "float16", "uint16_t"},
    {"bfloat16", 16, ElementType::Float, 16, 2, "", "bfloat16", "uint16_t"},
    {"float8e4m3fn", 17, ElementType::Float, 8, 1, "", "float8_e4m3fn", "uint8_t"},
    {"float8e4m3fnuz", 18, ElementType::Float, 8, 1, "", "float8_e4m3fnuz", "uint8_t"},
    {"float8e5m2", 19, ElementType::Float, 8, 1, "f1", "float8_e5m2", "uint8_t"},
    {"float8e5m2fnuz", 20, ElementType::Float, 8, 1, "", "float8_e5m2fnuz", "uint8_t"},
    {"float8e8m0", 24, ElementType::Float, 8, 1, "", "float8_e8m0fnu", "uint8_t"},
    {"float4e2m1", 23, ElementType::Float, 4, 1, "", "float4_e2m1fn", "uint8_t"},
    {"int64", 7, ElementType::Signed, 64, 8, "i8", "int64", "int64_t"},
    {"int32", 6, ElementType::Signed, 32, 4, "i4", "int32", "int32_t"},
    {"int16", 5, ElementType::Signed, 16, 2, "i2", "int16", "int16_t"},
    {"int8", 3, ElementType::Signed, 8, 1, "i1", "int8", "int8_t"},
    {"int4", 22, ElementType::Signed, 4, 1, "", "int4", "int8_t"},
    {"int2", 26, ElementType::Signed, 2, 1, "", "int2", "int8_t"},
    {"uint64", 13, ElementType::Unsigned, 64, 8, "u8", "uint64", "uint64_t"},
    {"uint32", 12, ElementType::Unsigned, 32, 4, "u4", "uint32", "uint32_t"},
    {"uint16", 4, ElementType::Unsigned, 16, 2, "u2", "uint16", "uint16_t"},
    {"uint8", 2, ElementType::Unsigned, 8, 1, "u1", "uint8", "uint8_t"},
    {"uint4", 21, ElementType::Unsigned, 4, 1, "", "uint4", "uint8_t"},
    {"uint2", 25, ElementType::Unsigned, 2, 1, "", "uint2", "uint8_t"},
    {"bool", 9, ElementType::Bool, 1, 1, "b1", "bool", "uint8_t"},
};

ArrayRef<ElementType> leaf::getElementTypes() { return elementTypes; }

template <typename Matches> static const ElementType *find(Matches matches) {
  const ElementType *found = llvm::find_if(elementTypes, matches);
  return found == std::end(elementTypes) ? nullptr : found;
}

const ElementType *leaf::findElementType(StringRef name) {
  return find([&](const ElementType &type) { return type.name == name; });
}

const ElementType *leaf::findElementType(Type type) {
  return find([&](const ElementType &entry) { return entry.get(type.getContext()) == type; });
}

const ElementType *leaf::findONNXElementType(int64_t dataType) {
  return find([&](const ElementType &type) { return type.onnx == dataType; });
}

Type ElementType::get(MLIRContext *context) const {
  if (kind != Float)
    return IntegerType::get(context, bits, kind == Unsigned ? IntegerType::Unsigned : IntegerType::Signless);
  switch (onnx) {
  case 1:
    return Float32Type::get(context);
  case 11:
    return Float64Type::get(context);
  case 10:
    return Float16Type::get(context);
  case 16:
    return BFloat16Type::get(context);
  case 17:
    return Float8E4M3FNType::get(context);
  case 18:
    return Float8E4M3FNUZType::get(context);
  case 19:
    return Float8E5M2Type::get(context);
  case 20:
    return Float8E5M2FNUZType::get(context);
  case 24:
    return Float8E8M0FNUType::get(context);
  default:
    return Float4E2M1FNType::get(context);
  }
}

const llvm::fltSemantics &ElementType::semantics() const {
  switch (onnx) {
  case 1:
    return APFloat::IEEEsingle();
  case 11:
    return APFloat::IEEEdouble();
  case 10:
    return APFloat::IEEEhalf();
  case 16:
    return APFloat::BFloat();
  case 17:
    return APFloat::Float8E4M3FN();
  case 18:
    return APFloat::Float8E4M3FNUZ();
  case 19:
    return APFloat::Float8E5M2();
  case 20:
    return APFloat::Float8E5M2FNUZ();
  case 24:
    return APFloat::Float8E8M0FNU();
  default:
    return APFloat::Float4E2M1FN();
  }
}

double ElementType::toDouble(uint64_t word) const {
  APInt number(bits, word, false, /*implicitTrunc=*/true);
  if (kind != Float)
    return number.roundToDouble(kind == Signed);
  APFloat value(semantics(), number);
  // APFloat converts the NaN of float8e8m0 to infinity.
  if (value.isNaN())
    return std::numeric_limits<double>::quiet_NaN();
  bool lossy;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return value.convertToDouble();
}

void leaf::maskElements(MutableArrayRef<char> bytes, const ElementType &type) {
  for (char &byte : bytes)
    byte = static_cast<char>(byte & ((1 << type.bits) - 1));
}

void leaf::extendElements(MutableArrayRef<char> bytes, const ElementType &type) {
  maskElements(bytes, type);
  if (type.kind != ElementType::Signed)
    return;
  for (char &byte : bytes)
    if (byte >> (type.bits - 1) & 1)
      byte = static_cast<char>(byte | -(1 << type.bits));
}
