//===- BufferizePlan.cpp - @main on buffers, kernels opaque ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CopyKernel.h"
#include "EntryOutputs.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace leaf {
#define GEN_PASS_DEF_BUFFERIZEPLAN
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Changes the attributes of all arguments at once: one by one, each change would copy those of all others.
static void updateArgAttrs(func::FuncOp function, llvm::function_ref<void(BlockArgument, NamedAttrList &)> update) {
  SmallVector<DictionaryAttr> attributes;
  for (BlockArgument argument : function.getArguments()) {
    NamedAttrList list(function.getArgAttrDict(argument.getArgNumber()));
    update(argument, list);
    attributes.push_back(list.getDictionary(function.getContext()));
  }
  function.setAllArgAttrs(attributes);
}

/// Each value gets a destination of its own: what may share memory is for the arena to say, which knows the lifetimes.
static void splitDestinations(ModuleOp module) {
  SmallVector<tensor::EmptyOp> empties;
  module.walk([&](tensor::EmptyOp empty) {
    if (!empty->getParentOfType<plan::KernelOp>())
      empties.push_back(empty);
  });
  for (tensor::EmptyOp empty : empties)
    for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
      if (empty->hasOneUse())
        break;
      OpBuilder builder(use.getOwner());
      use.set(builder.clone(*empty)->getResult(0));
    }
}

/// Bufferizes everything outside of kernels; of the tensor arguments only aliased ones are written.
static LogicalResult bufferize(ModuleOp module) {
  Builder builder(module.getContext());
  StringRef writable = bufferization::BufferizationDialect::kWritableAttrName;
  for (auto function : module.getOps<func::FuncOp>())
    updateArgAttrs(function, [&](BlockArgument argument, NamedAttrList &list) {
      if (isa<TensorType>(argument.getType()))
        list.set(writable, builder.getBoolAttr(list.get(leaf::attrs::kAlias) != nullptr));
    });
  bufferization::OneShotBufferizationOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
  // What does not say its layout (tensor.from_elements) makes dense buffers: kernels take them without a copy.
  options.unknownTypeConverterFn = [](TensorType type, Attribute memorySpace,
                                      const bufferization::BufferizationOptions &) {
    return bufferization::getMemRefTypeWithStaticIdentityLayout(type, memorySpace);
  };
  options.opFilter.denyOperation(
      [](Operation *op) { return isa<plan::KernelOp>(op) || op->getParentOfType<plan::KernelOp>(); });
  bufferization::BufferizationState state;
  if (failed(bufferization::runOneShotModuleBufferize(module, options, state)))
    return failure();
  for (auto function : module.getOps<func::FuncOp>())
    updateArgAttrs(function, [&](BlockArgument, NamedAttrList &list) { list.erase(writable); });
  return success();
}

static RankedTensorType getTensorType(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

/// True for two views of the same part of a buffer: what an insertion in place leaves of its copy.
static bool isSameBuffer(Value a, Value b) {
  if (a == b)
    return true;
  auto viewA = a.getDefiningOp<memref::SubViewOp>(), viewB = b.getDefiningOp<memref::SubViewOp>();
  return viewA && viewB && viewA.getSource() == viewB.getSource() &&
         viewA.getMixedOffsets() == viewB.getMixedOffsets() && viewA.getMixedSizes() == viewB.getMixedSizes() &&
         viewA.getMixedStrides() == viewB.getMixedStrides();
}

namespace {
struct BufferizePlan : leaf::impl::BufferizePlanBase<BufferizePlan> {
  using Base::Base;

  void runOnOperation() override {
    splitDestinations(getOperation());
    if (failed(bufferize(getOperation())))
      return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(sizeDynamicInputs(function)) || failed(moveResultsToArguments(function)))
        return signalPassFailure();
    replaceCopies();
  }

  void replaceCopies() {
    CopyKernels kernels(getOperation());
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      if (isSameBuffer(copy.getSource(), copy.getTarget())) {
        copy.erase();
        continue;
      }
      RankedTensorType source = getTensorType(copy.getSource()), destination = getTensorType(copy.getTarget());
      plan::KernelOp kernel = kernels.get(copy.getLoc(), source, destination);
      OpBuilder builder(copy);
      plan::CallOp::create(builder, copy.getLoc(), TypeRange{}, kernel.getSymName(), copy.getSource(), copy.getTarget(),
                           ValueRange{});
      copy.erase();
      ++numCopies;
    }
  }
};
} // namespace
