//===- VerifyCommand.cpp - leafc verify --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Bisect.h"
#include "Compare.h"
#include "Execution.h"
#include "ModelOptions.h"
#include "leafcutter/Driver/Commands.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include <cmath>

using namespace llvm;

namespace leaf {

namespace {

struct Reference {
  NpzFile inputs, outputs, nodes;
};

} // namespace

static Expected<Reference> readReference(StringRef path, const ImportOptions &import) {
  Expected<NpzFile> file = readNpz(path);
  if (!file)
    return file.takeError();
  Reference reference;
  for (auto &[key, array] : *file) {
    StringRef name = key;
    if (name.consume_front("in:")) {
      // A pinned input has left the interface.
      if (!import.pins.count(name.str()))
        reference.inputs.emplace_back(name.str(), std::move(array));
    } else if (name.consume_front("out:")) {
      reference.outputs.emplace_back(name.str(), std::move(array));
    } else if (name.consume_front("node:")) {
      reference.nodes.emplace_back(name.str(), std::move(array));
    } else {
      return createStringError("'" + path + "': array '" + key + "' starts with neither 'in:' nor 'out:' nor 'node:'");
    }
  }
  if (reference.outputs.empty())
    return createStringError("'" + path + "' has no array 'out:NAME' to compare with");
  return reference;
}

/// Prints one line for each output; whether all agree.
static bool report(raw_ostream &out, const NpzFile &outputs, const NpzFile &expected, double tolerance) {
  bool all = true;
  for (const auto &[name, array] : outputs) {
    auto it = find_if(expected, [&, &name = name](const auto &entry) { return entry.first == name; });
    if (it == expected.end()) {
      out << "output " << name << ": not in the reference: differs\n";
      all = false;
      continue;
    }
    Expected<Comparison> comparison = compareArrays(array, it->second, tolerance);
    if (!comparison) {
      out << "output " << name << ": " << toString(comparison.takeError()) << ": differs\n";
      all = false;
      continue;
    }
    out << "output " << name << ": max abs error " << format("%.3g", comparison->maxAbs) << ", max rel error "
        << format("%.3g", comparison->maxRel) << (comparison->agrees ? ": agrees\n" : ": differs\n");
    all &= comparison->agrees;
  }
  for (const auto &[name, array] : expected)
    if (none_of(outputs, [&, &name = name](const auto &entry) { return entry.first == name; })) {
      out << "output " << name << ": not an output of the model: differs\n";
      all = false;
    }
  return all;
}

/// Tells where the difference begins. Sizes are those of the reference's arrays, without bounds.
static Error bisectDifference(const std::string &path, CompilerOptions options, Reference &reference,
                              double tolerance) {
  options.import.bounds.clear();
  options.import.aliases.clear();
  options.levels.clear();
  options.stopAfter = Stage::Codegen;
  return bisect({path, std::move(options), std::move(reference.inputs), std::move(reference.outputs),
                 std::move(reference.nodes), tolerance},
                outs());
}

static Expected<int> verify(const Arguments &arguments) {
  Expected<ModelArguments> model = readModelArguments(arguments);
  if (!model)
    return model.takeError();
  auto &[path, options] = *model;
  std::optional<std::string> file = arguments.get("--reference");
  if (!file)
    return usageError("give --reference=REF.npz");
  double tolerance = 1e-4;
  if (std::optional<std::string> text = arguments.get("--tolerance");
      text && (StringRef(*text).getAsDouble(tolerance) || !(tolerance >= 0) || std::isinf(tolerance)))
    return usageError("--tolerance takes a number that is not negative, not '" + *text + "'");
  Expected<Execution> execution = readExecution(arguments, options);
  if (!execution)
    return execution.takeError();

  Expected<Reference> reference = readReference(*file, options.import);
  if (!reference)
    return reference.takeError();
  fixOpenDimensions(reference->inputs, options);
  if (Error error = readTuning(arguments, path, options))
    return std::move(error);
  CompilerOptions given = options;
  Expected<NpzFile> outputs = execute(path, std::move(options), reference->inputs, *execution);
  if (!outputs)
    return outputs.takeError();
  bool agrees = report(outs(), *outputs, reference->outputs, tolerance);
  if (arguments.has("--bisect") && !(agrees && reference->nodes.empty()))
    if (Error error = bisectDifference(path, std::move(given), *reference, tolerance))
      return error;
  return agrees ? 0 : 1;
}

Command makeVerifyCommand() {
  return {{"verify", "model.onnx",
           "compiles a model, runs it and compares with reference outputs\nThe reference holds arrays in:NAME and "
           "out:NAME (and node:NAME for --bisect). The exit code is 0 only when all outputs agree.",
           withModelOptions(withExecutionOptions(
               {{"--reference", "REF.npz", "inputs and expected outputs"},
                {"--tolerance", "X",
                 "largest error over the output's largest magnitude (1e-4);\nintegers and bools must be equal"},
                {"--bisect", "",
                 "tells the first ONNX node whose value is wrong: runs the operators one by\none after each stage, "
                 "and keeps the results of all kernels; compares\nwith arrays node:NAME of the reference, and with "
                 "earlier stages"}})),
           "leafc verify model.onnx --reference ref.npz\n"
           "leafc verify model.onnx --reference ref.npz --emit=c --compiler=clang\n"
           "leafc verify model.onnx --reference ref.npz --emit=lib --target=rpi4\n"
           "leafc verify model.onnx --reference ref.npz --emit=lib --target=x86-64-v3,x86-64-v4 "
           "--isa-level=x86-64-v3\n"
           "leafc verify model.onnx --reference ref.npz --bisect"},
          verify};
}

} // namespace leaf
