//===- BufferizePlan.cpp - @main on buffers, kernels opaque ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "EntryOutputs.h"
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
#include "mlir/IR/SymbolTable.h"

namespace leaf {
#define GEN_PASS_DEF_BUFFERIZEPLAN
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Bufferizes everything outside of kernels; tensor arguments of functions are never written.
static LogicalResult bufferize(ModuleOp module) {
  Builder builder(module.getContext());
  for (auto function : module.getOps<func::FuncOp>())
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      if (isa<TensorType>(function.getArgument(i).getType()))
        function.setArgAttr(i, bufferization::BufferizationDialect::kWritableAttrName, builder.getBoolAttr(false));
  bufferization::OneShotBufferizationOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
  options.opFilter.denyOperation(
      [](Operation *op) { return isa<plan::KernelOp>(op) || op->getParentOfType<plan::KernelOp>(); });
  bufferization::BufferizationState state;
  if (failed(bufferization::runOneShotModuleBufferize(module, options, state)))
    return failure();
  bufferization::removeBufferizationAttributesInModule(module);
  return success();
}

/// A kernel that copies one tensor of type `source` into one of type `destination`.
static plan::KernelOp createCopyKernel(SymbolTable &symbols, Location loc, RankedTensorType source,
                                       RankedTensorType destination) {
  OpBuilder builder(loc.getContext());
  auto kernel = plan::KernelOp::create(builder, loc, "copy", builder.getFunctionType({source, destination}, destination),
                                       /*num_outs=*/1, /*shared_loops=*/0, /*in_place=*/ArrayRef<int64_t>{-1},
                                       builder.getArrayAttr({}), nullptr, nullptr);
  symbols.insert(kernel);
  Block &body = kernel.getBody().emplaceBlock();
  body.addArguments({source, destination}, {loc, loc});
  builder.setInsertionPointToEnd(&body);
  AffineMap map = builder.getMultiDimIdentityMap(source.getRank());
  SmallVector<utils::IteratorType> iterators(source.getRank(), utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, destination, ValueRange{body.getArgument(0)}, ValueRange{body.getArgument(1)},
      ArrayRef<AffineMap>{map, map}, iterators,
      [](OpBuilder &b, Location l, ValueRange elements) { linalg::YieldOp::create(b, l, elements[0]); });
  plan::YieldOp::create(builder, loc, generic.getResults());
  return kernel;
}

static RankedTensorType getTensorType(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

namespace {
struct BufferizePlan : leaf::impl::BufferizePlanBase<BufferizePlan> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(bufferize(getOperation())))
      return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(sizeDynamicInputs(function)) || failed(moveResultsToArguments(function)))
        return signalPassFailure();
    replaceCopies();
  }

  void replaceCopies() {
    SymbolTable symbols(getOperation());
    llvm::DenseMap<std::pair<Type, Type>, plan::KernelOp> kernels;
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      RankedTensorType source = getTensorType(copy.getSource()), destination = getTensorType(copy.getTarget());
      plan::KernelOp &kernel = kernels[{source, destination}];
      if (!kernel)
        kernel = createCopyKernel(symbols, copy.getLoc(), source, destination);
      OpBuilder builder(copy);
      plan::CallOp::create(builder, copy.getLoc(), TypeRange{}, kernel.getSymName(), copy.getSource(),
                           copy.getTarget(), ValueRange{});
      copy.erase();
      ++numCopies;
    }
  }
};
} // namespace
