//===- FloatBuilder.h - short words for float formulas -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_FLOATBUILDER_H
#define LEAF_LIB_CODEGEN_FLOATBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

namespace leaf::codegen {

/// Builds arithmetic on values of one shape: scalars, or vectors of one length.
struct FloatBuilder {
  using Value = mlir::Value;
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type type; ///< f32 or f64, or a vector of these
  bool hasFma;

  mlir::Type like(mlir::Type element) {
    auto vector = llvm::dyn_cast<mlir::VectorType>(type);
    return vector ? mlir::VectorType::get(vector.getShape(), element) : element;
  }
  /// Bits of an element: those of the integers that hold its parts.
  unsigned width() const { return mlir::getElementTypeOrSelf(type).isF64() ? 64 : 32; }
  mlir::Type intType(unsigned bits = 0) { return like(b.getIntegerType(bits ? bits : width())); }
  Value constant(mlir::TypedAttr attr) {
    if (auto vector = llvm::dyn_cast<mlir::VectorType>(like(attr.getType())))
      return mlir::arith::ConstantOp::create(b, loc, mlir::DenseElementsAttr::get(vector, mlir::Attribute(attr)));
    return mlir::arith::ConstantOp::create(b, loc, attr);
  }
  Value f(double value) { return constant(b.getFloatAttr(mlir::getElementTypeOrSelf(type), value)); }
  Value i(int64_t value, unsigned bits = 0) {
    return constant(b.getIntegerAttr(b.getIntegerType(bits ? bits : width()), value));
  }

  Value add(Value x, Value y) { return mlir::arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return mlir::arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return mlir::arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return mlir::arith::DivFOp::create(b, loc, x, y); }
  /// x * y + z.
  Value fma(Value x, Value y, Value z) {
    return hasFma ? mlir::math::FmaOp::create(b, loc, x, y, z).getResult() : add(mul(x, y), z);
  }
  Value addi(Value x, Value y) { return mlir::arith::AddIOp::create(b, loc, x, y); }
  Value subi(Value x, Value y) { return mlir::arith::SubIOp::create(b, loc, x, y); }
  Value andi(Value x, Value y) { return mlir::arith::AndIOp::create(b, loc, x, y); }
  Value ori(Value x, Value y) { return mlir::arith::OrIOp::create(b, loc, x, y); }
  Value shl(Value x, int64_t n) { return mlir::arith::ShLIOp::create(b, loc, x, i(n)); }
  Value shr(Value x, int64_t n) { return mlir::arith::ShRSIOp::create(b, loc, x, i(n)); }
  Value ushr(Value x, int64_t n) { return mlir::arith::ShRUIOp::create(b, loc, x, i(n)); }
  Value toBits(Value x) { return mlir::arith::BitcastOp::create(b, loc, intType(), x); }
  Value fromBits(Value x) { return mlir::arith::BitcastOp::create(b, loc, type, x); }
  Value toInt(Value x) { return mlir::arith::FPToSIOp::create(b, loc, intType(), x); }
  Value toFloat(Value x) { return mlir::arith::SIToFPOp::create(b, loc, type, x); }
  Value abs(Value x) { return mlir::math::AbsFOp::create(b, loc, x); }
  Value compare(mlir::arith::CmpFPredicate predicate, Value x, Value y) {
    return mlir::arith::CmpFOp::create(b, loc, predicate, x, y);
  }
  Value comparei(mlir::arith::CmpIPredicate predicate, Value x, Value y) {
    return mlir::arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) { return mlir::arith::SelectOp::create(b, loc, condition, x, y); }
  /// The greater of x and `limit` (no NaN); NaN where x is. The order of operands is that of x86's maxps.
  Value atLeast(Value x, Value limit) { return select(compare(mlir::arith::CmpFPredicate::OGT, limit, x), limit, x); }
  Value atMost(Value x, Value limit) { return select(compare(mlir::arith::CmpFPredicate::OLT, limit, x), limit, x); }
  Value isNaN(Value x) { return compare(mlir::arith::CmpFPredicate::UNO, x, x); }
  /// ((c0 * x + c1) * x + c2) …
  Value polynomial(Value x, llvm::ArrayRef<double> coefficients) {
    Value sum = f(coefficients.front());
    for (double c : coefficients.drop_front())
      sum = fma(sum, x, f(c));
    return sum;
  }
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_FLOATBUILDER_H
