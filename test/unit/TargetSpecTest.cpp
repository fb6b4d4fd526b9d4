//===- TargetSpecTest.cpp - named and custom targets -------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/TargetSpec.h"
#include "leafcutter/Target/TargetMachine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace leaf;
using testing::HasSubstr;

namespace {

TargetSpec get(llvm::StringRef name) {
  llvm::Expected<TargetSpec> target = lookupTarget(name);
  EXPECT_TRUE(bool(target)) << llvm::toString(target.takeError());
  return target ? *target : TargetSpec();
}

std::string errorOf(llvm::Expected<TargetSpec> target) { return target ? "" : llvm::toString(target.takeError()); }

} // namespace

TEST(TargetSpec, EachNameHasAMachine) {
  for (llvm::StringRef name : getTargetNames()) {
    TargetSpec target = get(name);
    EXPECT_EQ(target.name, name.str());
    llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
    ASSERT_TRUE(bool(machine)) << llvm::toString(machine.takeError());
    EXPECT_EQ((*machine)->getPointerSizeInBits(0), target.pointerBits) << name.str();
  }
}

TEST(TargetSpec, DerivesX86Levels) {
  EXPECT_EQ(get("x86-64-v2").vectorBytes, 16u);
  EXPECT_FALSE(get("x86-64-v2").fma);
  EXPECT_TRUE(get("x86-64-v2").roundInstructions);
  EXPECT_EQ(get("x86-64-v3").vectorBytes, 32u);
  EXPECT_TRUE(get("x86-64-v3").fma);
  EXPECT_TRUE(get("x86-64-v3").f16Conversion);
  EXPECT_EQ(get("x86-64-v4").vectorBytes, 64u);
  EXPECT_EQ(get("x86-64-v4").vectorRegisters, 32u);
}

TEST(TargetSpec, DerivesAArch64) {
  TargetSpec target = get("rpi4");
  EXPECT_EQ(target.lanes(), 4u);
  EXPECT_EQ(target.vectorRegisters, 32u);
  EXPECT_TRUE(target.laneFMA);
  EXPECT_TRUE(target.fma);
  EXPECT_FALSE(target.bareMetal);
}

TEST(TargetSpec, DerivesArmv7) {
  TargetSpec target = get("rpi3-32");
  EXPECT_EQ(target.pointerBits, 32u);
  EXPECT_EQ(target.vectorBytes, 16u);
  EXPECT_EQ(target.vectorRegisters, 16u);
  EXPECT_TRUE(target.fma);
  EXPECT_TRUE(target.hardFloat);
  EXPECT_FALSE(target.bareMetal);
}

TEST(TargetSpec, DerivesCortexM) {
  struct Expected {
    const char *name;
    bool hardFloat, fma, round;
  };
  for (Expected expected : {Expected{"cortex-m0plus", false, false, false}, Expected{"cortex-m3", false, false, false},
                            Expected{"cortex-m4", true, true, false}, Expected{"cortex-m7", true, true, true},
                            Expected{"cortex-m33", true, true, true}, Expected{"cortex-m55", true, true, true}}) {
    TargetSpec target = get(expected.name);
    EXPECT_TRUE(target.bareMetal) << expected.name;
    EXPECT_EQ(target.vectorBytes, 0u) << expected.name;
    EXPECT_EQ(target.lanes(), 1u) << expected.name;
    EXPECT_EQ(target.hardFloat, expected.hardFloat) << expected.name;
    EXPECT_EQ(target.fma, expected.fma) << expected.name;
    EXPECT_EQ(target.roundInstructions, expected.round) << expected.name;
  }
}

TEST(TargetSpec, GenericAssumesNothing) {
  TargetSpec target = get("generic");
  EXPECT_EQ(target.vectorBytes, 0u);
  EXPECT_FALSE(target.fma);
  EXPECT_FALSE(target.roundInstructions);
  EXPECT_FALSE(target.sqrtInstruction);
}

TEST(TargetSpec, UnknownNameListsAll) {
  std::string error = errorOf(lookupTarget("rpi99"));
  EXPECT_THAT(error, HasSubstr("unknown target 'rpi99'"));
  EXPECT_THAT(error, HasSubstr("rpi4"));
  EXPECT_THAT(error, HasSubstr("cortex-m55"));
}

TEST(TargetSpec, MakesCustomTargets) {
  llvm::Expected<TargetSpec> target = makeTarget("x86_64-linux-gnu", "skylake", "-avx2");
  ASSERT_TRUE(bool(target)) << llvm::toString(target.takeError());
  EXPECT_EQ(target->name, "custom");
  EXPECT_EQ(target->triple, "x86_64-unknown-linux-gnu");
  EXPECT_EQ(target->vectorBytes, 16u);
}

TEST(TargetSpec, RejectsWhatItDoesNotKnow) {
  EXPECT_THAT(errorOf(makeTarget("riscv64-unknown-linux-gnu", "", "")), HasSubstr("unsupported triple"));
  EXPECT_THAT(errorOf(makeTarget("nonsense", "", "")), HasSubstr("unsupported triple 'nonsense'"));
  EXPECT_THAT(errorOf(makeTarget("x86_64-apple-macos", "", "")), HasSubstr("ELF"));
  EXPECT_THAT(errorOf(makeTarget("aarch64-linux-gnu", "cortex-z9", "")), HasSubstr("unknown CPU 'cortex-z9'"));
  EXPECT_THAT(errorOf(makeTarget("aarch64-linux-gnu", "", "+warp")), HasSubstr("unknown feature 'warp'"));
  EXPECT_THAT(errorOf(makeTarget("aarch64-linux-gnu", "", "neon")), HasSubstr("must start with + or -"));
}
