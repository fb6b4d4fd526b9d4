//===- RunCommand.cpp - leafc run --------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Execution.h"
#include "ModelOptions.h"
#include "leafcutter/Driver/Commands.h"
#include "leafcutter/Support/CText.h"

using namespace llvm;

namespace leaf {

static Expected<int> run(const Arguments &arguments) {
  Expected<ModelArguments> model = readModelArguments(arguments);
  if (!model)
    return model.takeError();
  auto &[path, options] = *model;
  Expected<Execution> execution = readExecution(arguments, options);
  if (!execution)
    return execution.takeError();
  NpzFile inputs;
  if (std::optional<std::string> file = arguments.get("--input")) {
    Expected<NpzFile> read = readNpz(*file);
    if (!read)
      return read.takeError();
    inputs = std::move(*read);
  }
  fixOpenDimensions(inputs, options);
  if (Error error = readTuning(arguments, path, options))
    return std::move(error);
  Expected<NpzFile> outputs = execute(path, std::move(options), inputs, *execution);
  if (!outputs)
    return outputs.takeError();
  if (std::optional<std::string> file = arguments.get("--output")) {
    if (Error error = writeNpz(*file, *outputs))
      return error;
    return 0;
  }
  for (const auto &[name, array] : *outputs) {
    outs() << escapeMessage(name) << ": " << array.elementType << '[';
    for (size_t d = 0; d < array.shape.size(); ++d)
      outs() << (d ? "," : "") << array.shape[d];
    outs() << "]\n";
  }
  return 0;
}

Command makeRunCommand() {
  return {{"run", "model.onnx",
           "compiles a model and runs it once\nOpen dimensions without an option take "
           "their size from the input file. A dumped stage (.mlir) is continued and run.",
           withModelOptions(withExecutionOptions(
               {{"--input", "IN.npz", "arrays named after the inputs"},
                {"--output", "OUT.npz", "where the outputs go; without it their shapes are printed"}})),
           "leafc run model.onnx --input in.npz --output out.npz\n"
           "leafc run gpt.onnx --dim seq=1 --dim 'past<=63' --input in.npz --output out.npz\n"
           "leafc run stages/05.form.mlir --input in.npz --output out.npz"},
          run};
}

} // namespace leaf
