//===- Machine.h - instructions that kernels name ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_DIALECTS_MACHINE_MACHINE_H
#define LEAF_DIALECTS_MACHINE_MACHINE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "Machine/MachineDialect.h.inc"

#define GET_OP_CLASSES
#include "Machine/MachineOps.h.inc"

#endif // LEAF_DIALECTS_MACHINE_MACHINE_H
