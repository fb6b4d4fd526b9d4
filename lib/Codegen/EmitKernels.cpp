//===- EmitKernels.cpp - kernels to functions, calls to launches --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Grain.h"
#include "KernelEmitter.h"
#include "Machine/Machine.h"
#include "RoundToIntegers.h"
#include "leafcutter/Codegen/Passes.h"
#include "leafcutter/Codegen/Tuning.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace leaf {

#define GEN_PASS_DEF_EMITKERNELS
#include "leafcutter/Codegen/Passes.h.inc"

using namespace mlir;
using namespace leaf::codegen;

namespace {

/// The index argument of the entry that is the size of dimension `dim` of a buffer argument, or null.
static Value findDimArgument(BlockArgument buffer, unsigned dim) {
  auto function = dyn_cast<func::FuncOp>(buffer.getOwner()->getParentOp());
  if (!function)
    return {};
  auto names = function.getArgAttrOfType<ArrayAttr>(buffer.getArgNumber(), "leaf.dims");
  if (!names || dim >= names.size())
    return {};
  for (BlockArgument argument : function.getArguments())
    if (argument.getType().isIndex() && function.getArgAttr(argument.getArgNumber(), "leaf.dim") == names[dim])
      return argument;
  return {};
}

/// Size of dimension `dim` of a memref in the plan body.
static Value sizeOfDim(OpBuilder &b, Location loc, Value memref, unsigned dim) {
  auto type = cast<MemRefType>(memref.getType());
  auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, loc, value); };
  if (!type.isDynamicDim(dim))
    return constant(type.getDimSize(dim));
  if (auto slot = memref.getDefiningOp<plan::SlotOp>())
    return slot.getSizes()[type.getDynamicDimIndex(dim)];
  if (auto cast = memref.getDefiningOp<memref::CastOp>())
    return sizeOfDim(b, loc, cast.getSource(), dim);
  if (auto view = memref.getDefiningOp<memref::SubViewOp>();
      view && view.getType().getRank() == view.getSourceType().getRank())
    return getValueOrCreateConstantIndexOp(b, loc, view.getMixedSizes()[dim]);
  if (auto sized = memref.getDefiningOp<memref::ReinterpretCastOp>())
    return getValueOrCreateConstantIndexOp(b, loc, sized.getMixedSizes()[dim]);
  if (auto expand = memref.getDefiningOp<memref::ExpandShapeOp>())
    return getValueOrCreateConstantIndexOp(b, loc, expand.getMixedOutputShape()[dim]);
  if (auto collapse = memref.getDefiningOp<memref::CollapseShapeOp>()) {
    Value product;
    for (int64_t source : collapse.getReassociationIndices()[dim]) {
      Value size = sizeOfDim(b, loc, collapse.getSrc(), source);
      product = product ? arith::MulIOp::create(b, loc, product, size).getResult() : size;
    }
    return product;
  }
  if (auto argument = dyn_cast<BlockArgument>(memref))
    if (Value size = findDimArgument(argument, dim))
      return size;
  return memref::DimOp::create(b, loc, memref, dim);
}

/// Bound of a size of the entry that nothing else computes with: its inputs tell it. -1 where they don't.
static int64_t boundOfDimension(BlockArgument size) {
  auto entry = dyn_cast<func::FuncOp>(size.getOwner()->getParentOp());
  auto name = entry ? entry.getArgAttrOfType<StringAttr>(size.getArgNumber(), attrs::kDim) : StringAttr();
  for (unsigned i = 0; name && i < entry.getNumArguments(); ++i) {
    auto names = entry.getArgAttrOfType<ArrayAttr>(i, attrs::kDims);
    auto bounds = entry.getArgAttrOfType<DenseI64ArrayAttr>(i, plan::attrs::kUpperBounds);
    if (names && bounds)
      for (auto [dim, bound] : llvm::zip(names, bounds.asArrayRef()))
        if (dim == name)
          return bound;
  }
  return -1;
}

static int64_t boundOfValue(Value value) {
  if (auto size = dyn_cast<BlockArgument>(value))
    if (int64_t bound = boundOfDimension(size); bound >= 0)
      return bound;
  using presburger::BoundType;
  auto never = [](Value, std::optional<int64_t>, ValueBoundsConstraintSet &) { return false; };
  FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(BoundType::UB, value, never, true);
  return succeeded(bound) ? *bound : -1;
}

