//===- TargetMachine.h - LLVM's view of a target ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_TARGETMACHINE_H
#define LEAFCUTTER_TARGET_TARGETMACHINE_H

#include "leafcutter/Target/TargetSpec.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace leaf {

/// Registers LLVM's x86, AArch64 and ARM back ends. May be called often and from several threads.
void initializeTargets();

/// The machine that emits code for `target`: hard-float ABI where the target has it, static relocation on bare metal
/// and position independent code elsewhere, one section per function. With `stackSizes` objects have a `.stack_sizes`
/// section. Fails when LLVM does not know the triple.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const TargetSpec &target,
                                                                         bool stackSizes = false);

} // namespace leaf

#endif // LEAFCUTTER_TARGET_TARGETMACHINE_H
