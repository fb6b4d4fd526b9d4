//===- Dimensions.cpp - fixes, bounds and pins the inputs --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SourceModel.h"
#include "Tensors.h"

#include "leafcutter/Support/Npz.h"
#include "leafcutter/Support/StringArrays.h"
#include "llvm/ADT/STLExtras.h"

#include <set>

using namespace leaf;
using namespace leaf::importer;
using ::onnx::GraphProto;
using ::onnx::TensorShapeProto;
using ::onnx::TypeProto;
using ::onnx::ValueInfoProto;

namespace {

class DimensionResolver {
public:
  DimensionResolver(SourceModel &model, const ImportOptions &options)
      : model(model), options(options), graph(*model.proto.mutable_graph()), fixed(options.fixedDims) {}

  void run();

private:
  void nameOpenDims(ValueInfoProto &input);
  void checkOptions();
  std::vector<int64_t> toModelOrder(const std::string &name, const std::vector<int64_t> &sizes);
  void applyShapes();
  void applyShape(ValueInfoProto &input, const std::vector<int64_t> &shape, const char *source);
  void defaultBatch();
  void fixNamed(TensorShapeProto &shape);
  void fixNamedEverywhere(GraphProto &body);
  void reportOpenDims();
  void recordOutputs();
  void pinStrings(const std::string &name, const NpyArray &array);
  void pinInputs();

  ValueInfoProto *findInput(const std::string &name);
  std::string inputNames();
  template <typename Function> void forEachOpenDim(Function function);

