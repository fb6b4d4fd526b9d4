//===- Weights.h - the weight section as a C array ---------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_C_WEIGHTS_H
#define LEAFCUTTER_LIB_TARGET_C_WEIGHTS_H

#include "leafcutter/Plan/ModelInterface.h"
#include "llvm/Support/raw_ostream.h"

namespace leaf {

/// Prints NAME_weights as 64-bit words: of what C and C++ both accept, compilers read these fastest (10 MB in 7 s by
/// GCC; strings of that length are no standard C).
void printWeights(mlir::ModuleOp module, const ModelInterface &model, llvm::raw_ostream &out);

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_C_WEIGHTS_H
