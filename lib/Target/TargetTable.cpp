//===- TargetTable.cpp - the named targets -----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "TargetTable.h"

using namespace leaf;

// "generic" is scalar code without any assumption on the machine. Its object can be run on the build machine, its C
// file anywhere. "rpi3-32" is the 32-bit system of a Raspberry Pi 3, whose core is an ARMv8 one in its AArch32 state.
static constexpr NamedTarget kTargets[] = {
    {"host", "", "", ""},
    {"generic", "", "generic", ""},
    {"x86-64-v2", "x86_64-unknown-linux-gnu", "x86-64-v2", ""},
    {"x86-64-v3", "x86_64-unknown-linux-gnu", "x86-64-v3", ""},
    {"x86-64-v4", "x86_64-unknown-linux-gnu", "x86-64-v4", ""},
    {"sapphirerapids", "x86_64-unknown-linux-gnu", "sapphirerapids", ""},
    {"rpi4", "aarch64-unknown-linux-gnu", "cortex-a72", ""},
    {"rpi5", "aarch64-unknown-linux-gnu", "cortex-a76", ""},
    {"rpi-zero2", "aarch64-unknown-linux-gnu", "cortex-a53", ""},
    {"jetson-nano", "aarch64-unknown-linux-gnu", "cortex-a57", ""},
    {"jetson-orin", "aarch64-unknown-linux-gnu", "cortex-a78ae", ""},
    {"rpi3-32", "armv7-unknown-linux-gnueabihf", "cortex-a53", "+neon,+vfp4"},
    {"cortex-m0plus", "thumbv6m-none-eabi", "cortex-m0plus", ""},
    {"cortex-m3", "thumbv7m-none-eabi", "cortex-m3", ""},
    {"cortex-m4", "thumbv7em-none-eabihf", "cortex-m4", ""},
    {"cortex-m7", "thumbv7em-none-eabihf", "cortex-m7", ""},
    {"cortex-m33", "thumbv8m.main-none-eabihf", "cortex-m33", ""},
    {"cortex-m55", "thumbv8.1m.main-none-eabihf", "cortex-m55", ""},
};

llvm::ArrayRef<NamedTarget> leaf::getNamedTargets() { return kTargets; }
