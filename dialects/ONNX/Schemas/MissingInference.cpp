//===- MissingInference.cpp - shapes of standard operators --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Operators of ai.onnx and ai.onnx.ml for which libonnx 1.23.2 infers no shape (GroupNormalization, MaxUnpool with
// output_shape, Scaler, ...), or a wrong one (STFT takes onesided to be 0 where it is absent).
//
//===----------------------------------------------------------------------===//

#include "SchemaBuilder.h"

#include "onnx/defs/tensor_proto_util.h"

#include <algorithm>
#include <optional>

using namespace leaf::onnx;
using ::onnx::InferenceContext;
using ::onnx::TensorProto;
using ::onnx::TensorShapeProto;

/// The one number of a known integer input.
static std::optional<int64_t> scalarOf(InferenceContext &context, size_t input) {
  const TensorProto *data = context.hasInput(input) ? context.getInputData(input) : nullptr;
  if (!data)
    return std::nullopt;
  if (data->data_type() == TensorProto::INT32) {
    std::vector<int32_t> values = ::onnx::ParseData<int32_t>(data);
    return values.size() == 1 ? std::optional<int64_t>(values.front()) : std::nullopt;
  }
  std::vector<int64_t> values = ::onnx::ParseData<int64_t>(data);
  return values.size() == 1 ? std::optional<int64_t>(values.front()) : std::nullopt;
}

/// [batch, signal, 1 or 2] -> [batch, frames, bins, 2].
static void inferSTFT(InferenceContext &context) {
  ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  if (!::onnx::hasInputShape(context, 0))
    return;
  const TensorShapeProto &signal = ::onnx::getInputShape(context, 0);
  if (signal.dim_size() < 2)
    fail_shape_inference("the signal needs a batch dimension");
  std::optional<int64_t> step = scalarOf(context, 1), length = scalarOf(context, 3);
  if (context.hasInput(2) && ::onnx::hasInputShape(context, 2)) {
    const TensorShapeProto &window = ::onnx::getInputShape(context, 2);
    if (window.dim_size() != 1)
      fail_shape_inference("the window must have rank 1");
    if (window.dim(0).has_dim_value()) {
      if (length && *length != window.dim(0).dim_value())
        fail_shape_inference("frame_length ", *length, " differs from the window's ", window.dim(0).dim_value());
      length = window.dim(0).dim_value();
    }
  } else if (!context.hasInput(2) && !context.hasInput(3) && signal.dim(1).has_dim_value()) {
    length = signal.dim(1).dim_value();
  }
  TensorShapeProto result;
  *result.add_dim() = signal.dim(0);
  auto *frames = result.add_dim(), *bins = result.add_dim();
  if (length && *length > 0)
    bins->set_dim_value(::onnx::getAttribute(context, "onesided", 1) != 0 ? *length / 2 + 1 : *length);
  if (length && step && *step > 0 && signal.dim(1).has_dim_value()) {
    if (signal.dim(1).dim_value() < *length)
      fail_shape_inference("frames of ", *length, " elements don't fit into a signal of ", signal.dim(1).dim_value());
    frames->set_dim_value((signal.dim(1).dim_value() - *length) / *step + 1);
  }
  result.add_dim()->set_dim_value(2);
  ::onnx::updateOutputShape(context, 0, result);
}

/// The shape that output_shape says, or what libonnx infers without it.
static ::onnx::InferenceFunction maxUnpoolInference() {
  auto known = ::onnx::OpSchemaRegistry::Schema("MaxUnpool")->GetTypeAndShapeInferenceFunction();
  return [known](InferenceContext &context) {
    if (!context.hasInput(2))
      return known(context);
    ::onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
    if (const TensorProto *data = context.getInputData(2)) {
      TensorShapeProto shape;
      for (int64_t size : ::onnx::ParseData<int64_t>(data))
        shape.add_dim()->set_dim_value(size);
      ::onnx::updateOutputShape(context, 0, shape);
    }
  };
}

/// [dft_length / 2 + 1, num_mel_bins] of the type that output_datatype names.
static void inferMelWeightMatrix(InferenceContext &context) {
  ::onnx::updateOutputElemType(
      context, 0, static_cast<int32_t>(::onnx::getAttribute(context, "output_datatype", TensorProto::FLOAT)));
  TensorShapeProto shape;
  auto *rows = shape.add_dim(), *columns = shape.add_dim();
  if (std::optional<int64_t> length = scalarOf(context, 1))
    rows->set_dim_value(*length / 2 + 1);
  if (std::optional<int64_t> bins = scalarOf(context, 0))
    columns->set_dim_value(*bins);
  ::onnx::updateOutputShape(context, 0, shape);
}

