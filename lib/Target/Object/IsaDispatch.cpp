//===- IsaDispatch.cpp - the choice between ISA levels ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "IsaDispatch.h"

#include "leaf/leaf.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"
#include <cstddef>

using namespace leaf;
using namespace leaf::object;

/// Reads a register of cpuid, 0 where the machine has no such leaf (it would answer with another one's), and the mask
/// of the registers that the operating system saves.
static const char kX86Words[] = R"(
define internal i64 @leaf.cpuid(i32 %leaf, i32 %subleaf, i32 %index) #0 {
  %range = and i32 %leaf, -2147483648
  %most = call { i32, i32, i32, i32 } asm "cpuid",
    "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}"(i32 %range, i32 0)
  %last = extractvalue { i32, i32, i32, i32 } %most, 0
  %known = icmp ule i32 %leaf, %last
  br i1 %known, label %read, label %none
read:
  %all = call { i32, i32, i32, i32 } asm "cpuid",
    "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}"(i32 %leaf, i32 %subleaf)
  %a = extractvalue { i32, i32, i32, i32 } %all, 0
  %b = extractvalue { i32, i32, i32, i32 } %all, 1
  %c = extractvalue { i32, i32, i32, i32 } %all, 2
  %d = extractvalue { i32, i32, i32, i32 } %all, 3
  %is1 = icmp eq i32 %index, 1
  %is2 = icmp eq i32 %index, 2
  %is3 = icmp eq i32 %index, 3
  %ab = select i1 %is1, i32 %b, i32 %a
  %abc = select i1 %is2, i32 %c, i32 %ab
  %abcd = select i1 %is3, i32 %d, i32 %abc
  %word = zext i32 %abcd to i64
  ret i64 %word
none:
  ret i64 0
}
define internal i64 @leaf.xcr0() #0 {
  %word = call i64 @leaf.cpuid(i32 1, i32 0, i32 2)
  %bit = and i64 %word, 134217728
  %has = icmp ne i64 %bit, 0
  br i1 %has, label %read, label %none
read:
  %halves = call { i32, i32 } asm "xgetbv", "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}"(i32 0)
  %low = extractvalue { i32, i32 } %halves, 0
  %mask = zext i32 %low to i64
  ret i64 %mask
none:
  ret i64 0
}
)";

static std::string readWord(const IsaWord &word) {
  switch (word.source) {
  case IsaWord::CPUID:
    return "@leaf.cpuid(i32 " + std::to_string(word.leaf) + ", i32 " + std::to_string(word.subleaf) + ", i32 " +
           std::to_string(word.index) + ")";
  case IsaWord::XCR0:
    return "@leaf.xcr0()";
  case IsaWord::HWCAP:
    return "@getauxval(i64 " + std::to_string(word.leaf) + ")";
  }
  llvm_unreachable("unknown source");
}

/// Levels contain each other, so the last one whose words are all there is the highest.
static void printChoice(llvm::raw_ostream &os, llvm::StringRef name, llvm::ArrayRef<LevelEntry> levels) {
  os << "define i32 @" << name << "_isa_level() #0 {\n";
  std::string best = "-1";
  for (auto [l, level] : llvm::enumerate(levels)) {
    std::string all = "true", suffix = "." + std::to_string(l);
    for (auto [w, word] : llvm::enumerate(level.words)) {
      std::string id = suffix + "." + std::to_string(w);
      os << "  %word" << id << " = call i64 " << readWord(word) << "\n  %bits" << id << " = and i64 %word" << id << ", "
         << word.mask << "\n  %has" << id << " = icmp eq i64 %bits" << id << ", " << word.mask << "\n  %all" << id
         << " = and i1 " << all << ", %has" << id << "\n";
      all = "%all" + id;
    }
    os << "  %best" << suffix << " = select i1 " << all << ", i32 " << l << ", i32 " << best << "\n";
    best = "%best" + suffix;
  }
  os << "  ret i32 " << best << "\n}\n";
}

static void printEntry(llvm::raw_ostream &os, llvm::StringRef name, llvm::ArrayRef<LevelEntry> levels) {
  os << "define i32 @" << name << "_entry(ptr %ctx, ptr %buffers, ptr %dims) #0 {\n"
     << "  %null = icmp eq ptr %ctx, null\n  br i1 %null, label %wrong, label %choose\nchoose:\n"
     << "  %at = getelementptr i8, ptr %ctx, i64 " << offsetof(leaf_context, isa_level) << "\n"
     << "  %level = load i32, ptr %at, align 4\n  switch i32 %level, label %wrong [";
  for (size_t l = 0; l < levels.size(); ++l)
    os << " i32 " << l << ", label %level" << l;
  os << " ]\n";
  for (auto [l, level] : llvm::enumerate(levels))
    os << "level" << l << ":\n  %status" << l << " = call i32 @\"" << level.symbol
       << "\"(ptr %ctx, ptr %buffers, ptr %dims)\n  ret i32 %status" << l << "\n";
  os << "wrong:\n  ret i32 " << int(LEAF_ERROR_ARGUMENT) << "\n}\n";
  for (const LevelEntry &level : levels)
    os << "declare i32 @\"" << level.symbol << "\"(ptr, ptr, ptr)\n";
}

llvm::Expected<std::unique_ptr<llvm::Module>> object::buildIsaDispatch(llvm::StringRef name,
                                                                       llvm::ArrayRef<LevelEntry> levels,
                                                                       const TargetSpec &target,
                                                                       llvm::LLVMContext &context) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "target triple = \"" << target.triple << "\"\n";
  os << (llvm::Triple(target.triple).isX86() ? kX86Words : "declare i64 @getauxval(i64)\n");
  printChoice(os, name, levels);
  printEntry(os, name, levels);
  os << "attributes #0 = { nounwind noredzone noinline \"frame-pointer\"=\"none\" \"no-builtins\" }\n";
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(text, diagnostic, context);
  if (!module || llvm::verifyModule(*module))
    return llvm::createStringError("the choice between ISA levels is no valid LLVM IR: " + diagnostic.getMessage());
  return module;
}
