//===- DotProducts.cpp - dot products that a target has ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/DotProducts.h"

#include "leafcutter/Target/TargetMachine.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Triple.h"

using namespace leaf;

static std::string getARMBytes(const TargetSpec &target, const llvm::MCSubtargetInfo &info) {
  if (info.getTargetTriple().isAArch64()) {
    if (target.vectorBytes == 0)
      return "";
    return info.checkFeatures("+i8mm") ? "usdot" : info.checkFeatures("+dotprod") ? "sdot" : "smlal";
  }
  if (target.vectorBytes != 0)
    return "vmlal";
  return info.checkFeatures("+mve") ? "vmladava" : info.checkFeatures("+dsp") ? "smlad" : "";
}

DotProducts leaf::getDotProducts(const TargetSpec &target) {
  DotProducts result;
  llvm::Triple triple(target.triple);
  // An x86 without vectors is to assume nothing.
  if (triple.isX86() && target.vectorBytes == 0)
    return result;
  initializeTargets();
  std::string message;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, message);
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      backend ? backend->createMCSubtargetInfo(triple, target.cpu, target.features) : nullptr);
  if (!info)
    return result;
  if (!triple.isX86()) {
    result.bytes = getARMBytes(target, *info);
    return result;
  }
  bool wide = target.vectorBytes >= 64;
  bool vnni = info->checkFeatures(wide ? "+avx512vnni" : "+avxvnni");
  result.bytes = vnni ? "vpdpbusd" : "vpmaddwd";
  if (wide && info->checkFeatures("+avx512bf16"))
    result.bf16 = "vdpbf16ps";
  // Only Linux is asked for the tile registers.
  bool tiles = wide && triple.isOSLinux() && info->checkFeatures("+amx-tile");
  result.amxInt8 = tiles && vnni && info->checkFeatures("+amx-int8");
  result.amxBf16 = tiles && !result.bf16.empty() && info->checkFeatures("+amx-bf16");
  return result;
}
