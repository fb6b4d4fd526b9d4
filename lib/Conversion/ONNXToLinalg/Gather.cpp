//===- Gather.cpp - Gather, GatherElements, GatherND --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Loops: dimensions before the axis, dimensions of the indices, dimensions behind the axis.
static LogicalResult lowerGather(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Operand data = lowering.getOperand(node.getInput(0));
  Value indices = lowering.getTensor(node.getInput(1));
  Sizes dataSizes = lowering.getSizes(data.tensor), indexSizes = lowering.getSizes(indices);
  unsigned axis = node.getAxis("axis", 0, dataSizes.size()), indexRank = indexSizes.size();
  Sizes sizes(dataSizes.begin(), dataSizes.begin() + axis);
  llvm::append_range(sizes, indexSizes);
  sizes.append(dataSizes.begin() + axis + 1, dataSizes.end());
  sizes = lowering.refine(sizes, node);
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d < indexRank; ++d)
    exprs.push_back(lowering.b().getAffineDimExpr(axis + d));
  AffineMap indexMap = AffineMap::get(sizes.size(), 0, exprs, lowering.b().getContext());
  BodySize extent(dataSizes[axis]), last(s.sub(dataSizes[axis], s.constant(1)));
  Type indexType = node.getInputElement(1);
  Value result = lowering.pointwise(
      indices, indexMap, sizes, node.getResultElement(), [&](OpBuilder &b, Location loc, ValueRange args) {
        SmallVector<Value> position;
        for (unsigned d = 0; d < dataSizes.size(); ++d) {
          if (d == axis)
            position.push_back(wrapIndex(b, loc, args[0], indexType, extent, last));
          else
            position.push_back(linalg::IndexOp::create(b, loc, d < axis ? d : d + indexRank - 1));
        }
        return data.load(b, loc, tensor::ExtractOp::create(b, loc, data.tensor, position));
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

static LogicalResult lowerGatherElements(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Operand data = lowering.getOperand(node.getInput(0));
  Value indices = lowering.getTensor(node.getInput(1));
  Sizes dataSizes = lowering.getSizes(data.tensor), sizes = lowering.getSizes(indices);
  unsigned axis = node.getAxis("axis", 0, dataSizes.size());
  BodySize extent(dataSizes[axis]), last(s.sub(dataSizes[axis], s.constant(1)));
  Value result = lowering.pointwise(
      indices, lowering.b().getMultiDimIdentityMap(sizes.size()), sizes, node.getResultElement(),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        SmallVector<Value> position;
        for (unsigned d = 0; d < sizes.size(); ++d)
          position.push_back(d == axis ? wrapIndex(b, loc, args[0], node.getInputElement(1), extent, last)
                                       : linalg::IndexOp::create(b, loc, d).getResult());
        return data.load(b, loc, tensor::ExtractOp::create(b, loc, data.tensor, position));
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

/// Tuples of indices in the last dimension address the dimensions behind the batch dimensions.
static LogicalResult lowerGatherND(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  Operand data = lowering.getOperand(node.getInput(0));
  Value indices = lowering.getTensor(node.getInput(1));
  Sizes dataSizes = lowering.getSizes(data.tensor), indexSizes = lowering.getSizes(indices);
  std::optional<int64_t> tuple = constantOf(indexSizes.back());
  if (!tuple)
    return node.emitError() << "needs index tuples of static length";
  unsigned batch = node.getInt("batch_dims", 0), indexRank = indexSizes.size() - 1;
  Sizes sizes(indexSizes.begin(), indexSizes.end() - 1);
  sizes.append(dataSizes.begin() + batch + *tuple, dataSizes.end());
  sizes = lowering.refine(sizes, node);
  Type indexType = node.getInputElement(1);
  SmallVector<BodySize> extents, lasts;
  for (unsigned d = 0; d < dataSizes.size(); ++d) {
    extents.emplace_back(dataSizes[d]);
    lasts.emplace_back(s.sub(dataSizes[d], s.constant(1)));
  }
  Value result =
      lowering.pointwise({}, {}, sizes, node.getResultElement(), [&](OpBuilder &b, Location loc, ValueRange) {
        SmallVector<Value> position, at;
        for (unsigned d = 0; d < indexRank; ++d)
          at.push_back(linalg::IndexOp::create(b, loc, d));
        for (unsigned d = 0; d < dataSizes.size(); ++d) {
          if (d < batch) {
            position.push_back(linalg::IndexOp::create(b, loc, d));
          } else if (d < batch + *tuple) {
            SmallVector<Value> element(at);
            element.push_back(arith::ConstantIndexOp::create(b, loc, d - batch));
            Value index = tensor::ExtractOp::create(b, loc, indices, element);
            position.push_back(wrapIndex(b, loc, index, indexType, extents[d], lasts[d]));
          } else {
            position.push_back(linalg::IndexOp::create(b, loc, indexRank + d - batch - *tuple));
          }
        }
        return data.load(b, loc, tensor::ExtractOp::create(b, loc, data.tensor, position));
      });
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}

void leaf::onnxtolinalg::registerIndexing(Registry &registry) {
  registry.add("Gather", lowerGather);
  registry.add("GatherElements", lowerGatherElements);
  registry.add("GatherND", lowerGatherND);
}
