//===- TargetSpec.cpp - facts of a target from LLVM's features ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/TargetSpec.h"
#include "TargetTable.h"
#include "leafcutter/Target/TargetMachine.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <algorithm>

using namespace leaf;

/// The features in which this machine differs from LLVM's description of its CPU (a virtual machine may hide some), in
/// alphabetical order, so that equal machines give equal strings.
static std::string hostFeatures(llvm::StringRef triple, llvm::StringRef cpu) {
  std::string message;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(llvm::Triple(triple), message);
  std::unique_ptr<llvm::MCSubtargetInfo> info(backend ? backend->createMCSubtargetInfo(llvm::Triple(triple), cpu, "")
                                                      : nullptr);
  llvm::StringMap<bool> map = llvm::sys::getHostCPUFeatures();
  std::vector<std::pair<std::string, bool>> features;
  for (const llvm::StringMapEntry<bool> &entry : map)
    if (!info || info->checkFeatures("+" + entry.getKey().str()) != entry.getValue())
      features.emplace_back(entry.getKey().str(), entry.getValue());
  llvm::sort(features);
  return llvm::join(llvm::map_range(features, [](const auto &f) { return (f.second ? "+" : "-") + f.first; }), ",");
}

static llvm::Error checkFeatureNames(const llvm::MCSubtargetInfo &info, llvm::StringRef features) {
  llvm::SmallVector<llvm::StringRef> names;
  features.split(names, ',', -1, false);
  for (llvm::StringRef name : names) {
    llvm::StringRef bare = name.trim();
    if (!bare.consume_front("+") && !bare.consume_front("-"))
      return llvm::createStringError("feature '" + name + "' must start with + or -");
    llvm::ArrayRef<llvm::SubtargetFeatureKV> known = info.getAllProcessorFeatures();
    if (llvm::none_of(known, [&](const llvm::SubtargetFeatureKV &kv) { return bare == kv.Key; }))
      return llvm::createStringError("unknown feature '" + bare + "' of " + info.getTargetTriple().getArchName() +
                                     " (names are those of 'llc -mattr=help')");
  }
  return llvm::Error::success();
}

static void deriveX86(TargetSpec &spec, const llvm::MCSubtargetInfo &info) {
  bool avx512 = info.checkFeatures("+avx512f,+avx512vl,+avx512bw,+avx512dq");
  bool avx2 = info.checkFeatures("+avx2");
  spec.vectorBytes = avx512 ? 64 : avx2 ? 32 : 16;
  spec.vectorRegisters = avx512 ? 32 : 16;
  spec.fma = info.checkFeatures("+fma");
  spec.laneFMA = false;
  spec.roundInstructions = info.checkFeatures("+sse4.1");
  spec.sqrtInstruction = true;
  spec.f16Conversion = info.checkFeatures("+f16c");
}

static void deriveAArch64(TargetSpec &spec, const llvm::MCSubtargetInfo &info) {
  bool neon = info.checkFeatures("+neon");
  spec.vectorBytes = neon ? 16 : 0;
  spec.vectorRegisters = 32;
  spec.fma = spec.sqrtInstruction = spec.roundInstructions = spec.f16Conversion = info.checkFeatures("+fp-armv8");
  spec.laneFMA = neon;
}

static void deriveARM(TargetSpec &spec, const llvm::MCSubtargetInfo &info, const llvm::Triple &triple) {
  llvm::Triple::EnvironmentType environment = triple.getEnvironment();
  bool hardABI = environment == llvm::Triple::EABIHF || environment == llvm::Triple::GNUEABIHF ||
                 environment == llvm::Triple::MuslEABIHF;
  spec.hardFloat = hardABI && info.checkFeatures("+vfp2sp");
  bool neon = spec.hardFloat && info.checkFeatures("+neon");
  spec.vectorBytes = neon ? 16 : 0;
  spec.vectorRegisters = neon ? 16 : spec.hardFloat ? 32 : 8;
  spec.fma = spec.hardFloat && info.checkFeatures("+vfp4d16sp");
  spec.laneFMA = false; // vfma of AArch32 has no by-lane form
  spec.roundInstructions = spec.hardFloat && info.checkFeatures("+fp-armv8d16sp");
  spec.sqrtInstruction = spec.hardFloat;
  spec.f16Conversion = spec.hardFloat && info.checkFeatures("+fp16");
}

