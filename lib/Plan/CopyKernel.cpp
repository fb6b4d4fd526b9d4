//===- CopyKernel.cpp - kernels that copy a tensor ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CopyKernel.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace leaf;

static plan::KernelOp create(SymbolTable &symbols, Location loc, RankedTensorType source,
                             RankedTensorType destination) {
  OpBuilder builder(loc.getContext());
  auto kernel =
      plan::KernelOp::create(builder, loc, "copy", builder.getFunctionType({source, destination}, destination),
                             /*num_outs=*/1, /*shared_loops=*/0, /*in_place=*/ArrayRef<int64_t>{-1},
                             builder.getArrayAttr({}), /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr);
  symbols.insert(kernel);
  Block &body = kernel.getBody().emplaceBlock();
  body.addArguments({source, destination}, {loc, loc});
  builder.setInsertionPointToEnd(&body);
  AffineMap map = builder.getMultiDimIdentityMap(source.getRank());
  SmallVector<utils::IteratorType> iterators(source.getRank(), utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, destination, ValueRange{body.getArgument(0)}, ValueRange{body.getArgument(1)},
      ArrayRef<AffineMap>{map, map}, iterators,
      [](OpBuilder &b, Location l, ValueRange elements) { linalg::YieldOp::create(b, l, elements[0]); });
  plan::YieldOp::create(builder, loc, generic.getResults());
  return kernel;
}

plan::KernelOp CopyKernels::get(Location loc, RankedTensorType source, RankedTensorType destination) {
  plan::KernelOp &kernel = kernels[{source, destination}];
  if (!kernel)
    kernel = create(symbols, loc, source, destination);
  return kernel;
}
