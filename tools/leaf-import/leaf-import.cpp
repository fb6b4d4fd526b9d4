//===- leaf-import.cpp - prints the onnx dialect of an ONNX file -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// leaf-import model.onnx [--dim NAME=N]... [--dim 'NAME<=N']... [--pin INPUT=file.npy]... [--alias PAST=PRESENT]...
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Import/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

namespace cl = llvm::cl;

/// Splits "A=B"; false without a separator.
static bool addPair(std::map<std::string, std::string> &pairs, llvm::StringRef text) {
  auto [key, value] = text.split('=');
  pairs[key.str()] = value.str();
  return !key.empty() && !value.empty();
}

static bool addDim(leaf::ImportOptions &options, llvm::StringRef text) {
  bool isBound = text.contains("<=");
  auto [name, size] = isBound ? text.split("<=") : text.split('=');
  return !name.empty() && !size.getAsInteger(10, (isBound ? options.bounds : options.fixedDims)[name.str()]);
}

int main(int argc, char **argv) {
  cl::OptionCategory category("leaf-import");
  cl::opt<std::string> input(cl::Positional, cl::Required, cl::desc("model.onnx"), cl::cat(category));
  cl::list<std::string> dims("dim", cl::desc("NAME=N fixes, 'NAME<=N' bounds a dimension"), cl::cat(category));
  cl::list<std::string> pins("pin", cl::desc("INPUT=file.npy makes an input a constant"), cl::cat(category));
  cl::list<std::string> aliases("alias", cl::desc("PAST=PRESENT shares one buffer"), cl::cat(category));
  cl::opt<bool> full("full", cl::desc("print weights instead of eliding them"), cl::cat(category));
  cl::opt<bool> locations("locations", cl::desc("print the ONNX node of each op"), cl::cat(category));
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "prints an ONNX file as MLIR\n");

  leaf::ImportOptions options;
  options.defaultBatchToOne = true;
  bool valid = llvm::all_of(dims, [&](const std::string &text) { return addDim(options, text); }) &&
               llvm::all_of(pins, [&](const std::string &text) { return addPair(options.pins, text); }) &&
               llvm::all_of(aliases, [&](const std::string &text) { return addPair(options.aliases, text); });
  if (!valid) {
    llvm::errs() << "error: malformed --dim, --pin or --alias\n";
    return 1;
  }
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler remarks(&context, [](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark)
      llvm::errs() << "remark: " << diagnostic << "\n";
    return mlir::success(diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark);
  });
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> module = leaf::importONNX(&context, input, options);
  if (!module) {
    llvm::errs() << "error: " << llvm::toString(module.takeError()) << "\n";
    return 1;
  }
  mlir::OpPrintingFlags flags;
  if (!full)
    flags.elideLargeElementsAttrs(64).elideLargeResourceString(64);
  if (locations)
    flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/true);
  (*module)->print(llvm::outs(), flags);
  llvm::outs() << "\n";
  return 0;
}
