//===- Levels.cpp - several ISA levels in one C file --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Levels.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Triple.h"

namespace leaf {

std::string levelSuffix(const TargetSpec &target) {
  std::string suffix = "_" + target.name;
  for (char &c : suffix)
    c = llvm::isAlnum(c) ? c : '_';
  return suffix;
}

std::string addSuffix(llvm::StringRef code, llvm::StringRef suffix, llvm::function_ref<bool(llvm::StringRef)> isOwn) {
  std::string result;
  auto isPart = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  while (!code.empty()) {
    llvm::StringRef word = code.take_while(isPart);
    code = code.drop_front(word.size());
    result += word;
    if (isOwn(word))
      result += suffix;
    llvm::StringRef between = code.take_until(isPart);
    code = code.drop_front(between.size());
    result += between;
  }
  return result;
}

std::vector<std::string> levelChoiceHeaders(const TargetSpec &target) {
  return {llvm::Triple(target.triple).isX86() ? "cpuid.h" : "sys/auxv.h"};
}

static const char kX86Words[] = R"(
/* A register of cpuid, 0 where the machine has no such leaf. */
static uint64_t @_cpuid(uint32_t leaf, uint32_t subleaf, int32_t index) {
  uint32_t words[4];
  if (!__get_cpuid_count(leaf, subleaf, &words[0], &words[1], &words[2], &words[3]))
    return 0;
  return words[index];
}

/* The registers that the operating system saves. */
static uint64_t @_xcr0(void) {
  uint32_t low, high;
  if ((@_cpuid(1, 0, 2) >> 27 & 1) == 0)
    return 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low | (uint64_t)high << 32;
}
)";

static std::string readWord(llvm::StringRef name, const IsaWord &word) {
  std::string leaf = "0x" + llvm::utohexstr(word.leaf, /*LowerCase=*/true) + "u";
  switch (word.source) {
  case IsaWord::CPUID:
    return (name + "_cpuid(" + leaf + ", " + std::to_string(word.subleaf) + ", " + std::to_string(word.index) + ")")
        .str();
  case IsaWord::XCR0:
    return (name + "_xcr0()").str();
  case IsaWord::HWCAP:
    return "getauxval(" + std::to_string(word.leaf) + ")";
  }
  llvm_unreachable("unknown source");
}

void printLevelChoice(llvm::StringRef name, llvm::ArrayRef<TargetSpec> levels,
                      llvm::ArrayRef<std::vector<IsaWord>> words, llvm::raw_ostream &os) {
  if (llvm::Triple(levels.front().triple).isX86())
    for (char c : llvm::StringRef(kX86Words))
      (c == '@' ? os << name : os << c);
  os << "\nint32_t " << name << "_isa_level(void) {\n  int32_t level = -1;\n";
  for (auto [l, level] : llvm::enumerate(words)) {
    os << "  if (";
    for (auto [w, word] : llvm::enumerate(level)) {
      std::string mask = "0x" + llvm::utohexstr(word.mask, /*LowerCase=*/true) + "u";
      os << (w ? " &&\n      " : "") << "(" << readWord(name, word) << " & " << mask << ") == " << mask;
    }
    os << (level.empty() ? "1" : "") << ")\n    level = " << l << "; /* " << levels[l].name << " */\n";
  }
  os << "  return level;\n}\n\n";
  os << "int32_t " << name << "_entry(const leaf_context *ctx, void *const *buffers, int64_t *dims) {\n"
     << "  if (ctx == NULL)\n    return LEAF_ERROR_ARGUMENT;\n  switch (ctx->isa_level) {\n";
  for (auto [l, level] : llvm::enumerate(levels))
    os << "  case " << l << ":\n    return " << name << "_entry" << levelSuffix(level) << "(ctx, buffers, dims);\n";
  os << "  default:\n    return LEAF_ERROR_ARGUMENT;\n  }\n}\n";
}

} // namespace leaf
