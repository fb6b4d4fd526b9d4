//===- EmitC.cpp - one standalone C99 file -------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Helpers.h"
#include "Weights.h"
#include "leafcutter/Conversion/Passes.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Target/Emit.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/EmitC/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/Cpp/CppEmitter.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace leaf {
namespace {

/// There is no arithmetic on f16 and bf16 in C: it is done in f32 and rounded, which is exact for single operations.
void addHalfPasses(OpPassManager &pm) {
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  SmallVector<std::string> halves{"f16", "bf16"};
  emulate.sourceTypeStrs = halves;
  emulate.targetTypeStr = "f32";
  pm.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  pm.addPass(math::createMathExtendToSupportedTypes());
}

LogicalResult convertToEmitC(ModuleOp module, const TargetSpec &target) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  addHalfPasses(pm);
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  ConvertFlatToEmitCOptions options;
  options.vectorBytes = target.vectorBytes;
  pm.addPass(createConvertFlatToEmitC(options));
  pm.addPass(emitc::createFormExpressionsPass());
  return pm.run(module);
}

/// The dialect has no pointer types that end in '*': FlatToEmitC adds a space, which goes again.
std::string joinPointers(StringRef code) {
  std::string result;
  for (size_t i = 0; i < code.size(); ++i) {
    bool pointer = i > 0 && code[i - 1] == '*' && code[i] == ' ';
    if (pointer && i + 1 < code.size() && code[i + 1] == ' ') {
      ++i; // "T *  v": the type's space and the printer's
      continue;
    }
    if (pointer && code.substr(i + 1).starts_with(")"))
      continue;
    result += code[i];
  }
  return result;
}

/// Conditions on the compiler, then the macros that functions use.
void printPreamble(const ModelInterface &model, const TargetSpec &target, const HelperSet &helpers, raw_ostream &os) {
  os << "/* " << model.name << ": a compiled neural network, made by leafc for " << escapeComment(target.name) << " ("
     << escapeComment(target.triple) << ").\n * " << model.name << ".h says how to use it. */\n\n";
  os << "#include \"" << model.name << ".h\"\n\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n";
  for (const std::string &header : helpers.headers())
    os << "#include <" << header << ">\n";
  if (helpers.usesVectors())
    os << "\n#if !defined(__GNUC__)\n#error \"vectors of GCC and Clang are used here: use one of them, or leafc "
          "--target=generic\"\n#endif\n";
  if (isX86(target))
    os << "#if !defined(__x86_64__)\n#error \"compiled for x86-64\"\n#endif\n";
  os << R"(
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weights are little-endian"
#endif

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wpsabi" /* all functions on vectors are inlined */
#define LEAF_RESTRICT __restrict
#define LEAF_MAY_ALIAS __attribute__((may_alias))
)";
  std::string attribute = targetAttribute(target);
  if (attribute.empty())
    os << "#define LEAF_TARGET\n";
  else
    os << "#define LEAF_TARGET __attribute__((target(\"" << attribute << "\")))\n";
  os << R"(#define LEAF_INLINE static inline __attribute__((always_inline))
#else
#define LEAF_RESTRICT
#define LEAF_MAY_ALIAS
#define LEAF_TARGET
#define LEAF_INLINE static inline
#endif

)";
}

} // namespace

llvm::Error emitC(ModuleOp module, const TargetSpec &target, raw_ostream &out, bool embedWeights) {
  ModelInterface model = getModelInterface(module);
  OwningOpRef<ModuleOp> clone = module.clone();
  std::string message;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (message.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
      message = diagnostic.str();
    return failure();
  });
  std::string code;
  llvm::raw_string_ostream stream(code);
  if (failed(convertToEmitC(*clone, target)) || failed(emitc::translateToCpp(*clone, stream)))
    return llvm::createStringError("cannot emit C: " + message);
  code = joinPointers(code);

  HelperSet helpers(target);
  if (llvm::Error error = helpers.addUsesOf(code))
    return error;
  printPreamble(model, target, helpers, out);
  for (const std::string &text : helpers.typedefs())
    out << text << "\n";
  out << "\n";
  for (const std::string &text : helpers.functions())
    out << text << "\n";
  if (embedWeights && model.weightBytes > 0 && !model.hasWeightFile())
    printWeights(module, model, out);
  out << code;
  return llvm::Error::success();
}

} // namespace leaf
