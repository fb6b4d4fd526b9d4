//===- InferMLShapes.h - shapes that libonnx's schemas leave out -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_TRANSFORMS_INFERMLSHAPES_H
#define LEAF_LIB_TRANSFORMS_INFERMLSHAPES_H

#include "leafcutter/Transforms/SchemaBridge.h"

namespace leaf {

/// Facts of the results of an operator of ai.onnx.ml whose schema infers no shape (ArrayFeatureExtractor,
/// TreeEnsembleClassifier, TreeEnsembleRegressor); empty for any other operator and where the operands are not known.
std::vector<TensorFacts> inferMLShapes(const InferenceRequest &request);

} // namespace leaf

#endif // LEAF_LIB_TRANSFORMS_INFERMLSHAPES_H
