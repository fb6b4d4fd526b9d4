//===- NarrowOperands.cpp - contractions of bfloat16 --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "WeightBytes.h"
#include "leafcutter/Form/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/APFloat.h"

namespace leaf {
#define GEN_PASS_DEF_NARROWOPERANDS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Whether a prologue yields its element as it is.
static bool isIdentity(Region &region) {
  Block &block = region.front();
  return block.getNumArguments() == 1 && block.getTerminator()->getOperand(0) == block.getArgument(0);
}

/// Whether a prologue does nothing but widen its element from float16.
static bool isWidening(Region &region) {
  Block &block = region.front();
  auto extend = dyn_cast<arith::ExtFOp>(block.front());
  return block.getNumArguments() == 1 && block.getArgument(0).getType().isF16() && extend &&
         extend.getIn() == block.getArgument(0) && block.getTerminator()->getOperand(0) == extend.getResult();
}

/// A product of float32 with a weight (float32, or stored as float16) whose columns are the innermost dimension of the
/// result, as dot products take it.
static bool isProduct(ContractOp contract) {
  auto isFloat = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getElementType().isF32();
  };
  AffineMap out = contract.getOutMap(), rhs = contract.getRhsMap();
  Region &decode = contract.getRhsPrologue();
  bool isPlainWeight = isFloat(contract.getRhs()) ? isIdentity(decode) : isWidening(decode);
  if (!isFloat(contract.getLhs()) || !isPlainWeight || !contract.getRhs().getDefiningOp<LoadWeightOp>() ||
      !contract.getAccumulatorType().isF32() || contract.getWinograd() || contract.getNumRhsExtras() ||
      !isIdentity(contract.getLhsPrologue()) || out.getNumResults() == 0 || rhs.getNumResults() < 2)
    return false;
  auto n = dyn_cast<AffineDimExpr>(out.getResults().back());
  unsigned last = contract.getNumLoops() - 1;
  return n && rhs.getResults().back() == n && !contract.getLhsMap().isFunctionOfDim(n.getPosition()) &&
         contract.isReduction(last) &&
         contract.getLhsMap().getResults().back() == getAffineDimExpr(last, n.getContext());
}

static RankedTensorType toBF16(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.clone(BFloat16Type::get(type.getContext()));
}

static SmallVector<OpFoldResult> sizesOf(OpBuilder &b, Location loc, Value value) {
  return tensor::getMixedSizes(b, loc, value);
}

/// `value` rounded to bfloat16, element by element.
static Value round(OpBuilder &b, Location loc, Value value) {
  RankedTensorType type = toBF16(value);
  Value empty = tensor::EmptyOp::create(b, loc, sizesOf(b, loc, value), type.getElementType());
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(b, loc, type, value, empty, ArrayRef<AffineMap>{map, map}, loops,
                                   [&](OpBuilder &inner, Location, ValueRange args) {
                                     Value narrow = arith::TruncFOp::create(inner, loc, type.getElementType(), args[0]);
                                     linalg::YieldOp::create(inner, loc, narrow);
                                   })
      .getResult(0);
}

/// The one tensor that a generic with attribute leaf.pad pads, where its body is plain; null otherwise.
static Value getPadded(linalg::GenericOp generic) {
  if (!generic || !generic->hasAttr(attrs::kPad) || generic.getNumDpsInputs() != 0)
    return {};
  auto extracts = generic.getBody()->getOps<tensor::ExtractOp>();
  return llvm::hasSingleElement(extracts) ? (*extracts.begin()).getTensor() : Value();
}

/// A copy of the padding `generic` on `source`, which is its source rounded to bfloat16.
static Value padRounded(OpBuilder &b, linalg::GenericOp generic, Value source) {
  Location loc = generic.getLoc();
  RankedTensorType type = toBF16(generic.getResult(0));
  Type element = type.getElementType();
  Value empty = tensor::EmptyOp::create(b, loc, sizesOf(b, loc, generic.getDpsInits()[0]), element);
  IRMapping mapping;
  mapping.map(generic.getDpsInits()[0], empty);
  mapping.map(getPadded(generic), source);
  auto copy = cast<linalg::GenericOp>(b.clone(*generic, mapping));
  copy.getResult(0).setType(type);
  auto narrow = [&](Attribute value) -> TypedAttr {
    return b.getFloatAttr(element, cast<FloatAttr>(value).getValueAsDouble());
  };
  for (Operation &op : *copy.getBody()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && constant.getType().isF32())
      constant.setValueAttr(narrow(constant.getValue()));
    for (Value result : op.getResults())
      if (result.getType().isF32())
        result.setType(element);
  }
  // What is padded with may be a constant of the kernel around.
  for (Operation &op : *copy.getBody())
    for (OpOperand &operand : op.getOpOperands())
      if (FloatAttr value; operand.get().getType().isF32() && matchPattern(operand.get(), m_Constant(&value))) {
        OpBuilder inner(&op);
        operand.set(arith::ConstantOp::create(inner, loc, narrow(value)));
      }
  for (BlockArgument argument : copy.getBody()->getArguments())
    if (argument.getType().isF32())
      argument.setType(element);
  auto pad = generic->getAttrOfType<DictionaryAttr>(attrs::kPad);
  copy->setAttr(attrs::kPad, b.getDictionaryAttr({b.getNamedAttr("low", pad.get("low")),
                                                  b.getNamedAttr("value", narrow(pad.get("value")))}));
  return copy.getResult(0);
}

