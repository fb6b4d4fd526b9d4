//===- ElementTypes.h - the element types of tensors -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_ELEMENTTYPES_H
#define LEAFCUTTER_SUPPORT_ELEMENTTYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MathExtras.h"

namespace leaf {

/// One element type in its spellings. An element takes whole bytes everywhere, except in ONNX files, which pack types
/// of 4 and 2 bits: a bool is 0 or 1; an integer of fewer than 8 bits is sign- or zero-extended in a buffer of the C
/// ABI, and has its other bits zero in files and constants, as numpy's ml_dtypes have it; fp8, fp4 are their bits.
struct ElementType {
  enum Kind { Bool, Signed, Unsigned, Float };

  llvm::StringLiteral name; ///< in interfaces and messages: ONNX's in lower case ("float8e4m3fn")
  int onnx;                 ///< TensorProto.DataType
  Kind kind;
  unsigned bits, bytes;      ///< of the number, and of an element in memory
  llvm::StringLiteral numpy; ///< numpy's type code without byte order; empty where it has none
  llvm::StringLiteral array; ///< name of the type in Python: numpy's, or that of ml_dtypes
  llvm::StringLiteral c;     ///< of an element in C

  /// Whether numpy can write and read arrays of it.
  bool isOfNumpy() const { return !numpy.empty() && numpy != "f1"; }
  /// An integer of fewer than 8 bits.
  bool isNarrowInteger() const { return kind != Bool && kind != Float && bits < 8; }
  /// The number that the bits of an element stand for; integers of 64 bits lose low bits.
  double toDouble(uint64_t word) const;
  /// Of floats.
  const llvm::fltSemantics &semantics() const;
  mlir::Type get(mlir::MLIRContext *context) const;
};

llvm::ArrayRef<ElementType> getElementTypes();
/// Null where there is none.
const ElementType *findElementType(llvm::StringRef name);
const ElementType *findElementType(mlir::Type type);
const ElementType *findONNXElementType(int64_t dataType);

/// Whether `type` is a float of 8 or 4 bits, which no arithmetic is done in.
inline bool isSmallFloat(mlir::Type type) {
  return llvm::isa<mlir::FloatType>(type) && type.getIntOrFloatBitWidth() <= 8;
}

/// Bytes of an element in a buffer: i1 takes one, an index eight, everything else its width.
inline int64_t getElementBytes(mlir::Type type) {
  return type.isIndex() ? 8 : llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}
/// Bytes of a dense buffer of `type`, whose sizes are static.
inline int64_t getBytes(mlir::ShapedType type) {
  return type.getNumElements() * getElementBytes(type.getElementType());
}

/// Each byte, of which the low `bits` count, with the others zero, or (`type` signed) as the sign.
void maskElements(llvm::MutableArrayRef<char> bytes, const ElementType &type);
void extendElements(llvm::MutableArrayRef<char> bytes, const ElementType &type);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_ELEMENTTYPES_H
