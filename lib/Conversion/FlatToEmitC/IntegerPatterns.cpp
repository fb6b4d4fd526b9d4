//===- IntegerPatterns.cpp - integers, indices and select in C ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Signed integers stand for signless ones. Operations that may wrap, or that read their operands as unsigned, go
// through the unsigned type of the same width. Results narrower than int are cast back, because C computes in int.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace leaf {
namespace {

/// The unsigned type that `type` (before conversion) is read through.
Type unsignedType(Type type) {
  MLIRContext *context = type.getContext();
  if (isa<VectorType>(type))
    return opaqueType(context, "leaf_u" + StringRef(typeSuffix(type)).drop_front());
  if (type.isIndex())
    return emitc::SizeTType::get(context);
  return IntegerType::get(context, type.getIntOrFloatBitWidth(), IntegerType::Unsigned);
}

bool isBoolean(Type type) { return getElementTypeOrSelf(type).isInteger(1); }

bool isNarrow(Type type) { return !isa<VectorType>(type) && !type.isIndex() && type.getIntOrFloatBitWidth() < 32; }

enum class Read { AsIs, Unsigned, Wrapping };

template <typename Op, typename COp, Read read> struct BinaryPattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type original = op.getType(), type = this->getTypeConverter()->convertType(original);
    if (!type || (isBoolean(original) && read != Read::AsIs))
      return rewriter.notifyMatchFailure(op, "no arithmetic on this type in C");
    Value lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    bool cast = read == Read::Unsigned || (read == Read::Wrapping && wraps(op));
    Type compute = cast ? unsignedType(original) : type;
    if (cast) {
      lhs = emitc::CastOp::create(rewriter, op.getLoc(), compute, lhs);
      rhs = emitc::CastOp::create(rewriter, op.getLoc(), compute, rhs);
    }
    Value value = COp::create(rewriter, op.getLoc(), compute, lhs, rhs);
    if (cast || (read == Read::Wrapping && isNarrow(original)))
      value = emitc::CastOp::create(rewriter, op.getLoc(), type, value);
    rewriter.replaceOp(op, value);
    return success();
  }

  /// Whether overflow has to wrap. Sizes and offsets never overflow; narrow types are computed in int.
  static bool wraps(Op op) {
    if (getElementTypeOrSelf(op.getType()).isIndex() || isNarrow(op.getType()))
      return false;
    if (auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op.getOperation()))
      return !flags.hasNoSignedWrap();
    return true;
  }
};

/// a < b; unsigned predicates compare as unsigned.
struct ComparePattern : OpConversionPattern<arith::CmpIOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::CmpIOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type operand = op.getLhs().getType();
    Type result = getTypeConverter()->convertType(op.getType());
    Type lanes = isa<VectorType>(operand) ? getTypeConverter()->convertType(operand) : result;
    Value lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    using I = arith::CmpIPredicate;
    I p = op.getPredicate();
    bool isUnsigned = p == I::ult || p == I::ule || p == I::ugt || p == I::uge;
    bool isOrder = isUnsigned || p == I::slt || p == I::sle || p == I::sgt || p == I::sge;
    // True is 1 in a scalar of C and -1 in a lane; as a number of one bit it is 1 or, signed, -1.
    if (isBoolean(operand) && isOrder && isUnsigned == isa<VectorType>(operand))
      std::swap(lhs, rhs);
    if (isUnsigned && !isBoolean(operand)) {
      lhs = emitc::CastOp::create(rewriter, op.getLoc(), unsignedType(operand), lhs);
      rhs = emitc::CastOp::create(rewriter, op.getLoc(), unsignedType(operand), rhs);
    }
    Value value = emitc::CmpOp::create(rewriter, op.getLoc(), lanes, predicate(p), lhs, rhs);
    if (lanes != result) {
      ArrayAttr args = rewriter.getArrayAttr({rewriter.getIndexAttr(0), TypeAttr::get(result)});
      value =
          emitc::CallOpaqueOp::create(rewriter, op.getLoc(), TypeRange{result}, "__builtin_convertvector", value, args)
              .getResult(0);
    }
    rewriter.replaceOp(op, value);
    return success();
  }

  static emitc::CmpPredicate predicate(arith::CmpIPredicate p) {
    using I = arith::CmpIPredicate;
    switch (p) {
    case I::eq:
      return emitc::CmpPredicate::eq;
    case I::ne:
      return emitc::CmpPredicate::ne;
    case I::slt:
    case I::ult:
      return emitc::CmpPredicate::lt;
    case I::sle:
    case I::ule:
      return emitc::CmpPredicate::le;
    case I::sgt:
    case I::ugt:
      return emitc::CmpPredicate::gt;
    case I::sge:
    case I::uge:
      return emitc::CmpPredicate::ge;
    }
    llvm_unreachable("all predicates are listed");
  }
};

