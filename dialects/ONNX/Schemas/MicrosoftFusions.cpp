//===- MicrosoftFusions.cpp - products with activations of com.microsoft ------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

#include <algorithm>

using namespace leaf::onnx;
using ::onnx::AttributeProto;
using ::onnx::InferenceContext;
using ::onnx::TensorShapeProto;

/// As the standard operator of that name, whose first inputs and attributes these are.
static ::onnx::InferenceFunction inferAs(const char *name) {
  return [name](InferenceContext &context) {
    ::onnx::OpSchemaRegistry::Schema(name)->GetTypeAndShapeInferenceFunction()(context);
  };
}

using Dims = std::vector<TensorShapeProto::Dimension>;

/// The dimensions of an operand of FusedMatMul as they take part in the product.
static Dims operandDims(InferenceContext &context, size_t input, const char *trans, const char *transBatch) {
  const TensorShapeProto &shape = ::onnx::getInputShape(context, input);
  Dims dims(shape.dim().begin(), shape.dim().end());
  if (dims.size() > 2 && ::onnx::getAttribute(context, transBatch, 0) != 0)
    std::rotate(dims.begin(), dims.begin() + 1, dims.end() - 1);
  if (dims.size() > 1 && ::onnx::getAttribute(context, trans, 0) != 0)
    std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  return dims;
}

static void inferFusedMatMul(InferenceContext &context) {
  ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  if (!::onnx::hasInputShape(context, 0) || !::onnx::hasInputShape(context, 1))
    return;
  Dims lhs = operandDims(context, 0, "transA", "transBatchA"), rhs = operandDims(context, 1, "transB", "transBatchB");
  if (lhs.empty() || rhs.empty())
    fail_shape_inference("operands of a matrix product need a dimension");
  bool hasM = lhs.size() > 1, hasN = rhs.size() > 1;
  TensorShapeProto lhsBatch, rhsBatch, result;
  for (size_t d = 0; d + 2 < lhs.size(); ++d)
    *lhsBatch.add_dim() = lhs[d];
  for (size_t d = 0; d + 2 < rhs.size(); ++d)
    *rhsBatch.add_dim() = rhs[d];
  ::onnx::bidirectionalBroadcastShapeInference(lhsBatch, rhsBatch, result);
  if (hasM)
    *result.add_dim() = lhs[lhs.size() - 2];
  if (hasN)
    *result.add_dim() = rhs.back();
  ::onnx::updateOutputShape(context, 0, result);
}

void leaf::onnx::addMicrosoftFusions() {
  SchemaBuilder("FusedConv", "Conv, to which Z is added, and of which an activation is taken.")
      .input("X")
      .input("W")
      .optional("B")
      .optional("Z")
      .output("Y")
      .text("auto_pad", "NOTSET")
      .attribute("kernel_shape", AttributeProto::INTS)
      .attribute("dilations", AttributeProto::INTS)
      .attribute("strides", AttributeProto::INTS)
      .attribute("pads", AttributeProto::INTS)
      .integer("group", 1)
      .attribute("activation", AttributeProto::STRING)
      .attribute("activation_params", AttributeProto::FLOATS)
      .inference(inferAs("Conv"))
      .add();
  SchemaBuilder("FusedMatMul", "alpha * A x B, of which batch and matrix dimensions may be transposed first.")
      .input("A")
      .input("B")
      .output("Y")
      .number("alpha", 1.0f)
      .integer("transA", 0)
      .integer("transB", 0)
      .integer("transBatchA", 0)
      .integer("transBatchB", 0)
      .inference(inferFusedMatMul)
      .add();
  SchemaBuilder("FusedGemm", "An activation of Gemm.")
      .input("A")
      .input("B")
      .optional("C")
      .output("Y")
      .number("alpha", 1.0f)
      .number("beta", 1.0f)
      .integer("transA", 0)
      .integer("transB", 0)
      .attribute("activation", AttributeProto::STRING)
      .attribute("activation_alpha", AttributeProto::FLOAT)
      .attribute("activation_beta", AttributeProto::FLOAT)
      .attribute("activation_gamma", AttributeProto::FLOAT)
      .inference(inferAs("Gemm"))
      .add();
}
