//===- CText.cpp - any bytes in C source text ---------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/CText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"

namespace leaf {

static void appendEscaped(std::string &result, unsigned char c, bool octal) {
  result += '\\';
  if (octal) {
    // Three digits always: a digit that follows is no part of it.
    result += static_cast<char>('0' + (c >> 6));
    result += static_cast<char>('0' + ((c >> 3) & 7));
    result += static_cast<char>('0' + (c & 7));
    return;
  }
  result += 'x';
  result += llvm::hexdigit(c >> 4);
  result += llvm::hexdigit(c & 15);
}

std::string escapeComment(llvm::StringRef text) {
  std::string result;
  char previous = 0;
  for (char c : text) {
    bool ends = (previous == '*' && c == '/') || (previous == '/' && (c == '*' || c == '/'));
    bool trigraph = previous == '?' && c == '?';
    if (llvm::isPrint(c) && c != '\\' && !ends && !trigraph)
      result += c;
    else
      appendEscaped(result, static_cast<unsigned char>(c), /*octal=*/false);
    previous = c;
  }
  // What follows the text may be the '/' or '*' of a comment mark.
  if (!result.empty() && (result.back() == '*' || result.back() == '/')) {
    char last = result.back();
    result.pop_back();
    appendEscaped(result, static_cast<unsigned char>(last), /*octal=*/false);
  }
  return result;
}

std::string escapeString(llvm::StringRef text) {
  std::string result;
  for (char c : text)
    if (llvm::isPrint(c) && c != '\\' && c != '"' && c != '?')
      result += c;
    else
      appendEscaped(result, static_cast<unsigned char>(c), /*octal=*/true);
  return result;
}

/// Bytes of the UTF-8 character at the start of `text`; 0 where there is none, or a control character.
static size_t characterLength(llvm::StringRef text) {
  unsigned char first = text.front();
  if (first < 0x80)
    return llvm::isPrint(text.front()) || first == '\n' ? 1 : 0;
  const auto *begin = reinterpret_cast<const llvm::UTF8 *>(text.begin());
  unsigned length = llvm::getUTF8SequenceSize(begin, reinterpret_cast<const llvm::UTF8 *>(text.end()));
  // U+0080 to U+009F are control characters too.
  return first == 0xC2 && length == 2 && static_cast<unsigned char>(text[1]) < 0xA0 ? 0 : length;
}

std::string escapeMessage(llvm::StringRef text) {
  std::string result;
  while (!text.empty()) {
    size_t length = characterLength(text);
    if (length == 0)
      appendEscaped(result, static_cast<unsigned char>(text.front()), /*octal=*/false);
    result += text.take_front(length);
    text = text.drop_front(std::max<size_t>(length, 1));
  }
  return result;
}

} // namespace leaf
