//===- Identifier.cpp - C identifiers from any text --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/Identifier.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using llvm::StringRef;

namespace leaf {

// Keywords of C11 and C++20, and what headers that generated code includes define.
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
                                          "errno",       "stdin",        "stdout",    "stderr",
                                          "typeof",      "near",         "i386",      "complex",
                                          "imaginary",   "noreturn",     "assert",    "offsetof",
                                          "NULL",        "EOF",          "BUFSIZ",    "FILENAME_MAX",
                                          "FOPEN_MAX",   "TMP_MAX",      "L_tmpnam",  "SEEK_SET",
                                          "SEEK_CUR",    "SEEK_END",     "INFINITY",  "NAN",
                                          "HUGE_VAL",    "HUGE_VALF",    "HUGE_VALL", "SIZE_MAX",
                                          "RAND_MAX",    "float_t",      "double_t",  "size_t",
                                          "ptrdiff_t",   "max_align_t",  "signgam"};
  if (words.contains(text) || text.starts_with("LEAF_") || text.starts_with("M_") || text.starts_with("FP_"))
    return true;
  // int8_t … uintmax_t, INT8_MAX … and their like, of stdint.h.
  StringRef rest = text;
  if ((rest.consume_back("_t") && (rest.consume_front("uint") || rest.consume_front("int"))) ||
      ((rest.consume_back("_MAX") || rest.consume_back("_MIN") || rest.consume_back("_C")) &&
       (rest.consume_front("UINT") || rest.consume_front("INT") || rest.consume_front("PTRDIFF") ||
        rest.consume_front("SIG_ATOMIC") || rest.consume_front("WCHAR") || rest.consume_front("WINT"))))
    return true;
  return false;
}

// NAME.h must not hide a header of the C library (or of a compiler) from files that look for it beside NAME.h.
static bool isSystemHeader(StringRef text) {
  static const llvm::StringSet<> names = {
      "alloca", "arm_acle", "arm_mve", "arm_neon",    "arm_sve",   "assert",   "byteswap",  "complex",   "cpuid",
      "ctype",  "dirent",   "dlfcn",   "elf",         "emmintrin", "endian",   "errno",     "fcntl",     "features",
      "fenv",   "float",    "getopt",  "glob",        "immintrin", "inttypes", "iso646",    "libgen",    "limits",
      "link",   "locale",   "malloc",  "math",        "memory",    "newlib",   "poll",      "pthread",   "reent",
      "sched",  "search",   "setjmp",  "signal",      "stdalign",  "stdarg",   "stdatomic", "stdbool",   "stddef",
      "stdint", "stdio",    "stdlib",  "stdnoreturn", "string",    "strings",  "termios",   "tgmath",    "threads",
      "time",   "uchar",    "unistd",  "unwind",      "values",    "wchar",    "wctype",    "x86intrin", "xmmintrin"};
  return names.contains(text);
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

std::string makeModelName(StringRef text) {
  std::string name = makeIdentifier(text), lower = StringRef(name).lower();
  // The runtime's own functions are leaf_…, so a suffix would not help there.
  if (StringRef(lower).starts_with("leaf_") || lower == "leaf")
    return "m_" + name;
  return isSystemHeader(lower) || lower == "example" ? name + "_net" : name;
}

} // namespace leaf
