//===- HelperMachine.cpp - helpers for dot products and tile registers --------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Names come from lib/Conversion/FlatToEmitC/MachinePatterns.cpp. Each function is one instruction.
//
//===----------------------------------------------------------------------===//

#include "HelperText.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

namespace leaf {
namespace {

/// The parts of a helper's name after "leaf_".
llvm::SmallVector<llvm::StringRef> partsOf(llvm::StringRef name) {
  llvm::SmallVector<llvm::StringRef> parts;
  name.drop_front(5).split(parts, '_');
  return parts;
}

/// The bodies of dot products of ARM. The instructions come from the compiler's headers, which declare them for
/// processors that have them; for any other one the same sum is written in C, or by instructions that all have.
std::string armDotBody(llvm::StringRef instruction) {
  std::string rows = "int16x8_t l = vmull_s8(vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));\n  "
                     "int16x8_t h = vmull_s8(vget_high_s8((int8x16_t)a), vget_high_s8((int8x16_t)b));\n  "
                     "return (leaf_i32x4)vpadalq_s16(vpadalq_s16((int32x4_t)acc, l), h);";
  if (instruction == "smull" || instruction == "vmull")
    return rows;
  if (instruction == "smlal" || instruction == "vmlal")
    return "int16x8_t l = vmull_s8(vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));\n  "
           "l = vmlal_s8(l, vget_high_s8((int8x16_t)a), vget_high_s8((int8x16_t)b));\n  "
           "return (leaf_i32x4)vpadalq_s16((int32x4_t)acc, l);";
  // Neighbours of sums of neighbours are a lane's four products.
  std::string pairs = "return (leaf_i32x4)vaddq_s32((int32x4_t)acc, vpaddq_s32(vpaddlq_s16(l), vpaddlq_s16(h)));";
  if (instruction == "sdot")
    return "#if defined(__ARM_FEATURE_DOTPROD)\n  return (leaf_i32x4)vdotq_s32((int32x4_t)acc, (int8x16_t)a, "
           "(int8x16_t)b);\n#else\n  int16x8_t l = vmull_s8(vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));\n  "
           "int16x8_t h = vmull_s8(vget_high_s8((int8x16_t)a), vget_high_s8((int8x16_t)b));\n  " +
           pairs + "\n#endif";
  if (instruction == "usdot")
    return "#if defined(__ARM_FEATURE_MATMUL_INT8)\n  return (leaf_i32x4)vusdotq_s32((int32x4_t)acc, (uint8x16_t)a, "
           "(int8x16_t)b);\n#else\n  leaf_i32x4 r = acc;\n  for (int i = 0; i < 16; ++i)\n    "
           "r[i / 4] += (uint8_t)a[i] * b[i];\n  return r;\n#endif";
  if (instruction == "vmladava")
    return "#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)\n  return vmladavaq_s8(acc, (int8x16_t)a, "
           "(int8x16_t)b);\n#else\n  for (int i = 0; i < 16; ++i)\n    acc += a[i] * b[i];\n  return acc;\n#endif";
  bool isSigned = instruction == "smlad";
  if (!isSigned && instruction != "usmlad")
    return "";
  std::string widen = isSigned ? "__sxtb16" : "__uxtb16", type = isSigned ? "(int8_t)" : "(uint8_t)";
  return "#if defined(__ARM_FEATURE_SIMD32)\n  uint32_t u = (uint32_t)a, v = (uint32_t)b;\n  "
         "acc = __smlad((int16x2_t)" +
         widen +
         "(u), (int16x2_t)__sxtb16(v), acc);\n  "
         "return __smlad((int16x2_t)" +
         widen +
         "(u >> 8 | u << 24), (int16x2_t)__sxtb16(v >> 8 | v << 24), acc);\n"
         "#else\n  for (int i = 0; i < 32; i += 8)\n    acc += " +
         type +
         "((uint32_t)a >> i) * (int8_t)((uint32_t)b >> i);\n"
         "  return acc;\n#endif";
}

std::string armDotHelper(llvm::StringRef instruction, llvm::StringRef name, CType sum, std::string &header) {
  std::string body = armDotBody(instruction);
  if (body.empty())
    return "";
  CType bytes{CType::Signed, 8, 16};
  std::string operand = instruction.ends_with("smlad") ? sum.c() : bytes.c();
  header = sum.isVector() ? "arm_neon.h" : instruction == "vmladava" ? "arm_mve.h" : "arm_acle.h";
  std::string start = llvm::StringRef(body).starts_with("#") ? ") {\n" : ") {\n  ";
  return sum.c() + " " + name.str() + "(" + sum.c() + " acc, " + operand + " a, " + operand + " b" + start + body +
         "\n}\n";
}

/// Dot product with sums of type `sum`.
std::string dotHelper(llvm::StringRef instruction, llvm::StringRef name, CType sum, const TargetSpec &target,
                      std::string &header) {
  if (std::string text = armDotHelper(instruction, name, sum, header); !text.empty())
    return text;
  bool isFloat = sum.kind == CType::Float, isPairs = instruction == "vpmaddwd";
  CType operand = isFloat   ? CType{CType::Unsigned, 16, sum.lanes * 2}
                  : isPairs ? CType{CType::Signed, 16, sum.lanes * 2}
                            : CType{CType::Signed, 8, sum.lanes * 4};
  std::string bits = std::to_string(sum.bytes() * 8), call;
  std::string prefix = "_mm" + (bits == "128" ? "" : bits) + "_", integers = "(__m" + bits + "i)";
  if (instruction == "vpdpbusd") {
    // Both encodings have the narrow ones; the intrinsics of the one are not those of the other.
    call = "return (" + sum.c() + ")" + prefix + (target.vectorBytes < 64 ? "dpbusd_avx" : "dpbusd") + "_epi32(" +
           integers + "acc, " + integers + "a, " + integers + "b);";
  } else if (instruction == "vpmaddwd") {
    call = "return (" + sum.c() + ")" + prefix + "add_epi32(" + integers + "acc, " + prefix + "madd_epi16(" + integers +
           "a, " + integers + "b));";
  } else if (instruction == "vdpbf16ps") {
    call = "return (" + sum.c() + ")" + prefix + "dpbf16_ps((__m" + (bits == "128" ? "128" : bits) + ")acc, (__m" +
           bits + "bh)a, (__m" + bits + "bh)b);";
  } else {
    return "";
  }
  header = "immintrin.h";
  return sum.c() + " " + name.str() + "(" + sum.c() + " acc, " + operand.c() + " a, " + operand.c() + " b) {\n  " +
         call + "\n}\n";
}

/// What QuantizeLinear does with a quotient. Any compiler's C: clamped, then rounded by the addition of 1.5 * 2^23.
std::string saturateHelper(llvm::StringRef name, CType type, std::string &header) {
  header = "arm_acle.h";
  bool isSigned = type.kind == CType::Signed;
  std::string bits = std::to_string(type.bits), low = isSigned ? std::to_string(-(1 << (type.bits - 1))) : "0";
  std::string high = std::to_string((1 << (type.bits - (isSigned ? 1 : 0))) - 1);
  return "int32_t " + name.str() + "(float x, int32_t zero) {\n" +
         "#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP) && (__ARM_FP & 4)\n  int32_t r;\n  float f;\n"
         "  __asm__(\"vcvtr.s32.f32 %0, %1\" : \"=t\"(f) : \"t\"(x));\n  memcpy(&r, &f, sizeof r);\n  return "
         "(int32_t)__" +
         (isSigned ? "ssat" : "usat") + "(__qadd(r, zero), " + bits + ");\n#else\n  float low = (float)(" + low +
         " - zero), high = (float)(" + high + " - zero);\n  x = x > low ? x : low;\n  x = x < high ? x : high;\n" +
         "  x += 12582912.0f;\n  int32_t r;\n  memcpy(&r, &x, sizeof r);\n  return r - 0x4b400000 + zero;\n#endif\n}\n";
}

std::string tileHelper(llvm::ArrayRef<llvm::StringRef> parts, llvm::StringRef name, std::string &header) {
  llvm::StringRef op = parts[0];
  auto text = [&](llvm::StringRef parameters, const std::string &body) {
    header = "immintrin.h";
    return ("void " + name + "(" + parameters + ") {\n  " + body + "\n}\n").str();
  };
  if (op == "tileconfig")
    return text("const char *config", "_tile_loadconfig(config);");
  if (op == "tilerelease")
    return text("void", "_tile_release();");
  if (op == "tilezero" && parts.size() == 2)
    return text("void", ("_tile_zero(" + parts[1] + ");").str());
  // The macros of some compilers don't tell that memory is read.
  if (op == "tileload" && parts.size() == 2)
    return text("const void *p, ptrdiff_t stride",
                ("__asm__ volatile(\"\" ::: \"memory\");\n  _tile_loadd(" + parts[1] + ", p, stride);").str());
  if (op == "tilestore" && parts.size() == 2)
    return text("void *p, ptrdiff_t stride",
                ("_tile_stored(" + parts[1] + ", p, stride);\n  __asm__ volatile(\"\" ::: \"memory\");").str());
  if (op.consume_front("tdp") && parts.size() == 4)
    return text("void", ("_tile_dp" + op + "(" + parts[1] + ", " + parts[2] + ", " + parts[3] + ");").str());
  return "";
}

} // namespace

std::string machineHelper(llvm::StringRef name, const TargetSpec &target, std::string &header) {
  llvm::SmallVector<llvm::StringRef> parts = partsOf(name);
  if (name == "leaf_request_tiles")
    // Linux gives a process the tile registers when it asks: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
    return "bool leaf_request_tiles(void) {\n  long r = 158;\n  __asm__ volatile(\"syscall\" : \"+a\"(r) : "
           "\"D\"(0x1023L), \"S\"(18L) : \"rcx\", \"r11\", \"memory\");\n  return r == 0;\n}\n";
  if (std::string text = tileHelper(parts, name, header); !text.empty())
    return text;
  std::optional<CType> type = parts.size() == 2 ? CType::parse(parts[1]) : std::nullopt;
  if (!type)
    return "";
  if (parts[0] == "word")
    return "int32_t " + name.str() + "(const " + type->memory() +
           " *p, ptrdiff_t i) {\n  int32_t r;\n  memcpy(&r, p + i, sizeof r);\n  return r;\n}\n";
  if (parts[0] == "saturate" && !type->isVector())
    return saturateHelper(name, *type, header);
  return dotHelper(parts[0], name, *type, target, header);
}

} // namespace leaf
