//===- IsaLevels.cpp - several instruction sets in one library ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/IsaLevels.h"
#include "leafcutter/Target/TargetMachine.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace leaf;

namespace {
/// An extension by LLVM's name, the bit that tells of it, and the registers that it needs saved (x86: bits of XCR0).
struct Extension {
  llvm::StringLiteral name;
  uint32_t leaf, subleaf;
  unsigned index, bit;
  uint64_t saved;
};

enum { EAX, EBX, ECX, EDX };
constexpr uint64_t kYMM = 0x6, kZMM = 0xe6, kTiles = 0x60000;

// Extensions that only intrinsics use (AES, SHA, RDSEED, ...) are not here: virtual machines hide some of them.
constexpr Extension kX86[] = {
    {"sse3", 1, 0, ECX, 0, 0},
    {"ssse3", 1, 0, ECX, 9, 0},
    {"fma", 1, 0, ECX, 12, kYMM},
    {"cx16", 1, 0, ECX, 13, 0},
    {"sse4.1", 1, 0, ECX, 19, 0},
    {"sse4.2", 1, 0, ECX, 20, 0},
    {"movbe", 1, 0, ECX, 22, 0},
    {"popcnt", 1, 0, ECX, 23, 0},
    {"avx", 1, 0, ECX, 28, kYMM},
    {"f16c", 1, 0, ECX, 29, kYMM},
    {"bmi", 7, 0, EBX, 3, 0},
    {"avx2", 7, 0, EBX, 5, kYMM},
    {"bmi2", 7, 0, EBX, 8, 0},
    {"avx512f", 7, 0, EBX, 16, kZMM},
    {"avx512dq", 7, 0, EBX, 17, kZMM},
    {"avx512ifma", 7, 0, EBX, 21, kZMM},
    {"avx512cd", 7, 0, EBX, 28, kZMM},
    {"avx512bw", 7, 0, EBX, 30, kZMM},
    {"avx512vl", 7, 0, EBX, 31, kZMM},
    {"avx512vbmi", 7, 0, ECX, 1, kZMM},
    {"avx512vbmi2", 7, 0, ECX, 6, kZMM},
    {"gfni", 7, 0, ECX, 8, 0},
    {"avx512vnni", 7, 0, ECX, 11, kZMM},
    {"avx512bitalg", 7, 0, ECX, 12, kZMM},
    {"avx512vpopcntdq", 7, 0, ECX, 14, kZMM},
    {"avx512fp16", 7, 0, EDX, 23, kZMM},
    {"avxvnni", 7, 1, EAX, 4, kYMM},
    {"avx512bf16", 7, 1, EAX, 5, kZMM},
    {"sahf", 0x80000001, 0, ECX, 0, 0},
    {"lzcnt", 0x80000001, 0, ECX, 5, 0},
};

constexpr Extension kX86Tiles[] = {
    {"amx-bf16", 7, 0, EDX, 22, kTiles},
    {"amx-tile", 7, 0, EDX, 24, kTiles},
    {"amx-int8", 7, 0, EDX, 25, kTiles},
};

/// AT_HWCAP and AT_HWCAP2 of Linux.
constexpr uint32_t kHWCAP = 16, kHWCAP2 = 26;
constexpr Extension kAArch64[] = {
    {"neon", kHWCAP, 0, 0, 1, 0},     {"crc", kHWCAP, 0, 0, 7, 0},        {"lse", kHWCAP, 0, 0, 8, 0},
    {"fullfp16", kHWCAP, 0, 0, 9, 0}, {"fullfp16", kHWCAP, 0, 0, 10, 0},  {"rdm", kHWCAP, 0, 0, 12, 0},
    {"jsconv", kHWCAP, 0, 0, 13, 0},  {"complxnum", kHWCAP, 0, 0, 14, 0}, {"rcpc", kHWCAP, 0, 0, 15, 0},
    {"dotprod", kHWCAP, 0, 0, 20, 0}, {"sve", kHWCAP, 0, 0, 22, 0},       {"fp16fml", kHWCAP, 0, 0, 23, 0},
    {"sve2", kHWCAP2, 0, 0, 1, 0},    {"i8mm", kHWCAP2, 0, 0, 13, 0},     {"bf16", kHWCAP2, 0, 0, 14, 0},
};
} // namespace

