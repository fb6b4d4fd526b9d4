//===- NarrowWeights.cpp - weights of contractions and tables in 16 bits ------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "WeightBytes.h"
#include "leafcutter/Form/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_NARROWWEIGHTS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// `value` rounded to `semantics`, as bits; nothing where a finite number would become infinite.
static std::optional<uint16_t> narrow(float value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  if (number.isInfinity() && !std::isinf(value))
    return std::nullopt;
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

/// All floats of `bytes` narrowed; nothing where one is out of range.
static std::optional<std::vector<char>> narrow(ArrayRef<char> bytes, const llvm::fltSemantics &semantics) {
  std::vector<char> result(bytes.size() / 2);
  for (size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
    float value;
    std::memcpy(&value, bytes.data() + i * sizeof(float), sizeof(float));
    std::optional<uint16_t> bits = narrow(value, semantics);
    if (!bits)
      return std::nullopt;
    std::memcpy(result.data() + i * sizeof(uint16_t), &*bits, sizeof(uint16_t));
  }
  return result;
}

namespace {
struct NarrowWeights : leaf::impl::NarrowWeightsBase<NarrowWeights> {
  using Base::Base;

  void runOnOperation() override {
    if (format != "f16" && format != "bf16") {
      getOperation().emitError("leaf-narrow-weights: unknown format '") << format << "'; f16 or bf16";
      return signalPassFailure();
    }
    llvm::MapVector<StringRef, SmallVector<LoadWeightOp>> loads;
    getOperation().walk([&](LoadWeightOp load) { loads[load.getWeight()].push_back(load); });
    for (auto &[name, uses] : loads)
      if (llvm::all_of(uses, isNarrowable) && failed(apply(uses)))
        return signalPassFailure();
  }

private:
  /// Whether each use widens at little cost: a contraction that multiplies by it, a generic that picks elements of a
  /// table (Gather).
  static bool isNarrowable(LoadWeightOp load) {
    auto type = dyn_cast_or_null<RankedTensorType>(load.getType());
    return type && type.getElementType().isF32() && llvm::all_of(load->getUses(), [&](OpOperand &use) {
             return isRhs(use) || (type.getRank() >= 2 && isPickedFrom(use));
           });
  }

  static bool isRhs(OpOperand &use) {
    auto contract = dyn_cast<ContractOp>(use.getOwner());
    return contract && use.getOperandNumber() == 1 && contract.getLhs() != use.get();
  }

  static bool isPickedFrom(OpOperand &use) {
    return isa<tensor::ExtractOp>(use.getOwner()) && use.getOwner()->getParentOfType<linalg::GenericOp>();
  }

  LogicalResult apply(ArrayRef<LoadWeightOp> uses) {
    WeightOp weight = LoadWeightOp(uses.front()).resolve();
    RankedTensorType type = weight.getWeightType();
    std::vector<char> storage;
    FailureOr<ArrayRef<char>> bytes = readBytes(weight, storage);
    if (failed(bytes))
      return failure();
    bool isHalf = format == "f16";
    std::optional<std::vector<char>> narrowed =
        narrow(*bytes, isHalf ? llvm::APFloat::IEEEhalf() : llvm::APFloat::BFloat());
    if (!narrowed) {
      weight.emitWarning("weight @") << weight.getSymName() << " exceeds the range of " << format
                                     << " and stays float32";
      return success();
    }
    Builder b(&getContext());
    auto newType = type.clone(isHalf ? Type(b.getF16Type()) : Type(b.getI16Type()));
    WeightOp stored = createWeight(getOperation(), weight.getLoc(), (weight.getSymName() + "_" + format).str(),
                                   cast<RankedTensorType>(newType), *narrowed);
    for (LoadWeightOp load : uses) {
      OpBuilder builder(load);
      Value value = LoadWeightOp::create(builder, load.getLoc(), newType, stored.getSymName());
      for (Operation *user : llvm::make_early_inc_range(load->getUsers()))
        if (auto contract = dyn_cast<ContractOp>(user))
          widen(contract, value);
        else
          widen(cast<tensor::ExtractOp>(user), value);
      load.erase();
    }
    SymbolTable(getOperation()).erase(weight);
    ++numNarrowed;
    return success();
  }

  /// Makes `contract` read `weight` and widen its elements first.
  static void widen(ContractOp contract, Value weight) {
    contract.getRhsMutable().assign(weight);
    Block &prologue = contract.getRhsPrologue().front();
    BlockArgument argument = prologue.getArgument(0);
    Type wide = argument.getType();
    argument.setType(cast<ShapedType>(weight.getType()).getElementType());
    OpBuilder b = OpBuilder::atBlockBegin(&prologue);
    Operation *first = nullptr;
    Value result = widen(b, contract.getLoc(), argument, wide, first);
    argument.replaceAllUsesExcept(result, first);
  }

  /// Makes `extract` pick from `table` and widens what it picked.
  static void widen(tensor::ExtractOp extract, Value table) {
    Type wide = extract.getType();
    extract.getTensorMutable().assign(table);
    extract.getResult().setType(cast<ShapedType>(table.getType()).getElementType());
    OpBuilder b(extract->getContext());
    b.setInsertionPointAfter(extract);
    Operation *first = nullptr;
    Value result = widen(b, extract.getLoc(), extract.getResult(), wide, first);
    extract.getResult().replaceAllUsesExcept(result, first);
  }

  /// `element`, a float16 or the bits of a bfloat16, as `wide`; `first` is the op that reads it.
  static Value widen(OpBuilder &b, Location loc, Value element, Type wide, Operation *&first) {
    if (isa<FloatType>(element.getType())) {
      Value result = arith::ExtFOp::create(b, loc, wide, element);
      first = result.getDefiningOp();
      return result;
    }
    Value bits = arith::ExtUIOp::create(b, loc, b.getI32Type(), element);
    first = bits.getDefiningOp();
    Value shift = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(16));
    return arith::BitcastOp::create(b, loc, wide, arith::ShLIOp::create(b, loc, bits, shift));
  }
};
} // namespace
