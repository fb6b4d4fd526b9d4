//===- HelperIntrinsics.cpp - helpers by instructions of x86 and ARM ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// GCC and Clang both accept a cast between their vector types of equal size and those of the intrinsics. Scalars use
// intrinsics where the plain operation would call the C library (sqrtf sets errno).
//
//===----------------------------------------------------------------------===//

#include "HelperText.h"

#include "llvm/ADT/StringSwitch.h"

namespace leaf {
namespace {

/// Immediate of roundps: direction, without raising exceptions.
int roundingMode(llvm::StringRef op) {
  return llvm::StringSwitch<int>(op)
      .Case("roundeven", 8)
      .Case("floor", 9)
      .Case("ceil", 10)
      .Case("trunc", 11)
      .Default(-1);
}

struct X86 {
  CType type;
  std::string width, prefix, suffix;

  explicit X86(CType type) : type(type) {
    unsigned bits = type.bytes() * 8;
    width = bits == 128 ? "" : std::to_string(bits);
    prefix = "_mm" + width + "_";
    suffix = type.bits == 32 ? "ps" : "pd";
  }
  std::string vector() const {
    return std::string("__m") + (width.empty() ? "128" : width) + (suffix == "pd" ? "d" : "");
  }
  std::string integers() const { return std::string("__m") + (width.empty() ? "128" : width) + "i"; }
  std::string operand(llvm::StringRef name) const { return ("(" + vector() + ")" + name).str(); }
  std::string call(llvm::StringRef op, llvm::StringRef operands) const {
    return ("return (" + type.c() + ")" + prefix + op + "_" + suffix + "(" + operands + ");").str();
  }
};

std::string x86Vector(llvm::StringRef op, CType type, const TargetSpec &target) {
  if (type.kind != CType::Float || (type.bytes() != 16 && type.bytes() != 32 && type.bytes() != 64) || type.isHalf() ||
      type.bytes() > target.vectorBytes)
    return "";
  X86 x(type);
  if (op == "fma" && target.fma)
    return x.call("fmadd", x.operand("a") + ", " + x.operand("b") + ", " + x.operand("c"));
  if (op == "max" || op == "min")
    return x.call(op, x.operand("a") + ", " + x.operand("b"));
  if (op == "sqrt")
    return x.call(op, x.operand("a"));
  int mode = target.roundInstructions ? roundingMode(op) : -1;
  if (mode >= 0)
    return x.call(type.bytes() == 64 ? "roundscale" : "round", x.operand("a") + ", " + std::to_string(mode));
  if (op != "select" || !target.roundInstructions)
    return "";
  if (type.bytes() == 64)
    return x.call("mask_blend", x.prefix + "movepi" + std::to_string(type.bits) + "_mask((" + x.integers() +
                                    ")mask), " + x.operand("b") + ", " + x.operand("a"));
  return x.call("blendv", x.operand("b") + ", " + x.operand("a") + ", " + x.operand("mask"));
}

std::string x86Scalar(llvm::StringRef op, CType type, const TargetSpec &target) {
  if (type.kind != CType::Float || type.isHalf())
    return "";
  bool single = type.bits == 32;
  if (op == "fma" && target.fma)
    return single ? "return __builtin_fmaf(a, b, c);" : "return __builtin_fma(a, b, c);";
  std::string set = single ? "_mm_set_ss(a)" : "_mm_set_sd(a)", get = single ? "_mm_cvtss_f32" : "_mm_cvtsd_f64";
  std::string suffix = single ? "_ss(" : "_sd(";
  if (op == "sqrt")
    return "return " + get + "(_mm_sqrt" + suffix + (single ? "" : set + ", ") + set + "));";
  int mode = target.roundInstructions ? roundingMode(op) : -1;
  if (mode < 0)
    return "";
  return "return " + get + "(_mm_round" + suffix + set + ", " + set + ", " + std::to_string(mode) + "));";
}

/// NEON. The fused operations of AArch32 need VFPv4.
std::string neonVector(llvm::StringRef op, CType type, const TargetSpec &target) {
  if (type.kind != CType::Float || type.bits != 32 || type.lanes != 4)
    return "";
  auto cast = [](llvm::StringRef name) { return ("(float32x4_t)" + name).str(); };
  std::string start = "return (" + type.c() + ")";
  if (op == "fma" && target.fma)
    return start + "vfmaq_f32(" + cast("c") + ", " + cast("a") + ", " + cast("b") + ");";
  if (op == "select")
    return start + "vbslq_f32((uint32x4_t)mask, " + cast("a") + ", " + cast("b") + ");";
  if (!isAArch64(target))
    return "";
  std::string name = llvm::StringSwitch<std::string>(op)
                         .Case("sqrt", "vsqrtq_f32")
                         .Case("floor", "vrndmq_f32")
                         .Case("ceil", "vrndpq_f32")
                         .Case("trunc", "vrndq_f32")
                         .Case("roundeven", "vrndnq_f32")
                         .Default("");
  return name.empty() ? "" : start + name + "(" + cast("a") + ");";
}

/// Scalar ARM with a floating point unit. A compiler that was not told of the unit gets plain C.
std::string armScalar(llvm::StringRef op, CType type, const TargetSpec &target, std::string &header) {
  if (type.kind != CType::Float || type.bits != 32)
    return "";
  if (op == "fma" && target.fma)
    return "#if defined(__ARM_FEATURE_FMA)\n  return __builtin_fmaf(a, b, c);\n#else\n  return a * b + c;\n#endif";
  bool wide = isAArch64(target);
  if (op == "sqrt" && target.sqrtInstruction) {
    if (wide)
      return "float r;\n  __asm__(\"fsqrt %s0, %s1\" : \"=w\"(r) : \"w\"(a));\n  return r;";
    header = "math.h";
    return "#if defined(__ARM_FP) && (__ARM_FP & 4)\n  float r;\n"
           "  __asm__(\"vsqrt.f32 %0, %1\" : \"=t\"(r) : \"t\"(a));\n  return r;\n#else\n  return sqrtf(a);\n#endif";
  }
  if (roundingMode(op) < 0 || !target.roundInstructions)
    return "";
  std::string name = op == "roundeven" ? "rint" : op.str();
  return "return __builtin_" + name + "f(a);";
}

} // namespace

std::string intrinsicBody(llvm::StringRef op, CType type, const TargetSpec &target, std::string &header) {
  bool x86 = isX86(target), arm = isAArch64(target) || isARM32(target);
  if (!type.isVector() && arm)
    return armScalar(op, type, target, header);
  if (!target.vectorBytes || (!x86 && !arm))
    return "";
  std::string body = arm               ? neonVector(op, type, target)
                     : type.isVector() ? x86Vector(op, type, target)
                                       : x86Scalar(op, type, target);
  if (!body.empty() && (arm || llvm::StringRef(body).contains("_mm")))
    header = arm ? "arm_neon.h" : "immintrin.h";
  return body;
}

std::string intrinsicConversion(CType from, CType to, const TargetSpec &target, std::string &header) {
  bool widen = from.bits == 16;
  CType half = widen ? from : to;
  if (half.kind != CType::Float || !target.f16Conversion)
    return "";
  unsigned lanes = half.lanes;
  if (isAArch64(target) && lanes == 4) {
    header = "arm_neon.h";
    return widen ? "return (leaf_f32x4)vcvt_f32_f16((float16x4_t)x);"
                 : "return (leaf_u16x4)vcvt_f16_f32((float32x4_t)x);";
  }
  if (isAArch64(target) && lanes == 1)
    return widen ? "__fp16 h;\n  memcpy(&h, &x, sizeof h);\n  return (float)h;"
                 : "__fp16 h = (__fp16)x;\n  uint16_t r;\n  memcpy(&r, &h, sizeof r);\n  return r;";
  if (!isX86(target) || (lanes != 1 && lanes != 8 && lanes != 16))
    return "";
  header = "immintrin.h";
  if (lanes == 1)
    return widen ? "return _cvtsh_ss(x);" : "return _cvtss_sh(x, 0);";
  std::string prefix = lanes == 8 ? "_mm256_" : "_mm512_", bytes = lanes == 8 ? "128" : "256";
  if (widen)
    return "return (" + to.c() + ")" + prefix + "cvtph_ps((__m" + bytes + "i)x);";
  return "return (" + to.c() + ")" + prefix + "cvtps_ph((__m" + (lanes == 8 ? "256" : "512") + ")x, 0);";
}

} // namespace leaf
