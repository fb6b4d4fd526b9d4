//===- Arguments.cpp - command line of one subcommand ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/Arguments.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace leaf {

char UsageError::ID = 0;

Error usageError(const Twine &message) { return make_error<UsageError>(message.str()); }

const OptionSpec *CommandSpec::find(StringRef option) const {
  for (const OptionSpec &spec : options)
    if (spec.name == option)
      return &spec;
  return nullptr;
}

void CommandSpec::printHelp(raw_ostream &out) const {
  out << "usage: leafc " << name << ' ' << positional << " [options]\n\n" << summary << "\n\nOptions:\n";
  constexpr size_t column = 26;
  for (const OptionSpec &spec : options) {
    StringRef separator = spec.value.empty() ? "" : spec.name == "-o" ? " " : "=";
    std::string left = ("  " + spec.name + separator + spec.value).str();
    SmallVector<StringRef> lines;
    spec.help.split(lines, '\n');
    out << left;
    if (left.size() >= column)
      out << '\n' << std::string(column, ' ');
    else
      out.indent(column - left.size());
    out << lines.front() << '\n';
    for (StringRef line : drop_begin(lines))
      out.indent(column) << line << '\n';
  }
  out << "\nExamples:\n";
  SmallVector<StringRef> lines;
  examples.split(lines, '\n');
  for (StringRef line : lines)
    out << "  " << line << '\n';
}

/// The known option closest to `option`, for "did you mean".
static std::string suggest(const CommandSpec &spec, StringRef option) {
  StringRef best;
  unsigned bestDistance = 3;
  for (const OptionSpec &known : spec.options)
    if (unsigned distance = option.edit_distance(known.name, true, bestDistance); distance < bestDistance) {
      best = known.name;
      bestDistance = distance;
    }
  return best.empty() ? "" : ("; did you mean " + best + "?").str();
}

Expected<Arguments> Arguments::parse(const CommandSpec &spec, ArrayRef<const char *> args) {
  Arguments result;
  bool options = true;
  for (size_t i = 0; i < args.size(); ++i) {
    StringRef arg = args[i];
    if (!options || arg == "-" || !arg.starts_with("-")) {
      result.positional.push_back(arg.str());
      continue;
    }
    if (arg == "--") {
      options = false;
      continue;
    }
    auto [name, value] = arg.split('=');
    bool attached = name.size() != arg.size();
    const OptionSpec *option = spec.find(name);
    if (!option)
      return usageError("unknown option '" + name + "'" + suggest(spec, name));
    if (option->value.empty()) {
      if (attached)
        return usageError("option " + name + " takes no value");
    } else if (!attached) {
      if (++i == args.size())
        return usageError("option " + name + " needs a value: " + name + "=" + option->value);
      value = args[i];
    }
    std::vector<std::string> &list = result.values[name.str()];
    if (!list.empty() && !option->repeatable)
      return usageError("option " + name + " is there twice");
    list.push_back(value.str());
  }
  return result;
}

std::optional<std::string> Arguments::get(StringRef option) const {
  auto it = values.find(option.str());
  return it == values.end() ? std::nullopt : std::optional(it->second.back());
}

std::vector<std::string> Arguments::all(StringRef option) const {
  auto it = values.find(option.str());
  return it == values.end() ? std::vector<std::string>() : it->second;
}

Expected<uint64_t> Arguments::getNumber(StringRef option, uint64_t otherwise, uint64_t min, uint64_t max) const {
  std::optional<std::string> text = get(option);
  if (!text)
    return otherwise;
  uint64_t number;
  if (StringRef(*text).getAsInteger(10, number) || number < min || number > max)
    return usageError("option " + option + " takes a whole number from " + Twine(min) + " to " + Twine(max) +
                      ", not '" + *text + "'");
  return number;
}

Expected<std::string> Arguments::single(StringRef what) const {
  if (positional.empty())
    return usageError(what + " is missing");
  if (positional.size() > 1)
    return usageError("one " + what + " is expected, got '" + positional[0] + "' and '" + positional[1] + "'");
  return positional.front();
}

} // namespace leaf