/// Gives each result that is a kernel input, or another result, a copy of its own: the canonicalizer erases generics
/// that only copy, but a destination must still be written.
static void copyYieldedInputs(plan::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  Operation *yield = body.getTerminator();
  OpBuilder b(yield);
  llvm::SmallPtrSet<Value, 4> seen;
  for (OpOperand &operand : yield->getOpOperands()) {
    Value value = operand.get(), out = body.getArgument(kernel.getFirstOut() + operand.getOperandNumber());
    if (value == out || (!isa<BlockArgument>(value) && seen.insert(value).second))
      continue;
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    AffineMap map = b.getMultiDimIdentityMap(rank);
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto copy = linalg::GenericOp::create(b, kernel.getLoc(), out.getType(), value, out, ArrayRef<AffineMap>{map, map},
                                          iterators, [](OpBuilder &nested, Location loc, ValueRange elements) {
                                            linalg::YieldOp::create(nested, loc, elements[0]);
                                          });
    operand.set(copy.getResult(0));
  }
}

/// Shapes of the contractions in a kernel, and whether it was measured that it should run on one thread.
static std::pair<SmallVector<Attribute>, std::optional<bool>> readTuning(plan::KernelOp kernel) {
  SmallVector<Attribute> keys;
  std::optional<bool> serial;
  kernel.walk([&](ContractOp contract) {
    if (auto key = contract->getAttrOfType<StringAttr>(kTuningKey))
      keys.push_back(key);
    if (std::optional<bool> choice = getTuning(contract).serial)
      serial = choice;
  });
  return {keys, serial};
}

/// Makes launches of the calls of one kernel.
class CallRewriter {
public:
  explicit CallRewriter(SmallVector<plan::CallOp> calls) : calls(std::move(calls)) {}

  /// Largest size over all calls. The values made for the query are reused for the launch.
  int64_t boundOf(KernelInterface::SizeSource source) {
    int64_t bound = 0;
    for (plan::CallOp call : calls) {
      int64_t one = boundOfValue(sizeAt(call, source));
      bound = one < 0 || bound < 0 ? -1 : std::max(bound, one);
    }
    return calls.empty() ? -1 : bound;
  }

  /// `serial`: the kernel is too small to be spread over threads.
  void rewrite(const KernelInterface &interface, bool serial) {
    for (plan::CallOp call : calls) {
      OpBuilder b(call);
      SmallVector<Value> sizes, buffers(call.getIns());
      llvm::append_range(buffers, call.getOuts());
      for (KernelInterface::SizeSource source : interface.sizes)
        sizes.push_back(sizeAt(call, source));
      auto launch = plan::LaunchOp::create(b, call.getLoc(), call.getCalleeAttr(), buffers, Value(), sizes,
                                           countTiles(b, call.getLoc(), interface, sizes),
                                           b.getI64IntegerAttr(interface.scratchBytes));
      if (serial)
        launch->setAttr("plan.serial", b.getUnitAttr());
      call.erase();
    }
  }

private:
  static Value sizeAt(plan::CallOp call, KernelInterface::SizeSource source) {
    OpBuilder b(call);
    Value operand = call->getOperand(source.operand);
    return source.dim < 0 ? operand : sizeOfDim(b, call.getLoc(), operand, source.dim);
  }

  static Value countTiles(OpBuilder &b, Location loc, const KernelInterface &interface, ArrayRef<Value> sizes) {
    int64_t fixed = 1;
    Value product;
    auto multiply = [&](Value value) {
      product = product ? arith::MulIOp::create(b, loc, product, value).getResult() : value;
    };
    auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, loc, value); };
    for (const TileDim &tile : interface.tiles) {
      if (tile.extent.isStatic()) {
        fixed *= llvm::divideCeil(tile.extent.constant(), tile.block);
        continue;
      }
      Value extent = constant(tile.extent.constant());
      for (unsigned id : tile.extent.symbols())
        extent = arith::MulIOp::create(b, loc, extent, sizes[id]);
      if (tile.block != 1)
        extent = arith::DivUIOp::create(b, loc, arith::AddIOp::create(b, loc, extent, constant(tile.block - 1)),
                                        constant(tile.block));
      multiply(extent);
    }
    if (!product || fixed != 1)
      multiply(constant(fixed));
    return product;
  }

  SmallVector<plan::CallOp> calls;
};

