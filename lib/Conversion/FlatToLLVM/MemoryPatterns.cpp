//===- MemoryPatterns.cpp - buffers as bare pointers -------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// Invariant: the pointer that a memref becomes addresses element [0, …, 0], that is, it includes the memref's offset.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "Machine/Machine.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace leaf;

/// Patterns here must win over upstream's, which expect descriptors.
static constexpr unsigned kBenefit = 10;

/// The type of one element in memory: booleans take a byte.
static Type getStoredType(const LLVMTypeConverter &converter, MemRefType type) {
  if (type.getElementType().isInteger(1))
    return IntegerType::get(type.getContext(), 8);
  return converter.convertType(type.getElementType());
}

static unsigned getElementBytes(const LLVMTypeConverter &converter, MemRefType type) {
  Type stored = getStoredType(converter, type);
  return std::max(1u, stored.getIntOrFloatBitWidth() / 8);
}

static Value createIndex(OpBuilder &b, Location loc, const LLVMTypeConverter &converter, int64_t value) {
  return LLVM::ConstantOp::create(b, loc, converter.getIndexType(), b.getIntegerAttr(converter.getIndexType(), value));
}

/// Sum of indices * strides in elements; null, with an error at `op`, where a needed stride is not static.
static Value createLinearIndex(OpBuilder &b, Operation *op, const LLVMTypeConverter &converter, MemRefType type,
                               ValueRange indices) {
  Location loc = op->getLoc();
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  if (failed(type.getStridesAndOffset(strides, offset))) {
    op->emitOpError("the layout of ") << type << " has no strides";
    return {};
  }
  Value sum;
  for (auto [index, stride] : llvm::zip_equal(indices, strides)) {
    APInt known;
    if (matchPattern(index, m_ConstantInt(&known)) && known.isZero())
      continue;
    if (ShapedType::isDynamic(stride)) {
      op->emitOpError("needs a static stride in ") << type << "; codegen must linearize this access";
      return {};
    }
    Value term = index;
    if (stride != 1)
      term =
          LLVM::MulOp::create(b, loc, index, createIndex(b, loc, converter, stride), LLVM::IntegerOverflowFlags::nsw);
    sum = sum ? LLVM::AddOp::create(b, loc, sum, term, LLVM::IntegerOverflowFlags::nsw) : term;
  }
  return sum ? sum : createIndex(b, loc, converter, 0);
}

static Value createAddress(OpBuilder &b, Location loc, Type element, Value base, Value index) {
  APInt known;
  if (matchPattern(index, m_ConstantInt(&known)) && known.isZero())
    return base;
  return LLVM::GEPOp::create(b, loc, base.getType(), element, base, ArrayRef<LLVM::GEPArg>{index},
                             LLVM::GEPNoWrapFlags::inbounds);
}

Value flat::createElementAddress(OpBuilder &b, Location loc, const LLVMTypeConverter &converter, MemRefType type,
                                 Value base, Value index) {
  return createAddress(b, loc, getStoredType(converter, type), base, index);
}

namespace {

template <typename OpT> struct MemoryPattern : ConvertOpToLLVMPattern<OpT> {
  explicit MemoryPattern(const LLVMTypeConverter &converter) : ConvertOpToLLVMPattern<OpT>(converter, kBenefit) {}

  Value address(OpBuilder &b, Operation *op, MemRefType type, Value base, ValueRange indices) const {
    const LLVMTypeConverter &converter = *this->getTypeConverter();
    Value index = createLinearIndex(b, op, converter, type, indices);
    return index ? createAddress(b, op->getLoc(), getStoredType(converter, type), base, index) : Value();
  }
};

/// memref.load and vector.load.
template <typename OpT> struct LoadLowering : MemoryPattern<OpT> {
  using MemoryPattern<OpT>::MemoryPattern;
  LogicalResult matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    const LLVMTypeConverter &converter = *this->getTypeConverter();
    MemRefType type = op.getMemRefType();
    Value base = adaptor.getOperands().front();
    Value address = this->address(rewriter, op, type, base, adaptor.getIndices());
    if (!address)
      return failure();
    bool boolean = op.getResult().getType().isInteger(1);
    Type loaded = boolean ? getStoredType(converter, type) : converter.convertType(op.getResult().getType());
    Value value = LLVM::LoadOp::create(rewriter, op.getLoc(), loaded, address, getElementBytes(converter, type), false,
                                       op.getNontemporal());
    if (boolean)
      value = LLVM::TruncOp::create(rewriter, op.getLoc(), rewriter.getI1Type(), value);
    rewriter.replaceOp(op, value);
    return success();
  }
};

