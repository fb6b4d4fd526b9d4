//===- CText.cpp - any bytes in C source text ---------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/CText.h"

#include "llvm/ADT/StringExtras.h"

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

} // namespace leaf
