//===- CrashReproducerTest.cpp - passes that fail and crash ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Driver/CrashReproducer.h"

#include "TestFiles.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/Pass.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace leaf;
using ::testing::HasSubstr;

namespace {

struct Fail : mlir::PassWrapper<Fail, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Fail)
  void runOnOperation() override {
    getOperation().emitError("a reason");
    signalPassFailure();
  }
};

struct Crash : mlir::PassWrapper<Crash, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Crash)
  void runOnOperation() override { std::abort(); }
};

class Reproducer : public ::testing::Test {
protected:
  std::string run(std::unique_ptr<mlir::Pass> pass, const std::string &into) {
    DiagnosticCollector diagnostics(&context);
    mlir::PassManager pm(&context);
    pm.addPass(std::move(pass));
    mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(mlir::UnknownLoc::get(&context)));
    llvm::Error error = CrashReproducer(into).run(pm, *module, "form", diagnostics);
    return llvm::toString(diagnostics.merge(std::move(error)));
  }

  mlir::MLIRContext context;
  TestFolder folder;
};

TEST_F(Reproducer, OfAFailedPassWhereAskedFor) {
  EXPECT_THAT(run(std::make_unique<Fail>(), folder.path("r")),
              HasSubstr("a reason\nstage form failed; 'leaf-opt --run-reproducer " + folder.path("r/form.reproducer")));
  EXPECT_THAT(folder.read("r/form.reproducer.mlir"), HasSubstr("mlir_reproducer"));
}

TEST_F(Reproducer, OfAFailedPassOnlyWhereAskedFor) {
  EXPECT_EQ(run(std::make_unique<Fail>(), ""), "a reason\nstage form failed");
}

TEST_F(Reproducer, OfACrash) {
  EXPECT_THAT(run(std::make_unique<Crash>(), folder.path("r")),
              HasSubstr("stage form crashed: this is a bug of leafc, please report it with the file " +
                        folder.path("r/form.reproducer.mlir")));
  EXPECT_THAT(folder.read("r/form.reproducer.mlir"), HasSubstr("mlir_reproducer"));
}

TEST_F(Reproducer, OfACrashAmongTheTemporaryFiles) {
  std::string message = run(std::make_unique<Crash>(), "");
  size_t begin = message.find("the file ") + 9, end = message.find(';');
  ASSERT_NE(end, std::string::npos) << message;
  std::string path = message.substr(begin, end - begin);
  EXPECT_TRUE(llvm::sys::fs::exists(path)) << message;
  (void)llvm::sys::fs::remove(path);
}

TEST_F(Reproducer, FolderThatCannotBeMade) {
  EXPECT_THAT(run(std::make_unique<Fail>(), folder.write("file", "") + "/r"), HasSubstr("--crash-reproducer="));
}

} // namespace
