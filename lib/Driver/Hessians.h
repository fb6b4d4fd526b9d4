//===- Hessians.h - what layers read, as second moments ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_HESSIANS_H
#define LEAFCUTTER_LIB_DRIVER_HESSIANS_H

#include "Dataset.h"
#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Target/TargetSpec.h"

namespace leaf {

/// Columns of a weight up to which its hessian (8 bytes for each pair of columns) is gathered.
inline constexpr int64_t kMostHessianColumns = 4096;

/// For each of `layers` the sum of x x^T over its inputs, [columns x columns] in the order of toMatrix()
/// (leafcutter/Compress/Sparsity.h): rows of a matrix, or the patches that a convolution multiplies. Evenly spread ones
/// are taken where there are very many. Empty for layers with more columns than kMostHessianColumns, and for those
/// whose weight is not on the right. Runs the compiled model on all samples.
llvm::Expected<std::vector<std::vector<double>>> gatherHessians(mlir::ModuleOp module, llvm::ArrayRef<Layer> layers,
                                                                const Dataset &data, const TargetSpec &target);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_HESSIANS_H
