//===- InspectCommand.cpp - leafc inspect ------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Figures.h"
#include "JitSession.h"
#include "ModelInfo.h"
#include "ModelOptions.h"
#include "leafcutter/Driver/Commands.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Support/InputFile.h"

#include "Leaf/Leaf.h"
#include "leafcutter/Target/WeightFile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace leaf {

static constexpr StringLiteral indent = "              ";

static void printTensor(raw_ostream &out, StringRef label, const TensorInfo &tensor) {
  out << "  " << left_justify(label, 12) << escapeMessage(tensor.name) << ' ' << tensor.elementType;
  if (tensor.hasShape)
    out << '[' << escapeMessage(join(tensor.dims, ",")) << ']';
  out << '\n';
}

/// Open dimensions of the inputs, less those that options give; whether each is the first axis wherever it stands.
static MapVector<StringRef, bool> findOpenDims(const ModelInfo &info, const ImportOptions &options) {
  MapVector<StringRef, bool> open;
  for (const TensorInfo &input : info.inputs) {
    if (options.pins.count(input.name))
      continue;
    for (size_t axis = 0; axis < input.dims.size(); ++axis) {
      const std::string &dim = input.dims[axis];
      if (!input.open[axis] || options.fixedDims.count(dim) || options.bounds.count(dim))
        continue;
      auto [it, isNew] = open.try_emplace(dim, true);
      it->second &= axis == 0;
    }
  }
  return open;
}

static void printDims(raw_ostream &out, const MapVector<StringRef, bool> &open) {
  StringRef label = "dimensions";
  for (const auto &[name, leading] : open) {
    out << "  " << left_justify(label, 12) << escapeMessage(name) << ": " << (leading ? "" : "needs ") << "--dim "
        << escapeMessage(name) << "=N or --dim '" << escapeMessage(name) << "<=N'"
        << (leading ? "; compile makes it 1 otherwise" : "") << '\n';
    label = "";
  }
}

