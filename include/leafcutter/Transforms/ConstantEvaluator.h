//===- ConstantEvaluator.h - runs onnx ops at compile time --------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_CONSTANTEVALUATOR_H
#define LEAFCUTTER_TRANSFORMS_CONSTANTEVALUATOR_H

#include "leafcutter/Transforms/HostTensor.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/FunctionExtras.h"
#include <functional>

namespace leaf {

/// Computes an op whose operands are all known. Returns false when it cannot; otherwise `results` has one tensor per
/// result.
using ConstantFallback =
    std::function<bool(mlir::Operation *op, llvm::ArrayRef<HostTensor> operands, std::vector<HostTensor> &results)>;

struct ConstantEvaluatorOptions {
  /// Results above this are not computed.
  int64_t maxResultBytes = int64_t(64) << 20;
  /// Symbol of dimension `dim` of `value` where its type says `?`; 0 when none is known. Empty: none is known.
  std::function<int32_t(mlir::Value value, unsigned dim)> dimSymbol;
  /// Asked when the op is not in the evaluator's own table (compiled code, say); may be empty.
  ConstantFallback fallback;
};

/// Evaluates single onnx ops on host values, exactly for integers and by double arithmetic rounded to the op's own type
/// for floats. Operands may be known in part where that makes sense (shape arithmetic).
class ConstantEvaluator {
public:
  explicit ConstantEvaluator(ConstantEvaluatorOptions options = {}) : options(std::move(options)) {}

  /// One value per result, or failure when they can't be told. `operands` has one entry per operand; null where absent
  /// or nothing is known. Nothing is emitted and nothing changed in the IR.
  mlir::FailureOr<std::vector<HostTensor>> evaluate(mlir::Operation *op,
                                                    llvm::ArrayRef<const HostTensor *> operands) const;

  /// evaluate() on constants only; keeps `Cast` and `DequantizeLinear` that make a weight larger, and results that are
  /// no tensors.
  mlir::FailureOr<std::vector<HostTensor>> evaluateConstants(mlir::Operation *op) const;

private:
  ConstantEvaluatorOptions options;
};

/// Whether `op` is a Cast or DequantizeLinear that widens a stored weight: such ops run at run time so that the weight
/// stays small.
bool isWeightDecoding(mlir::Operation *op);

/// Replaces `op` by constants and erases it when all its operands are constants that can be folded.
bool foldToConstants(mlir::Operation *op, const ConstantEvaluator &evaluator);

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_CONSTANTEVALUATOR_H