/// The shape of the first input in float.
static void inferFloat(InferenceContext &context) {
  ::onnx::updateOutputElemType(context, 0, TensorProto::FLOAT);
  if (::onnx::hasInputShape(context, 0))
    ::onnx::propagateShapeFromInputToOutput(context, 0, 0);
}

/// Rows of X; a vector is one row.
static TensorShapeProto::Dimension rowsOf(InferenceContext &context) {
  const TensorShapeProto &x = ::onnx::getInputShape(context, 0);
  TensorShapeProto::Dimension one;
  one.set_dim_value(1);
  return x.dim_size() < 2 ? one : x.dim(0);
}

/// [rows, targets] in float.
static ::onnx::InferenceFunction inferRegressor(const char *targets) {
  return [targets](InferenceContext &context) {
    ::onnx::updateOutputElemType(context, 0, TensorProto::FLOAT);
    if (!::onnx::hasInputShape(context, 0))
      return;
    TensorShapeProto shape;
    *shape.add_dim() = rowsOf(context);
    shape.add_dim()->set_dim_value(targets ? ::onnx::getAttribute(context, targets, 1) : 1);
    ::onnx::updateOutputShape(context, 0, shape);
  };
}

/// Labels [rows], and scores [rows, classes], or one per pair of more than two classes where there are support vectors
/// and no probabilities. libonnx infers the labels' type.
static ::onnx::InferenceFunction svmClassifierInference() {
  auto known = ::onnx::OpSchemaRegistry::Schema("SVMClassifier", kMLDomain)->GetTypeAndShapeInferenceFunction();
  return [known](InferenceContext &context) {
    known(context);
    ::onnx::updateOutputElemType(context, 1, TensorProto::FLOAT);
    if (!::onnx::hasInputShape(context, 0))
      return;
    auto countOf = [&](const char *name) -> int64_t {
      const ::onnx::AttributeProto *list = context.getAttribute(name);
      return list ? std::max({list->ints_size(), list->floats_size(), list->strings_size()}) : 0;
    };
    int64_t classes = std::max(countOf("classlabels_ints"), countOf("classlabels_strings"));
    bool hasPairs = countOf("vectors_per_class") > 0 && countOf("prob_a") == 0 && classes > 2;
    TensorShapeProto labels, scores;
    *labels.add_dim() = rowsOf(context);
    *scores.add_dim() = rowsOf(context);
    scores.add_dim()->set_dim_value(hasPairs ? classes * (classes - 1) / 2 : classes);
    ::onnx::updateOutputShape(context, 0, labels);
    ::onnx::updateOutputShape(context, 1, scores);
  };
}

static void inferFeatureVectorizer(InferenceContext &context) {
  ::onnx::updateOutputElemType(context, 0, TensorProto::FLOAT);
  const ::onnx::AttributeProto *sizes = context.getAttribute("inputdimensions");
  if (!sizes || !::onnx::hasInputShape(context, 0))
    return;
  TensorShapeProto shape;
  *shape.add_dim() = rowsOf(context);
  int64_t width = 0;
  for (int64_t size : sizes->ints())
    width += size;
  shape.add_dim()->set_dim_value(width);
  ::onnx::updateOutputShape(context, 0, shape);
}

void leaf::onnx::addMissingInference() {
  setInference("GroupNormalization", "", inferFirst);
  setInference("STFT", "", inferSTFT);
  setInference("MaxUnpool", "", maxUnpoolInference());
  setInference("MelWeightMatrix", "", inferMelWeightMatrix);
  setInference("Scaler", kMLDomain, inferFloat);
  setInference("Normalizer", kMLDomain, inferFloat);
  setInference("Imputer", kMLDomain, inferFirst);
  setInference("LinearRegressor", kMLDomain, inferRegressor("targets"));
  setInference("SVMClassifier", kMLDomain, svmClassifierInference());
  setInference("SVMRegressor", kMLDomain, inferRegressor(nullptr));
  setInference("FeatureVectorizer", kMLDomain, inferFeatureVectorizer);
}
