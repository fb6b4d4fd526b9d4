//===- CheckCodegen.cpp - what kernels may contain after codegen --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Machine/Machine.h"
#include "Plan/Plan.h"
#include "leafcutter/Codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace leaf {

#define GEN_PASS_DEF_CHECKCODEGEN
#include "leafcutter/Codegen/Passes.h.inc"

using namespace mlir;

namespace {

bool isAllowedType(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getRank() == 1 && !vector.isScalable();
  if (auto memref = dyn_cast<MemRefType>(type))
    return memref.getRank() == 1 && memref.getLayout().isIdentity();
  return type.isIntOrIndexOrFloat();
}

bool isAllowedOp(Operation *op) {
  if (isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp, arith::RemFOp>(op))
    return false;
  if (isa<arith::ArithDialect>(op->getDialect()))
    return true;
  return isa<scf::ForOp, scf::IfOp, scf::YieldOp, func::FuncOp, func::ReturnOp, math::FmaOp, math::SqrtOp,
             math::FloorOp, math::CeilOp, math::RoundEvenOp, math::TruncOp, math::AbsFOp, math::CopySignOp,
             vector::LoadOp, vector::StoreOp, vector::BroadcastOp, vector::FMAOp, vector::ReductionOp,
             vector::ExtractOp, vector::InsertOp, vector::FromElementsOp, vector::ShuffleOp, vector::BitCastOp,
             memref::LoadOp, memref::StoreOp, memref::PrefetchOp, memref::ViewOp, machine::DotOp, machine::LoadWordOp,
             machine::SaturateOp, machine::TileConfigOp, machine::TileZeroOp, machine::TileLoadOp, machine::TileStoreOp,
             machine::TileDotOp>(op);
}

struct CheckCodegen : impl::CheckCodegenBase<CheckCodegen> {
  using CheckCodegenBase::CheckCodegenBase;

  void runOnOperation() override {
    bool good = true;
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
      if (!function->hasAttr("leaf.kernel")) {
        function.walk([&](plan::CallOp call) {
          call.emitOpError("is left after codegen");
          good = false;
        });
        continue;
      }
      WalkResult result = function.walk([&](Operation *op) {
        bool types =
            llvm::all_of(op->getOperandTypes(), isAllowedType) && llvm::all_of(op->getResultTypes(), isAllowedType);
        if (types && isAllowedOp(op))
          return WalkResult::advance();
        op->emitError() << "no code can be made of '" << op->getName() << "' on "
                        << (op->getNumResults() ? op->getResult(0).getType() : Type(NoneType::get(op->getContext())))
                        << ": this function has a formula for f32 only; convert the model's values to float32 there";
        return WalkResult::interrupt();
      });
      good &= !result.wasInterrupted();
    }
    for (plan::KernelOp kernel : getOperation().getOps<plan::KernelOp>()) {
      kernel.emitOpError("is left after codegen");
      good = false;
    }
    if (!good)
      signalPassFailure();
  }
};

} // namespace

} // namespace leaf
