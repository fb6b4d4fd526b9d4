//===- IsaDispatch.h - the choice between ISA levels -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_OBJECT_ISADISPATCH_H
#define LEAFCUTTER_LIB_TARGET_OBJECT_ISADISPATCH_H

#include "leafcutter/Target/IsaLevels.h"
#include "llvm/IR/Module.h"

namespace leaf::object {

/// One level of a library, lowest first.
struct LevelEntry {
  std::string symbol;         ///< of its entry
  std::vector<IsaWord> words; ///< what the machine must have
};

/// Makes, for the baseline of `target`'s machine:
///
///   int32_t NAME_isa_level(void);   // the highest level that this machine can run, -1: none
///   int32_t NAME_entry(const leaf_context *ctx, void *const *buffers, int64_t *dims);   // the entry of ctx->isa_level
llvm::Expected<std::unique_ptr<llvm::Module>> buildIsaDispatch(llvm::StringRef name, llvm::ArrayRef<LevelEntry> levels,
                                                               const TargetSpec &target, llvm::LLVMContext &context);

} // namespace leaf::object

#endif // LEAFCUTTER_LIB_TARGET_OBJECT_ISADISPATCH_H
