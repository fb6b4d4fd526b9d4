//===- Operands.h - what operands must be like -------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_OPERANDS_H
#define LEAF_CONVERSION_ONNXTOLINALG_OPERANDS_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// An error unless input `input` has these sizes; at run time where that is not known before.
mlir::LogicalResult expectSizes(Lowering &lowering, Node &node, unsigned input, llvm::ArrayRef<Size> sizes);

void registerFourierTransforms(Registry &registry);
void registerRoiAlign(Registry &registry);
void registerDeformConv(Registry &registry);
void registerUnpooling(Registry &registry);
void registerSupportVectors(Registry &registry);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_OPERANDS_H
