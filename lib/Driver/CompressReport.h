//===- CompressReport.h - what compression did -------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_COMPRESSREPORT_H
#define LEAFCUTTER_LIB_DRIVER_COMPRESSREPORT_H

#include "Evaluation.h"
#include "Sparsification.h"
#include "leafcutter/Pipeline/Pipeline.h"

namespace leaf {

/// A layer that has weights, or multiplies activations, and still computes in float32.
struct FloatLayer {
  std::string node, reason;
};

struct CompressReport {
  std::vector<Evaluated> rows;     ///< the float model first
  std::vector<FloatLayer> floats;  ///< in order
  std::vector<PrunedLayer> pruned; ///< in order
  unsigned layers = 0;             ///< of the float model
};

/// Layers of a module after the stage compress that kept float weights and inputs.
std::vector<FloatLayer> collectFloatLayers(mlir::ModuleOp compressed, Quantization kind);

/// Figures of a compiled graph, with accuracy and latency where `data` is given and it runs on this machine.
llvm::Expected<Evaluated> evaluateRow(llvm::StringRef kind, CompiledGraph &graph, CompiledGraph &reference,
                                      const Dataset *data);

/// The table for people.
void printReport(llvm::raw_ostream &out, const CompressReport &report);
/// The same as tab-separated values: a header, one line a row, then `float` lines with node and reason.
llvm::Error writeReport(llvm::StringRef path, const CompressReport &report);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_COMPRESSREPORT_H
