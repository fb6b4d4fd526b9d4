//===- Regions.cpp - regions of ONNX ops ---------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

RegionScope::RegionScope(Lowering &lowering, Block *block)
    : lowering(lowering), guard(lowering.builder), arithmetic(lowering.arithmetic.save()), tensors(lowering.tensors),
      shapeValues(lowering.shapeValues), deferred(lowering.deferred), tensorSizes(lowering.tensorSizes) {
  lowering.builder.setInsertionPointToEnd(block);
}

RegionScope::~RegionScope() {
  lowering.arithmetic.restore(std::move(arithmetic));
  lowering.tensors = std::move(tensors);
  lowering.shapeValues = std::move(shapeValues);
  lowering.deferred = std::move(deferred);
  lowering.tensorSizes = std::move(tensorSizes);
}

LogicalResult Lowering::lowerRegion(Region &region, SmallVectorImpl<Value> &results) {
  Location outer = currentLoc;
  for (Operation &op : region.front().without_terminator()) {
    currentLoc = op.getLoc();
    arithmetic.setLoc(currentLoc);
    if (failed(lowerNode(&op)))
      return failure();
  }
  currentLoc = outer;
  arithmetic.setLoc(outer);
  for (Value onnx : region.front().getTerminator()->getOperands()) {
    Value tensor = getTensor(onnx);
    if (!tensor)
      return failure();
    results.push_back(tensor);
  }
  return success();
}
