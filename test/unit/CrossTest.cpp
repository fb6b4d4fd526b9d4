//===- CrossTest.cpp - archives linked and run for foreign machines ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// The archive of a hand-written model is linked with CrossMain.c by the target's C compiler and run under qemu's user
// emulation. Bare-metal targets are run by the model tests, which have start code and linker scripts.
//
//===----------------------------------------------------------------------===//

#include "ModelFixture.h"
#include "TargetModels.h"
#include "TestFiles.h"
#include "leafcutter/Target/Emit.h"
#include "llvm/Support/Program.h"

using namespace leaf;

namespace {

struct Machine {
  const char *target, *compiler, *emulator;
};

class Cross : public test::ModelFixture, public testing::WithParamInterface<Machine> {
protected:
  /// Runs a program found on PATH; its exit code, or -1.
  static int run(llvm::ArrayRef<std::string> words) {
    llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName(words.front());
    if (!program)
      return -1;
    llvm::SmallVector<llvm::StringRef> arguments(words.begin(), words.end());
    return llvm::sys::ExecuteAndWait(*program, arguments, std::nullopt, {}, 120);
  }
};

} // namespace

TEST_P(Cross, LinksAndRuns) {
  Machine machine = GetParam();
  for (const char *tool : {machine.compiler, machine.emulator})
    if (*tool && !llvm::sys::findProgramByName(tool))
      GTEST_SKIP() << tool << " is not installed";
  ASSERT_TRUE(parseModel(test::kScale));
  TestFolder folder;
  std::string archive = folder.path("libscale.a"), program = folder.path("scale");
  llvm::Error error = emitArchive(*module, llvm::cantFail(lookupTarget(machine.target)), archive);
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  ASSERT_EQ(run({machine.compiler, "-std=c99", "-static", "-I", LEAF_RUNTIME_INCLUDE, LEAF_CROSS_MAIN, archive, "-o",
                 program}),
            0);
  std::vector<std::string> words;
  if (*machine.emulator)
    words = {machine.emulator, "-cpu", "max"};
  words.push_back(program);
  EXPECT_EQ(run(words), 0) << "number of checks in CrossMain.c that failed";
}

INSTANTIATE_TEST_SUITE_P(Machines, Cross,
                         testing::Values(Machine{"x86-64-v2", "gcc", ""},
                                         Machine{"rpi4", "aarch64-linux-gnu-gcc", "qemu-aarch64"},
                                         Machine{"rpi5", "aarch64-linux-gnu-gcc", "qemu-aarch64"},
                                         Machine{"jetson-orin", "aarch64-linux-gnu-gcc", "qemu-aarch64"},
                                         Machine{"rpi3-32", "arm-linux-gnueabihf-gcc", "qemu-arm"}),
                         [](const testing::TestParamInfo<Machine> &info) {
                           std::string name = info.param.target;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
