//===- TuningTable.cpp - tuning files ------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// {
//   "format": 1,
//   "targets": { "x86_64 znver3 +a,-b": { "<key>": { "rows": 6, "vectors": 2 }, ... } }
// }
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Codegen/Tuning.h"
#include "leafcutter/Support/AtomicFile.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Triple.h"
#include <nlohmann/json.hpp>

using namespace leaf;
using nlohmann::json;

static constexpr int kFormat = 1;
/// Above what any field may hold: a bug or a damaged file.
static constexpr int64_t kMost = int64_t(1) << 30;

static json toJSON(const TuningChoice &choice) {
  json object = json::object();
  auto put = [&](const char *name, const auto &field) {
    if (field)
      object[name] = *field;
  };
  put("winograd", choice.winograd);
  put("rows", choice.rows);
  put("vectors", choice.vectors);
  put("block_bytes", choice.blockBytes);
  put("serial", choice.serial);
  return object;
}

/// Whether `object` is a choice, which goes to `choice`.
static bool fromJSON(const json &object, TuningChoice &choice) {
  if (!object.is_object())
    return false;
  auto number = [](const json &value, std::optional<int64_t> &field, int64_t least) {
    if (!value.is_number_integer() || value.get<int64_t>() < least || value.get<int64_t>() > kMost)
      return false;
    field = value.get<int64_t>();
    return true;
  };
  for (const auto &[name, value] : object.items()) {
    bool good = name == "winograd"
                    ? number(value, choice.winograd, 0) && *choice.winograd % 2 == 0 && *choice.winograd <= 4
                : name == "rows"        ? number(value, choice.rows, 1)
                : name == "vectors"     ? number(value, choice.vectors, 1)
                : name == "block_bytes" ? number(value, choice.blockBytes, 1)
                : name == "serial"      ? value.is_boolean() && (choice.serial = value.get<bool>(), true)
                                        : false;
    if (!good)
      return false;
  }
  return true;
}

llvm::Expected<TuningTable> TuningTable::load(llvm::StringRef path) {
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError("tuning file '" + path + "' " + what + "; write it anew by --tune");
  };
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError("tuning file '" + path + "' cannot be read: " + buffer.getError().message());
  llvm::StringRef text = (*buffer)->getBuffer();
  json root = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded() || !root.is_object() || !root.contains("format") || !root.contains("targets") ||
      !root["targets"].is_object())
    return fail("is damaged or none");
  if (root["format"] != kFormat)
    return fail("has a format that this leafc does not know");
  TuningTable table;
  for (const auto &[target, entries] : root["targets"].items()) {
    if (!entries.is_object())
      return fail("is damaged or none");
    for (const auto &[key, value] : entries.items())
      if (!fromJSON(value, table.targets[target][key]))
        return fail("has an entry that is no choice: " + llvm::Twine(key.substr(0, 200)));
  }
  return table;
}

llvm::Error TuningTable::save(llvm::StringRef path) const {
  json root = {{"format", kFormat}, {"targets", json::object()}};
  for (const auto &[target, entries] : targets)
    for (const auto &[key, choice] : entries)
      root["targets"][target][key] = toJSON(choice);
  std::string text = root.dump(1, ' ', false, json::error_handler_t::replace);
  return writeFileAtomically(path, [&](llvm::raw_pwrite_stream &out) {
    out << text << '\n';
    return llvm::Error::success();
  });
}

const TuningChoice *TuningTable::find(llvm::StringRef target, llvm::StringRef key) const {
  auto entries = targets.find(target.str());
  if (entries == targets.end())
    return nullptr;
  auto choice = entries->second.find(key.str());
  return choice == entries->second.end() ? nullptr : &choice->second;
}

std::string leaf::getTuningTarget(const TargetSpec &target) {
  std::string text = llvm::Triple(target.triple).getArchName().str();
  for (const std::string &part : {target.cpu, target.features})
    if (!part.empty())
      text += " " + part;
  return text;
}
