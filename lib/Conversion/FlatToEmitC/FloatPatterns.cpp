//===- FloatPatterns.cpp - floating point and conversions in C ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace leaf {
namespace {

bool isHalf(Type type) { return isa<Float16Type, BFloat16Type>(getElementTypeOrSelf(type)); }

/// The suffix of a helper's name, with f16 and bf16 told apart.
std::string floatSuffix(Type type) {
  Type element = getElementTypeOrSelf(type);
  std::string text = element.isF16() ? "f16" : element.isBF16() ? "bf16" : typeSuffix(element);
  if (VectorType vector = dyn_cast<VectorType>(type))
    text += "x" + std::to_string(vector.getNumElements());
  return text;
}

/// a + b and the like. There is no arithmetic on f16: it was widened before.
template <typename Op, typename COp> struct BinaryPattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = this->getTypeConverter()->convertType(op.getType());
    if (!type || isHalf(op.getType()))
      return rewriter.notifyMatchFailure(op, "no arithmetic on this type in C");
    rewriter.replaceOpWithNewOp<COp>(op, type, adaptor.getOperands()[0], adaptor.getOperands()[1]);
    return success();
  }
};

struct NegatePattern : OpConversionPattern<arith::NegFOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::NegFOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (isHalf(op.getType()))
      return rewriter.notifyMatchFailure(op, "no arithmetic on this type in C");
    rewriter.replaceOpWithNewOp<emitc::UnaryMinusOp>(op, getTypeConverter()->convertType(op.getType()),
                                                     adaptor.getOperand());
    return success();
  }
};

/// Operations that are a helper: leaf_<name>_<type>(operands).
template <typename Op> struct HelperPattern : OpConversionPattern<Op> {
  HelperPattern(const TypeConverter &types, MLIRContext *context, StringRef name)
      : OpConversionPattern<Op>(types, context), name(name) {}
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = this->getTypeConverter()->convertType(op.getType());
    if (!type || isHalf(op.getType()))
      return rewriter.notifyMatchFailure(op, "no helper for this type in C");
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_" + name + "_" + typeSuffix(op.getType()),
                                     adaptor.getOperands()));
    return success();
  }
  StringRef name;
};

/// Comparisons: C's operators are the ordered ones and !=; an unordered one is the inverse of its opposite.
struct ComparePattern : OpConversionPattern<arith::CmpFOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(arith::CmpFOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (isHalf(op.getLhs().getType()))
      return rewriter.notifyMatchFailure(op, "no arithmetic on this type in C");
    Builder c{rewriter,         op.getLoc(),      laneType(op.getLhs().getType()),
              adaptor.getLhs(), adaptor.getRhs(), std::string(typeSuffix(op.getLhs().getType()))};
    Type result = getTypeConverter()->convertType(op.getType());
    Value value = c.build(op.getPredicate());
    if (value.getType() != result) {
      ArrayAttr args = rewriter.getArrayAttr({rewriter.getIndexAttr(0), TypeAttr::get(result)});
      value =
          emitc::CallOpaqueOp::create(rewriter, op.getLoc(), TypeRange{result}, "__builtin_convertvector", value, args)
              .getResult(0);
    }
    rewriter.replaceOp(op, value);
    return success();
  }

