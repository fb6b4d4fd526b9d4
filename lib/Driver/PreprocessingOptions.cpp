//===- PreprocessingOptions.cpp - options for inputs and outputs -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "PreprocessingOptions.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cmath>

using namespace llvm;

namespace leaf {

ArrayRef<OptionSpec> getPreprocessingOptions() {
  static const OptionSpec options[] = {
      {"--input-layout", "NAME=nhwc", "axes of the array that the caller gives, where the model takes nchw", true},
      {"--input-type", "NAME=uint8", "element type that the caller gives; values are taken as they are", true},
      {"--mean", "NAME=A,B,C",
       "with --std: the model gets (x - mean) / std, by channel or all by one;\n"
       "NAME= may be left out of these four where there is one image input",
       true},
      {"--std", "NAME=A,B,C", "see --mean", true},
      {"--output-argmax", "NAME",
       "the output becomes the index (int64) of its maximum along the last\naxis; NAME:AXIS "
       "for another",
       true},
  };
  return options;
}

/// NAME=VALUE or VALUE; names may hold any character, values no '='.
static std::pair<std::string, StringRef> splitName(StringRef text) {
  size_t equals = text.rfind('=');
  if (equals == StringRef::npos)
    return {"", text};
  return {text.take_front(equals).str(), text.substr(equals + 1)};
}

static Error readNumbers(StringRef option, StringRef text, std::vector<double> &numbers) {
  SmallVector<StringRef> parts;
  text.split(parts, ',');
  for (StringRef part : parts) {
    double number;
    if (part.trim().getAsDouble(number) || !std::isfinite(number) || (option == "--std" && number == 0))
      return usageError(option + " takes NAME=A,B,C with finite numbers" + (option == "--std" ? " other than 0" : "") +
                        ", not '" + part + "'");
    numbers.push_back(number);
  }
  return Error::success();
}

/// Calls `read` for each value of `option` with the request of the input that it names.
static Error forEachInput(const Arguments &arguments, StringRef option, ImportOptions &options,
                          function_ref<Error(StringRef value, InputPreprocessing &request)> read) {
  std::vector<std::string> seen;
  for (const std::string &text : arguments.all(option)) {
    auto [name, value] = splitName(text);
    if (value.empty())
      return usageError(option + "=" + text + " says nothing after the input's name");
    if (is_contained(seen, name))
      return usageError(option + " is there twice for " + (name.empty() ? "one input" : "input '" + name + "'"));
    seen.push_back(name);
    if (Error error = read(value, options.preprocessing[name]))
      return error;
  }
  return Error::success();
}

Error readPreprocessing(const Arguments &arguments, ImportOptions &options) {
  auto text = [](std::string InputPreprocessing::*field) {
    return [field](StringRef value, InputPreprocessing &request) {
      request.*field = value.str();
      return Error::success();
    };
  };
  if (Error error = forEachInput(arguments, "--input-layout", options, text(&InputPreprocessing::layout)))
    return error;
  if (Error error = forEachInput(arguments, "--input-type", options, text(&InputPreprocessing::elementType)))
    return error;
  auto numbers = [](StringRef option, std::vector<double> InputPreprocessing::*field) {
    return [option, field](StringRef value, InputPreprocessing &request) {
      return readNumbers(option, value, request.*field);
    };
  };
  if (Error error = forEachInput(arguments, "--mean", options, numbers("--mean", &InputPreprocessing::mean)))
    return error;
  if (Error error = forEachInput(arguments, "--std", options, numbers("--std", &InputPreprocessing::deviation)))
    return error;
  options.argmaxOutputs = arguments.all("--output-argmax");
  return Error::success();
}

} // namespace leaf
