//===- EmitC.cpp - one standalone C99 file -------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Helpers.h"
#include "Levels.h"
#include "Weights.h"
#include "leafcutter/Conversion/Passes.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Target/Emit.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/EmitC/IR/EmitC.h"
#include "mlir/Dialect/EmitC/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/Cpp/CppEmitter.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"

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

/// What LEAF_TARGET stands for.
void defineTarget(const TargetSpec &target, raw_ostream &os) {
  std::string attribute = targetAttribute(target);
  os << "#define LEAF_TARGET";
  if (!attribute.empty())
    os << " __attribute__((target(\"" << attribute << "\")))";
  os << "\n";
}

/// Code for one target: the text of the converted module, and what it uses.
struct TargetCode {
  explicit TargetCode(const TargetSpec &target) : target(target), helpers(target) {}

  const TargetSpec &target;
  std::string text;
  llvm::StringSet<> functions; ///< kernels
  HelperSet helpers;
};

/// Conditions on the compiler, then the macros that functions use. With several targets each defines LEAF_TARGET anew.
void printPreamble(const ModelInterface &model, ArrayRef<std::unique_ptr<TargetCode>> codes, raw_ostream &os) {
  const TargetSpec &target = codes.front()->target;
  std::set<std::string> headers;
  std::string names;
  bool several = codes.size() > 1, vectors = false;
  for (const std::unique_ptr<TargetCode> &code : codes) {
    headers.insert(code->helpers.headers().begin(), code->helpers.headers().end());
    vectors |= code->helpers.usesVectors();
    names += (names.empty() ? "" : ", ") + code->target.name;
  }
  if (several)
    for (const std::string &header : levelChoiceHeaders(target))
      headers.insert(header);
  os << "/* " << model.name << ": a compiled neural network, made by leafc for " << escapeComment(names) << " ("
     << escapeComment(target.triple) << ").\n * " << model.name << ".h says how to use it. */\n\n";
  os << "#include \"" << model.name << ".h\"\n\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n";
  for (const std::string &header : headers)
    if (header == "arm_mve.h") // which is an error for compilers that are told to do without
      os << "#if defined(__ARM_FEATURE_MVE)\n#include <arm_mve.h>\n#endif\n";
    else
      os << "#include <" << header << ">\n";
  if (vectors || several)
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
  if (!several)
    defineTarget(target, os);
  os << "#define LEAF_INLINE static inline __attribute__((always_inline))\n#else\n#define LEAF_RESTRICT\n"
     << "#define LEAF_MAY_ALIAS\n"
     << (several ? "" : "#define LEAF_TARGET\n") << "#define LEAF_INLINE static inline\n#endif\n\n";
}

llvm::Expected<std::unique_ptr<TargetCode>> makeCode(ModuleOp module, const TargetSpec &target) {
  auto code = std::make_unique<TargetCode>(target);
  OwningOpRef<ModuleOp> clone = module.clone();
  std::string message;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (message.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
      message = diagnostic.str();
    return failure();
  });
  llvm::raw_string_ostream stream(code->text);
  if (failed(convertToEmitC(*clone, target)) || failed(emitc::translateToCpp(*clone, stream)))
    return llvm::createStringError("cannot emit C: " + message);
  code->text = joinPointers(code->text);
  for (emitc::FuncOp function : clone->getOps<emitc::FuncOp>())
    code->functions.insert(function.getName());
  if (llvm::Error error = code->helpers.addUsesOf(code->text))
    return std::move(error);
  return std::move(code);
}

/// The functions of one of several levels: all names but those of types end with the level's.
void printLevel(const TargetCode &code, const std::string &name, raw_ostream &os) {
  llvm::StringSet<> own(code.functions);
  for (const auto &function : code.functions)
    for (StringRef suffix : {"_args", "_task", "_launch"})
      own.insert((function.getKey() + suffix).str());
  for (const std::string &helper : code.helpers.functionNames())
    own.insert(helper);
  auto isOwn = [&](StringRef word) { return own.contains(word); };
  std::string suffix = levelSuffix(code.target);
  os << "\n/*===- " << code.target.name << " ---===*/\n\n#undef LEAF_TARGET\n";
  defineTarget(code.target, os);
  os << "\n";
  for (const std::string &text : code.helpers.functions())
    os << addSuffix(text, suffix, isOwn) << "\n";
  os << "static int32_t " << name << "_entry" << suffix
     << "(const leaf_context *ctx, void *const *buffers, int64_t *dims);\n"
     << addSuffix(code.text, suffix, isOwn);
}

} // namespace

llvm::Error emitC(ModuleOp module, const TargetSpec &target, raw_ostream &out, bool embedWeights) {
  return emitC(IsaLevel{module, target}, out, embedWeights);
}

llvm::Error emitC(ArrayRef<IsaLevel> levels, raw_ostream &out, bool embedWeights) {
  ModelInterface model = getModelInterface(levels.front().module);
  std::vector<std::unique_ptr<TargetCode>> codes;
  std::vector<std::string> typedefs;
  for (const IsaLevel &level : levels) {
    llvm::Expected<std::unique_ptr<TargetCode>> code = makeCode(level.module, level.target);
    if (!code)
      return code.takeError();
    for (const std::string &text : (*code)->helpers.typedefs())
      if (!llvm::is_contained(typedefs, text))
        typedefs.push_back(text);
    codes.push_back(std::move(*code));
  }
  printPreamble(model, codes, out);
  for (const std::string &text : typedefs)
    out << text << "\n";
  bool single = codes.size() == 1;
  if (single) {
    out << "\n";
    for (const std::string &text : codes.front()->helpers.functions())
      out << text << "\n";
  }
  if (embedWeights && model.weightBytes > 0 && !model.hasWeightFile())
    printWeights(levels.front().module, model, out);
  if (single) {
    out << codes.front()->text;
    return llvm::Error::success();
  }
  std::vector<TargetSpec> targets;
  std::vector<std::vector<IsaWord>> words;
  for (const std::unique_ptr<TargetCode> &code : codes) {
    printLevel(*code, model.name, out);
    targets.push_back(code->target);
    words.push_back(getIsaWords(code->target, StringRef(code->text).contains("_tile_")));
  }
  printLevelChoice(model.name, targets, words, out);
  return llvm::Error::success();
}

} // namespace leaf
