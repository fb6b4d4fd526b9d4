//===- Helpers.cpp - which definitions emitted C needs ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Helpers.h"

#include "leafcutter/Target/DotProducts.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Triple.h"

namespace leaf {

bool isX86(const TargetSpec &target) { return target.vectorBytes && llvm::Triple(target.triple).isX86(); }
bool isAArch64(const TargetSpec &target) { return target.vectorBytes && llvm::Triple(target.triple).isAArch64(); }
bool isARM32(const TargetSpec &target) {
  llvm::Triple triple(target.triple);
  return triple.isARM() || triple.isThumb();
}

std::string targetAttribute(const TargetSpec &target) {
  if (isARM32(target))
    return target.vectorBytes && target.fma ? "fpu=neon-vfpv4" : "";
  if (!isX86(target))
    return "";
  std::string text = target.vectorBytes >= 64   ? "avx512f,avx512vl,avx512bw,avx512dq,avx2"
                     : target.vectorBytes >= 32 ? "avx2"
                     : target.roundInstructions ? "sse4.2"
                                                : "";
  if (target.fma)
    text += text.empty() ? "fma" : ",fma";
  if (target.f16Conversion)
    text += text.empty() ? "f16c" : ",f16c";
  DotProducts dots = getDotProducts(target);
  if (dots.bytes == "vpdpbusd")
    text += target.vectorBytes >= 64 ? ",avx512vnni" : ",avxvnni";
  if (!dots.bf16.empty())
    text += ",avx512bf16";
  if (dots.amxInt8 || dots.amxBf16)
    text += std::string(",amx-tile") + (dots.amxInt8 ? ",amx-int8" : "") + (dots.amxBf16 ? ",amx-bf16" : "");
  return text;
}

std::optional<CType> CType::parse(llvm::StringRef text) {
  CType type;
  if (text.consume_front("bf"))
    type.kind = BFloat;
  else if (text.consume_front("f"))
    type.kind = Float;
  else if (text.consume_front("i"))
    type.kind = Signed;
  else if (text.consume_front("u"))
    type.kind = Unsigned;
  else
    return std::nullopt;
  if (text.consumeInteger(10, type.bits) || (type.bits != 8 && type.bits != 16 && type.bits != 32 && type.bits != 64))
    return std::nullopt;
  if (text.consume_front("x") && (text.consumeInteger(10, type.lanes) || type.lanes < 2))
    return std::nullopt;
  return text.empty() ? std::optional<CType>(type) : std::nullopt;
}

std::string CType::name() const {
  std::string text = kind == BFloat ? "bf" : kind == Float ? "f" : kind == Signed ? "i" : "u";
  text += std::to_string(bits);
  return isVector() ? text + "x" + std::to_string(lanes) : text;
}

std::string CType::c() const {
  if (isHalf())
    return CType{Unsigned, 16, lanes}.c();
  if (isVector())
    return "leaf_" + name();
  if (kind == Float)
    return bits == 32 ? "float" : "double";
  return (kind == Signed ? "int" : "uint") + std::to_string(bits) + "_t";
}

std::string CType::memory() const {
  if (isHalf())
    return "leaf_u16";
  return bits == 8 ? element().c() : "leaf_" + element().name();
}

/// Identifiers of `code` that start with leaf_, in order; comments and strings are skipped.
static std::vector<llvm::StringRef> findNames(llvm::StringRef code) {
  std::vector<llvm::StringRef> names;
  for (size_t i = 0; i < code.size();) {
    if (code.substr(i).starts_with("/*")) {
      size_t end = code.find("*/", i + 2);
      i = end == llvm::StringRef::npos ? code.size() : end + 2;
      continue;
    }
    if (!llvm::isAlpha(code[i]) && code[i] != '_') {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < code.size() && (llvm::isAlnum(code[end]) || code[end] == '_'))
      ++end;
    llvm::StringRef name = code.slice(i, end);
    if (name.starts_with("leaf_"))
      names.push_back(name);
    i = end;
  }
  return names;
}

/// Types that NAME.h defines.
static bool isABIName(llvm::StringRef name) {
  return llvm::is_contained({"leaf_context", "leaf_status", "leaf_task", "leaf_parallel_for"}, name);
}

llvm::Error HelperSet::addUsesOf(llvm::StringRef code) {
  for (llvm::StringRef name : findNames(code))
    if (!isABIName(name))
      if (llvm::Error error = add(name))
        return error;
  return llvm::Error::success();
}

/// "leaf_f32" (an element in a buffer), "leaf_f32x8" (a vector), "leaf_f32x8_u" (a vector at any element's address).
static std::string typedefText(llvm::StringRef name, CType type, bool unaligned) {
  CType element = type.element();
  std::string text = "typedef " + element.c() + " " + name.str();
  if (!type.isVector())
    return text + " LEAF_MAY_ALIAS;";
  text += " __attribute__((vector_size(" + std::to_string(type.bytes()) + ")";
  if (unaligned)
    text += ", aligned(" + std::to_string(element.bytes()) + "), may_alias";
  return text + "));";
}

/// Whether a helper's code needs LEAF_TARGET.
static bool usesInstructions(llvm::StringRef text) {
  for (llvm::StringRef name : findNames(text))
    if (std::optional<CType> type = CType::parse(name.drop_front(5)))
      if (type->isVector())
        return true;
  return text.contains("_mm") || text.contains("_tile_") || text.contains("__builtin_fma") || text.contains("_cvts");
}

llvm::Error HelperSet::add(llvm::StringRef name) {
  if (!seen.insert(name.str()).second)
    return llvm::Error::success();
  llvm::StringRef typeName = name.drop_front(5);
  bool unaligned = typeName.consume_back("_u");
  if (std::optional<CType> type = CType::parse(typeName)) {
    vectors |= type->isVector();
    typedefTexts.insert({type->isVector(), typedefText(name, *type, unaligned)});
    return llvm::Error::success();
  }
  std::string header;
  std::string text = helperDefinition(name, target, header);
  if (text.empty())
    return llvm::createStringError("no C definition of '" + name + "'");
  if (!header.empty())
    headerNames.insert(header);
  if (llvm::StringRef(text).contains("memcpy("))
    headerNames.insert("string.h");
  if (llvm::Error error = addUsesOf(text))
    return error;
  names.push_back(name.str());
  functionTexts.push_back((usesInstructions(text) ? "LEAF_INLINE LEAF_TARGET " : "LEAF_INLINE ") + text);
  return llvm::Error::success();
}

std::vector<std::string> HelperSet::typedefs() const {
  std::vector<std::string> texts;
  for (const auto &[order, text] : typedefTexts)
    texts.push_back(text);
  return texts;
}

} // namespace leaf