struct EmitKernels : impl::EmitKernelsBase<EmitKernels> {
  using EmitKernelsBase::EmitKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::StringMap<SmallVector<plan::CallOp>> calls;
    module.walk([&](plan::CallOp call) { calls[call.getCallee()].push_back(call); });
    SmallVector<Attribute> scalarKernels;
    llvm::StringMap<KernelGrain> grains;
    bool usesTiles = false;
    for (plan::KernelOp kernel : llvm::make_early_inc_range(module.getOps<plan::KernelOp>())) {
      CallRewriter rewriter(calls.lookup(kernel.getName()));
      OpBuilder builder(kernel);
      auto boundOf = [&](KernelInterface::SizeSource source) { return rewriter.boundOf(source); };
      copyYieldedInputs(kernel);
      KernelCost cost = estimateCost(
          kernel, [&](unsigned operand, unsigned dim) { return rewriter.boundOf({operand, static_cast<int>(dim)}); });
      auto [keys, measured] = readTuning(kernel);
      grains[kernel.getName()] = {cost, measured};
      KernelEmitter emitter(kernel, {vectorBytes, registers, fma, workers, l2Bytes, dot, bf16Dot, amxInt8, amxBf16},
                            boundOf);
      FailureOr<KernelInterface> interface = emitter.emit(builder);
      if (failed(interface))
        return signalPassFailure();
      if (!interface->vectorized && vectorBytes > 0) {
        scalarKernels.push_back(kernel.getSymNameAttr());
        ++numScalar;
      }
      ++numKernels;
      if (cost.known)
        emitter.getFunction()->setAttr("leaf.cost", builder.getDenseI64ArrayAttr({static_cast<int64_t>(cost.operations),
                                                                                  static_cast<int64_t>(cost.bytes)}));
      usesTiles |= releaseTiles(emitter.getFunction());
      if (isARM())
        roundToIntegers(emitter.getFunction(), vectorBytes == 0 && fma);
      if (!keys.empty())
        emitter.getFunction()->setAttr(kTuningKey, builder.getArrayAttr(keys));
      rewriter.rewrite(*interface, leastMicroseconds < 0 || (workers <= 1 && isSmall(cost)));
      kernel.erase();
    }
    if (auto main = module.lookupSymbol<func::FuncOp>("main"); main && usesTiles)
      requestTiles(main);
    if (leastMicroseconds >= 0 && workers > 1)
      chooseSerialLaunches(module, grains,
                           {static_cast<double>(operationsPerMicrosecond), static_cast<double>(bytesPerMicrosecond),
                            static_cast<double>(leastMicroseconds), static_cast<unsigned>(workers)});
    module.walk([&](plan::LaunchOp launch) { numSerial += launch->hasAttr("plan.serial"); });
    if (!scalarKernels.empty())
      module->setAttr("leaf.scalar_kernels", ArrayAttr::get(&getContext(), scalarKernels));
  }

private:
  /// By the names of instructions: those of x86 have the prefix of its vectors.
  bool isARM() const { return !dot.empty() && !StringRef(dot).starts_with("vp"); }

  /// Releases tile registers at the end of a function that configures them; false where it does not.
  static bool releaseTiles(func::FuncOp function) {
    auto configs = function.getOps<machine::TileConfigOp>();
    if (configs.empty())
      return false;
    OpBuilder b(function.getBody().front().getTerminator());
    machine::TileConfigOp::create(b, function.getLoc(), (*configs.begin()).getBuffer(), ArrayRef<int64_t>{},
                                  ArrayRef<int64_t>{});
    return true;
  }

  static void requestTiles(func::FuncOp main) {
    OpBuilder b(main.getBody());
    Value given = machine::RequestTilesOp::create(b, main.getLoc(), b.getI1Type());
    plan::RequireOp::create(b, main.getLoc(), given, "the system does not give the tile registers of AMX");
  }

  /// Handing tiles to another thread and waiting for it takes longer than this kernel.
  bool isSmall(const KernelCost &cost) const {
    double microseconds = std::max(cost.operations / static_cast<double>(operationsPerMicrosecond),
                                   cost.bytes / static_cast<double>(bytesPerMicrosecond));
    return cost.known && microseconds < static_cast<double>(leastMicroseconds);
  }
};

} // namespace

} // namespace leaf
