//===- MachinePatterns.cpp - dot products and tile registers as intrinsics ----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "Machine/Machine.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace leaf;

namespace {

/// The intrinsic behind an instruction on vectors of `bits` bits; empty where there is none.
StringRef intrinsicOf(StringRef instruction, unsigned bits) {
  std::string key = (instruction + "." + Twine(bits)).str();
  return llvm::StringSwitch<StringRef>(key)
      .Case("vpdpbusd.512", "llvm.x86.avx512.vpdpbusd.512")
      .Case("vpdpbusd.256", "llvm.x86.avx512.vpdpbusd.256")
      .Case("vpdpbusd.128", "llvm.x86.avx512.vpdpbusd.128")
      .Case("vpmaddwd.512", "llvm.x86.avx512.pmaddw.d.512")
      .Case("vpmaddwd.256", "llvm.x86.avx2.pmadd.wd")
      .Case("vpmaddwd.128", "llvm.x86.sse2.pmadd.wd")
      .Case("vdpbf16ps.512", "llvm.x86.avx512bf16.dpbf16ps.512")
      .Case("vdpbf16ps.256", "llvm.x86.avx512bf16.dpbf16ps.256")
      .Case("sdot.128", "llvm.aarch64.neon.sdot.v4i32.v16i8")
      .Case("usdot.128", "llvm.aarch64.neon.usdot.v4i32.v16i8")
      .Default("");
}

Value callIntrinsic(OpBuilder &b, Location loc, Type result, StringRef name, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name), operands).getResult(0);
}

void callIntrinsic(OpBuilder &b, Location loc, StringRef name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr(name), operands);
}

Value createByte(OpBuilder &b, Location loc, uint64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI8Type(), b.getI8IntegerAttr(static_cast<int8_t>(value)));
}

/// 16 signed bytes times 16 others, added to four sums. smull and vmull, whatever the bytes are; smlal and vmlal add
/// the products of both halves in 16 bits.
Value createRowProducts(OpBuilder &b, Location loc, StringRef instruction, Value lhs, Value rhs, Value sum) {
  if (instruction == "smlal") {
    // As one block: LLVM's scheduler would begin all products of a tile before the first sum, and spill them.
    auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), {sum.getType(), VectorType::get({8}, b.getI16Type())});
    auto block = LLVM::InlineAsmOp::create(
        b, loc, type, ValueRange{lhs, rhs, sum},
        "smull $1.8h, $2.8b, $3.8b\n\tsmlal2 $1.8h, $2.16b, $3.16b\n\tsadalp $0.4s, $1.8h", "=w,=&w,w,w,0",
        /*has_side_effects=*/false, /*is_align_stack=*/false, LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
        /*operand_attrs=*/nullptr);
    return LLVM::ExtractValueOp::create(b, loc, block.getRes(), 0);
  }
  auto wide = VectorType::get({8}, b.getI16Type());
  auto multiply = [&](ArrayRef<int32_t> half) -> Value {
    auto widen = [&](Value bytes) {
      return LLVM::SExtOp::create(b, loc, wide, LLVM::ShuffleVectorOp::create(b, loc, bytes, bytes, half));
    };
    return LLVM::MulOp::create(b, loc, widen(lhs), widen(rhs));
  };
  auto addPairs = [&](Value products) -> Value {
    if (instruction.starts_with("v"))
      return callIntrinsic(b, loc, sum.getType(), "llvm.arm.neon.vpadals.v4i32.v8i16", {sum, products});
    Value pairs = callIntrinsic(b, loc, sum.getType(), "llvm.aarch64.neon.saddlp.v4i32.v8i16", products);
    return LLVM::AddOp::create(b, loc, sum, pairs);
  };
  Value low = multiply({0, 1, 2, 3, 4, 5, 6, 7}), high = multiply({8, 9, 10, 11, 12, 13, 14, 15});
  if (instruction.ends_with("mlal"))
    return addPairs(LLVM::AddOp::create(b, loc, low, high));
  sum = addPairs(low);
  return addPairs(high);
}

