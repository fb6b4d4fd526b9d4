//===- MemoryPatterns.cpp - memrefs as pointers -------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace leaf {
namespace {

Type indexType(MLIRContext *context) { return emitc::PtrDiffTType::get(context); }

/// Elements from the pointer to [indices]. A memref of rank 1 may be dynamic; others need static strides. Null if not.
Value linearIndex(OpBuilder &b, Location loc, MemRefType type, ValueRange indices) {
  Type index = indexType(b.getContext());
  if (indices.empty())
    return buildLiteral(b, loc, "0", index);
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return {};
  Value sum;
  for (auto [stride, value] : llvm::zip(strides, indices)) {
    if (ShapedType::isDynamic(stride))
      return {};
    Value term = value;
    if (stride != 1)
      term = emitc::MulOp::create(b, loc, index, value, buildLiteral(b, loc, Twine(stride), index));
    sum = sum ? emitc::AddOp::create(b, loc, index, sum, term).getResult() : term;
  }
  return sum;
}

Value buildPlace(OpBuilder &b, Location loc, Type element, Value pointer, Value index) {
  return emitc::SubscriptOp::create(b, loc, emitc::LValueType::get(element), pointer, index);
}

struct LoadPattern : OpConversionPattern<memref::LoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::LoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value index = linearIndex(rewriter, loc, op.getMemRefType(), adaptor.getIndices());
    Type type = getTypeConverter()->convertType(op.getType());
    if (!index || !type)
      return rewriter.notifyMatchFailure(op, "strides are not static");
    if (!op.getType().isInteger(1)) {
      rewriter.replaceOpWithNewOp<emitc::LoadOp>(op, type, buildPlace(rewriter, loc, type, adaptor.getMemref(), index));
      return success();
    }
    Type byte = rewriter.getI8Type();
    Value value =
        emitc::LoadOp::create(rewriter, loc, byte, buildPlace(rewriter, loc, byte, adaptor.getMemref(), index));
    rewriter.replaceOpWithNewOp<emitc::CmpOp>(op, type, emitc::CmpPredicate::ne, value,
                                              buildLiteral(rewriter, loc, "0", byte));
    return success();
  }
};

struct StorePattern : OpConversionPattern<memref::StoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::StoreOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value index = linearIndex(rewriter, loc, op.getMemRefType(), adaptor.getIndices());
    if (!index)
      return rewriter.notifyMatchFailure(op, "strides are not static");
    Value value = adaptor.getValue();
    if (op.getValueToStore().getType().isInteger(1))
      value = emitc::CastOp::create(rewriter, loc, rewriter.getI8Type(), value);
    Value place = buildPlace(rewriter, loc, value.getType(), adaptor.getMemref(), index);
    rewriter.replaceOpWithNewOp<emitc::AssignOp>(op, place, value);
    return success();
  }
};

struct VectorLoadPattern : OpConversionPattern<vector::LoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::LoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value index = linearIndex(rewriter, op.getLoc(), op.getMemRefType(), adaptor.getIndices());
    Type type = getTypeConverter()->convertType(op.getType());
    std::string suffix = typeSuffix(op.getType());
    if (!index || !type || suffix.empty())
      return rewriter.notifyMatchFailure(op, "no such load in C");
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type, "leaf_load_" + suffix, {adaptor.getBase(), index}));
    return success();
  }
};

struct VectorStorePattern : OpConversionPattern<vector::StoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(vector::StoreOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value index = linearIndex(rewriter, op.getLoc(), op.getMemRefType(), adaptor.getIndices());
    std::string suffix = typeSuffix(op.getVectorType());
    if (!index || suffix.empty())
      return rewriter.notifyMatchFailure(op, "no such store in C");
    rewriter.replaceOpWithNewOp<emitc::CallOpaqueOp>(op, TypeRange{}, "leaf_store_" + suffix,
                                                     ValueRange{adaptor.getBase(), index, adaptor.getValueToStore()});
    return success();
  }
};

