//===- Identifier.cpp - C identifiers from any text --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/Identifier.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

namespace leaf {

// Keywords of C11 and C++20, and macros of headers that generated code includes.
static bool isReserved(llvm::StringRef text) {
  static const llvm::StringSet<> words = {"alignas",     "alignof",      "and",       "and_eq",
                                          "asm",         "auto",         "bitand",    "bitor",
                                          "bool",        "break",        "case",      "catch",
                                          "char",        "char8_t",      "char16_t",  "char32_t",
                                          "class",       "compl",        "concept",   "const",
                                          "consteval",   "constexpr",    "constinit", "const_cast",
                                          "continue",    "co_await",     "co_return", "co_yield",
                                          "decltype",    "default",      "delete",    "do",
                                          "double",      "dynamic_cast", "else",      "enum",
                                          "explicit",    "export",       "extern",    "false",
                                          "float",       "for",          "friend",    "goto",
                                          "if",          "inline",       "int",       "long",
                                          "main",        "mutable",      "namespace", "new",
                                          "noexcept",    "not",          "not_eq",    "nullptr",
                                          "operator",    "or",           "or_eq",     "private",
                                          "protected",   "public",       "register",  "reinterpret_cast",
                                          "requires",    "restrict",     "return",    "short",
                                          "signed",      "sizeof",       "static",    "static_assert",
                                          "static_cast", "struct",       "switch",    "template",
                                          "this",        "thread_local", "throw",     "true",
                                          "try",         "typedef",      "typeid",    "typename",
                                          "union",       "unsigned",     "using",     "virtual",
                                          "void",        "volatile",     "wchar_t",   "while",
                                          "xor",         "xor_eq",       "linux",     "unix",
                                          "errno",       "stdin",        "stdout"};
  return words.contains(text);
}

bool isIdentifier(llvm::StringRef text) {
  if (text.empty() || text.front() == '_' || llvm::isDigit(text.front()) || isReserved(text))
    return false;
  return llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::string makeIdentifier(llvm::StringRef text) {
  if (text.empty())
    return "model";
  std::string result;
  for (char c : text)
    result += llvm::isAlnum(c) ? c : '_';
  if (llvm::isDigit(result.front()))
    result.insert(0, "m_");
  else if (result.front() == '_')
    result.insert(0, "m");
  if (isReserved(result))
    result += '_';
  return result;
}

} // namespace leaf
