//===- Machine.cpp - compilers and emulators of targets -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

namespace leaf {
namespace {

struct BoardFile {
  llvm::StringLiteral name, text;
};

constexpr BoardFile kBoardFiles[] = {
#include "BoardFiles.inc"
};

/// A Cortex-M core, the flags that GCC needs for it, and the board that qemu runs it on.
struct Board {
  llvm::StringLiteral cpu, floatFlags, machine, script;
};

// The Cortex-M0+ runs on the board of an M3: its instructions are a subset, and qemu has no board for it.
constexpr Board kBoards[] = {
    {"cortex-m0plus", "-mfloat-abi=soft", "mps2-an385", "mps2.ld"},
    {"cortex-m3", "-mfloat-abi=soft", "mps2-an385", "mps2.ld"},
    {"cortex-m4", "-mfloat-abi=hard -mfpu=fpv4-sp-d16", "mps2-an386", "mps2.ld"},
    {"cortex-m7", "-mfloat-abi=hard -mfpu=fpv5-d16", "mps2-an500", "an500.ld"},
    {"cortex-m33", "-mfloat-abi=hard -mfpu=fpv5-sp-d16", "mps2-an505", "an505.ld"},
    {"cortex-m55", "-mfloat-abi=hard", "mps3-an547", "an547.ld"},
};

/// Cores that qemu-aarch64 of Debian 12 has; others run as "max", which can do all they can.
constexpr llvm::StringLiteral kAArch64Cores[] = {"cortex-a35", "cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76"};

llvm::Expected<Machine> bareMetal(const TargetSpec &target) {
  const Board *board = llvm::find_if(kBoards, [&](const Board &b) { return b.cpu == target.cpu; });
  if (board == std::end(kBoards))
    return llvm::createStringError("no board of qemu is known for the CPU '" + target.cpu + "'");
  Machine machine{
      "arm-none-eabi-gcc", "gcc-arm-none-eabi libnewlib-arm-none-eabi", {}, "qemu-system-arm", "qemu-system-arm", {},
      board->script.str()};
  machine.flags = {"-mcpu=" + target.cpu, "-mthumb", "--specs=rdimon.specs", "-Wl,--no-warn-rwx-segments"};
  if (!target.hardFloat) {
    machine.flags.push_back("-mfloat-abi=soft");
  } else {
    llvm::SmallVector<llvm::StringRef> flags;
    board->floatFlags.split(flags, ' ');
    for (llvm::StringRef flag : flags)
      machine.flags.push_back(flag.str());
  }
  machine.emulatorFlags = {"-M",
                           board->machine.str(),
                           "-nographic",
                           "-monitor",
                           "none",
                           "-serial",
                           "none",
                           "-semihosting-config",
                           "enable=on,target=native",
                           "-kernel"};
  return machine;
}

} // namespace

llvm::StringRef boardFile(llvm::StringRef name) {
  for (const BoardFile &file : kBoardFiles)
    if (file.name == name)
      return file.text;
  llvm_unreachable("no such board file");
}

std::vector<llvm::StringRef> boardFileNames() {
  std::vector<llvm::StringRef> names;
  for (const BoardFile &file : kBoardFiles)
    names.push_back(file.name);
  return names;
}

llvm::Expected<Machine> findMachine(const TargetSpec &target) {
  llvm::Triple triple(target.triple), host(llvm::sys::getProcessTriple());
  if (target.bareMetal)
    return bareMetal(target);
  if (triple.getArch() == host.getArch())
    return Machine{"cc", "gcc", {}, "", "", {}, ""};
  if (triple.isAArch64()) {
    bool known = llvm::is_contained(kAArch64Cores, llvm::StringRef(target.cpu));
    return Machine{"aarch64-linux-gnu-gcc",
                   "gcc-aarch64-linux-gnu",
                   {"-static", "-mcpu=" + (known ? target.cpu : "neoverse-v1")},
                   "qemu-aarch64",
                   "qemu-user",
                   {"-cpu", known ? target.cpu : "max"},
                   ""};
  }
  if (triple.isARM() || triple.isThumb())
    return Machine{"arm-linux-gnueabihf-gcc",
                   "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
                   {"-static", "-march=armv7-a", "-mfpu=neon-vfpv4", "-mfloat-abi=hard"},
                   "qemu-arm",
                   "qemu-user",
                   {"-cpu", "max"},
                   ""};
  return llvm::createStringError("programs for '" + target.triple + "' cannot be run on this machine");
}

} // namespace leaf