struct PrefetchPattern : OpConversionPattern<memref::PrefetchOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::PrefetchOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value index = linearIndex(rewriter, op.getLoc(), op.getMemRefType(), adaptor.getIndices());
    std::string suffix = typeSuffix(op.getMemRefType().getElementType());
    if (!index || suffix.empty() || op.getIsWrite() || !op.getIsDataCache())
      return rewriter.notifyMatchFailure(op, "no such prefetch in C");
    rewriter.replaceOpWithNewOp<emitc::CallOpaqueOp>(op, TypeRange{}, "leaf_prefetch_" + suffix,
                                                     ValueRange{adaptor.getMemref(), index});
    return success();
  }
};

/// A typed view of scratch bytes.
struct ViewPattern : OpConversionPattern<memref::ViewOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::ViewOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "no such type in C");
    Value place = emitc::AddOp::create(rewriter, op.getLoc(), adaptor.getSource().getType(), adaptor.getSource(),
                                       adaptor.getByteShift());
    rewriter.replaceOpWithNewOp<emitc::CastOp>(op, type, place);
    return success();
  }
};

/// Ops that leave the pointer as it is.
template <typename Op> struct SamePointerPattern : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getOperands()[0]);
    return success();
  }
};

/// Moves the pointer by offsets times strides of the source.
struct SubViewPattern : OpConversionPattern<memref::SubViewOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::SubViewOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> offsets;
    unsigned dynamic = 0;
    bool allZero = true;
    for (int64_t offset : op.getStaticOffsets()) {
      bool fixed = !ShapedType::isDynamic(offset);
      allZero &= offset == 0;
      offsets.push_back(fixed ? buildLiteral(rewriter, loc, Twine(offset), indexType(op.getContext()))
                              : adaptor.getOffsets()[dynamic++]);
    }
    if (allZero) {
      rewriter.replaceOp(op, adaptor.getSource());
      return success();
    }
    Value index = linearIndex(rewriter, loc, op.getSourceType(), offsets);
    if (!index)
      return rewriter.notifyMatchFailure(op, "strides are not static");
    rewriter.replaceOpWithNewOp<emitc::AddOp>(op, adaptor.getSource().getType(), adaptor.getSource(), index);
    return success();
  }
};

/// reinterpret_cast keeps the base pointer and gives a new offset; sources with an offset of their own do not occur.
struct ReinterpretPattern : OpConversionPattern<memref::ReinterpretCastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(memref::ReinterpretCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    MemRefType source = dyn_cast<MemRefType>(op.getSource().getType());
    if (!source || !source.getLayout().isIdentity())
      return rewriter.notifyMatchFailure(op, "the source has an offset of its own");
    OpFoldResult offset = op.getMixedOffsets()[0];
    if (isConstantIntValue(offset, 0)) {
      rewriter.replaceOp(op, adaptor.getSource());
      return success();
    }
    Value index = adaptor.getOffsets().empty()
                      ? buildLiteral(rewriter, op.getLoc(), Twine(op.getStaticOffsets()[0]), indexType(op.getContext()))
                      : adaptor.getOffsets()[0];
    rewriter.replaceOpWithNewOp<emitc::AddOp>(op, adaptor.getSource().getType(), adaptor.getSource(), index);
    return success();
  }
};

} // namespace

void populateMemoryPatterns(const CTypeConverter &types, RewritePatternSet &patterns) {
  patterns.add<LoadPattern, StorePattern, VectorLoadPattern, VectorStorePattern, PrefetchPattern, ViewPattern,
               SubViewPattern, ReinterpretPattern, SamePointerPattern<memref::CastOp>,
               SamePointerPattern<memref::ExpandShapeOp>, SamePointerPattern<memref::CollapseShapeOp>,
               SamePointerPattern<memref::MemorySpaceCastOp>>(types, patterns.getContext());
}

} // namespace leaf
