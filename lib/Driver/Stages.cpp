//===- Stages.cpp - names and dialects of the stages -------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/Compiler.h"

#include "Leaf/Leaf.h"
#include "Machine/Machine.h"
#include "ONNX/ONNX.h"
#include "Plan/Plan.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace leaf {

static constexpr Stage stages[] = {Stage::Import, Stage::Normalize, Stage::Compress, Stage::Optimize,
                                   Stage::Form,   Stage::Plan,      Stage::Codegen,  Stage::Emit};
static constexpr StringLiteral stageNames[] = {"import", "normalize", "compress", "optimize",
                                               "form",   "plan",      "codegen",  "emit"};

StringRef getStageName(Stage stage) { return stageNames[unsigned(stage)]; }

ArrayRef<Stage> getStages() { return stages; }

llvm::Expected<Stage> parseStage(StringRef name) {
  for (Stage stage : stages)
    if (name == getStageName(stage))
      return stage;
  return llvm::createStringError("there is no stage '" + name + "'; stages are " +
                                 llvm::join(ArrayRef(stageNames), ", "));
}

void registerStageDialects(DialectRegistry &registry) {
  registry.insert<affine::AffineDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                  math::MathDialect, memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect,
                  vector::VectorDialect, LeafDialect, plan::PlanDialect, machine::MachineDialect, onnx::ONNXDialect>();
}

} // namespace leaf
