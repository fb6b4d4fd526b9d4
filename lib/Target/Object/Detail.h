//===- Detail.h - parts of object emission -----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_OBJECT_DETAIL_H
#define LEAFCUTTER_LIB_TARGET_OBJECT_DETAIL_H

#include "leafcutter/Target/TargetSpec.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

namespace leaf::object {

/// The model's name as a C identifier, from the module's attribute.
llvm::Expected<std::string> getModelName(mlir::ModuleOp module);

/// Lowers a copy of `module` to LLVM IR with the target's attributes on each function, and optimizes it.
llvm::Expected<std::unique_ptr<llvm::Module>> buildLLVMModule(mlir::ModuleOp module, const TargetSpec &target,
                                                              llvm::TargetMachine &machine, llvm::LLVMContext &context);

/// Bytes of all executable sections.
uint64_t getCodeBytes(const llvm::object::ObjectFile &object);

/// Bytes of stack that a call of `entry` needs: frames from the object's `.stack_sizes`, calls from `module`, from
/// which it was made. A function whose address is taken counts as called. Compiler helpers are not counted.
llvm::Expected<uint64_t> getStackDepth(const llvm::object::ObjectFile &object, const llvm::Module &module,
                                       llvm::StringRef entry);

/// Calls `write` for each weight in the order of offsets with (offset, bytes). Fails where weights overlap, exceed
/// plan.weight_bytes, or have no data.
llvm::Error visitWeights(mlir::ModuleOp module,
                         llvm::function_ref<void(uint64_t offset, llvm::ArrayRef<char> bytes)> write);

/// plan.weight_bytes of the module, 0 where absent.
uint64_t getWeightBytes(mlir::ModuleOp module);

} // namespace leaf::object

#endif // LEAFCUTTER_LIB_TARGET_OBJECT_DETAIL_H
