//===- InterfaceJSON.cpp - a model's interface between processes -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "InterfaceJSON.h"

using namespace llvm;

namespace leaf {

/// Names may hold any bytes; JSON only UTF-8.
static json::Value textToJSON(StringRef text) { return json::fixUTF8(text); }

static json::Value toJSON(const TensorInterface &tensor) {
  json::Array dimNames;
  for (const std::string &name : tensor.dimNames)
    dimNames.push_back(textToJSON(name));
  return json::Object{{"name", textToJSON(tensor.name)},
                      {"elementType", tensor.elementType},
                      {"elementBytes", tensor.elementBytes},
                      {"shape", json::Array(tensor.shape)},
                      {"dimNames", std::move(dimNames)},
                      {"upperBounds", json::Array(tensor.upperBounds)},
                      {"strides", json::Array(tensor.strides)},
                      {"capacity", tensor.capacity},
                      {"alias", tensor.alias},
                      {"dimResults", json::Array(tensor.dimResults)}};
}

json::Value toJSON(const ModelInterface &model) {
  json::Array inputs, outputs, dims;
  for (const TensorInterface &input : model.inputs)
    inputs.push_back(toJSON(input));
  for (const TensorInterface &output : model.outputs)
    outputs.push_back(toJSON(output));
  for (const auto &[name, bound] : model.dims)
    dims.push_back(json::Object{{"name", textToJSON(name)}, {"bound", bound}});
  return json::Object{{"name", model.name},
                      {"inputs", std::move(inputs)},
                      {"outputs", std::move(outputs)},
                      {"dims", std::move(dims)},
                      {"numDimResults", model.numDimResults},
                      {"arenaBytes", model.arenaBytes},
                      {"arenaLowerBound", model.arenaLowerBound},
                      {"arenaAlign", model.arenaAlign},
                      {"weightBytes", model.weightBytes},
                      {"maxWorkers", model.maxWorkers}};
}

static bool fromJSON(const json::Value &value, TensorInterface &tensor, json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("name", tensor.name) && map.map("elementType", tensor.elementType) &&
         map.map("elementBytes", tensor.elementBytes) && map.map("shape", tensor.shape) &&
         map.map("dimNames", tensor.dimNames) && map.map("upperBounds", tensor.upperBounds) &&
         map.map("strides", tensor.strides) && map.map("capacity", tensor.capacity) && map.map("alias", tensor.alias) &&
         map.map("dimResults", tensor.dimResults);
}

static bool fromJSON(const json::Value &value, std::pair<std::string, int64_t> &dim, json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("name", dim.first) && map.map("bound", dim.second);
}

/// json::fromJSON of vectors finds element readers by argument lookup, which fails for std::pair.
static bool readDims(const json::Object &object, ModelInterface &model, json::Path path) {
  const json::Array *dims = object.getArray("dims");
  if (!dims)
    return false;
  for (const json::Value &dim : *dims)
    if (!fromJSON(dim, model.dims.emplace_back(), path))
      return false;
  return true;
}

static bool fromJSON(const json::Value &value, std::vector<TensorInterface> &tensors, json::Path path) {
  const json::Array *array = value.getAsArray();
  if (!array)
    return false;
  for (const json::Value &element : *array)
    if (!fromJSON(element, tensors.emplace_back(), path))
      return false;
  return true;
}

Expected<ModelInterface> interfaceFromJSON(const json::Value &value) {
  ModelInterface model;
  json::Path::Root root("interface");
  json::ObjectMapper map(value, root);
  const json::Object *object = value.getAsObject();
  if (map && map.map("name", model.name) && map.map("numDimResults", model.numDimResults) &&
      map.map("arenaBytes", model.arenaBytes) && map.map("arenaLowerBound", model.arenaLowerBound) &&
      map.map("arenaAlign", model.arenaAlign) && map.map("weightBytes", model.weightBytes) &&
      map.map("maxWorkers", model.maxWorkers) && object->get("inputs") &&
      fromJSON(*object->get("inputs"), model.inputs, root) && object->get("outputs") &&
      fromJSON(*object->get("outputs"), model.outputs, root) && readDims(*object, model, root))
    return model;
  return createStringError("malformed interface description");
}

} // namespace leaf
