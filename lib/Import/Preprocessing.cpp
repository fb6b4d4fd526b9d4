//===- Preprocessing.cpp - which inputs and outputs are processed -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/Preprocessing.h"
#include "SourceModel.h"
#include "Tensors.h"

#include "Leaf/Leaf.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::importer;
using ::onnx::GraphProto;
using ::onnx::ValueInfoProto;

namespace {

/// The inputs that the caller gives.
std::vector<const ValueInfoProto *> callerInputs(const SourceModel &model, const ImportOptions &options) {
  std::vector<const ValueInfoProto *> inputs;
  for (const ValueInfoProto &input : model.proto.graph().input())
    if (!model.isWeight(input.name()) && !options.pins.count(input.name()))
      inputs.push_back(&input);
  return inputs;
}

template <typename Values> std::string listNames(const Values &values) {
  std::string names;
  for (const ValueInfoProto *value : values)
    names += (names.empty() ? "" : ", ") + value->name();
  return names.empty() ? "none" : names;
}

/// The input called `name`; "": the only one, or the only one that may be an image.
std::string findInput(const std::string &name, const SourceModel &model, const ImportOptions &options) {
  std::vector<const ValueInfoProto *> inputs = callerInputs(model, options);
  if (!name.empty()) {
    if (options.pins.count(name))
      throw ImportError("input '" + name + "' is pinned and can't be preprocessed");
    for (const ValueInfoProto *input : inputs)
      if (input->name() == name)
        return name;
    throw ImportError("preprocessing of '" + name + "': there is no such input (inputs: " + listNames(inputs) + ")");
  }
  if (inputs.size() > 1)
    llvm::erase_if(inputs, [](const ValueInfoProto *input) {
      return input->type().tensor_type().has_shape() && input->type().tensor_type().shape().dim_size() < 3;
    });
  if (inputs.size() != 1)
    throw ImportError(
        "which input is preprocessed? say NAME=VALUE (inputs: " + listNames(callerInputs(model, options)) + ")");
  return inputs.front()->name();
}

bool isLayout(StringRef text) {
  std::string sorted = text.str();
  llvm::sort(sorted);
  return !text.empty() && llvm::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; }) &&
         std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

/// ONNX's own order of the caller's axes: n, c, then the others as they come.
std::string usualLayout(StringRef caller) {
  std::string rest;
  for (char axis : caller)
    if (axis != 'n' && axis != 'c')
      rest += axis;
  return (caller.contains('n') ? "n" : "") + std::string(caller.contains('c') ? "c" : "") + rest;
}

void readLayout(const std::string &name, ResolvedPreprocessing &result) {
  std::string lower = StringRef(result.request.layout).lower();
  auto [caller, given] = StringRef(lower).split(':');
  std::string model = given.empty() ? usualLayout(caller) : given.str();
  if (!isLayout(caller) || !isLayout(model) || caller.size() != model.size() ||
      llvm::any_of(model, [&](char axis) { return !caller.contains(axis); }))
    throw ImportError("--input-layout " + name + "=" + result.request.layout +
                      ": a layout is one letter for each axis, as nhwc, or CALLER:MODEL, as nhwc:nchw");
  for (char axis : model)
    result.perm.push_back(caller.find(axis));
  result.channelAxis = caller.contains('c') ? static_cast<int64_t>(caller.find('c')) : -1;
}

/// Moves what `from` says into `to`; both are requests for the input `name`.
void mergeRequest(const std::string &name, const InputPreprocessing &from, InputPreprocessing &to) {
  auto take = [&](auto &target, const auto &value) {
    if (value.empty())
      return;
    if (!target.empty())
      throw ImportError("preprocessing of input '" + name + "' is given twice, with its name and without");
    target = value;
  };
  take(to.layout, from.layout);
  take(to.elementType, from.elementType);
  take(to.mean, from.mean);
  take(to.deviation, from.deviation);
}

int32_t findDataType(const std::string &name, const std::string &elementType) {
  std::string known;
  for (int32_t type = 1; type <= ::onnx::TensorProto::BFLOAT16; ++type) {
    if (elementBytes(type) == 0 || type == ::onnx::TensorProto::BOOL)
      continue;
    if (elementName(type) == elementType)
      return type;
    known += (known.empty() ? "" : ", ") + elementName(type);
  }
  throw ImportError("--input-type " + name + "=" + elementType + ": there is no such type; types are " + known);
}

/// NAME, or NAME:AXIS where no output has that name as a whole. The last axis without one.
std::pair<std::string, int64_t> findOutput(const std::string &text, const GraphProto &graph) {
  auto isOutput = [&](StringRef name) {
    return llvm::any_of(graph.output(), [&](const ValueInfoProto &output) { return output.name() == name; });
  };
  if (isOutput(text))
    return {text, -1};
  auto [name, number] = StringRef(text).rsplit(':');
  int64_t axis;
  if (!number.empty() && !number.getAsInteger(10, axis) && isOutput(name))
    return {name.str(), axis};
  std::string names;
  for (const ValueInfoProto &output : graph.output())
    names += (names.empty() ? "" : ", ") + output.name();
  throw ImportError("--output-argmax " + text + ": there is no such output (outputs: " + names + ")");
}

} // namespace

void importer::resolvePreprocessing(SourceModel &model, const ImportOptions &options) {
  for (const auto &[given, request] : options.preprocessing) {
    std::string name = findInput(given, model, options);
    mergeRequest(name, request, model.preprocessing[name].request);
  }
  for (auto &[name, resolved] : model.preprocessing) {
    if (!resolved.request.layout.empty())
      readLayout(name, resolved);
    if (!resolved.request.elementType.empty())
      resolved.dataType = findDataType(name, resolved.request.elementType);
  }
  for (const std::string &text : options.argmaxOutputs) {
    auto [name, axis] = findOutput(text, model.proto.graph());
    if (!model.argmaxAxes.emplace(name, axis).second)
      throw ImportError("--output-argmax names output '" + name + "' twice");
  }
}

void importer::attachPreprocessing(ModuleOp module, const SourceModel &model) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  Builder builder(module.getContext());
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto found = model.preprocessing.find(main.getArgAttrOfType<StringAttr>(i, attrs::kName).str());
    if (found == model.preprocessing.end())
      continue;
    const ResolvedPreprocessing &resolved = found->second;
    SmallVector<NamedAttribute> request;
    auto add = [&](StringRef key, Attribute value) { request.push_back(builder.getNamedAttr(key, value)); };
    add(preprocessing::kChannelAxis, builder.getI64IntegerAttr(resolved.channelAxis));
    if (!resolved.perm.empty())
      add(preprocessing::kPerm, builder.getDenseI64ArrayAttr(resolved.perm));
    if (resolved.dataType != ::onnx::TensorProto::UNDEFINED)
      add(preprocessing::kType, TypeAttr::get(elementType(module.getContext(), resolved.dataType)));
    if (!resolved.request.mean.empty())
      add(preprocessing::kMean, builder.getDenseF64ArrayAttr(resolved.request.mean));
    if (!resolved.request.deviation.empty())
      add(preprocessing::kStd, builder.getDenseF64ArrayAttr(resolved.request.deviation));
    main.setArgAttr(i, preprocessing::kRequest, builder.getDictionaryAttr(request));
  }
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto found = model.argmaxAxes.find(main.getResultAttrOfType<StringAttr>(i, attrs::kName).str());
    if (found != model.argmaxAxes.end())
      main.setResultAttr(i, preprocessing::kArgMax, builder.getI64IntegerAttr(found->second));
  }
}
