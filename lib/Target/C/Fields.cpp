//===- Fields.cpp - names of a model in C --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Fields.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Support/Identifier.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

namespace leaf {

/// `text` as an identifier that `taken` does not hold yet: with _2, _3 ... where it does.
static std::string uniqueField(llvm::StringRef text, llvm::StringSet<> &taken) {
  std::string base = makeIdentifier(text), name = base;
  for (unsigned i = 2; !taken.insert(name).second; ++i)
    name = base + "_" + std::to_string(i);
  return name;
}

ModelFields::ModelFields(const ModelInterface &model) : prefix(llvm::StringRef(model.name).upper()) {
  llvm::StringSet<> inputNames, outputNames;
  for (const TensorInterface &input : model.inputs)
    inputs.push_back(uniqueField(input.name, inputNames));
  for (const auto &[name, bound] : model.dims)
    dims.push_back(uniqueField(name, inputNames));
  for (const TensorInterface &output : model.outputs)
    outputs.push_back(uniqueField(output.name, outputNames));
  sizes.resize(model.numDimResults);
  for (auto [output, field] : llvm::zip_equal(model.outputs, outputs))
    for (auto [axis, result] : llvm::enumerate(output.dimResults)) {
      if (result < 0)
        continue;
      std::string dim = output.dimNames[axis].empty() ? "dim" + std::to_string(axis) : output.dimNames[axis];
      sizes[result] = uniqueField(field + "_" + dim, outputNames);
    }
  for (std::string &size : sizes)
    if (size.empty())
      size = uniqueField("size", outputNames);
}

std::string elementCType(const TensorInterface &tensor) {
  if (tensor.elementType == "float32")
    return "float";
  if (tensor.elementType == "float64")
    return "double";
  if (tensor.elementType == "float16" || tensor.elementType == "bfloat16")
    return "uint16_t";
  if (tensor.elementType == "bool")
    return "uint8_t";
  return tensor.elementType + "_t";
}

std::string shapeText(const TensorInterface &tensor) {
  std::string text = tensor.elementType + " [";
  for (auto [axis, size] : llvm::enumerate(tensor.shape)) {
    text += axis ? ", " : "";
    if (size >= 0) {
      text += std::to_string(size);
      continue;
    }
    text += tensor.dimNames[axis].empty() ? "n" : escapeComment(tensor.dimNames[axis]);
    text += " <= " + std::to_string(tensor.upperBounds[axis]);
  }
  return text + "]";
}

} // namespace leaf