  SourceModel &model;
  const ImportOptions &options;
  GraphProto &graph;
  std::map<std::string, int64_t> fixed;
  std::map<std::string, NpyArray> pinned;
};

template <typename Map> std::string listKeys(const Map &map) {
  std::string out;
  for (const auto &entry : map)
    out += (out.empty() ? "" : ", ") + entry.first;
  return out.empty() ? "none" : out;
}

TensorShapeProto &shapeOf(ValueInfoProto &value) {
  return *value.mutable_type()->mutable_tensor_type()->mutable_shape();
}

ValueInfoProto *DimensionResolver::findInput(const std::string &name) {
  for (ValueInfoProto &input : *graph.mutable_input())
    if (input.name() == name && !model.isWeight(name))
      return &input;
  return nullptr;
}

std::string DimensionResolver::inputNames() {
  std::map<std::string, int> names;
  for (const ValueInfoProto &input : graph.input())
    if (!model.isWeight(input.name()))
      names[input.name()];
  return listKeys(names);
}

/// Calls `function(input, axis, dim)` for each dimension without a size.
template <typename Function> void DimensionResolver::forEachOpenDim(Function function) {
  for (ValueInfoProto &input : *graph.mutable_input()) {
    TensorShapeProto &shape = shapeOf(input);
    for (int axis = 0; axis < shape.dim_size(); ++axis)
      if (!shape.dim(axis).has_dim_value())
        function(input, axis, *shape.mutable_dim(axis));
  }
}

/// Exporters write an open dimension as no value, 0, -1 or '?'. Each gets a name that options can refer to.
void DimensionResolver::nameOpenDims(ValueInfoProto &input) {
  std::string what = "input '" + input.name() + "'";
  if (!input.type().has_tensor_type())
    throw ImportError(what + " is no tensor (sequence, optional and map inputs are not supported)");
  auto &type = *input.mutable_type()->mutable_tensor_type();
  if (elementBytes(type.elem_type()) == 0 && type.elem_type() != ::onnx::TensorProto::STRING)
    throw ImportError(what + " has element type " + elementName(type.elem_type()) + ", which is not supported");
  auto given = options.inputShapes.find(input.name());
  if (!type.has_shape()) {
    if (given == options.inputShapes.end() && pinned.find(input.name()) == pinned.end())
      throw ImportError(what + " has no declared rank: declare its shape in the model");
    size_t rank = given != options.inputShapes.end() ? given->second.size() : pinned[input.name()].shape.size();
    type.mutable_shape();
    for (size_t i = 0; i < rank; ++i)
      type.mutable_shape()->add_dim();
  }
  for (int axis = 0; axis < type.shape().dim_size(); ++axis) {
    auto &dim = *type.mutable_shape()->mutable_dim(axis);
    if (dim.has_dim_value() && dim.dim_value() > 0)
      continue;
    if (dim.dim_param().empty() || dim.dim_param() == "?")
      dim.set_dim_param(input.name() + "." + std::to_string(axis));
  }
}

void DimensionResolver::checkOptions() {
  std::map<std::string, int> names;
  forEachOpenDim([&](ValueInfoProto &, int, TensorShapeProto::Dimension &dim) { names[dim.dim_param()]; });
  auto check = [&](const std::string &name, int64_t size, const char *relation) {
    std::string option = "--dim " + name + relation + std::to_string(size);
    if (size < 1)
      throw ImportError(option + ": the size must be positive");
    if (!names.count(name))
      throw ImportError(option + ": no input has an open dimension of that name (open: " + listKeys(names) + ")");
  };
  for (const auto &[name, size] : options.fixedDims)
    check(name, size, "=");
  for (const auto &[name, size] : options.bounds) {
    check(name, size, "<=");
    if (options.fixedDims.count(name))
      throw ImportError("--dim fixes and bounds the dimension '" + name + "' at once");
  }
  for (const auto &[name, shape] : options.inputShapes) {
    llvm::StringRef stem = name;
    if (const ValueInfoProto *input =
            !findInput(name) && stem.consume_back(kStringBytes) ? findInput(stem.str()) : nullptr)
      throw ImportError("input '" + input->name() + "' is an array of strings; the model takes " +
                        elementName(input->type().tensor_type().elem_type()));
    if (!findInput(name))
      throw ImportError("there is no input '" + name + "' (inputs: " + inputNames() + ")");
  }
  for (const auto &[name, file] : options.pins)
    if (!findInput(name))
      throw ImportError("--pin " + name + "=" + file + ": there is no such input (inputs: " + inputNames() + ")");
}

void DimensionResolver::applyShape(ValueInfoProto &input, const std::vector<int64_t> &sizes, const char *source) {
  TensorShapeProto &shape = shapeOf(input);
  std::string what = std::string(source) + " of input '" + input.name() + "'";
  if (static_cast<size_t>(shape.dim_size()) != sizes.size())
    throw ImportError(what + " has rank " + std::to_string(sizes.size()) + ", the model's input has rank " +
                      std::to_string(shape.dim_size()));
  for (int axis = 0; axis < shape.dim_size(); ++axis) {
    auto &dim = *shape.mutable_dim(axis);
    int64_t size = sizes[axis];
    if (size < 0)
      continue;
    auto fix = options.fixedDims.find(dim.dim_param());
    auto bound = options.bounds.find(dim.dim_param());
    int64_t wanted = dim.has_dim_value() ? dim.dim_value() : fix != options.fixedDims.end() ? fix->second : size;
    if (!dim.has_dim_value() && bound != options.bounds.end() && source == std::string("the given shape")) {
      // A bounded dimension stays dynamic, and takes this size at run time.
      if (size > bound->second)
        throw ImportError(what + " has " + std::to_string(size) + " in dimension " + std::to_string(axis) +
                          ", above the bound --dim '" + bound->first + "<=" + std::to_string(bound->second) + "'");
      continue;
    }
    if (wanted != size)
      throw ImportError(what + " has " + std::to_string(size) + " in dimension " + std::to_string(axis) +
                        ", the model's input has " + std::to_string(wanted));
    if (!dim.has_dim_value())
      fixed.try_emplace(dim.dim_param(), size);
    dim.set_dim_value(size);
  }
}

/// Sizes of the caller's array in the order of the model's axes.
std::vector<int64_t> DimensionResolver::toModelOrder(const std::string &name, const std::vector<int64_t> &sizes) {
  auto found = model.preprocessing.find(name);
  if (found == model.preprocessing.end() || found->second.perm.size() != sizes.size())
    return sizes;
  std::vector<int64_t> ordered;
  for (int64_t axis : found->second.perm)
    ordered.push_back(sizes[axis]);
  return ordered;
}

void DimensionResolver::applyShapes() {
  for (ValueInfoProto &input : *graph.mutable_input()) {
    if (auto shape = options.inputShapes.find(input.name()); shape != options.inputShapes.end())
      applyShape(input, toModelOrder(input.name(), shape->second), "the given shape");
    if (auto array = pinned.find(input.name()); array != pinned.end())
      applyShape(input, array->second.shape, "the pinned array");
  }
}

void DimensionResolver::defaultBatch() {
  if (!options.defaultBatchToOne)
    return;
  std::set<std::string> done;
  forEachOpenDim([&](ValueInfoProto &input, int axis, TensorShapeProto::Dimension &dim) {
    const std::string &name = dim.dim_param();
    // The only dimension of a vector is its length, not a batch.
    if (axis != 0 || shapeOf(input).dim_size() < 2 || fixed.count(name) || options.bounds.count(name))
      return;
    if (done.insert(name).second)
      model.remarks.push_back("dimension '" + name + "' (leading dimension of input '" + input.name() +
                              "') is taken as a batch of 1; --dim '" + name + "=N' sets another size");
  });
  for (const std::string &name : done)
    fixed[name] = 1;
}

void DimensionResolver::fixNamed(TensorShapeProto &shape) {
  for (auto &dim : *shape.mutable_dim())
    if (auto size = fixed.find(dim.dim_param()); !dim.has_dim_value() && size != fixed.end())
      dim.set_dim_value(size->second);
}

/// Declared shapes of inner values are dropped (they are inferred again): exporters often leave them stale. Types of
/// subgraph inputs and outputs stay.
void DimensionResolver::fixNamedEverywhere(GraphProto &body) {
  auto fix = [&](ValueInfoProto &value) {
    if (value.type().has_tensor_type() && value.type().tensor_type().has_shape())
      fixNamed(shapeOf(value));
  };
  for (ValueInfoProto &value : *body.mutable_input())
    fix(value);
  for (ValueInfoProto &value : *body.mutable_output())
    fix(value);
  body.clear_value_info();
  for (auto &node : *body.mutable_node())
    for (auto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        fixNamedEverywhere(*attribute.mutable_g());
}

void DimensionResolver::reportOpenDims() {
  std::map<std::string, std::string> open;
  forEachOpenDim([&](ValueInfoProto &input, int axis, TensorShapeProto::Dimension &dim) {
    if (options.bounds.count(dim.dim_param()))
      return;
    std::string &where = open[dim.dim_param()];
    where +=
        (where.empty() ? "dimension " : ", dimension ") + std::to_string(axis) + " of input '" + input.name() + "'";
  });
  if (open.empty())
    return;
  std::string message = "these dimensions need a size or a bound:";
  for (const auto &[name, where] : open)
    message += "\n  " + name + " (" + where + "): give --dim '" + name + "=N' or --dim '" + name + "<=N'";
  throw ImportError(message);
}

/// Output shapes are inferred; declared ones only give names to dynamic dimensions.
void DimensionResolver::recordOutputs() {
  for (ValueInfoProto &output : *graph.mutable_output()) {
    std::vector<std::string> names;
    if (output.type().has_tensor_type()) {
      auto &type = *output.mutable_type()->mutable_tensor_type();
      for (const auto &dim : type.shape().dim())
        names.push_back(dim.dim_param() == "?" ? "" : dim.dim_param());
      type.clear_shape();
    }
    model.outputDims.push_back(std::move(names));
  }
}

/// The bytes are no input any more, either.
void DimensionResolver::pinStrings(const std::string &name, const NpyArray &array) {
  model.dropInputs({name, name + kBytesSuffix});
  ::onnx::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(::onnx::TensorProto::STRING);
  for (int64_t dim : array.shape)
    tensor.add_dims(dim);
  for (const std::string &text : getStrings(array))
    tensor.add_string_data(text);
}

void DimensionResolver::pinInputs() {
  for (auto &[name, array] : pinned) {
    int32_t dataType = findInput(name)->type().tensor_type().elem_type();
    if (dataType == ::onnx::TensorProto::STRING && isStringArray(array)) {
      pinStrings(name, array);
      continue;
    }
    bool unknown = array.elementType == kUnknownByte || array.elementType == kUnknownWord;
    bool fits = unknown && getElementBytes(array.elementType) == elementBytes(dataType);
    if (elementName(dataType) != array.elementType && !fits)
      throw ImportError("--pin " + name + ": the array holds " + array.elementType + ", the input is " +
                        elementName(dataType));
    model.dropInputs({name});
    auto tensor = std::make_shared<::onnx::TensorProto>();
    tensor->set_name(name);
    tensor->set_data_type(dataType);
    for (int64_t dim : array.shape)
      tensor->add_dims(dim);
    setRawData(*tensor, array.bytes);
    model.addConstant(readTensor(tensor, "the pinned array of input '" + name + "'"));
  }
}

void DimensionResolver::run() {
  for (const auto &[name, file] : options.pins) {
    llvm::Expected<NpyArray> array = readNpy(file);
    if (!array)
      throw ImportError("--pin " + name + "=" + file + ": " + llvm::toString(array.takeError()));
    pinned[name] = std::move(*array);
  }
  for (ValueInfoProto &input : *graph.mutable_input())
    if (!model.isWeight(input.name()))
      nameOpenDims(input);
  checkOptions();
  applyShapes();
  defaultBatch();
  fixNamedEverywhere(graph);
  reportOpenDims();
  recordOutputs();
  pinInputs();
}

} // namespace

void importer::resolveDimensions(SourceModel &model, const ImportOptions &options) {
  DimensionResolver(model, options).run();
}