/// Four bytes times four others: the even and the odd ones as pairs of 16-bit numbers.
Value createWordProducts(OpBuilder &b, Location loc, bool isSigned, Value lhs, Value rhs, Value sum) {
  Type i32 = b.getI32Type();
  Value byte = LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(8));
  for (bool odd : {false, true}) {
    auto widen = [&](Value word, bool isWordSigned) {
      Value turned = odd ? LLVM::FshrOp::create(b, loc, word, word, byte).getResult() : word;
      return callIntrinsic(b, loc, i32, isWordSigned ? "llvm.arm.sxtb16" : "llvm.arm.uxtb16", turned);
    };
    sum = callIntrinsic(b, loc, i32, "llvm.arm.smlad", {widen(lhs, isSigned), widen(rhs, true), sum});
  }
  return sum;
}

/// The sequences of instructions that machine.dot calls by the name of one of them; null for any other name.
Value createSequence(OpBuilder &b, Location loc, StringRef instruction, Value lhs, Value rhs, Value sum) {
  if (llvm::is_contained({"smull", "smlal", "vmull", "vmlal"}, instruction))
    return createRowProducts(b, loc, instruction, lhs, rhs, sum);
  if (instruction == "smlad" || instruction == "usmlad")
    return createWordProducts(b, loc, instruction == "smlad", lhs, rhs, sum);
  if (instruction != "vmladava")
    return {};
  Value no = LLVM::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(0));
  return callIntrinsic(b, loc, b.getI32Type(), "llvm.arm.mve.vmldava.v16i8", {no, no, no, sum, lhs, rhs});
}

struct DotLowering : ConvertOpToLLVMPattern<machine::DotOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(machine::DotOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value sum = adaptor.getAcc(), lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    if (Value result = createSequence(rewriter, loc, op.getInstruction(), lhs, rhs, sum)) {
      rewriter.replaceOp(op, result);
      return success();
    }
    auto type = dyn_cast<VectorType>(op.getAcc().getType());
    unsigned bits = type ? type.getNumElements() * type.getElementTypeBitWidth() : 32;
    StringRef name = intrinsicOf(op.getInstruction(), bits);
    if (name.empty())
      return op.emitOpError("is no instruction on vectors of ") << bits << " bits";
    if (op.getInstruction() == "vpmaddwd") {
      Value products = callIntrinsic(rewriter, loc, sum.getType(), name, {lhs, rhs});
      rewriter.replaceOpWithNewOp<LLVM::AddOp>(op, sum, products);
      return success();
    }
    rewriter.replaceOp(op, callIntrinsic(rewriter, loc, sum.getType(), name, {sum, lhs, rhs}));
    return success();
  }
};

struct SaturateLowering : ConvertOpToLLVMPattern<machine::SaturateOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(machine::SaturateOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type i32 = rewriter.getI32Type();
    auto constant = [&](uint64_t value) -> Value {
      return LLVM::ConstantOp::create(rewriter, loc, i32, rewriter.getI32IntegerAttr(static_cast<int32_t>(value)));
    };
    Value bits = callIntrinsic(rewriter, loc, rewriter.getF32Type(), "llvm.arm.vcvtr.f32", adaptor.getValue());
    Value value = LLVM::BitcastOp::create(rewriter, loc, i32, bits);
    if (op.getZero())
      value = callIntrinsic(rewriter, loc, i32, "llvm.arm.qadd", {value, constant(op.getZero())});
    rewriter.replaceOp(op, callIntrinsic(rewriter, loc, i32, op.getIsSigned() ? "llvm.arm.ssat" : "llvm.arm.usat",
                                         {value, constant(op.getBits())}));
    return success();
  }
};

