//===- VectorPatterns.cpp - 1-D vectors as GNU vectors ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace leaf {
namespace {

/// The suffix of the C type: "f32x8"; "i32x8" for a mask.
std::string suffixOf(Type converted) {
  StringRef text = cast<emitc::OpaqueType>(converted).getValue();
  text.consume_front("leaf_");
  return text.str();
}

/// Constants: a splat, or all lanes one by one.
struct ConstantPattern : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    DenseElementsAttr value = dyn_cast<DenseElementsAttr>(op.getValue());
    Type type = getTypeConverter()->convertType(op.getType());
    if (!value || !isa<VectorType>(op.getType()) || !type)
      return rewriter.notifyMatchFailure(op, "no such constant in C");
    Type laneType = getTypeConverter()->convertType(value.getElementType());
    bool mask = value.getElementType().isInteger(1);
    SmallVector<Value> lanes;
    for (Attribute lane : value.getValues<Attribute>()) {
      lanes.push_back(mask ? buildLiteral(rewriter, op.getLoc(),
                                          cast<IntegerAttr>(lane).getValue().isZero() ? "0" : "(-1)",
                                          rewriter.getI32Type())
                           : buildScalar(rewriter, op.getLoc(), cast<TypedAttr>(lane), laneType));
      if (value.isSplat())
        break;
    }
    StringRef name = value.isSplat() ? "splat" : "make";
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_" + name + "_" + suffixOf(type), lanes));
    return success();
  }
};

struct BroadcastPattern : OpConversionPattern<vector::BroadcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::BroadcastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "no such vector in C");
    Value value = adaptor.getSource();
    if (op.getSourceType().isInteger(1)) {
      // A true lane of a mask is -1.
      Value number = emitc::CastOp::create(rewriter, op.getLoc(), rewriter.getI32Type(), value);
      value = emitc::UnaryMinusOp::create(rewriter, op.getLoc(), rewriter.getI32Type(), number);
    } else if (op.getType().getElementType().isInteger(1) && value.getType() != type) {
      return rewriter.notifyMatchFailure(op, "only scalars and whole masks are broadcast");
    }
    if (value.getType() == type) {
      rewriter.replaceOp(op, value);
      return success();
    }
    if (VectorType source = dyn_cast<VectorType>(op.getSourceType())) {
      if (source.getNumElements() != 1)
        return rewriter.notifyMatchFailure(op, "only scalars are broadcast");
      Value zero = buildLiteral(rewriter, op.getLoc(), "0", rewriter.getI32Type());
      Type lane = getTypeConverter()->convertType(source.getElementType());
      Value place = emitc::SubscriptOp::create(rewriter, op.getLoc(), emitc::LValueType::get(lane), value, zero);
      value = emitc::LoadOp::create(rewriter, op.getLoc(), lane, place);
    }
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_splat_" + suffixOf(type), value));
    return success();
  }
};

struct FMAPattern : OpConversionPattern<vector::FMAOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::FMAOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "no such vector in C");
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_fma_" + suffixOf(type), adaptor.getOperands()));
    return success();
  }
};

StringRef reductionName(vector::CombiningKind kind) {
  using K = vector::CombiningKind;
  switch (kind) {
  case K::ADD:
    return "add";
  case K::MUL:
    return "mul";
  case K::MINUI:
    return "minu";
  case K::MINSI:
    return "min";
  case K::MINNUMF:
    return "minnum";
  case K::MAXUI:
    return "maxu";
  case K::MAXSI:
    return "max";
  case K::MAXNUMF:
    return "maxnum";
  case K::AND:
    return "and";
  case K::OR:
    return "or";
  case K::XOR:
    return "xor";
  case K::MAXIMUMF:
    return "maximum";
  case K::MINIMUMF:
    return "minimum";
  }
  llvm_unreachable("all kinds are listed");
}

/// leaf_reduce_<kind>_<type>(v): halves first. A float sum or product that may not be reordered takes its start value
/// and goes lane by lane: leaf_reduce_ordered_<kind>_<type>(v, start).
struct ReductionPattern : OpConversionPattern<vector::ReductionOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::ReductionOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    using K = vector::CombiningKind;
    VectorType vector = op.getSourceVectorType();
    Type type = getTypeConverter()->convertType(op.getType());
    Location loc = op.getLoc();
    K kind = op.getKind();
    if (!type || vector.getElementType().isInteger(1) || isa<Float16Type, BFloat16Type>(op.getType()))
      return rewriter.notifyMatchFailure(op, "no reduction of this type in C");
    std::string suffix = "_" + typeSuffix(vector);
    bool sum = kind == K::ADD || kind == K::MUL;
    bool ordered =
        isa<FloatType>(op.getType()) && sum && !bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::reassoc);
    Value start = adaptor.getAcc();
    if (ordered) {
      if (!start)
        start = buildLiteral(rewriter, loc, kind == K::ADD ? "(-0.0f)" : "1.0f", type);
      rewriter.replaceOp(op, buildCall(rewriter, loc, type, "leaf_reduce_ordered_" + reductionName(kind) + suffix,
                                       {adaptor.getVector(), start}));
      return success();
    }
    Value value = buildCall(rewriter, loc, type, "leaf_reduce_" + reductionName(kind) + suffix, adaptor.getVector());
    if (start)
      value = combine(rewriter, loc, kind, start, value, op.getType());
    if (!value)
      return rewriter.notifyMatchFailure(op, "no start value for this kind of reduction");
    rewriter.replaceOp(op, value);
    return success();
  }

  static Value combine(OpBuilder &b, Location loc, vector::CombiningKind kind, Value start, Value value,
                       Type original) {
    using K = vector::CombiningKind;
    Type type = value.getType();
    switch (kind) {
    case K::ADD:
      return emitc::AddOp::create(b, loc, type, start, value);
    case K::MUL:
      return emitc::MulOp::create(b, loc, type, start, value);
    case K::MAXIMUMF:
    case K::MINIMUMF:
    case K::MAXNUMF:
    case K::MINNUMF:
      return buildCall(b, loc, type, "leaf_" + reductionName(kind) + "_" + typeSuffix(original), {start, value});
    case K::MAXSI:
    case K::MINSI: {
      emitc::CmpPredicate less = kind == K::MAXSI ? emitc::CmpPredicate::gt : emitc::CmpPredicate::lt;
      Value first = emitc::CmpOp::create(b, loc, b.getI1Type(), less, start, value);
      return emitc::ConditionalOp::create(b, loc, type, first, start, value);
    }
    default:
      return {};
    }
  }
};

