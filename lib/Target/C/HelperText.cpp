//===- HelperText.cpp - definitions of helpers in portable C ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// A helper is called leaf_<operation>_<type>, or leaf_convert/bitcast_<from>_<to>. What the target has an instruction
// for is in HelperIntrinsics.cpp, which is asked first.
//
//===----------------------------------------------------------------------===//

#include "HelperText.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

namespace leaf {
namespace {

using Types = llvm::SmallVector<CType, 2>;

/// Splits "leaf_reduce_ordered_add_f32x8" into "reduce_ordered_add" and its types.
std::pair<std::string, Types> parseName(llvm::StringRef name) {
  llvm::SmallVector<llvm::StringRef> parts;
  name.drop_front(5).split(parts, '_');
  Types types;
  while (parts.size() > 1) {
    std::optional<CType> type = CType::parse(parts.back());
    if (!type)
      break;
    types.insert(types.begin(), *type);
    parts.pop_back();
  }
  return {llvm::join(parts, "_"), types};
}

/// "T NAME(T a, T b) { BODY }"
std::string function(CType result, llvm::StringRef name, llvm::StringRef parameters, llvm::StringRef body) {
  return (result.c() + " " + name + "(" + parameters + ") {\n  " + body + "\n}\n").str();
}

std::string parameters(CType type, unsigned count) {
  static const char *const names[] = {"a", "b", "c"};
  std::string text;
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + type.c() + " " + names[i];
  return text;
}

/// `T r = {<lane 0>, <lane 1>, ...}; return r;` where `@` in `lane` stands for the number.
std::string lanes(CType type, llvm::StringRef lane) {
  std::string text = type.c() + " r = {";
  for (unsigned i = 0; i < type.lanes; ++i) {
    if (i)
      text += ", ";
    for (char c : lane)
      text += c == '@' ? std::to_string(i) : std::string(1, c);
  }
  return text + "};\n  return r;";
}

std::string memoryHelper(llvm::StringRef op, llvm::StringRef name, CType type) {
  std::string pointer = type.memory() + " *p, ptrdiff_t i";
  if (op == "load")
    return function(type, name, "const " + pointer, "return *(const " + type.c() + "_u *)(p + i);");
  if (op == "store")
    return ("void " + name + "(" + pointer + ", " + type.c() + " v) {\n  *(" + type.c() + "_u *)(p + i) = v;\n}\n")
        .str();
  if (op == "splat")
    return function(type, name, type.element().c() + " x", lanes(type, "x"));
  if (op == "insert")
    return function(type, name, type.c() + " v, " + type.element().c() + " x, ptrdiff_t i", "v[i] = x;\n  return v;");
  if (op != "make")
    return "";
  std::string list;
  for (unsigned i = 0; i < type.lanes; ++i)
    list += (i ? ", " : "") + type.element().c() + " x" + std::to_string(i);
  return function(type, name, list, lanes(type, "x@"));
}

/// `condition ? a : b`; `condition` is an expression in a and b.
std::string choice(llvm::StringRef name, CType type, llvm::StringRef condition) {
  std::string body = type.isVector() ? ("return leaf_select_" + type.name() + "(" + condition + ", a, b);").str()
                                     : ("return " + condition + " ? a : b;").str();
  return function(type, name, parameters(type, 2), body);
}

std::string choiceHelper(llvm::StringRef op, llvm::StringRef name, CType type) {
  if (op == "select") {
    std::string mask = type.as(CType::Signed).c();
    return function(type, name, mask + " mask, " + parameters(type, 2),
                    "return (" + type.c() + ")((mask & (" + mask + ")a) | (~mask & (" + mask + ")b));");
  }
  if (op == "isnan") {
    std::string result = type.isVector() ? type.as(CType::Signed).c() : "bool";
    return (result + " " + name + "(" + parameters(type, 1) + ") {\n  return (" + result + ")(a != a);\n}\n").str();
  }
  // maximum and minimum give a NaN that goes in, maxnum and minnum the other operand, max and min the second one.
  const char *less = type.isVector() ? "|" : "||";
  auto with = [&](llvm::StringRef compare, llvm::StringRef nan) {
    return choice(name, type, ("(" + compare + ") " + less + " (" + nan + ")").str());
  };
  if (op == "max" || op == "min")
    return choice(name, type, op == "max" ? "a > b" : "a < b");
  if (op == "maximum" || op == "minimum")
    return with(op == "maximum" ? "a > b" : "a < b", "a != a");
  if (op == "maxnum" || op == "minnum")
    return with(op == "maxnum" ? "a > b" : "a < b", "b != b");
  return "";
}

/// abs and copysign, on the bits.
std::string signHelper(llvm::StringRef op, llvm::StringRef name, CType type) {
  CType bits = type.as(CType::Signed);
  std::string low = "INT" + std::to_string(type.bits) + "_MAX", high = "INT" + std::to_string(type.bits) + "_MIN";
  auto toBits = [&](llvm::StringRef value) {
    return type.isVector() ? ("(" + bits.c() + ")" + value).str()
                           : ("leaf_bitcast_" + type.name() + "_" + bits.name() + "(" + value + ")").str();
  };
  auto toFloat = [&](const std::string &value) {
    return type.isVector() ? "(" + type.c() + ")(" + value + ")"
                           : "leaf_bitcast_" + bits.name() + "_" + type.name() + "(" + value + ")";
  };
  if (op == "abs")
    return function(type, name, parameters(type, 1), "return " + toFloat(toBits("a") + " & " + low) + ";");
  return function(type, name, parameters(type, 2),
                  "return " + toFloat("(" + toBits("a") + " & " + low + ") | (" + toBits("b") + " & " + high + ")") +
                      ";");
}

std::string combineText(llvm::StringRef kind, CType type) {
  if (kind == "add" || kind == "mul" || kind == "and" || kind == "or" || kind == "xor") {
    const char *sign = kind == "add"   ? " + "
                       : kind == "mul" ? " * "
                       : kind == "and" ? " & "
                       : kind == "or"  ? " | "
                                       : " ^ ";
    bool wraps = type.kind == CType::Signed && (kind == "add" || kind == "mul");
    std::string wide = type.as(CType::Unsigned).c();
    return wraps ? "(" + type.c() + ")((" + wide + ")v" + sign + "(" + wide + ")w)" : "v" + std::string(sign) + "w";
  }
  if (kind == "maxu" || kind == "minu") {
    std::string wide = "(" + type.as(CType::Unsigned).c() + ")", sign = kind == "maxu" ? " > " : " < ";
    return "leaf_select_" + type.name() + "(" + wide + "v" + sign + wide + "w, v, w)";
  }
  return "leaf_" + kind.str() + "_" + type.name() + "(v, w)";
}

std::string reduceHelper(llvm::StringRef op, llvm::StringRef name, CType type) {
  if (op.consume_front("reduce_ordered_")) {
    std::string loop = "for (int i = 0; i < " + std::to_string(type.lanes) + "; ++i)\n    start = start ";
    return function(type.element(), name, type.c() + " v, " + type.element().c() + " start",
                    loop + (op == "add" ? "+" : "*") + " v[i];\n  return start;");
  }
  op.consume_front("reduce_");
  std::string body = type.c() + " w;";
  for (unsigned half = type.lanes / 2; half; half /= 2) {
    body += "\n  w = __builtin_shufflevector(v, v";
    for (unsigned i = 0; i < type.lanes; ++i)
      body += ", " + std::to_string((i + half) % type.lanes);
    body += ");\n  v = " + combineText(op, type) + ";";
  }
  return function(type.element(), name, type.c() + " v", body + "\n  return v[0];");
}

/// memcpy is the one way between types that C and C++ define; compilers make one instruction of it.
std::string bitcastHelper(llvm::StringRef name, CType from, CType to) {
  return function(to, name, from.c() + " x", to.c() + " r;\n  memcpy(&r, &x, sizeof r);\n  return r;");
}

std::string convertHelper(llvm::StringRef name, CType from, CType to) {
  if (from.isVector()) {
    std::string scalar = "leaf_convert_" + from.element().name() + "_" + to.element().name();
    return function(to, name, from.c() + " x", lanes(to, scalar + "(x[@])"));
  }
  if (from.kind == CType::BFloat)
    return function(to, name, "uint16_t x", "return leaf_bitcast_u32_f32((uint32_t)x << 16);");
  if (to.kind == CType::BFloat)
    return function(to, name, "float x",
                    "uint32_t u = leaf_bitcast_f32_u32(x);\n"
                    "  if ((u & 0x7fffffffu) > 0x7f800000u)\n    return (uint16_t)(u >> 16 | 0x40u);\n"
                    "  return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);");
  if (from.bits == 16)
    return function(to, name, "uint16_t x",
                    "uint32_t sign = (uint32_t)(x & 0x8000u) << 16, rest = (uint32_t)(x & 0x7fffu) << 13;\n"
                    "  if (rest >= 0x0f800000u)\n    return leaf_bitcast_u32_f32(sign | 0x7f800000u | rest);\n"
                    "  /* times 2^112 sets the exponent right, of subnormal numbers too */\n"
                    "  return leaf_bitcast_u32_f32(sign | leaf_bitcast_f32_u32(leaf_bitcast_u32_f32(rest) * "
                    "5.19229685853482763e33f));");
  return function(
      to, name, "float x",
      "uint32_t u = leaf_bitcast_f32_u32(x), sign = u >> 16 & 0x8000u;\n"
      "  u &= 0x7fffffffu;\n"
      "  if (u > 0x7f800000u)\n    return (uint16_t)(sign | 0x7e00u);\n"
      "  if (u >= 0x477ff000u)\n    return (uint16_t)(sign | 0x7c00u);\n"
      "  if (u < 0x38800000u) /* the addition rounds to a multiple of 2^-24 */\n"
      "    return (uint16_t)(sign | (leaf_bitcast_f32_u32(leaf_bitcast_u32_f32(u) + 0.5f) - 0x3f000000u));\n"
      "  return (uint16_t)(sign | (u - 0x38000000u + 0xfffu + (u >> 13 & 1u)) >> 13);");
}

/// Functions of math.h, for machines that have no instruction.
std::string mathHelper(llvm::StringRef op, llvm::StringRef name, CType type, bool fused, std::string &header) {
  if (op == "fma" && fused && type.isVector())
    return function(type, name, parameters(type, 3),
                    lanes(type, "leaf_fma_" + type.element().name() + "(a[@], b[@], c[@])"));
  if (op == "fma")
    return function(type, name, parameters(type, 3), "return a * b + c;");
  if (!llvm::is_contained({"sqrt", "floor", "ceil", "trunc", "roundeven"}, op))
    return "";
  if (type.isVector())
    return function(type, name, parameters(type, 1),
                    lanes(type, ("leaf_" + op + "_" + type.element().name() + "(a[@])").str()));
  header = "math.h";
  std::string callee = (op == "roundeven" ? "rint" : op).str() + (type.bits == 32 ? "f" : "");
  return function(type, name, parameters(type, 1), "return " + callee + "(a);");
}

std::string contextHelper(llvm::StringRef name) {
  if (name == "leaf_arena")
    return "int8_t *leaf_arena(const leaf_context *ctx) {\n  return (int8_t *)ctx->arena;\n}\n";
  if (name == "leaf_weights")
    return "const int8_t *leaf_weights(const leaf_context *ctx) {\n  return (const int8_t *)ctx->weights;\n}\n";
  return "";
}

} // namespace

std::string helperDefinition(llvm::StringRef name, const TargetSpec &target, std::string &header) {
  if (std::string text = machineHelper(name, target, header); !text.empty())
    return text;
  auto [op, types] = parseName(name);
  if (types.empty())
    return contextHelper(name);
  if (types.size() == 2) {
    if (op == "bitcast")
      return bitcastHelper(name, types[0], types[1]);
    std::string body = op == "convert" ? intrinsicConversion(types[0], types[1], target, header) : "";
    if (!body.empty())
      return function(types[1], name, types[0].c() + " x", body);
    return op == "convert" ? convertHelper(name, types[0], types[1]) : "";
  }
  CType type = types[0];
  std::string body = intrinsicBody(op, type, target, header);
  if (!body.empty()) {
    bool mask = op == "select";
    unsigned count = op == "fma" ? 3 : mask || op == "max" || op == "min" ? 2 : 1;
    return function(type, name, (mask ? type.as(CType::Signed).c() + " mask, " : "") + parameters(type, count), body);
  }
  if (op == "prefetch")
    return ("void " + name + "(const " + type.memory() + " *p, ptrdiff_t i) {\n  __builtin_prefetch(p + i, 0, 2);\n}\n")
        .str();
  if (op == "abs" || op == "copysign")
    return signHelper(op, name, type);
  if (llvm::StringRef(op).starts_with("reduce_"))
    return reduceHelper(op, name, type);
  for (std::string text :
       {type.isVector() ? memoryHelper(op, name, type) : std::string(), choiceHelper(op, name, type)})
    if (!text.empty())
      return text;
  return mathHelper(op, name, type, target.fma, header);
}

} // namespace leaf