/// The floats of type `element` in `bytes`, whose bits are a `Bits` each, rounded to bfloat16.
template <typename Bits> static std::vector<char> roundAll(ArrayRef<char> bytes, Type element) {
  const llvm::fltSemantics &semantics = cast<FloatType>(element).getFloatSemantics();
  std::vector<char> result(bytes.size() / sizeof(Bits) * sizeof(uint16_t));
  for (size_t i = 0; i < bytes.size() / sizeof(Bits); ++i) {
    Bits value;
    std::memcpy(&value, bytes.data() + i * sizeof(Bits), sizeof(Bits));
    llvm::APFloat number(semantics, llvm::APInt(8 * sizeof(Bits), value));
    bool losesInfo;
    number.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    auto bits = static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
    std::memcpy(result.data() + i * sizeof(bits), &bits, sizeof(bits));
  }
  return result;
}

namespace {
struct NarrowOperands : leaf::impl::NarrowOperandsBase<NarrowOperands> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<ContractOp> contracts;
    getOperation().walk([&](ContractOp contract) {
      if (isProduct(contract))
        contracts.push_back(contract);
    });
    for (ContractOp contract : contracts)
      if (failed(apply(contract)))
        return signalPassFailure();
  }

private:
  LogicalResult apply(ContractOp contract) {
    FailureOr<Value> weight = roundWeight(contract.getRhs().getDefiningOp<LoadWeightOp>());
    if (failed(weight))
      return failure();
    OpBuilder b(contract);
    contract.getLhsMutable().assign(roundData(b, contract.getLhs()));
    contract.getRhsMutable().assign(*weight);
    widen(contract.getLhsPrologue().front());
    widen(contract.getRhsPrologue().front());
    ++numNarrowed;
    return success();
  }

  /// lhs in bfloat16: one rounding for all its readers, done before a padding.
  Value roundData(OpBuilder &b, Value data) {
    Value &result = rounded[data];
    if (result)
      return result;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(data);
    auto generic = data.getDefiningOp<linalg::GenericOp>();
    Value source = getPadded(generic);
    if (!source)
      return result = round(b, data.getLoc(), data);
    Value narrow = roundData(b, source);
    // A recursive call may have moved the map's entries.
    return rounded[data] = padRounded(b, generic, narrow);
  }

  FailureOr<Value> roundWeight(LoadWeightOp load) {
    WeightOp weight = load.resolve();
    WeightOp &narrow = weights[weight.getSymName()];
    if (!narrow) {
      std::vector<char> storage;
      FailureOr<ArrayRef<char>> bytes = readBytes(weight, storage);
      if (failed(bytes))
        return failure();
      Type element = weight.getWeightType().getElementType();
      std::vector<char> result =
          element.isF32() ? roundAll<uint32_t>(*bytes, element) : roundAll<uint16_t>(*bytes, element);
      narrow = createWeight(getOperation(), weight.getLoc(), (weight.getSymName() + "_bf16").str(),
                            toBF16(load.getResult()), result);
    }
    OpBuilder b(load);
    return LoadWeightOp::create(b, load.getLoc(), narrow.getWeightType(), narrow.getSymName()).getResult();
  }

  static void widen(Block &prologue) {
    BlockArgument argument = prologue.getArgument(0);
    OpBuilder b = OpBuilder::atBlockBegin(&prologue);
    bool isWidened = argument.getType().isF16(); // by an op that takes bfloat16, too
    argument.setType(b.getBF16Type());
    if (isWidened)
      return;
    Value wide = arith::ExtFOp::create(b, argument.getLoc(), b.getF32Type(), argument);
    argument.replaceAllUsesExcept(wide, wide.getDefiningOp());
  }

  llvm::DenseMap<Value, Value> rounded;
  llvm::StringMap<WeightOp> weights;
};
} // namespace
