//===- TrainingOps.h - operators of training as basic ones -------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_IMPORT_TRAININGOPS_H
#define LEAF_LIB_IMPORT_TRAININGOPS_H

#include "SourceModel.h"

namespace leaf::importer {

/// Domain of Adagrad, Adam, Momentum and Gradient.
inline constexpr char kTrainingDomain[] = "ai.onnx.preview.training";

/// Whether makeTrainingBody has a body for the node: one step of an optimizer, or BatchNormalization in training mode.
bool isTrainingOp(const ::onnx::NodeProto &node);

/// The node's operator as a function of ordinary ones, in their newest versions, which libonnx's schemas do not have.
/// `node` has all its attributes, `rank` is that of its first input (BatchNormalization; -1: not known).
/// Source: the formulas in the operators' definitions.
::onnx::FunctionProto makeTrainingBody(const ::onnx::NodeProto &node, int rank, int opset);

/// Replaces each Gradient by the derivatives of the graph that it names. Types must have been inferred, and must be
/// again afterwards. Throws where it goes through operators without a known derivative.
void expandGradients(::onnx::ModelProto &model);

} // namespace leaf::importer

#endif // LEAF_LIB_IMPORT_TRAININGOPS_H
