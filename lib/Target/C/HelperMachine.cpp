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

/// Dot product with sums of type `sum`.
std::string dotHelper(llvm::StringRef instruction, llvm::StringRef name, CType sum, const TargetSpec &target,
                      std::string &header) {
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
  return type->isVector() ? dotHelper(parts[0], name, *type, target, header) : "";
}

} // namespace leaf
