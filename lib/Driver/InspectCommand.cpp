//===- InspectCommand.cpp - leafc inspect ------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "JitSession.h"
#include "ModelInfo.h"
#include "ModelOptions.h"
#include "leafcutter/Driver/Commands.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace leaf {

static constexpr StringLiteral indent = "              ";

static void printTensor(raw_ostream &out, StringRef label, const TensorInfo &tensor) {
  out << "  " << left_justify(label, 12) << tensor.name << ' ' << tensor.elementType;
  if (tensor.hasShape)
    out << '[' << join(tensor.dims, ",") << ']';
  out << '\n';
}

namespace {

/// An open dimension and where it stands.
struct OpenDim {
  std::string where;   ///< "input 'x' axis 0" of the first place
  bool leading = true; ///< first axis everywhere
  bool named = true;
};

} // namespace

/// Open dimensions of the inputs by name (unnamed ones by their place), less those that options give.
static MapVector<StringRef, OpenDim> findOpenDims(const ModelInfo &info, const ImportOptions &options,
                                                  std::vector<std::string> &storage) {
  MapVector<StringRef, OpenDim> open;
  // Keys of the map point into it: it must not grow past this.
  size_t dims = 0;
  for (const TensorInfo &input : info.inputs)
    dims += input.dims.size();
  storage.reserve(dims);
  for (const TensorInfo &input : info.inputs) {
    if (options.pins.count(input.name))
      continue;
    for (auto [axis, dim] : enumerate(input.dims)) {
      if (!TensorInfo::isOpen(dim) || options.fixedDims.count(dim) || options.bounds.count(dim))
        continue;
      std::string where = ("input '" + input.name + "' axis " + Twine(axis)).str();
      bool named = dim != "?";
      storage.push_back(named ? dim : where);
      auto [it, isNew] = open.try_emplace(storage.back(), OpenDim{where, true, named});
      it->second.leading &= axis == 0;
    }
  }
  return open;
}

static void printDims(raw_ostream &out, const MapVector<StringRef, OpenDim> &open) {
  StringRef label = "dimensions";
  for (const auto &[name, dim] : open) {
    out << "  " << left_justify(label, 12);
    label = "";
    if (!dim.named)
      out << dim.where << " is open and has no name; run, verify and bench take it from their input file";
    else if (dim.leading)
      out << name << ": --dim " << name << "=N or --dim '" << name << "<=N' (compile makes a leading one 1)";
    else
      out << name << ": needs --dim " << name << "=N or --dim '" << name << "<=N'";
    out << '\n';
  }
}

static void printOperators(raw_ostream &out, const ModelInfo &info) {
  std::vector<std::pair<std::string, int64_t>> sorted(info.operators.begin(), info.operators.end());
  sort(sorted, [](const auto &a, const auto &b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
  std::string line = "  operators   ";
  for (auto [i, entry] : enumerate(sorted)) {
    std::string text = entry.first + " " + std::to_string(entry.second) + (i + 1 < sorted.size() ? ", " : "");
    if (line.size() + text.size() > 110) {
      out << StringRef(line).rtrim() << '\n';
      line = indent.str();
    }
    line += text;
  }
  out << line << '\n';
}

/// Compiles as far as kernels with every open dimension at 1, to find out what is missing and what it costs.
static void printTrial(raw_ostream &out, StringRef path, const ModelInfo &info, CompilerOptions options,
                       const MapVector<StringRef, OpenDim> &open) {
  std::vector<std::string> assumed;
  for (const auto &[name, dim] : open)
    if (dim.named) {
      options.import.fixedDims[name.str()] = 1;
      assumed.push_back((name + "=1").str());
    }
  for (const TensorInfo &input : info.inputs)
    if (is_contained(input.dims, "?")) {
      std::vector<int64_t> shape(input.dims.size(), -1);
      for (auto [axis, dim] : enumerate(input.dims))
        if (dim == "?")
          shape[axis] = 1;
      options.import.inputShapes[input.name] = shape;
    }
  std::string at = assumed.empty() ? "" : " (with " + join(assumed, ", ") + ")";
  options.stopAfter = Stage::Form;
  Compiler compiler(std::move(options));
  Error error = compileWithProgress(compiler, path);
  if (!error) {
    out << "  MACs        " << formatCount(compiler.getFigures().macs) << at << '\n';
    out << "  unsupported nothing\n";
    return;
  }
  out << "  unsupported" << at << '\n';
  std::string message = toString(std::move(error));
  SmallVector<StringRef> lines;
  StringRef(message).split(lines, '\n');
  for (StringRef line : lines)
    out << indent << line << '\n';
}

static Expected<int> inspect(const Arguments &arguments) {
  Expected<std::string> path = arguments.single("model.onnx");
  if (!path)
    return path.takeError();
  Expected<CompilerOptions> options = readModelOptions(arguments);
  if (!options)
    return options.takeError();
  Expected<ModelInfo> info = readModelInfo(*path);
  if (!info)
    return info.takeError();
  outs() << *path << ": ONNX, opset " << info->opset << (info->producer.empty() ? "" : ", written by ")
         << info->producer << '\n';
  for (const TensorInfo &input : info->inputs)
    printTensor(outs(), "input", input);
  for (const TensorInfo &output : info->outputs)
    printTensor(outs(), "output", output);
  std::vector<std::string> storage;
  MapVector<StringRef, OpenDim> open = findOpenDims(*info, options->import, storage);
  printDims(outs(), open);
  printOperators(outs(), *info);
  outs() << "  weights     " << formatCount(info->parameters) << " parameters, " << formatCount(info->weightBytes)
         << " bytes\n";
  outs().flush();
  printTrial(outs(), *path, *info, std::move(*options), open);
  return 0;
}

Command makeInspectCommand() {
  return {{"inspect", "model.onnx",
           "tells what a model needs: inputs, open dimensions, operators, what is not supported", withModelOptions({}),
           "leafc inspect model.onnx\n"
           "leafc inspect gpt.onnx --dim seq=1 --dim 'past<=63'"},
          inspect};
}

} // namespace leaf
