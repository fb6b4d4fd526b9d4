//===- Descriptor.cpp - NAME_model() in NAME.h ----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Descriptor.h"
#include "leafcutter/Support/CText.h"

namespace leaf {
namespace {

void printArray(llvm::raw_ostream &os, const char *type, const std::string &name, llvm::ArrayRef<std::string> values) {
  if (values.empty())
    return;
  os << "  static const " << type << name << "[] = {";
  for (auto [i, value] : llvm::enumerate(values))
    os << (i ? ", " : "") << value;
  os << "};\n";
}

/// The name of an array, or NULL for an empty one.
std::string arrayName(const std::string &name, bool empty) { return empty ? "NULL" : name; }

/// The arrays that one tensor's entry points to. `input`: dynamic dimensions are numbered by the model's dims.
void printTensorArrays(const TensorInterface &tensor, const std::string &name, const ModelInterface &model, bool input,
                       llvm::raw_ostream &os) {
  std::vector<std::string> shape, dims, strides;
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    shape.push_back(std::to_string(tensor.upperBounds[axis]));
    int index = input ? -1 : tensor.dimResults[axis];
    for (auto [i, dim] : llvm::enumerate(model.dims))
      if (input && tensor.shape[axis] < 0 && dim.first == tensor.dimNames[axis])
        index = static_cast<int>(i);
    dims.push_back(std::to_string(index));
  }
  for (int64_t stride : tensor.strides)
    strides.push_back(std::to_string(stride));
  printArray(os, "int64_t ", name + "_shape", shape);
  printArray(os, "int32_t ", name + "_dims", dims);
  printArray(os, "int64_t ", name + "_strides", strides);
}

std::string tensorEntry(const TensorInterface &tensor, const std::string &name) {
  std::string dtype = "LEAF_" + llvm::StringRef(tensor.elementType).upper();
  return "{\"" + escapeString(tensor.name) + "\", " + dtype + ", " + std::to_string(tensor.shape.size()) + ", " +
         arrayName(name + "_shape", tensor.shape.empty()) + ", " + arrayName(name + "_dims", tensor.shape.empty()) +
         ", " + arrayName(name + "_strides", tensor.strides.empty()) + ", " + std::to_string(tensor.capacity) + ", " +
         std::to_string(tensor.alias) + "}";
}

} // namespace

void printDescriptor(const ModelInterface &model, const std::string &prefix, llvm::raw_ostream &os) {
  std::vector<std::string> inputs, outputs, names, bounds;
  os << "#ifdef LEAF_MODEL_H /* <leaf/model.h> was included before */\n";
  os << "/** The descriptor of the model, for programs that take any model. */\n";
  os << "static inline const leaf_model *" << model.name << "_model(void) {\n";
  for (auto [i, tensor] : llvm::enumerate(model.inputs)) {
    printTensorArrays(tensor, "in" + std::to_string(i), model, /*input=*/true, os);
    inputs.push_back(tensorEntry(tensor, "in" + std::to_string(i)));
  }
  for (auto [i, tensor] : llvm::enumerate(model.outputs)) {
    printTensorArrays(tensor, "out" + std::to_string(i), model, /*input=*/false, os);
    outputs.push_back(tensorEntry(tensor, "out" + std::to_string(i)));
  }
  for (const auto &[name, bound] : model.dims) {
    names.push_back("\"" + escapeString(name) + "\"");
    bounds.push_back(std::to_string(bound));
  }
  std::vector<std::string> levels;
  for (const std::string &level : model.isaLevels)
    levels.push_back("\"" + escapeString(level) + "\"");
  printArray(os, "leaf_tensor ", "inputs", inputs);
  printArray(os, "leaf_tensor ", "outputs", outputs);
  printArray(os, "char *const ", "dim_names", names);
  printArray(os, "int64_t ", "dim_bounds", bounds);
  printArray(os, "char *const ", "isa_levels", levels);
  bool embedded = model.weightBytes > 0 && !model.hasWeightFile();
  os << "  static const leaf_model model = {\"" << model.name << "\", " << arrayName("inputs", inputs.empty()) << ", "
     << arrayName("outputs", outputs.empty()) << ", " << inputs.size() << ", " << outputs.size() << ",\n    "
     << arrayName("dim_names", names.empty()) << ", " << arrayName("dim_bounds", names.empty()) << ", " << names.size()
     << ", " << model.numDimResults << ", " << prefix << "_ARENA_BYTES, " << prefix << "_ARENA_ALIGN, "
     << arrayName(model.name + "_weights", !embedded) << ", " << prefix << "_WEIGHTS_BYTES, " << model.name
     << "_entry, " << (model.hasWeightFile() ? prefix + "_WEIGHTS_ID" : "0") << ", " << prefix << "_MAX_WORKERS, "
     << arrayName(model.name + "_isa_level", levels.empty()) << ", " << arrayName("isa_levels", levels.empty()) << ", "
     << levels.size() << "};\n  return &model;\n}\n#endif\n\n";
}

} // namespace leaf