private:
  /// Type of a comparison in C: bool, or a vector of ints as wide as the compared lanes.
  Type laneType(Type operand) const {
    MLIRContext *context = operand.getContext();
    VectorType vector = dyn_cast<VectorType>(operand);
    if (!vector)
      return IntegerType::get(context, 1);
    Type lane = IntegerType::get(context, vector.getElementType().getIntOrFloatBitWidth());
    return getTypeConverter()->convertType(VectorType::get(vector.getShape(), lane));
  }

  struct Builder {
    OpBuilder &b;
    Location loc;
    Type type;
    Value lhs, rhs;
    std::string suffix; ///< of the operands' type

    bool scalar() const { return type.isInteger(1); }
    Value cmp(emitc::CmpPredicate predicate, Value l, Value r) {
      return emitc::CmpOp::create(b, loc, type, predicate, l, r);
    }
    Value cmp(emitc::CmpPredicate predicate) { return cmp(predicate, lhs, rhs); }
    Value inverse(Value v) {
      return scalar() ? emitc::LogicalNotOp::create(b, loc, type, v).getResult()
                      : emitc::BitwiseNotOp::create(b, loc, type, v).getResult();
    }
    Value either(Value l, Value r) {
      return scalar() ? emitc::LogicalOrOp::create(b, loc, type, l, r).getResult()
                      : emitc::BitwiseOrOp::create(b, loc, type, l, r).getResult();
    }
    /// A helper: upstream's form-expressions does not end on an op that has one expression as both operands.
    Value isNaN(Value v) { return buildCall(b, loc, type, "leaf_isnan_" + suffix, v); }
    Value unordered() { return lhs == rhs ? isNaN(lhs) : either(isNaN(lhs), isNaN(rhs)); }
    Value build(arith::CmpFPredicate predicate) {
      using F = arith::CmpFPredicate;
      using C = emitc::CmpPredicate;
      switch (predicate) {
      case F::OEQ:
        return cmp(C::eq);
      case F::OGT:
        return cmp(C::gt);
      case F::OGE:
        return cmp(C::ge);
      case F::OLT:
        return cmp(C::lt);
      case F::OLE:
        return cmp(C::le);
      case F::UNE:
        return cmp(C::ne);
      case F::UGT:
        return inverse(cmp(C::le));
      case F::UGE:
        return inverse(cmp(C::lt));
      case F::ULT:
        return inverse(cmp(C::ge));
      case F::ULE:
        return inverse(cmp(C::gt));
      case F::ONE:
        return either(cmp(C::lt), cmp(C::gt));
      case F::UEQ:
        return inverse(either(cmp(C::lt), cmp(C::gt)));
      case F::UNO:
        return unordered();
      case F::ORD:
        return inverse(unordered());
      case F::AlwaysFalse:
      case F::AlwaysTrue:
        break;
      }
      Value same = cmp(C::eq, lhs, lhs), differs = cmp(C::ne, lhs, lhs);
      Value all = either(same, differs);
      return predicate == F::AlwaysTrue ? all : inverse(all);
    }
  };
};

/// Between f16/bf16 and f32: a helper. Between f32 and f64: a cast, or __builtin_convertvector.
template <typename Op> struct ResizePattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = op.getOperand().getType(), to = op.getType();
    Type type = this->getTypeConverter()->convertType(to);
    Type wide = isHalf(to) ? from : to;
    if (!type || ((isHalf(from) || isHalf(to)) && !getElementTypeOrSelf(wide).isF32()))
      return rewriter.notifyMatchFailure(op, "no such conversion in C");
    if (isHalf(from) || isHalf(to))
      rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type,
                                       "leaf_convert_" + floatSuffix(from) + "_" + floatSuffix(to), adaptor.getIn()));
    else
      convertValue(rewriter, op, adaptor.getIn(), type);
    return success();
  }

  static void convertValue(ConversionPatternRewriter &rewriter, Op op, Value value, Type type) {
    if (!isa<VectorType>(op.getType())) {
      rewriter.replaceOpWithNewOp<emitc::CastOp>(op, type, value);
      return;
    }
    ArrayAttr args = rewriter.getArrayAttr({rewriter.getIndexAttr(0), TypeAttr::get(type)});
    rewriter.replaceOpWithNewOp<emitc::CallOpaqueOp>(op, TypeRange{type}, "__builtin_convertvector", value, args);
  }
};