/// max and min as comparison and choice.
template <typename Op, emitc::CmpPredicate predicate, bool isUnsigned> struct MinMaxPattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type original = op.getType(), type = this->getTypeConverter()->convertType(original);
    Value lhs = adaptor.getLhs(), rhs = adaptor.getRhs(), l = lhs, r = rhs;
    if (isBoolean(original))
      return rewriter.notifyMatchFailure(op, "no arithmetic on this type in C");
    if (isUnsigned) {
      l = emitc::CastOp::create(rewriter, op.getLoc(), unsignedType(original), lhs);
      r = emitc::CastOp::create(rewriter, op.getLoc(), unsignedType(original), rhs);
    }
    bool vector = isa<VectorType>(original);
    Type condition = vector ? type : rewriter.getI1Type();
    Value first = emitc::CmpOp::create(rewriter, op.getLoc(), condition, predicate, l, r);
    if (vector)
      rewriter.replaceOp(
          op, buildCall(rewriter, op.getLoc(), type, "leaf_select_" + typeSuffix(original), {first, lhs, rhs}));
    else
      rewriter.replaceOpWithNewOp<emitc::ConditionalOp>(op, type, first, lhs, rhs);
    return success();
  }
};

/// A choice between scalars is C's ?:, between vectors a helper on masks as wide as the lanes. A choice between what
/// was just compared is a minimum or maximum, for which machines have one instruction.
struct SelectPattern : OpConversionPattern<arith::SelectOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::SelectOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    VectorType vector = dyn_cast<VectorType>(op.getType());
    if (!type || isa<MemRefType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "no choice between values of this type in C");
    if (!vector || !isa<VectorType>(op.getCondition().getType())) {
      rewriter.replaceOpWithNewOp<emitc::ConditionalOp>(op, type, adaptor.getCondition(), adaptor.getTrueValue(),
                                                        adaptor.getFalseValue());
      return success();
    }
    if (StringRef name = minMaxName(op); !name.empty()) {
      rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_" + name + "_" + typeSuffix(vector),
                                       {adaptor.getTrueValue(), adaptor.getFalseValue()}));
      return success();
    }
    Value mask = adaptor.getCondition();
    Type lane = isBoolean(vector) ? Type() : rewriter.getIntegerType(vector.getElementTypeBitWidth());
    Type maskType = lane ? getTypeConverter()->convertType(VectorType::get(vector.getShape(), lane)) : type;
    if (mask.getType() != maskType) {
      ArrayAttr args = rewriter.getArrayAttr({rewriter.getIndexAttr(0), TypeAttr::get(maskType)});
      mask =
          emitc::CallOpaqueOp::create(rewriter, op.getLoc(), TypeRange{maskType}, "__builtin_convertvector", mask, args)
              .getResult(0);
    }
    StringRef suffix = cast<emitc::OpaqueType>(type).getValue();
    suffix.consume_front("leaf_");
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_select_" + suffix,
                                     {mask, adaptor.getTrueValue(), adaptor.getFalseValue()}));
    return success();
  }

  /// "max" for `a > b ? a : b` (b where either is NaN), "min" for `a < b ? a : b`; otherwise empty.
  static StringRef minMaxName(arith::SelectOp op) {
    arith::CmpFOp compare = op.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!compare)
      return "";
    bool greater = compare.getPredicate() == arith::CmpFPredicate::OGT;
    if (!greater && compare.getPredicate() != arith::CmpFPredicate::OLT)
      return "";
    Value lhs = compare.getLhs(), rhs = compare.getRhs();
    if (op.getTrueValue() == lhs && op.getFalseValue() == rhs)
      return greater ? "max" : "min";
    if (op.getTrueValue() == rhs && op.getFalseValue() == lhs)
      return greater ? "min" : "max";
    return "";
  }
};

