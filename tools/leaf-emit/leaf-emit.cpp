//===- leaf-emit.cpp - emits C from the output of codegen ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// For tests: leaf-emit KERNELS.mlir --target=NAME -o DIR writes NAME.c, NAME.h, example.c, NAME.cmake and verify_main.c
// of a module at the boundary between codegen and emit.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Machine/Machine.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/Verify.h"

#include "mlir/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"

using namespace leaf;

static llvm::Error writeFile(const llvm::Twine &path, llvm::function_ref<llvm::Error(llvm::raw_ostream &)> print) {
  std::error_code code;
  llvm::raw_fd_ostream out(path.str(), code);
  if (code)
    return llvm::createStringError(code, "cannot write " + path);
  return print(out);
}

static llvm::Error emitAll(mlir::ModuleOp module, const TargetSpec &target, const std::string &directory) {
  if (std::error_code code = llvm::sys::fs::create_directories(directory))
    return llvm::createStringError(code, "cannot create " + directory);
  std::string base = directory + "/" + getModelInterface(module).name;
  using Stream = llvm::raw_ostream;
  if (llvm::Error error = writeFile(base + ".c", [&](Stream &os) { return emitC(module, target, os); }))
    return error;
  if (llvm::Error error = writeFile(base + ".h", [&](Stream &os) { return emitHeader(module, os); }))
    return error;
  if (llvm::Error error = writeFile(directory + "/example.c", [&](Stream &os) { return emitExample(module, os); }))
    return error;
  if (llvm::Error error = writeFile(base + ".cmake", [&](Stream &os) { return emitCMakeSnippet(module, os); }))
    return error;
  return writeFile(directory + "/verify_main.c", [&](Stream &os) { return emitVerifyDriver(module, os); });
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::opt<std::string> input(llvm::cl::Positional, llvm::cl::desc("<input.mlir>"), llvm::cl::Required);
  llvm::cl::opt<std::string> output("o", llvm::cl::desc("output folder"), llvm::cl::init("."));
  llvm::cl::opt<std::string> targetName("target", llvm::cl::desc("target"), llvm::cl::init("x86-64-v3"));
  llvm::cl::ParseCommandLineOptions(argc, argv, "Emits C from the output of codegen\n");

  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<LeafDialect, plan::PlanDialect, machine::MachineDialect>();
  mlir::MLIRContext context(registry);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::parseSourceFile<mlir::ModuleOp>(input, &context);
  if (!module)
    return 1;
  llvm::Expected<TargetSpec> target = lookupTarget(targetName);
  llvm::Error error = target ? emitAll(*module, *target, output) : target.takeError();
  if (!error)
    return 0;
  llvm::errs() << "leaf-emit: " << llvm::toString(std::move(error)) << "\n";
  return 1;
}
