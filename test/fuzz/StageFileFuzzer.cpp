//===- StageFileFuzzer.cpp - any bytes as a dumped stage and its weights -----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The input is the text of a NN.stage.mlir, and behind a zero byte its .weights file.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "Driver/StageFiles.h"
#include "leafcutter/Driver/Compiler.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

using namespace leaf;

static mlir::MLIRContext &getContext() {
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned uses = 0;
  if (uses++ % 1024 == 0) {
    mlir::DialectRegistry registry;
    registerStageDialects(registry);
    context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  }
  return *context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const fuzz::Folder folder;
  auto [text, weights] = fuzz::toText(data, size).split('\0');
  (void)folder.write("stage.weights", weights);
  std::string path = folder.write("stage.mlir", text);
  mlir::MLIRContext &context = getContext();
  mlir::ScopedDiagnosticHandler silence(&context, [](mlir::Diagnostic &) { return mlir::success(); });
  StageHeader header;
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> module = readStage(&context, path, header);
  if (!module && llvm::toString(module.takeError()).empty())
    std::abort();
  return 0;
}
