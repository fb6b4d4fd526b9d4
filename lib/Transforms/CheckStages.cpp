//===- CheckStages.cpp - contracts at the ends of the front stages ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/CoreOps.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSwitch.h"

namespace leaf {
#define GEN_PASS_DEF_CHECKIMPORT
#define GEN_PASS_DEF_CHECKNORMALIZE
#define GEN_PASS_DEF_CHECKCOMPRESS
#define GEN_PASS_DEF_CHECKOPTIMIZE
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// The graph holds onnx ops and weights in functions, nothing else.
static LogicalResult checkDialects(ModuleOp module, StringRef stage) {
  WalkResult result = module.walk([&](Operation *op) {
    if (isOnnx(op) || isa<ModuleOp, func::FuncOp, func::ReturnOp, WeightOp, LoadWeightOp>(op))
      return WalkResult::advance();
    op->emitOpError() << "must not be there after '" << stage << "': only onnx ops, leaf.weight and leaf.load_weight";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

static LogicalResult checkRanks(ModuleOp module, StringRef stage) {
  WalkResult result = module.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<TensorType>(type); tensor && !tensor.hasRank()) {
        op->emitOpError() << "has a result without a rank after '" << stage << "'";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Why an operator will not be lowered, and what to do instead; empty where it merely isn't yet.
static StringRef reasonAgainst(OperationName name) {
  return llvm::StringSwitch<StringRef>(name.getStringRef())
      .Case("onnx.ImageDecoder", "files are decoded by the caller, whose result is the model's input")
      .Cases({"onnx.ml.DictVectorizer", "onnx.ml.CastMap"}, "there are no maps: give its result as a tensor")
      .Default("");
}

/// One error for the whole model, with a note for each operator: users want the list, not the first of it.
static LogicalResult checkSupported(ModuleOp module) {
  llvm::MapVector<OperationName, SmallVector<Operation *>> unsupported;
  module.walk([&](Operation *op) {
    if (isOnnx(op) && !isa<leaf::onnx::YieldOp>(op) && !isCoreOp(op->getName()))
      unsupported[op->getName()].push_back(op);
  });
  if (unsupported.empty())
    return success();
  // Not at the op: diagnostics would print the whole module with it.
  InFlightDiagnostic error = emitError(module.getLoc());
  error << "the model uses " << unsupported.size() << (unsupported.size() == 1 ? " operator" : " operators")
        << " without a lowering; export it with these replaced by supported ones, or cut the "
           "model before them";
  for (auto &[name, ops] : unsupported) {
    Diagnostic &note = error.attachNote(ops.front()->getLoc());
    note << name << ": " << ops.size() << (ops.size() == 1 ? " node" : " nodes") << ", '" << nodeName(ops.front())
         << "'" << (ops.size() == 1 ? "" : " first");
    if (StringRef reason = reasonAgainst(name); !reason.empty())
      note << "; " << reason;
  }
  return error;
}

/// libonnx's inference lets some axes through that are out of range; lowerings rely on them.
static LogicalResult checkAxes(ModuleOp module) {
  static constexpr StringLiteral names[] = {"ArgMax",          "ArgMin",
                                            "Compress",        "Concat",
                                            "Gather",          "GatherElements",
                                            "Hardmax",         "LayerNormalization",
                                            "LogSoftmax",      "RMSNormalization",
                                            "ScatterElements", "Softmax",
                                            "Split",           "TopK"};
  bool ok = true;
  module.walk([&](Operation *op) {
    auto axis = op->getAttrOfType<IntegerAttr>("axis");
    if (!axis || !isOnnx(op) || !llvm::is_contained(names, onnxName(op)))
      return;
    auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
    if (!type || normalizeAxis(axis.getInt(), type.getRank()))
      return;
    op->emitOpError() << "axis " << axis.getInt() << " is out of range: the operand has rank " << type.getRank();
    ok = false;
  });
  return success(ok);
}

/// Convolutions and pools are channels last, except where positions of maxima in N, C, ... order are asked for.
static LogicalResult checkLayout(ModuleOp module) {
  WalkResult result = module.walk([&](Operation *op) {
    if (!(isOnnx(op, "Conv") || isOnnx(op, "MaxPool") || isOnnx(op, "AveragePool")) ||
        op->hasAttr(leaf::onnx::kChannelsLast) || (op->getNumResults() > 1 && !op->getResult(1).use_empty()))
      return WalkResult::advance();
    op->emitOpError("must be channels last after 'optimize'");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {

struct CheckImport : leaf::impl::CheckImportBase<CheckImport> {
  void runOnOperation() override {
    if (failed(checkDialects(getOperation(), "import")))
      signalPassFailure();
  }
};

struct CheckNormalize : leaf::impl::CheckNormalizeBase<CheckNormalize> {
  void runOnOperation() override {
    if (failed(checkDialects(getOperation(), "normalize")) || failed(checkSupported(getOperation())) ||
        failed(checkRanks(getOperation(), "normalize")) || failed(checkAxes(getOperation())))
      signalPassFailure();
  }
};

struct CheckCompress : leaf::impl::CheckCompressBase<CheckCompress> {
  void runOnOperation() override {
    if (failed(checkDialects(getOperation(), "compress")) || failed(checkSupported(getOperation())) ||
        failed(checkRanks(getOperation(), "compress")))
      signalPassFailure();
  }
};

struct CheckOptimize : leaf::impl::CheckOptimizeBase<CheckOptimize> {
  void runOnOperation() override {
    if (failed(checkDialects(getOperation(), "optimize")) || failed(checkSupported(getOperation())) ||
        failed(checkRanks(getOperation(), "optimize")) || failed(checkLayout(getOperation())))
      signalPassFailure();
  }
};

} // namespace
