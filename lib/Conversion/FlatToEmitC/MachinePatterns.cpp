//===- MachinePatterns.cpp - dot products and tile registers in C -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Each becomes a call of a helper whose name says the instruction and, since registers are immediate operands, the
// numbers of the tile registers: leaf_vpdpbusd_i32x16, leaf_tileload_4, leaf_tdpbusd_0_4_6.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "Machine/Machine.h"

using namespace mlir;

namespace leaf {
namespace {

void buildVoidCall(OpBuilder &b, Location loc, const Twine &name, ValueRange operands, ArrayAttr args = {}) {
  emitc::CallOpaqueOp::create(b, loc, TypeRange{}, name.str(), operands, args);
}

struct DotPattern : OpConversionPattern<machine::DotOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(machine::DotOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    if (!type || !getTypeConverter()->convertType(op.getLhs().getType()))
      return rewriter.notifyMatchFailure(op, "no such vector in C");
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), type,
                                     "leaf_" + op.getInstruction() + "_" + typeSuffix(op.getType()),
                                     {adaptor.getAcc(), adaptor.getLhs(), adaptor.getRhs()}));
    return success();
  }
};

struct SaturatePattern : OpConversionPattern<machine::SaturateOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(machine::SaturateOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value zero = buildLiteral(rewriter, op.getLoc(), Twine(static_cast<int64_t>(op.getZero())), rewriter.getI32Type());
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), rewriter.getI32Type(),
                                     Twine("leaf_saturate_") + (op.getIsSigned() ? "i" : "u") + Twine(op.getBits()),
                                     {adaptor.getValue(), zero}));
    return success();
  }
};

struct WordPattern : OpConversionPattern<machine::LoadWordOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(machine::LoadWordOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    std::string suffix = typeSuffix(cast<MemRefType>(op.getMemref().getType()).getElementType());
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), rewriter.getI32Type(), "leaf_word_" + suffix,
                                     {adaptor.getMemref(), adaptor.getIndex()}));
    return success();
  }
};

struct RequestTilesPattern : OpConversionPattern<machine::RequestTilesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(machine::RequestTilesOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, buildCall(rewriter, op.getLoc(), rewriter.getI1Type(), "leaf_request_tiles", {}));
    return success();
  }
};

/// The configuration goes as a string literal.
struct TileConfigPattern : OpConversionPattern<machine::TileConfigOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(machine::TileConfigOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getRows().empty()) {
      buildVoidCall(rewriter, op.getLoc(), "leaf_tilerelease", {});
      rewriter.eraseOp(op);
      return success();
    }
    std::string text = "\"";
    for (int8_t byte : op.getConfiguration()) {
      text += '\\';
      for (int shift : {6, 3, 0})
        text += static_cast<char>('0' + (static_cast<uint8_t>(byte) >> shift & 7));
    }
    auto literal = emitc::OpaqueAttr::get(getContext(), text + "\"");
    buildVoidCall(rewriter, op.getLoc(), "leaf_tileconfig", {}, rewriter.getArrayAttr({literal}));
    rewriter.eraseOp(op);
    return success();
  }
};

struct TileZeroPattern : OpConversionPattern<machine::TileZeroOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(machine::TileZeroOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    buildVoidCall(rewriter, op.getLoc(), "leaf_tilezero_" + Twine(op.getTile()), {});
    rewriter.eraseOp(op);
    return success();
  }
};

template <typename OpT> struct TileMovePattern : OpConversionPattern<OpT> {
  TileMovePattern(const CTypeConverter &types, MLIRContext *context, StringRef name)
      : OpConversionPattern<OpT>(types, context), name(name) {}
  LogicalResult matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type pointer = adaptor.getMemref().getType();
    Value address = emitc::AddOp::create(rewriter, op.getLoc(), pointer, adaptor.getMemref(), adaptor.getIndex());
    buildVoidCall(rewriter, op.getLoc(), name + "_" + Twine(op.getTile()), {address, adaptor.getStride()});
    rewriter.eraseOp(op);
    return success();
  }
  StringRef name;
};

struct TileDotPattern : OpConversionPattern<machine::TileDotOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(machine::TileDotOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    buildVoidCall(rewriter, op.getLoc(),
                  "leaf_" + op.getInstruction() + "_" + Twine(op.getAcc()) + "_" + Twine(op.getLhs()) + "_" +
                      Twine(op.getRhs()),
                  {});
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void populateMachinePatterns(const CTypeConverter &types, RewritePatternSet &patterns) {
  patterns.add<DotPattern, SaturatePattern, WordPattern, RequestTilesPattern, TileConfigPattern, TileZeroPattern,
               TileDotPattern>(types, patterns.getContext());
  patterns.add<TileMovePattern<machine::TileLoadOp>>(types, patterns.getContext(), "leaf_tileload");
  patterns.add<TileMovePattern<machine::TileStoreOp>>(types, patterns.getContext(), "leaf_tilestore");
}

} // namespace leaf