static llvm::SmallVector<const Extension *> getExtensions(const TargetSpec &target, bool tiles) {
  initializeTargets();
  llvm::Triple triple(target.triple);
  std::string message;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, message);
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      backend ? backend->createMCSubtargetInfo(triple, target.cpu, target.features) : nullptr);
  llvm::SmallVector<const Extension *> result;
  auto add = [&](llvm::ArrayRef<Extension> table) {
    for (const Extension &extension : table)
      if (info && info->checkFeatures(("+" + extension.name).str()))
        result.push_back(&extension);
  };
  if (triple.isX86()) {
    add(kX86);
    if (tiles)
      add(kX86Tiles);
  } else if (triple.isAArch64()) {
    add(kAArch64);
  }
  return result;
}

std::vector<IsaWord> leaf::getIsaWords(const TargetSpec &target, bool tiles) {
  std::vector<IsaWord> words;
  uint64_t saved = 0;
  IsaWord::Source source = llvm::Triple(target.triple).isX86() ? IsaWord::CPUID : IsaWord::HWCAP;
  for (const Extension *extension : getExtensions(target, tiles)) {
    auto it = llvm::find_if(words, [&](const IsaWord &word) {
      return word.leaf == extension->leaf && word.subleaf == extension->subleaf && word.index == extension->index;
    });
    if (it == words.end())
      it = words.insert(it, {source, extension->leaf, extension->subleaf, extension->index, 0});
    it->mask |= uint64_t(1) << extension->bit;
    saved |= extension->saved;
  }
  if (saved)
    words.push_back({IsaWord::XCR0, 0, 0, 0, saved});
  return words;
}

/// Whether `high` has all that `low` has.
static bool contains(const TargetSpec &high, const TargetSpec &low) {
  llvm::SmallVector<const Extension *> has = getExtensions(high, true);
  return llvm::all_of(getExtensions(low, true), [&](const Extension *e) { return llvm::is_contained(has, e); });
}

static llvm::Error checkLevel(const TargetSpec &level, const TargetSpec &first) {
  llvm::Triple triple(level.triple), other(first.triple);
  if (level.name == "generic" || !triple.isArch64Bit() || !triple.isOSLinux())
    return llvm::createStringError("target '" + level.name +
                                   "' cannot be one of several levels: they are for 64-bit x86 and ARM on Linux");
  if (triple.getArch() != other.getArch())
    return llvm::createStringError("targets '" + first.name + "' and '" + level.name +
                                   "' are different machines; several targets must be levels of one");
  return llvm::Error::success();
}

llvm::Expected<std::vector<TargetSpec>> leaf::lookupLevels(llvm::StringRef names) {
  llvm::SmallVector<llvm::StringRef> parts;
  names.split(parts, ',');
  std::vector<TargetSpec> levels;
  for (llvm::StringRef part : parts) {
    llvm::Expected<TargetSpec> target = lookupTarget(part.trim());
    if (!target)
      return target.takeError();
    levels.push_back(std::move(*target));
    if (llvm::Error error = checkLevel(levels.back(), levels.front()))
      return std::move(error);
  }
  if (levels.size() < 2)
    return llvm::createStringError("several targets are needed, not '" + names + "'");
  llvm::stable_sort(levels, [](const TargetSpec &a, const TargetSpec &b) {
    return getExtensions(a, true).size() < getExtensions(b, true).size();
  });
  for (size_t i = 1; i < levels.size(); ++i) {
    const TargetSpec &low = levels[i - 1], &high = levels[i];
    if (!contains(high, low))
      return llvm::createStringError("targets '" + low.name + "' and '" + high.name +
                                     "' are no levels: neither has all instructions of the other");
    if (contains(low, high))
      return llvm::createStringError("targets '" + low.name + "' and '" + high.name +
                                     "' cannot be told apart: they have the same instructions");
  }
  return levels;
}

TargetSpec leaf::getSharedTarget(llvm::ArrayRef<TargetSpec> levels) {
  TargetSpec shared = levels.front();
  for (const TargetSpec &level : levels) {
    shared.vectorBytes = std::max(shared.vectorBytes, level.vectorBytes);
    shared.vectorRegisters = std::max(shared.vectorRegisters, level.vectorRegisters);
  }
  return shared;
}

bool leaf::canRunOnHost(const TargetSpec &target) {
  if (llvm::Triple(target.triple).getArch() != llvm::Triple(llvm::sys::getProcessTriple()).getArch())
    return false;
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(getExtensions(target, false), [&](const Extension *e) { return host.lookup(e->name); });
}
