//===- StringArrays.cpp - arrays of strings in .npz files ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/StringArrays.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include <cstring>

using namespace llvm;

namespace leaf {

static constexpr size_t characterBytes = 4;

bool isStringArray(const NpyArray &array) {
  StringRef type = array.elementType;
  return (type.consume_front("U") || type.consume_front("S")) && !type.empty() && all_of(type, isDigit);
}

/// One element of characters, whatever they are.
static std::string encodeCharacters(const char *bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    uint32_t character;
    std::memcpy(&character, bytes + i * characterBytes, characterBytes);
    char buffer[4], *end = buffer;
    if (ConvertCodePointToUTF8(character, end))
      text.append(buffer, end);
    else
      text += "\xEF\xBF\xBD"; // U+FFFD
  }
  return text;
}

std::vector<std::string> getStrings(const NpyArray &array) {
  bool isWide = array.elementType.front() == 'U';
  size_t bytes = getElementBytes(array.elementType);
  std::vector<std::string> strings;
  for (size_t at = 0; bytes && at + bytes <= array.bytes.size(); at += bytes) {
    const char *element = array.bytes.data() + at;
    std::string text = isWide ? encodeCharacters(element, bytes / characterBytes) : std::string(element, bytes);
    text.erase(text.find_last_not_of('\0') + 1);
    strings.push_back(std::move(text));
  }
  return strings;
}

static std::vector<uint32_t> decodeCharacters(StringRef text) {
  std::vector<UTF32> characters(text.size() + 1);
  const auto *from = reinterpret_cast<const UTF8 *>(text.data());
  UTF32 *to = characters.data();
  (void)ConvertUTF8toUTF32(&from, from + text.size(), &to, to + characters.size(), lenientConversion);
  characters.resize(to - characters.data());
  return {characters.begin(), characters.end()};
}

NpyArray makeStringArray(std::vector<int64_t> shape, const std::vector<std::string> &strings) {
  std::vector<std::vector<uint32_t>> all;
  size_t longest = 1;
  for (const std::string &text : strings) {
    all.push_back(decodeCharacters(text));
    longest = std::max(longest, all.back().size());
  }
  NpyArray array{"U" + std::to_string(longest), std::move(shape), {}};
  array.bytes.resize(strings.size() * longest * characterBytes);
  for (auto [i, characters] : enumerate(all))
    std::memcpy(array.bytes.data() + i * longest * characterBytes, characters.data(),
                characters.size() * characterBytes);
  return array;
}

NpzFile splitStrings(const NpzFile &arrays) {
  NpzFile result;
  for (const auto &[name, array] : arrays) {
    if (!isStringArray(array)) {
      result.emplace_back(name, array);
      continue;
    }
    NpyArray places{kStringElement.str(), array.shape, {}}, pool{"uint8", {}, {}};
    for (const std::string &text : getStrings(array)) {
      uint64_t place = uint64_t(pool.bytes.size()) << 32 | text.size();
      const char *begin = reinterpret_cast<const char *>(&place);
      places.bytes.insert(places.bytes.end(), begin, begin + sizeof place);
      pool.bytes.insert(pool.bytes.end(), text.begin(), text.end());
    }
    if (pool.bytes.empty()) // a pool is never empty
      pool.bytes.push_back('\0');
    pool.shape = {int64_t(pool.bytes.size())};
    result.emplace_back(name, std::move(places));
    result.emplace_back(name + kStringBytes.str(), std::move(pool));
  }
  return result;
}

/// The strings that `places` tell; what lies outside of the pool is cut off.
static NpyArray joinOne(const NpyArray &places, const std::vector<char> &pool) {
  std::vector<std::string> strings;
  for (size_t at = 0; at + 8 <= places.bytes.size(); at += 8) {
    uint64_t place;
    std::memcpy(&place, places.bytes.data() + at, sizeof place);
    size_t offset = std::min<uint64_t>(place >> 32, pool.size()),
           length = std::min<uint64_t>(place & 0xFFFFFFFF, pool.size() - offset);
    strings.emplace_back(pool.data() + offset, length);
  }
  return makeStringArray(places.shape, strings);
}

NpzFile joinStrings(NpzFile arrays) {
  NpzFile result;
  for (size_t i = 0; i < arrays.size(); ++i) {
    auto &[name, array] = arrays[i];
    bool hasPool = i + 1 < arrays.size() && arrays[i + 1].first == name + kStringBytes.str();
    if (array.elementType != kStringElement || !hasPool) {
      result.push_back(std::move(arrays[i]));
      continue;
    }
    result.emplace_back(name, joinOne(array, arrays[i + 1].second.bytes));
    ++i;
  }
  return result;
}

} // namespace leaf
