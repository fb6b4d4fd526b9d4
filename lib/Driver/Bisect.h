//===- Bisect.h - where a wrong answer begins --------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_BISECT_H
#define LEAFCUTTER_LIB_DRIVER_BISECT_H

#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Support/Npz.h"

#include "llvm/Support/raw_ostream.h"

namespace leaf {

struct BisectInput {
  std::string path;        ///< .onnx, or a dumped stage: then the dumps of earlier stages beside it are used too
  CompilerOptions options; ///< sizes are fixed to those of the inputs
  NpzFile inputs, outputs; ///< of the reference
  NpzFile nodes;           ///< values of single nodes by node name; may be empty
  double tolerance = 1e-4;
};

/// Prints, stage by stage, whether the answer is still right, and the first ONNX node whose value is not. How:
///   - after normalize, compress and optimize each op is run by itself (NodeRunner);
///   - after form the results of all kernels are made outputs;
///   - values are compared with `nodes`, and with those of an earlier stage whose outputs agree with the reference; the
///     same elements in another order are right, and so is what right values are computed from.
llvm::Error bisect(const BisectInput &input, llvm::raw_ostream &out);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_BISECT_H