/// memref.store and vector.store.
template <typename OpT> struct StoreLowering : MemoryPattern<OpT> {
  using MemoryPattern<OpT>::MemoryPattern;
  LogicalResult matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    const LLVMTypeConverter &converter = *this->getTypeConverter();
    MemRefType type = op.getMemRefType();
    Value stored = adaptor.getOperands()[0], base = adaptor.getOperands()[1];
    Value address = this->address(rewriter, op, type, base, adaptor.getIndices());
    if (!address)
      return failure();
    if (stored.getType().isInteger(1))
      stored = LLVM::ZExtOp::create(rewriter, op.getLoc(), getStoredType(converter, type), stored);
    LLVM::StoreOp::create(rewriter, op.getLoc(), stored, address, getElementBytes(converter, type), false,
                          op.getNontemporal());
    rewriter.eraseOp(op);
    return success();
  }
};

struct MaskedLoadLowering : MemoryPattern<vector::MaskedLoadOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(vector::MaskedLoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value address = this->address(rewriter, op, op.getMemRefType(), adaptor.getBase(), adaptor.getIndices());
    if (!address)
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::MaskedLoadOp>(op, adaptor.getPassThru().getType(), address, adaptor.getMask(),
                                                    adaptor.getPassThru(),
                                                    getElementBytes(*getTypeConverter(), op.getMemRefType()));
    return success();
  }
};

struct MaskedStoreLowering : MemoryPattern<vector::MaskedStoreOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(vector::MaskedStoreOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value address = this->address(rewriter, op, op.getMemRefType(), adaptor.getBase(), adaptor.getIndices());
    if (!address)
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::MaskedStoreOp>(op, adaptor.getValueToStore(), address, adaptor.getMask(),
                                                     getElementBytes(*getTypeConverter(), op.getMemRefType()));
    return success();
  }
};

struct PrefetchLowering : MemoryPattern<memref::PrefetchOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(memref::PrefetchOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value address = this->address(rewriter, op, op.getMemRefType(), adaptor.getMemref(), adaptor.getIndices());
    if (!address)
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::Prefetch>(op, address, op.getIsWrite(), op.getLocalityHint(),
                                                op.getIsDataCache());
    return success();
  }
};

struct ViewLowering : MemoryPattern<memref::ViewOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(memref::ViewOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(
        op, createAddress(rewriter, op.getLoc(), rewriter.getI8Type(), adaptor.getSource(), adaptor.getByteShift()));
    return success();
  }
};

struct SubViewLowering : MemoryPattern<memref::SubViewOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(memref::SubViewOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> offsets;
    unsigned next = 0;
    for (int64_t offset : op.getStaticOffsets())
      offsets.push_back(ShapedType::isDynamic(offset)
                            ? adaptor.getOffsets()[next++]
                            : createIndex(rewriter, op.getLoc(), *getTypeConverter(), offset));
    Value address = this->address(rewriter, op, op.getSourceType(), adaptor.getSource(), offsets);
    if (!address)
      return failure();
    rewriter.replaceOp(op, address);
    return success();
  }
};

