//===- CheckForm.cpp - the contract at the end of form -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Form/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace leaf {
#define GEN_PASS_DEF_CHECKFORM
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

static bool isInDialect(Operation *op, StringRef name) {
  return op->getDialect() && op->getDialect()->getNamespace() == name;
}

static bool isAllowedInEntry(Operation *op) {
  if (isInDialect(op, "arith") || isInDialect(op, "affine"))
    return llvm::none_of(op->getResultTypes(), llvm::IsaPred<ShapedType>);
  return isa<plan::CallOp, plan::RequireOp, LoadWeightOp, BoundOp, tensor::EmptyOp, tensor::DimOp,
             tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp, tensor::ExtractSliceOp,
             tensor::InsertSliceOp, tensor::ExtractOp, tensor::FromElementsOp,
             bufferization::MaterializeInDestinationOp, bufferization::AllocTensorOp, scf::IfOp, scf::ForOp,
             scf::WhileOp, scf::YieldOp, scf::ConditionOp, func::ReturnOp>(op);
}

static bool isAllowedInKernel(Operation *op) {
  return isa<linalg::GenericOp, linalg::FillOp, ContractOp, ConcatOp, ForallOp, tensor::EmptyOp, tensor::DimOp,
             plan::YieldOp>(op) ||
         isInDialect(op, "arith");
}

static bool isAllowedInBody(Operation *op) {
  return isInDialect(op, "arith") || isInDialect(op, "math") ||
         isa<linalg::IndexOp, linalg::YieldOp, leaf::YieldOp, tensor::ExtractOp, tensor::DimOp>(op);
}

static bool isAllowedInForall(Operation *op) {
  return isInDialect(op, "arith") || isInDialect(op, "math") ||
         isa<memref::LoadOp, memref::StoreOp, memref::DimOp, scf::ForOp, scf::IfOp, scf::YieldOp, leaf::YieldOp>(op);
}

static LogicalResult check(Operation *op) {
  Operation *parent = op->getParentOp();
  auto kernel = op->getParentOfType<plan::KernelOp>();
  if (!kernel)
    return isAllowedInEntry(op) ? success() : op->emitOpError("is not allowed in @main after form");
  if (parent == kernel)
    return isAllowedInKernel(op) ? success() : op->emitOpError("is not allowed in a kernel");
  if (op->getParentOfType<ForallOp>())
    return isAllowedInForall(op) ? success() : op->emitOpError("is not allowed in the body of a leaf.forall");
  return isAllowedInBody(op) ? success() : op->emitOpError("is not allowed in the body of a kernel's op");
}

namespace {
struct CheckForm : leaf::impl::CheckFormBase<CheckForm> {
  using Base::Base;

  void runOnOperation() override {
    bool ok = true;
    for (Operation &top : *getOperation().getBody()) {
      if (isa<WeightOp>(top))
        continue;
      if (!isa<func::FuncOp, plan::KernelOp>(top)) {
        top.emitOpError("is not allowed in a module after form");
        ok = false;
        continue;
      }
      top.walk([&](Operation *op) { ok &= op == &top || succeeded(check(op)); });
    }
    if (!ok)
      signalPassFailure();
  }
};
} // namespace