/// Second level cache of a core by the CPU's name and features (a virtual machine may have another name than its CPU),
/// never by looking at this machine, so that a target gives the same code on each. A common cache counts with a core's
/// share; what is not listed has the 512 KiB of most.
static unsigned getL2Bytes(llvm::StringRef cpu, const llvm::MCSubtargetInfo &info) {
  constexpr unsigned kib = 1024;
  if (info.getTargetTriple().isX86() && info.checkFeatures("+avx512f"))
    return info.checkFeatures("+amx-tile") ? 2048 * kib : 1024 * kib;
  return llvm::StringSwitch<unsigned>(cpu)
      .Cases({"haswell", "broadwell", "skylake", "x86-64-v2"}, 256 * kib)
      .Cases({"cortex-a53", "cortex-a7"}, 128 * kib)
      .Cases({"cortex-a72", "cortex-a57", "cortex-a78ae"}, 256 * kib)
      .Default(512 * kib);
}

/// Scalar code that assumes nothing: what the C emitter needs for a machine it does not know.
static void deriveGeneric(TargetSpec &spec) {
  spec.vectorBytes = 0;
  spec.vectorRegisters = 16;
  spec.fma = spec.laneFMA = spec.roundInstructions = spec.sqrtInstruction = spec.f16Conversion = false;
  spec.hardFloat = true;
}

llvm::Expected<TargetSpec> leaf::makeTarget(llvm::StringRef tripleName, llvm::StringRef cpu, llvm::StringRef features) {
  initializeTargets();
  llvm::Triple triple(llvm::Triple::normalize(tripleName));
  TargetSpec spec;
  spec.name = "custom";
  spec.triple = triple.str();
  spec.cpu = cpu.str();
  spec.features = features.str();
  std::string message;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!backend || !(triple.isX86() || triple.isAArch64() || triple.isARM() || triple.isThumb()))
    return llvm::createStringError("unsupported triple '" + tripleName +
                                   "': leafcutter makes code for x86-64, AArch64, ARM and Thumb");
  if (!triple.isLittleEndian() || (triple.isX86() && !triple.isArch64Bit()))
    return llvm::createStringError("unsupported triple '" + tripleName + "': only little-endian ARM and 64-bit x86");
  if (!triple.isOSBinFormatELF())
    return llvm::createStringError("unsupported triple '" + tripleName + "': only ELF objects can be written");
  std::unique_ptr<llvm::MCSubtargetInfo> base(backend->createMCSubtargetInfo(triple, "", ""));
  if (!base)
    return llvm::createStringError("unsupported triple '" + tripleName + "'");
  if (!cpu.empty() && !base->isCPUStringValid(cpu))
    return llvm::createStringError("unknown CPU '" + cpu + "' of " + triple.getArchName() +
                                   " (names are those of 'llc -mcpu=help')");
  if (llvm::Error error = checkFeatureNames(*base, features))
    return std::move(error);

  std::unique_ptr<llvm::MCSubtargetInfo> info(backend->createMCSubtargetInfo(triple, cpu, features));
  spec.pointerBits = triple.isArch64Bit() ? 64 : 32;
  spec.l2Bytes = getL2Bytes(cpu, *info);
  spec.bareMetal = triple.getOS() == llvm::Triple::UnknownOS && !triple.isArch64Bit();
  if (triple.isX86())
    deriveX86(spec, *info);
  else if (triple.isAArch64())
    deriveAArch64(spec, *info);
  else
    deriveARM(spec, *info, triple);
  return spec;
}

llvm::ArrayRef<llvm::StringRef> leaf::getTargetNames() {
  static const std::vector<llvm::StringRef> names = [] {
    std::vector<llvm::StringRef> result;
    for (const NamedTarget &target : getNamedTargets())
      result.push_back(target.name);
    return result;
  }();
  return names;
}

llvm::Expected<TargetSpec> leaf::lookupTarget(llvm::StringRef name) {
  initializeTargets();
  const NamedTarget *row = llvm::find_if(getNamedTargets(), [&](const NamedTarget &t) { return t.name == name; });
  if (row == getNamedTargets().end())
    return llvm::createStringError("unknown target '" + name + "'; known are " + llvm::join(getTargetNames(), ", "));
  bool host = row->triple.empty() && row->cpu.empty();
  std::string triple = row->triple.empty() ? llvm::sys::getProcessTriple() : row->triple.str();
  std::string cpu = host ? llvm::sys::getHostCPUName().str() : row->cpu.str();
  std::string features = host ? hostFeatures(triple, cpu) : row->features.str();
  llvm::Expected<TargetSpec> spec = makeTarget(triple, cpu, features);
  if (!spec)
    return llvm::createStringError("target '" + name + "': " + llvm::toString(spec.takeError()));
  spec->name = name.str();
  if (name == "generic")
    deriveGeneric(*spec);
  return spec;
}
