//===- Levels.h - several ISA levels in one C file ---------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_C_LEVELS_H
#define LEAFCUTTER_LIB_TARGET_C_LEVELS_H

#include "leafcutter/Target/IsaLevels.h"
#include "llvm/Support/raw_ostream.h"

namespace leaf {

/// "_x86_64_v4": what all functions of a level end with.
std::string levelSuffix(const TargetSpec &target);

/// `code` with `suffix` behind each identifier that `isOwn` picks.
std::string addSuffix(llvm::StringRef code, llvm::StringRef suffix, llvm::function_ref<bool(llvm::StringRef)> isOwn);

/// The headers that printLevelChoice needs.
std::vector<std::string> levelChoiceHeaders(const TargetSpec &target);

/// Prints NAME_isa_level and NAME_entry, which calls NAME_entry<suffix> of the level that leaf_context.isa_level says.
/// `words`: what each level needs, lowest first.
void printLevelChoice(llvm::StringRef name, llvm::ArrayRef<TargetSpec> levels,
                      llvm::ArrayRef<std::vector<IsaWord>> words, llvm::raw_ostream &os);

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_C_LEVELS_H
