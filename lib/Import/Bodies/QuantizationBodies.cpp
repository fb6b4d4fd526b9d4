//===- QuantizationBodies.cpp - quantized operators of com.microsoft ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// QLinear operators are what they do to numbers between DequantizeLinear and QuantizeLinear; products of integers stay
// MatMulInteger. Source: ONNX Runtime, docs/ContribOperators.md.
//
//===----------------------------------------------------------------------===//

#include "Body.h"
#include "PackedWeights.h"

#include "llvm/Support/MathExtras.h"

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

//===----------------------------------------------------------------------===//
// QLinear operators
//===----------------------------------------------------------------------===//

/// The numbers of input `i`, whose scale and zero point follow it.
static std::string dequantize(Body &body, int i) {
  Body::Names operands = {body.input(i), body.input(i + 1)};
  if (body.hasInput(i + 2))
    operands.push_back(body.input(i + 2));
  return body.op("DequantizeLinear", operands);
}

/// Numbers by the scale and zero point at input `i`, as elements of `type`.
static void setQuantized(Body &body, std::string numbers, int i, int32_t type) {
  Body::Names operands = {std::move(numbers), body.input(i)};
  Body::Attributes attributes;
  if (body.hasInput(i + 1))
    operands.push_back(body.input(i + 1));
  else
    attributes.push_back(MakeAttribute("output_dtype", static_cast<int64_t>(type)));
  body.setOutput(0, body.op("QuantizeLinear", operands, attributes));
}

template <bool isMul> static void expandBinary(Body &body) {
  std::string a = dequantize(body, 0), b = dequantize(body, 3);
  setQuantized(body, isMul ? body.mul(a, b) : body.add(a, b), 6, body.elementType(0));
}

static void expandLeakyRelu(Body &body) {
  std::string y = body.op("LeakyRelu", {dequantize(body, 0)}, {MakeAttribute("alpha", body.getFloat("alpha"))});
  setQuantized(body, y, 3, body.elementType(0));
}

static void expandSigmoid(Body &body) {
  setQuantized(body, body.op("Sigmoid", {dequantize(body, 0)}), 3, body.elementType(0));
}

static void expandSoftmax(Body &body) {
  body.require(body.getInt("opset") >= 13 || body.getInt("axis") == -1 || body.getInt("axis") == body.rank(0) - 1,
               "takes the softmax of several axes at once, as before opset 13");
  std::string y = body.op("Softmax", {dequantize(body, 0)}, {MakeAttribute("axis", body.getInt("axis"))});
  setQuantized(body, y, 3, body.elementType(0));
}

static void expandGlobalAveragePool(Body &body) {
  std::vector<int64_t> axes;
  int rank = body.rank(0), channel = body.getInt("channels_last") != 0 ? rank - 1 : 1;
  for (int d = 1; d < rank; ++d)
    if (d != channel)
      axes.push_back(d);
  setQuantized(body, body.reduce("ReduceMean", dequantize(body, 0), axes), 3, body.elementType(0));
}

static void expandConcat(Body &body) {
  body.require(body.getNumInputs() > 2 && body.getNumInputs() % 3 == 2, "has inputs that are no triples");
  Body::Names parts;
  for (int i = 2; i < body.getNumInputs(); i += 3)
    parts.push_back(dequantize(body, i));
  setQuantized(body, body.concat(parts, body.getInt("axis")), 0, body.elementType(2));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// (a - its zero point) x (b - its zero point) * scale + bias.
static std::string scaleProduct(Body &body, Body::Names operands, std::string scale, int bias, int32_t type) {
  std::string product = body.mul(body.cast(body.op("MatMulInteger", std::move(operands)), type), std::move(scale));
  return body.hasInput(bias) ? body.add(product, body.input(bias)) : product;
}

static void expandMatMulIntegerToFloat(Body &body) {
  Body::Names operands = {body.input(0), body.input(1), body.input(4), body.input(5)};
  std::string scale = body.mul(body.input(2), body.input(3));
  body.setOutput(0, scaleProduct(body, operands, scale, 6, body.elementType(2)));
}

static void expandDynamicQuantizeMatMul(Body &body) {
  Body::Names a = body.ops("DynamicQuantizeLinear", 3, {body.input(0)});
  Body::Names operands = {a[0], body.input(1), a[2], body.input(3)};
  body.setOutput(0, scaleProduct(body, operands, body.mul(a[1], body.input(2)), 4, body.elementType(0)));
}

static void expandMatMulNBits(Body &body) {
  body.require(!body.hasInput(4), "has group indices (g_idx), which are not supported; export it without reordering");
  int64_t k = body.getInt("K"), n = body.getInt("N");
  body.require(k > 0 && n > 0, "has sizes K and N that are not positive");
  PackedWeights weights{body, body.getInt("bits"), body.getInt("block_size")};
  std::string matrix =
      weights.unpack(body.input(1), body.input(2), body.input(3), body.hasInput(3) ? body.elementType(3) : 0, n, k);
  std::string product = body.op("MatMul", {body.input(0), body.transpose(matrix, {1, 0})});
  body.setOutput(0, body.hasInput(5) ? body.add(product, body.input(5)) : product);
}

void leaf::importer::addQuantizationBodies(BodyTable &table) {
  const char *domain = "com.microsoft";
  table.add(domain, "QLinearAdd", expandBinary<false>);
  table.add(domain, "QLinearMul", expandBinary<true>);
  table.add(domain, "QLinearConcat", expandConcat);
  table.add(domain, "QLinearGlobalAveragePool", expandGlobalAveragePool);
  table.add(domain, "QLinearLeakyRelu", expandLeakyRelu);
  table.add(domain, "QLinearSigmoid", expandSigmoid);
  table.add(domain, "QLinearSoftmax", expandSoftmax);
  table.add(domain, "MatMulIntegerToFloat", expandMatMulIntegerToFloat);
  table.add(domain, "DynamicQuantizeMatMul", expandDynamicQuantizeMatMul);
  table.add(domain, "MatMulNBits", expandMatMulNBits);
}