/// Between integer widths and index.
template <typename Op, bool isUnsigned> struct ResizePattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = op.getIn().getType(), to = op.getType();
    Type type = this->getTypeConverter()->convertType(to);
    Location loc = op.getLoc();
    Value value = adaptor.getIn();
    if (!type)
      return rewriter.notifyMatchFailure(op, "no such type in C");
    if (VectorType vector = dyn_cast<VectorType>(from))
      return resizeVector(op, value, vector, type, rewriter);
    if (isBoolean(to)) {
      Value one = buildLiteral(rewriter, loc, "1", value.getType());
      Value zero = buildLiteral(rewriter, loc, "0", value.getType());
      Value low = emitc::BitwiseAndOp::create(rewriter, loc, value.getType(), value, one);
      rewriter.replaceOpWithNewOp<emitc::CmpOp>(op, type, emitc::CmpPredicate::ne, low, zero);
      return success();
    }
    if (isUnsigned && !isBoolean(from))
      value = emitc::CastOp::create(rewriter, loc, unsignedType(from), value);
    value = emitc::CastOp::create(rewriter, loc, type, value);
    if (!isUnsigned && isBoolean(from))
      value = emitc::UnaryMinusOp::create(rewriter, loc, type, value);
    rewriter.replaceOp(op, value);
    return success();
  }

  static LogicalResult resizeVector(Op op, Value value, VectorType from, Type type,
                                    ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    if (isBoolean(op.getType()))
      return rewriter.notifyMatchFailure(op, "a vector is made a mask by a comparison only");
    if (isUnsigned && !isBoolean(from))
      value = emitc::CastOp::create(rewriter, loc, unsignedType(from), value);
    ArrayAttr args = rewriter.getArrayAttr({rewriter.getIndexAttr(0), TypeAttr::get(type)});
    value = emitc::CallOpaqueOp::create(rewriter, loc, TypeRange{type}, "__builtin_convertvector", value, args)
                .getResult(0);
    // A true lane of a mask is -1.
    if (isUnsigned && isBoolean(from))
      value = emitc::UnaryMinusOp::create(rewriter, loc, type, value);
    rewriter.replaceOp(op, value);
    return success();
  }
};

struct ConstantPattern : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type || !isa<IntegerAttr, FloatAttr>(op.getValue()))
      return rewriter.notifyMatchFailure(op, "no such constant in C");
    rewriter.replaceOp(op, buildScalar(rewriter, op.getLoc(), op.getValue(), type));
    return success();
  }
};

} // namespace

void populateIntegerPatterns(const CTypeConverter &types, RewritePatternSet &patterns) {
  using emitc::CmpPredicate;
  patterns.add<
      ConstantPattern, ComparePattern, SelectPattern, BinaryPattern<arith::AddIOp, emitc::AddOp, Read::Wrapping>,
      BinaryPattern<arith::SubIOp, emitc::SubOp, Read::Wrapping>,
      BinaryPattern<arith::MulIOp, emitc::MulOp, Read::Wrapping>,
      BinaryPattern<arith::ShLIOp, emitc::BitwiseLeftShiftOp, Read::Unsigned>,
      BinaryPattern<arith::ShRUIOp, emitc::BitwiseRightShiftOp, Read::Unsigned>,
      BinaryPattern<arith::ShRSIOp, emitc::BitwiseRightShiftOp, Read::AsIs>,
      BinaryPattern<arith::DivSIOp, emitc::DivOp, Read::AsIs>, BinaryPattern<arith::RemSIOp, emitc::RemOp, Read::AsIs>,
      BinaryPattern<arith::DivUIOp, emitc::DivOp, Read::Unsigned>,
      BinaryPattern<arith::RemUIOp, emitc::RemOp, Read::Unsigned>,
      BinaryPattern<arith::AndIOp, emitc::BitwiseAndOp, Read::AsIs>,
      BinaryPattern<arith::OrIOp, emitc::BitwiseOrOp, Read::AsIs>,
      BinaryPattern<arith::XOrIOp, emitc::BitwiseXorOp, Read::AsIs>,
      MinMaxPattern<arith::MaxSIOp, CmpPredicate::gt, false>, MinMaxPattern<arith::MinSIOp, CmpPredicate::lt, false>,
      MinMaxPattern<arith::MaxUIOp, CmpPredicate::gt, true>, MinMaxPattern<arith::MinUIOp, CmpPredicate::lt, true>,
      ResizePattern<arith::ExtSIOp, false>, ResizePattern<arith::ExtUIOp, true>, ResizePattern<arith::TruncIOp, false>,
      ResizePattern<arith::IndexCastOp, false>, ResizePattern<arith::IndexCastUIOp, true>>(types,
                                                                                           patterns.getContext());
}

} // namespace leaf