/// float <-> integer; an unsigned integer is cast between the signed type that stands for it and the unsigned one.
template <typename Op, bool isSigned, bool toFloat> struct NumberPattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = this->getTypeConverter()->convertType(op.getType());
    Type from = op.getOperand().getType();
    if (!type || isHalf(from) || (isHalf(op.getType()) && !toFloat))
      return rewriter.notifyMatchFailure(op, "no such conversion in C");
    // To f16 and bf16 by way of f32.
    Type half = isHalf(op.getType()) ? type : Type();
    if (half)
      type = this->getTypeConverter()->convertType(withElement(op.getType(), rewriter.getF32Type()));
    if (!type)
      return rewriter.notifyMatchFailure(op, "no such vector in C");
    Value value = adaptor.getIn();
    bool boolean = hasBits(from, 1);
    if (boolean && isSigned)
      return rewriter.notifyMatchFailure(op, "a signed i1 has no type in C");
    bool mask = boolean && isa<VectorType>(from);
    if (!isSigned && toFloat && !boolean)
      value = emitc::CastOp::create(rewriter, op.getLoc(), unsignedType(from), value);
    Type target = !isSigned && !toFloat ? unsignedType(op.getType()) : type;
    if (isa<VectorType>(from)) {
      ArrayAttr args = rewriter.getArrayAttr({rewriter.getIndexAttr(0), TypeAttr::get(target)});
      value =
          emitc::CallOpaqueOp::create(rewriter, op.getLoc(), TypeRange{target}, "__builtin_convertvector", value, args)
              .getResult(0);
    } else {
      value = emitc::CastOp::create(rewriter, op.getLoc(), target, value);
    }
    if (target != type)
      value = emitc::CastOp::create(rewriter, op.getLoc(), type, value);
    if (mask) // a true lane is -1
      value = emitc::UnaryMinusOp::create(rewriter, op.getLoc(), type, value);
    if (half)
      value = buildCall(rewriter, op.getLoc(), half,
                        "leaf_convert_" + floatSuffix(withElement(op.getType(), rewriter.getF32Type())) + "_" +
                            floatSuffix(op.getType()),
                        value);
    rewriter.replaceOp(op, value);
    return success();
  }

  static Type withElement(Type type, Type element) {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(element)) : element;
  }
  static bool hasBits(Type type, unsigned bits) { return getElementTypeOrSelf(type).isInteger(bits); }
  static Type unsignedType(Type type) {
    if (!isa<VectorType>(type))
      return IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth(), IntegerType::Unsigned);
    return opaqueType(type.getContext(), "leaf_u" + StringRef(typeSuffix(type)).drop_front());
  }
};

/// Same bits, other type: memcpy in a helper for scalars, a cast for GNU vectors.
struct BitcastPattern : OpConversionPattern<arith::BitcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::BitcastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = op.getIn().getType(), type = getTypeConverter()->convertType(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "no such type in C");
    if (isa<VectorType>(from) || isHalf(from) || isHalf(op.getType()))
      rewriter.replaceOpWithNewOp<emitc::CastOp>(op, type, adaptor.getIn());
    else
      rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type,
                                       "leaf_bitcast_" + typeSuffix(from) + "_" + typeSuffix(op.getType()),
                                       adaptor.getIn()));
    return success();
  }
};

} // namespace

void populateFloatPatterns(const CTypeConverter &types, RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<BinaryPattern<arith::AddFOp, emitc::AddOp>, BinaryPattern<arith::SubFOp, emitc::SubOp>,
               BinaryPattern<arith::MulFOp, emitc::MulOp>, BinaryPattern<arith::DivFOp, emitc::DivOp>, NegatePattern,
               ComparePattern, ResizePattern<arith::ExtFOp>, ResizePattern<arith::TruncFOp>, BitcastPattern,
               NumberPattern<arith::SIToFPOp, true, true>, NumberPattern<arith::UIToFPOp, false, true>,
               NumberPattern<arith::FPToSIOp, true, false>, NumberPattern<arith::FPToUIOp, false, false>>(types,
                                                                                                          context);
  patterns.add<HelperPattern<arith::MaximumFOp>>(types, context, "maximum");
  patterns.add<HelperPattern<arith::MinimumFOp>>(types, context, "minimum");
  patterns.add<HelperPattern<arith::MaxNumFOp>>(types, context, "maxnum");
  patterns.add<HelperPattern<arith::MinNumFOp>>(types, context, "minnum");
  patterns.add<HelperPattern<math::FmaOp>>(types, context, "fma");
  patterns.add<HelperPattern<math::SqrtOp>>(types, context, "sqrt");
  patterns.add<HelperPattern<math::FloorOp>>(types, context, "floor");
  patterns.add<HelperPattern<math::CeilOp>>(types, context, "ceil");
  patterns.add<HelperPattern<math::RoundEvenOp>>(types, context, "roundeven");
  patterns.add<HelperPattern<math::TruncOp>>(types, context, "trunc");
  patterns.add<HelperPattern<math::AbsFOp>>(types, context, "abs");
  patterns.add<HelperPattern<math::CopySignOp>>(types, context, "copysign");
}

} // namespace leaf
