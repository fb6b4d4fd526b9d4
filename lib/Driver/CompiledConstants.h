//===- CompiledConstants.h - constants computed by compiled code --*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_COMPILEDCONSTANTS_H
#define LEAFCUTTER_LIB_DRIVER_COMPILEDCONSTANTS_H

#include "leafcutter/Transforms/HostTensor.h"
#include "mlir/IR/Operation.h"

namespace leaf {

/// Computes a core onnx op on constants (MatMul or Conv of weights, say) by compiling it on its own and running it in
/// this process. Always for x86-64-v3, so that every build machine gives the same bytes. Returns false, and leaves the
/// op to the run, where it cannot: another processor, no core op, results that are not static. The dialects of all
/// stages must be loaded in the op's context.
bool computeByCompiledCode(mlir::Operation *op, llvm::ArrayRef<HostTensor> operands, std::vector<HostTensor> &results);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_COMPILEDCONSTANTS_H
