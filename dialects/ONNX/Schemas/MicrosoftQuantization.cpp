//===- MicrosoftQuantization.cpp - quantized operators of com.microsoft -------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

#include "onnx/defs/math/utils.h"

using namespace leaf::onnx;
using ::onnx::AttributeProto;
using ::onnx::InferenceContext;
using ::onnx::TensorShapeProto;

/// Shape as that of the product of inputs `lhs` and `rhs`.
static void inferProduct(InferenceContext &context, size_t lhs, size_t rhs) {
  if (::onnx::hasInputShape(context, lhs) && ::onnx::hasInputShape(context, rhs))
    ::onnx::defs::math::utils::MatMulShapeInference(context, static_cast<int>(lhs), static_cast<int>(rhs));
}

/// Both operands broadcast; each has a scale and a zero point behind it.
static void inferBinary(InferenceContext &context) {
  ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  if (::onnx::hasInputShape(context, 0) && ::onnx::hasInputShape(context, 3))
    ::onnx::bidirectionalBroadcastShapeInference(::onnx::getInputShape(context, 0), ::onnx::getInputShape(context, 3),
                                                 *context.getOutputType(0)->mutable_tensor_type()->mutable_shape());
}

/// Inputs: scale and zero point of the result, then each operand with its own.
static void inferConcat(InferenceContext &context) {
  ::onnx::propagateElemTypeFromInputToOutput(context, 2, 0);
  TensorShapeProto shape;
  int64_t axis = ::onnx::getAttribute(context, "axis", 0), total = 0;
  for (size_t i = 2; i < context.getNumInputs(); i += 3) {
    if (!::onnx::hasInputShape(context, i))
      return;
    const TensorShapeProto &part = ::onnx::getInputShape(context, i);
    if (i == 2)
      shape = part;
    axis = axis < 0 ? axis + part.dim_size() : axis;
    if (axis < 0 || axis >= part.dim_size() || part.dim_size() != shape.dim_size())
      fail_shape_inference("axis is out of range, or ranks differ");
    total = part.dim(static_cast<int>(axis)).has_dim_value() && total >= 0
                ? total + part.dim(static_cast<int>(axis)).dim_value()
                : -1;
  }
  auto &dim = *shape.mutable_dim(static_cast<int>(axis));
  dim.Clear();
  if (total >= 0)
    dim.set_dim_value(total);
  ::onnx::updateOutputShape(context, 0, shape);
}

static void inferGlobalAveragePool(InferenceContext &context) {
  ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  if (!::onnx::hasInputShape(context, 0))
    return;
  TensorShapeProto shape = ::onnx::getInputShape(context, 0);
  bool last = ::onnx::getAttribute(context, "channels_last", 0) != 0;
  for (int d = 1; d < shape.dim_size(); ++d)
    if (d != (last ? shape.dim_size() - 1 : 1))
      shape.mutable_dim(d)->set_dim_value(1);
  ::onnx::updateOutputShape(context, 0, shape);
}

static void addElementwise() {
  for (const char *name : {"QLinearAdd", "QLinearMul"})
    SchemaBuilder(name, "The operation on the numbers that A and B stand for, quantized.")
        .input("A", "B")
        .input("A_scale", "S")
        .optional("A_zero_point", "B")
        .input("B", "B")
        .input("B_scale", "S")
        .optional("B_zero_point", "B")
        .input("C_scale", "S")
        .optional("C_zero_point", "B")
        .output("C", "B")
        .constraint("S", {"tensor(float)"})
        .inference(inferBinary)
        .add();
  for (const char *name : {"QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax", "QLinearGlobalAveragePool"}) {
    SchemaBuilder builder(name, "The operation on the numbers that X stands for, quantized.");
    builder.input("X", "B")
        .input("X_scale", "S")
        .optional("X_zero_point", "B")
        .input("Y_scale", "S")
        .optional("Y_zero_point", "B")
        .output("Y", "B")
        .constraint("S", {"tensor(float)"});
    std::string which = name;
    if (which == "QLinearLeakyRelu")
      builder.number("alpha", 0.01f);
    if (which == "QLinearSoftmax")
      builder.integer("axis", -1).integer("opset", 13);
    if (which == "QLinearGlobalAveragePool")
      builder.integer("channels_last", 0);
    builder.inference(which == "QLinearGlobalAveragePool" ? inferGlobalAveragePool : inferFirst).add();
  }
  SchemaBuilder("QLinearConcat", "Concat of the numbers that the operands stand for, quantized.")
      .input("Y_scale", "S")
      .input("Y_zero_point", "B")
      .variadic("inputs", "A")
      .output("Y", "B")
      .constraint("S", {"tensor(float)"})
      .constraint("A", {"tensor(float)", "tensor(int8)", "tensor(uint8)"})
      .attribute("axis", AttributeProto::INT, /*required=*/true)
      .inference(inferConcat)
      .add();
}

static void addProducts() {
  SchemaBuilder("MatMulIntegerToFloat", "The product of integers without their zero points, scaled, plus a bias.")
      .input("A", "A")
      .input("B", "B")
      .input("a_scale")
      .input("b_scale")
      .optional("a_zero_point", "A")
      .optional("b_zero_point", "B")
      .optional("bias")
      .output("Y")
      .constraint("A", {"tensor(int8)", "tensor(uint8)"})
      .inference([](InferenceContext &context) {
        ::onnx::propagateElemTypeFromInputToOutput(context, 2, 0);
        inferProduct(context, 0, 1);
      })
      .add();
  SchemaBuilder("DynamicQuantizeMatMul", "The same of numbers that are quantized first, to uint8.")
      .input("A")
      .input("B", "B")
      .input("b_scale")
      .optional("b_zero_point", "B")
      .optional("bias")
      .output("Y")
      .inference([](InferenceContext &context) {
        ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
        inferProduct(context, 0, 1);
      })
      .add();
  SchemaBuilder("MatMulNBits", "A x B', B [N, K] in blocks of `block_size` integers of `bits` bits with a scale each.")
      .input("A")
      .input("B", "Q")
      .input("scales")
      .optional("zero_points", "Z")
      .optional("g_idx", "M")
      .optional("bias")
      .output("Y")
      .constraint("Q", {"tensor(uint8)"})
      .constraint("Z", {"tensor(uint8)", "tensor(float)", "tensor(float16)", "tensor(bfloat16)"})
      .attribute("K", AttributeProto::INT, /*required=*/true)
      .attribute("N", AttributeProto::INT, /*required=*/true)
      .attribute("block_size", AttributeProto::INT, /*required=*/true)
      .integer("bits", 4)
      .integer("accuracy_level", 0)
      .inference([](InferenceContext &context) {
        ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
        if (!::onnx::hasInputShape(context, 0))
          return;
        TensorShapeProto shape = ::onnx::getInputShape(context, 0);
        if (shape.dim_size() == 0)
          fail_shape_inference("A is a scalar");
        shape.mutable_dim(shape.dim_size() - 1)->set_dim_value(::onnx::getAttribute(context, "N", 0));
        ::onnx::updateOutputShape(context, 0, shape);
      })
      .add();
}

void leaf::onnx::addMicrosoftQuantization() {
  addElementwise();
  addProducts();
}
