//===- Tuner.h - measures how to compute contractions ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_TUNER_H
#define LEAFCUTTER_LIB_DRIVER_TUNER_H

#include "leafcutter/Driver/Compiler.h"

namespace leaf {

/// What tune() did.
struct TuningReport {
  unsigned shapes = 0;   ///< of contractions in the model
  unsigned measured = 0; ///< that the file had no choice for
  unsigned changed = 0;  ///< of these: where something was faster than what the cost model takes
};

/// Measures all contractions of the model at `path` whose shape `file` has no choice for, and adds the fastest way to
/// compute each. The model is compiled once for each alternative and run, on `options.maxThreads` threads, with the
/// time of each kernel taken: so each is measured among its neighbours, with the caches as they leave them. An
/// alternative is taken where it wins by 3 % over the cost model's choice.
///
/// Fails where this machine cannot run code for the target.
llvm::Expected<TuningReport> tune(llvm::StringRef path, const CompilerOptions &options, llvm::StringRef file);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_TUNER_H
