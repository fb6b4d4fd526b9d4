//===- FeatureBodies.cpp - feature transformations of ai.onnx.ml --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Body.h"

#include <cmath>

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

/// A list of one number for all features or one for each, as a constant of float `type`.
static std::string parameter(Body &body, const char *name, float fallback, int32_t type) {
  std::vector<float> values = body.getFloats(name);
  if (values.empty())
    values = {fallback};
  if (values.size() == 1)
    return body.scalar(values.front(), type);
  body.require(static_cast<int64_t>(values.size()) == body.dim(0, -1), "has lists that do not fit its features");
  std::string list = body.floats(values, {static_cast<int64_t>(values.size())});
  return type == TensorProto::FLOAT ? list : body.cast(list, type);
}

/// (x - offset) * scale, in double where x is.
static void expandScaler(Body &body) {
  int32_t type = body.elementType(0) == TensorProto::DOUBLE ? TensorProto::DOUBLE : TensorProto::FLOAT;
  std::string x = body.elementType(0) == type ? body.input(0) : body.cast(body.input(0), type);
  std::string y = body.mul(body.sub(x, parameter(body, "offset", 0, type)), parameter(body, "scale", 1, type));
  body.setOutput(0, type == TensorProto::FLOAT ? y : body.cast(y, TensorProto::FLOAT));
}

/// Rows divided by their largest element, sum of sizes or length; a row of zeros stays.
static void expandNormalizer(Body &body) {
  body.require(body.rank(0) <= 2, "has an input that is neither [N, C] nor [C]");
  std::string x =
      body.elementType(0) == TensorProto::FLOAT ? body.input(0) : body.cast(body.input(0), TensorProto::FLOAT);
  std::string norm = body.getString("norm"), size;
  if (norm == "MAX")
    size = body.reduce("ReduceMax", x, {-1});
  else if (norm == "L1")
    size = body.reduce("ReduceL1", x, {-1});
  else if (norm == "L2")
    size = body.reduce("ReduceL2", x, {-1});
  else
    body.fail("has the unknown norm '" + norm + "'");
  std::string isZero = body.op("Equal", {size, body.scalar(0)});
  body.setOutput(0, body.div(x, body.op("Where", {isZero, body.scalar(1), size})));
}

/// Elements equal to the replaced value (or NaN, if that is it) become the imputed one.
static void expandImputer(Body &body) {
  std::string x = body.input(0), missing, imputed;
  int32_t type = body.elementType(0);
  if (type == TensorProto::INT64 || type == TensorProto::INT32) {
    std::vector<int64_t> values = body.getInts("imputed_value_int64s");
    body.require(!values.empty(), "has no imputed_value_int64s for integers");
    imputed = values.size() == 1 ? body.scalar(static_cast<double>(values.front()), type)
                                 : body.cast(body.ints(values), type);
    missing = body.op("Equal", {x, body.scalar(static_cast<double>(body.getInt("replaced_value_int64")), type)});
  } else {
    body.require(!body.getFloats("imputed_value_floats").empty(), "has no imputed_value_floats for floats");
    imputed = parameter(body, "imputed_value_floats", 0, type);
    float replaced = body.getFloat("replaced_value_float");
    missing = std::isnan(replaced) ? body.op("IsNaN", {x}) : body.op("Equal", {x, body.scalar(replaced, type)});
  }
  body.setOutput(0, body.op("Where", {missing, imputed, x}));
}

static void expandBinarizer(Body &body) {
  int32_t type = body.elementType(0);
  // An integer is above a fraction where its float is.
  bool isFloat = type == TensorProto::FLOAT || type == TensorProto::DOUBLE;
  int32_t compared = isFloat ? type : static_cast<int32_t>(TensorProto::FLOAT);
  std::string x = isFloat ? body.input(0) : body.cast(body.input(0), compared);
  std::string isAbove = body.op("Greater", {x, body.scalar(body.getFloat("threshold"), compared)});
  body.setOutput(0, body.cast(isAbove, type));
}

/// Inputs side by side, each cut or filled up with zeros to its entry of inputdimensions.
static void expandFeatureVectorizer(Body &body) {
  std::vector<int64_t> sizes = body.getInts("inputdimensions");
  body.require(static_cast<int>(sizes.size()) == body.getNumInputs(), "has not as many inputdimensions as inputs");
  Body::Names parts;
  for (int i = 0; i < body.getNumInputs(); ++i) {
    std::string x = body.input(i);
    int rank = body.rank(i);
    body.require(rank == 1 || rank == 2, "has an input that is neither [N, C] nor [C]");
    if (rank == 1)
      x = body.unsqueeze(x, {0});
    if (body.elementType(i) != TensorProto::FLOAT)
      x = body.cast(x, TensorProto::FLOAT);
    int64_t size = body.dim(i, -1);
    if (size > sizes[i])
      x = body.slice(x, 1, 0, sizes[i]);
    else if (size < sizes[i])
      x = body.op("Pad", {x, body.ints({0, 0, 0, sizes[i] - size})});
    parts.push_back(x);
  }
  body.setOutput(0, body.concat(parts, 1));
}

/// One column per category. A value that is none gives zeros, also where the model says that it should be an error:
/// compiled code has no way to report one element.
static void expandOneHotEncoder(Body &body) {
  Body::Names strings = body.getStrings("cats_strings");
  std::string x = body.input(0);
  if (strings.empty() && body.elementType(0) != TensorProto::INT64)
    x = body.cast(x, TensorProto::INT64);
  std::string categories = strings.empty() ? body.ints(body.getInts("cats_int64s")) : body.strings(strings);
  body.setOutput(0, body.cast(body.op("Equal", {body.unsqueeze(x, {-1}), categories}), TensorProto::FLOAT));
}

/// From strings to integers or back.
static void expandCategoryMapper(Body &body) {
  bool fromStrings = body.elementType(0) == TensorProto::STRING;
  Body::Names strings = body.getStrings("cats_strings");
  std::vector<int64_t> ints = body.getInts("cats_int64s");
  Body::Attributes attributes;
  if (fromStrings)
    attributes = {MakeAttribute("keys_strings", strings), MakeAttribute("values_int64s", ints),
                  MakeAttribute("default_int64", body.getInt("default_int64"))};
  else
    attributes = {MakeAttribute("keys_int64s", ints), MakeAttribute("values_strings", strings),
                  MakeAttribute("default_string", body.getString("default_string"))};
  body.setOutput(0, body.ops("LabelEncoder", 1, {body.input(0)}, attributes, "ai.onnx.ml").front());
}

void leaf::importer::addFeatureBodies(BodyTable &table) {
  const char *domain = "ai.onnx.ml";
  table.add(domain, "Scaler", expandScaler);
  table.add(domain, "Normalizer", expandNormalizer);
  table.add(domain, "Imputer", expandImputer);
  table.add(domain, "Binarizer", expandBinarizer);
  table.add(domain, "FeatureVectorizer", expandFeatureVectorizer);
  table.add(domain, "OneHotEncoder", expandOneHotEncoder);
  table.add(domain, "CategoryMapper", expandCategoryMapper);
}
