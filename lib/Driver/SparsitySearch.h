//===- SparsitySearch.h - pruned where accuracy allows it --------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_SPARSITYSEARCH_H
#define LEAFCUTTER_LIB_DRIVER_SPARSITYSEARCH_H

#include "MixedPrecision.h"

namespace leaf {

/// Leaves as few layers dense as keep the loss within bounds: those that lose most by being pruned, of which the number
/// is found by doubling and halving on measured accuracy. Returns the compressed module; `keep` sees each better one as
/// it is found. Of `options` the bound and the number of evaluations count.
llvm::Expected<OwnedModule> searchSparsity(CompressSession &session, const CompressionSettings &settings,
                                           const MixedPrecisionOptions &options,
                                           llvm::function_ref<llvm::Error(mlir::ModuleOp)> keep);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_SPARSITYSEARCH_H