struct WordLowering : ConvertOpToLLVMPattern<machine::LoadWordOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(machine::LoadWordOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value address =
        flat::createElementAddress(rewriter, op.getLoc(), *getTypeConverter(),
                                   cast<MemRefType>(op.getMemref().getType()), adaptor.getMemref(), adaptor.getIndex());
    unsigned alignment = cast<MemRefType>(op.getMemref().getType()).getElementTypeBitWidth() / 8;
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(op, op.getType(), address, alignment);
    return success();
  }
};

/// arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)
struct RequestTilesLowering : ConvertOpToLLVMPattern<machine::RequestTilesOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(machine::RequestTilesOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type i64 = rewriter.getI64Type();
    auto constant = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(rewriter, loc, i64, rewriter.getI64IntegerAttr(value));
    };
    constexpr int64_t archPrctl = 158, requestPermission = 0x1023, tileData = 18;
    auto call = LLVM::InlineAsmOp::create(
        rewriter, loc, i64, ValueRange{constant(archPrctl), constant(requestPermission), constant(tileData)}, "syscall",
        "={rax},{rax},{rdi},{rsi},~{rcx},~{r11},~{memory},~{dirflag},~{fpsr},~{flags}",
        /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
        /*operand_attrs=*/nullptr);
    rewriter.replaceOpWithNewOp<LLVM::ICmpOp>(op, LLVM::ICmpPredicate::eq, call.getRes(), constant(0));
    return success();
  }
};

struct TileConfigLowering : ConvertOpToLLVMPattern<machine::TileConfigOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(machine::TileConfigOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    if (op.getRows().empty()) {
      callIntrinsic(rewriter, loc, "llvm.x86.tilerelease", {});
      rewriter.eraseOp(op);
      return success();
    }
    SmallVector<int8_t> bytes = op.getConfiguration();
    auto type = VectorType::get({static_cast<int64_t>(bytes.size())}, rewriter.getI8Type());
    Value config = LLVM::ConstantOp::create(rewriter, loc, type, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
    LLVM::StoreOp::create(rewriter, loc, config, adaptor.getBuffer(), 1);
    callIntrinsic(rewriter, loc, "llvm.x86.ldtilecfg", adaptor.getBuffer());
    rewriter.eraseOp(op);
    return success();
  }
};

struct TileZeroLowering : ConvertOpToLLVMPattern<machine::TileZeroOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(machine::TileZeroOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    callIntrinsic(rewriter, op.getLoc(), "llvm.x86.tilezero", createByte(rewriter, op.getLoc(), op.getTile()));
    rewriter.eraseOp(op);
    return success();
  }
};

template <typename OpT> struct TileMoveLowering : ConvertOpToLLVMPattern<OpT> {
  TileMoveLowering(const LLVMTypeConverter &converter, StringRef intrinsic)
      : ConvertOpToLLVMPattern<OpT>(converter), intrinsic(intrinsic) {}
  LogicalResult matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value address =
        flat::createElementAddress(rewriter, loc, *this->getTypeConverter(), cast<MemRefType>(op.getMemref().getType()),
                                   adaptor.getMemref(), adaptor.getIndex());
    callIntrinsic(rewriter, loc, intrinsic, {createByte(rewriter, loc, op.getTile()), address, adaptor.getStride()});
    rewriter.eraseOp(op);
    return success();
  }
  StringRef intrinsic;
};

struct TileDotLowering : ConvertOpToLLVMPattern<machine::TileDotOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(machine::TileDotOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    callIntrinsic(rewriter, loc, ("llvm.x86." + op.getInstruction()).str(),
                  {createByte(rewriter, loc, op.getAcc()), createByte(rewriter, loc, op.getLhs()),
                   createByte(rewriter, loc, op.getRhs())});
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void flat::populateMachinePatterns(const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<DotLowering, SaturateLowering, WordLowering, RequestTilesLowering, TileConfigLowering, TileZeroLowering,
               TileDotLowering>(converter);
  patterns.add<TileMoveLowering<machine::TileLoadOp>>(converter, "llvm.x86.tileloadd64");
  patterns.add<TileMoveLowering<machine::TileStoreOp>>(converter, "llvm.x86.tilestored64");
}
