//===- Fields.cpp - names of a model in C --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Fields.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Support/ElementTypes.h"
#include "leafcutter/Support/Identifier.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace leaf {

/// Names of one struct.
class FieldNames {
public:
  /// `prefix`: macros of the header start with it and a '_'.
  explicit FieldNames(const std::string &prefix) : macros(prefix + "_") {}

  /// `text` as an identifier that was not given yet: with _2, _3 ... where it was.
  std::string make(llvm::StringRef text) {
    std::string base = makeIdentifier(text);
    if (llvm::StringRef(base).starts_with(macros))
      base += "_";
    std::string name = base;
    // The number goes on where it stood: many names may give one identifier.
    for (unsigned &i = last.try_emplace(base, 1).first->second; !taken.insert(name).second;)
      name = base + "_" + std::to_string(++i);
    return name;
  }

private:
  std::string macros;
  llvm::StringSet<> taken;
  llvm::StringMap<unsigned> last;
};

ModelFields::ModelFields(const ModelInterface &model) : prefix(llvm::StringRef(model.name).upper()) {
  FieldNames inputNames(prefix), outputNames(prefix);
  for (const TensorInterface &input : model.inputs)
    inputs.push_back(inputNames.make(input.name));
  for (const auto &[name, bound] : model.dims)
    dims.push_back(inputNames.make(name));
  for (const TensorInterface &output : model.outputs)
    outputs.push_back(outputNames.make(output.name));
  sizes.resize(model.numDimResults);
  for (auto [output, field] : llvm::zip_equal(model.outputs, outputs))
    for (auto [axis, result] : llvm::enumerate(output.dimResults)) {
      if (result < 0)
        continue;
      std::string dim = output.dimNames[axis].empty() ? "dim" + std::to_string(axis) : output.dimNames[axis];
      sizes[result] = outputNames.make(field + "_" + dim);
    }
  for (std::string &size : sizes)
    if (size.empty())
      size = outputNames.make("size");
}

std::string elementCType(const TensorInterface &tensor) {
  // Places of strings.
  const ElementType *type = findElementType(tensor.elementType);
  return type ? type->c.str() : "int64_t";
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
