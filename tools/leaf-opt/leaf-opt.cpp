//===- leaf-opt.cpp - runs passes on MLIR files ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Machine/Machine.h"
#include "ONNX/ONNX.h"
#include "Plan/Plan.h"
#include "leafcutter/Codegen/Passes.h"
#include "leafcutter/Compress/Passes.h"
#include "leafcutter/Conversion/Passes.h"
#include "leafcutter/Form/Passes.h"
#include "leafcutter/Pipeline/Passes.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  leaf::registerLeafTransformsPasses();
  leaf::registerLeafCodegenPasses();
  leaf::registerLeafCompressPasses();
  registry.insert<leaf::LeafDialect, leaf::onnx::ONNXDialect, leaf::plan::PlanDialect, leaf::machine::MachineDialect>();
  leaf::registerLeafConversionPasses();
  leaf::registerLeafFormPasses();
  leaf::registerLeafPipelinePasses();
  leaf::registerLeafPlanPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Leafcutter's pass runner\n", registry));
}