struct ExtractPattern : OpConversionPattern<vector::ExtractOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::ExtractOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    VectorType source = op.getSourceVectorType();
    Type type = getTypeConverter()->convertType(op.getType());
    if (source.getRank() != 1 || op.getNumIndices() != 1 || isa<VectorType>(op.getType()) ||
        source.getElementType().isInteger(1))
      return rewriter.notifyMatchFailure(op, "only a lane of a 1-D vector can be extracted");
    Value lane = adaptor.getDynamicPosition().empty()
                     ? buildLiteral(rewriter, loc, Twine(op.getStaticPosition()[0]), rewriter.getI32Type())
                     : adaptor.getDynamicPosition()[0];
    Value place = emitc::SubscriptOp::create(rewriter, loc, emitc::LValueType::get(type), adaptor.getSource(), lane);
    rewriter.replaceOpWithNewOp<emitc::LoadOp>(op, type, place);
    return success();
  }
};

struct InsertPattern : OpConversionPattern<vector::InsertOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::InsertOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    VectorType dest = op.getDestVectorType();
    Type type = getTypeConverter()->convertType(dest);
    if (dest.getRank() != 1 || op.getNumIndices() != 1 || isa<VectorType>(op.getValueToStoreType()) ||
        dest.getElementType().isInteger(1))
      return rewriter.notifyMatchFailure(op, "only a lane of a 1-D vector can be inserted");
    Value lane = adaptor.getDynamicPosition().empty()
                     ? buildLiteral(rewriter, op.getLoc(), Twine(op.getStaticPosition()[0]), rewriter.getI32Type())
                     : adaptor.getDynamicPosition()[0];
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_insert_" + suffixOf(type),
                                     {adaptor.getDest(), adaptor.getValueToStore(), lane}));
    return success();
  }
};

/// __builtin_shufflevector(a, b, lanes...).
Value buildShuffle(OpBuilder &b, Location loc, Type type, Value first, Value second, ArrayRef<int64_t> lanes) {
  SmallVector<Attribute> args{b.getIndexAttr(0), b.getIndexAttr(1)};
  for (int64_t lane : lanes)
    args.push_back(b.getI32IntegerAttr(static_cast<int32_t>(lane)));
  return emitc::CallOpaqueOp::create(b, loc, TypeRange{type}, "__builtin_shufflevector", ValueRange{first, second},
                                     b.getArrayAttr(args))
      .getResult(0);
}

struct ShufflePattern : OpConversionPattern<vector::ShuffleOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::ShuffleOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type || op.getV1VectorType().getRank() != 1 || op.getV1VectorType() != op.getV2VectorType())
      return rewriter.notifyMatchFailure(op, "only 1-D vectors of one type are shuffled");
    rewriter.replaceOp(op, buildShuffle(rewriter, op.getLoc(), type, adaptor.getV1(), adaptor.getV2(), op.getMask()));
    return success();
  }
};

struct ExtractSlicePattern : OpConversionPattern<vector::ExtractStridedSliceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::ExtractStridedSliceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type || op.getSourceVectorType().getRank() != 1)
      return rewriter.notifyMatchFailure(op, "only 1-D vectors are sliced");
    int64_t offset = cast<IntegerAttr>(op.getOffsets()[0]).getInt();
    SmallVector<int64_t> lanes;
    for (int64_t i = 0, e = cast<VectorType>(op.getType()).getDimSize(0); i < e; ++i)
      lanes.push_back(offset + i);
    rewriter.replaceOp(op, buildShuffle(rewriter, op.getLoc(), type, adaptor.getSource(), adaptor.getSource(), lanes));
    return success();
  }
};

struct BitCastPattern : OpConversionPattern<vector::BitCastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::BitCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "no such vector in C");
    rewriter.replaceOpWithNewOp<emitc::CastOp>(op, type, adaptor.getSource());
    return success();
  }
};

struct FromElementsPattern : OpConversionPattern<vector::FromElementsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::FromElementsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type || op.getType().getElementType().isInteger(1))
      return rewriter.notifyMatchFailure(op, "no such vector in C");
    rewriter.replaceOp(op,
                       buildCall(rewriter, op.getLoc(), type, "leaf_make_" + suffixOf(type), adaptor.getElements()));
    return success();
  }
};

} // namespace

void populateVectorPatterns(const CTypeConverter &types, RewritePatternSet &patterns) {
  patterns.add<ConstantPattern, BroadcastPattern, FMAPattern, ReductionPattern, ExtractPattern, InsertPattern,
               ShufflePattern, ExtractSlicePattern, BitCastPattern, FromElementsPattern>(types, patterns.getContext());
}

} // namespace leaf
