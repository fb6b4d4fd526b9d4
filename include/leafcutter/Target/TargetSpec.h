//===- TargetSpec.h - what code is generated for ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_TARGETSPEC_H
#define LEAFCUTTER_TARGET_TARGETSPEC_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace leaf {

/// A target machine: what LLVM needs to emit an object and what the kernel emitter needs to choose tiles.
struct TargetSpec {
  std::string name;     ///< "host", "rpi4", "cortex-m7", ..., or "custom"
  std::string triple;   ///< LLVM target triple
  std::string cpu;      ///< LLVM CPU name
  std::string features; ///< LLVM feature string, "+a,+b"; may be empty

  unsigned pointerBits = 64;     ///< width of `index`
  unsigned vectorBytes = 32;     ///< native vector width in bytes; 0: scalar code
  unsigned vectorRegisters = 16; ///< architectural vector (or scalar float) registers
  bool fma = true;               ///< fused multiply-add of f32 in hardware
  bool laneFMA = false;          ///< multiply by one lane of a register (NEON): broadcasts are free
  bool roundInstructions = true; ///< floor/ceil/roundeven of f32 in hardware
  bool sqrtInstruction = true;   ///< sqrt of f32 in hardware
  bool hardFloat = true;         ///< f32 arithmetic in hardware, hard-float ABI
  bool f16Conversion = true;     ///< f16 <-> f32 conversion in hardware
  bool bareMetal = false;        ///< Cortex-M: no operating system
  unsigned l2Bytes = 512 * 1024; ///< second level cache of a core, or its share of a common one

  /// f32 lanes of a native vector; 1 for scalar targets.
  unsigned lanes() const { return vectorBytes ? vectorBytes / 4 : 1; }
};

/// Names accepted by lookupTarget, in the order of --help.
llvm::ArrayRef<llvm::StringRef> getTargetNames();

/// The target called `name` ("host" reads the CPU of this machine). Fails with a message that lists all names.
llvm::Expected<TargetSpec> lookupTarget(llvm::StringRef name);

/// A target from --triple/--mcpu/--mattr; vector facts are derived from the features that LLVM reports for them.
llvm::Expected<TargetSpec> makeTarget(llvm::StringRef triple, llvm::StringRef cpu, llvm::StringRef features);

} // namespace leaf

#endif // LEAFCUTTER_TARGET_TARGETSPEC_H
