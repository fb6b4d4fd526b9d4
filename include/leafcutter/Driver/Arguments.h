//===- Arguments.h - command line of one subcommand --------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_DRIVER_ARGUMENTS_H
#define LEAFCUTTER_DRIVER_ARGUMENTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace leaf {

/// A command line that makes no sense; leafc answers with exit code 2.
class UsageError : public llvm::ErrorInfo<UsageError> {
public:
  static char ID;
  explicit UsageError(std::string message) : message(std::move(message)) {}
  void log(llvm::raw_ostream &out) const override { out << message; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

private:
  std::string message;
};

llvm::Error usageError(const llvm::Twine &message);

struct OptionSpec {
  llvm::StringRef name;  ///< with its dashes
  llvm::StringRef value; ///< placeholder in --help; empty: the option takes no value
  llvm::StringRef help;
  bool repeatable = false;
};

struct CommandSpec {
  llvm::StringRef name, positional, summary;
  std::vector<OptionSpec> options;
  llvm::StringRef examples; ///< lines, indented by the printer

  void printHelp(llvm::raw_ostream &out) const;
  const OptionSpec *find(llvm::StringRef option) const;
};

/// Parsed options and positional arguments. `--name value` and `--name=value` are the same; `--` ends the options.
class Arguments {
public:
  static llvm::Expected<Arguments> parse(const CommandSpec &spec, llvm::ArrayRef<const char *> args);

  bool has(llvm::StringRef option) const { return values.count(option.str()); }
  std::optional<std::string> get(llvm::StringRef option) const;
  std::vector<std::string> all(llvm::StringRef option) const;
  /// A whole number in [min, max], or `otherwise` where the option is absent.
  llvm::Expected<uint64_t> getNumber(llvm::StringRef option, uint64_t otherwise, uint64_t min, uint64_t max) const;
  /// The one positional argument; an error names `what` where there is none or more than one.
  llvm::Expected<std::string> single(llvm::StringRef what) const;

  std::vector<std::string> positional;

private:
  std::map<std::string, std::vector<std::string>> values;
};

} // namespace leaf

#endif // LEAFCUTTER_DRIVER_ARGUMENTS_H
