//===- ImportFuzzer.cpp - any bytes as an ONNX file --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "leafcutter/Import/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

using namespace leaf;

/// A context is costly, and is kept for a while: what an import leaves in it (types, attributes) adds up.
static mlir::MLIRContext &getContext() {
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned uses = 0;
  if (uses++ % 256 == 0)
    context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
  return *context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const fuzz::Folder folder;
  std::string path = folder.write("model.onnx", fuzz::toText(data, size));
  mlir::MLIRContext &context = getContext();
  mlir::ScopedDiagnosticHandler silence(&context, [](mlir::Diagnostic &) { return mlir::success(); });
  ImportOptions options;
  options.defaultBatchToOne = true;
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> module = importONNX(&context, path, options);
  if (!module && llvm::toString(module.takeError()).empty())
    std::abort(); // an error says something
  return 0;
}