/// The op counts its offset from the allocation, the pointer includes the source's: only the difference is added.
struct ReinterpretCastLowering : MemoryPattern<memref::ReinterpretCastOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(memref::ReinterpretCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto source = dyn_cast<MemRefType>(op.getSource().getType());
    SmallVector<int64_t> strides;
    int64_t from = 0;
    if (!source || failed(source.getStridesAndOffset(strides, from)) || ShapedType::isDynamic(from))
      return op.emitOpError("the source's offset must be static");
    int64_t to = op.getStaticOffsets().front();
    Value index;
    if (ShapedType::isDynamic(to)) {
      if (from != 0)
        return op.emitOpError("a dynamic offset needs a source without offset");
      index = adaptor.getOffsets().front();
    } else {
      index = createIndex(rewriter, op.getLoc(), *getTypeConverter(), to - from);
    }
    Type element = getStoredType(*getTypeConverter(), source);
    rewriter.replaceOp(op, createAddress(rewriter, op.getLoc(), element, adaptor.getSource(), index));
    return success();
  }
};

/// Ops that change only the type.
template <typename OpT> struct ForwardLowering : MemoryPattern<OpT> {
  using MemoryPattern<OpT>::MemoryPattern;
  LogicalResult matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getOperands().front());
    return success();
  }
};

struct DimLowering : MemoryPattern<memref::DimOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(memref::DimOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<MemRefType>(op.getSource().getType());
    std::optional<int64_t> axis = op.getConstantIndex();
    if (!type || !axis || *axis < 0 || *axis >= type.getRank() || type.isDynamicDim(*axis))
      return op.emitOpError("a dynamic size can't be read from a buffer: codegen must pass it as an index");
    rewriter.replaceOp(op, createIndex(rewriter, op.getLoc(), *getTypeConverter(), type.getDimSize(*axis)));
    return success();
  }
};

/// Upstream makes llvm.fmuladd of it, which 32-bit ARM computes in two steps.
struct FMALowering : MemoryPattern<vector::FMAOp> {
  using MemoryPattern::MemoryPattern;
  LogicalResult matchAndRewrite(vector::FMAOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getVectorType().getRank() != 1)
      return rewriter.notifyMatchFailure(op, "not a 1-D vector");
    rewriter.replaceOpWithNewOp<LLVM::FMAOp>(op, adaptor.getLhs(), adaptor.getRhs(), adaptor.getAcc());
    return success();
  }
};

} // namespace

bool flat::isSupportedMemoryOp(Operation *op) {
  if (isa<machine::LoadWordOp, machine::TileConfigOp, machine::TileLoadOp, machine::TileStoreOp>(op))
    return true;
  if (auto load = dyn_cast<vector::LoadOp>(op))
    return load.getVectorType().getRank() == 1 && !load.getVectorType().isScalable();
  if (auto store = dyn_cast<vector::StoreOp>(op))
    return store.getVectorType().getRank() == 1 && !store.getVectorType().isScalable();
  return isa<memref::LoadOp, memref::StoreOp, vector::MaskedLoadOp, vector::MaskedStoreOp, memref::PrefetchOp,
             memref::ViewOp, memref::SubViewOp, memref::ReinterpretCastOp, memref::CastOp, memref::CollapseShapeOp,
             memref::ExpandShapeOp, memref::DimOp, UnrealizedConversionCastOp, func::CallOp, func::ReturnOp,
             arith::SelectOp>(op) ||
         op->hasTrait<OpTrait::IsTerminator>();
}

void flat::populateMemoryPatterns(const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns
      .add<LoadLowering<memref::LoadOp>, LoadLowering<vector::LoadOp>, StoreLowering<memref::StoreOp>,
           StoreLowering<vector::StoreOp>, MaskedLoadLowering, MaskedStoreLowering, PrefetchLowering, ViewLowering,
           SubViewLowering, ReinterpretCastLowering, ForwardLowering<memref::CastOp>,
           ForwardLowering<memref::CollapseShapeOp>, ForwardLowering<memref::ExpandShapeOp>, DimLowering, FMALowering>(
          converter);
}