static void printOperators(raw_ostream &out, const ModelInfo &info) {
  std::vector<std::pair<std::string, int64_t>> sorted(info.operators.begin(), info.operators.end());
  sort(sorted, [](const auto &a, const auto &b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
  std::string line = "  operators   ";
  for (auto [i, entry] : enumerate(sorted)) {
    std::string text =
        escapeMessage(entry.first) + " " + std::to_string(entry.second) + (i + 1 < sorted.size() ? ", " : "");
    if (line.size() + text.size() > 110) {
      out << StringRef(line).rtrim() << '\n';
      line = indent.str();
    }
    line += text;
  }
  out << line << '\n';
}

/// One tensor of the compiled interface, as the caller sees it.
static void printSignature(raw_ostream &out, StringRef label, mlir::Type type, mlir::DictionaryAttr attributes) {
  auto name = attributes ? attributes.getAs<mlir::StringAttr>(attrs::kName) : mlir::StringAttr();
  auto element = attributes ? attributes.getAs<mlir::StringAttr>(attrs::kElementType) : mlir::StringAttr();
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  if (!tensor || !name)
    return;
  out << "  " << left_justify(label, 13) << name.getValue() << ' ';
  if (mlir::Type scalar = tensor.getElementType(); element)
    out << element.getValue();
  else
    out << (mlir::isa<mlir::FloatType>(scalar) ? "float" : "int") << scalar.getIntOrFloatBitWidth();
  out << '[';
  for (auto [axis, size] : enumerate(tensor.getShape()))
    out << (axis ? "," : "") << (mlir::ShapedType::isDynamic(size) ? "?" : std::to_string(size));
  out << "]\n";
}

/// What the caller gives and gets with the options for inputs and outputs.
static void printProcessed(raw_ostream &out, mlir::ModuleOp module) {
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    printSignature(out, "caller's in", main.getArgumentTypes()[i], main.getArgAttrDict(i));
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    printSignature(out, "caller's out", main.getResultTypes()[i], main.getResultAttrDict(i));
}

/// Compiles as far as kernels; `ended` is the number of stages that did.
static Error compileTrial(std::unique_ptr<Compiler> &compiler, StringRef path, CompilerOptions options,
                          unsigned &ended) {
  ended = 0;
  options.stopAfter = Stage::Form;
  options.onStageEnd = [&](Stage, mlir::ModuleOp) { ++ended; };
  compiler = std::make_unique<Compiler>(std::move(options));
  return compileWithProgress(*compiler, path);
}

/// Whether the model gets further without what options say of its inputs and outputs: then they do not fit it.
static bool isFaultOfOptions(StringRef path, const ModelInfo &info, const CompilerOptions &options, unsigned ended) {
  const ImportOptions &given = options.import;
  if (given.fixedDims.empty() && given.bounds.empty() && given.pins.empty() && given.aliases.empty() &&
      given.preprocessing.empty() && given.argmaxOutputs.empty())
    return false;
  CompilerOptions plain;
  plain.target = options.target;
  plain.import.defaultBatchToOne = given.defaultBatchToOne;
  for (const auto &[name, leading] : findOpenDims(info, plain.import))
    plain.import.fixedDims[name.str()] = 1;
  std::unique_ptr<Compiler> compiler;
  unsigned further = 0;
  consumeError(compileTrial(compiler, path, std::move(plain), further));
  return further > ended;
}

/// Compiles as far as kernels with every open dimension at 1, to find out what is missing and what it costs. What the
/// compiler does not support is an answer; options that do not fit the model are an error.
static Error printTrial(raw_ostream &out, StringRef path, const ModelInfo &info, const CompilerOptions &options,
                        const MapVector<StringRef, bool> &open) {
  CompilerOptions fixed = options;
  std::vector<std::string> assumed;
  for (const auto &[name, leading] : open) {
    fixed.import.fixedDims[name.str()] = 1;
    assumed.push_back((name + "=1").str());
  }
  std::string at = assumed.empty() ? "" : " (with " + join(assumed, ", ") + ")";
  bool processed = !options.import.preprocessing.empty() || !options.import.argmaxOutputs.empty();
  std::unique_ptr<Compiler> compiler;
  unsigned ended = 0;
  Error error = compileTrial(compiler, path, std::move(fixed), ended);
  if (!error) {
    if (processed)
      printProcessed(out, compiler->getModule());
    out << "  MACs        " << formatCount(compiler->getFigures().macs) << at << '\n';
    printArithmetic(out, compiler->getModule());
    out << "  unsupported nothing\n";
    return Error::success();
  }
  if (isFaultOfOptions(path, info, options, ended))
    return error;
  out << "  unsupported" << at << '\n';
  std::string message = toString(std::move(error));
  SmallVector<StringRef> lines;
  StringRef(message).split(lines, '\n');
  for (StringRef line : lines)
    if (!(line.starts_with("stage ") && line.ends_with(" failed")))
      out << indent << escapeMessage(line) << '\n';
  return Error::success();
}

/// A weight file: its index, and whether it is intact.
static Error inspectWeights(StringRef path) {
  Expected<std::unique_ptr<MemoryBuffer>> buffer = openInputFile(path);
  if (!buffer)
    return createStringError("cannot read '" + path + "': " + toString(buffer.takeError()));
  Expected<WeightFileInfo> info = readWeightFile((*buffer)->getBuffer());
  if (!info)
    return createStringError("'" + path + "': " + toString(info.takeError()));
  raw_ostream &out = outs();
  out << path << ": weight file of " << escapeMessage(info->model) << ", written by " << escapeMessage(info->producer)
      << '\n';
  out << "  id          0x" << utohexstr(info->id, /*LowerCase=*/true) << '\n';
  out << "  weights     " << formatCount(info->dataBytes) << " bytes at " << info->dataOffset << ", "
      << info->blobs.size() << " blobs\n";
  out << "  checksum    " << (info->intact ? "agrees" : "differs: the file is damaged") << '\n';
  for (const WeightBlob &blob : info->blobs)
    out << "  " << right_justify(formatCount(blob.bytes), 14) << " bytes at " << blob.offset << "  "
        << escapeMessage(blob.name) << '\n';
  return info->intact ? Error::success() : createStringError("'" + path + "' is damaged: its checksum differs");
}

static Error inspectModel(const std::string &path, const CompilerOptions &options) {
  if (sys::path::extension(path) == ".weights")
    return inspectWeights(path);
  Expected<ModelInfo> info = readModelInfo(path);
  if (!info)
    return info.takeError();
  outs() << path << ": ONNX, opset " << info->opset << (info->producer.empty() ? "" : ", written by ")
         << escapeMessage(info->producer) << '\n';
  for (const TensorInfo &input : info->inputs)
    printTensor(outs(), "input", input);
  for (const TensorInfo &output : info->outputs)
    printTensor(outs(), "output", output);
  MapVector<StringRef, bool> open = findOpenDims(*info, options.import);
  printDims(outs(), open);
  printOperators(outs(), *info);
  outs() << "  weights     " << formatCount(info->parameters) << " parameters, " << formatCount(info->weightBytes)
         << " bytes\n";
  outs().flush();
  return printTrial(outs(), path, *info, options, open);
}

static Expected<int> inspect(const Arguments &arguments) {
  if (arguments.positional.empty())
    return usageError("model.onnx is missing");
  Expected<CompilerOptions> options = readModelOptions(arguments);
  if (!options)
    return options.takeError();
  // A file that cannot be read does not keep the others from being told about.
  Error errors = Error::success();
  for (const std::string &path : arguments.positional) {
    errors = joinErrors(std::move(errors), inspectModel(path, *options));
    outs().flush();
  }
  if (errors)
    return std::move(errors);
  return 0;
}

Command makeInspectCommand() {
  return {{"inspect", "model.onnx...",
           "tells what models need: inputs, open dimensions, operators, what is not supported\nOf a weight file "
           "(NAME.weights): what is in it, and whether it is intact.",
           withModelOptions({}),
           "leafc inspect model.onnx\n"
           "leafc inspect models/*.onnx\n"
           "leafc inspect out/model.weights\n"
           "leafc inspect gpt.onnx --dim seq=1 --dim 'past<=63'"},
          inspect};
}

} // namespace leaf
