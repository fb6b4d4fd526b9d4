//===- Evaluation.h - tables of the constant evaluator ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TRANSFORMS_EVALUATION_H
#define LEAFCUTTER_LIB_TRANSFORMS_EVALUATION_H

#include "leafcutter/Transforms/ConstantEvaluator.h"
#include "leafcutter/Transforms/Onnx.h"

namespace leaf {

/// One call of an evaluation function.
struct EvalRequest {
  mlir::Operation *op;
  llvm::ArrayRef<const HostTensor *> operands; ///< null: absent
  const ConstantEvaluatorOptions &options;
  std::vector<HostTensor> &results;

  const HostTensor *operand(unsigned i) const { return i < operands.size() ? operands[i] : nullptr; }
  /// Elements of an integer operand; nothing when it is absent or not fully known.
  std::optional<llvm::SmallVector<int64_t>> ints(unsigned i) const {
    return operand(i) ? operand(i)->ints() : std::nullopt;
  }
  /// Whether a result of `shape` is within the size limit.
  bool fits(llvm::ArrayRef<int64_t> shape, mlir::Type elementType) const;
  mlir::LogicalResult add(HostTensor result) {
    results.push_back(std::move(result));
    return mlir::success();
  }
};

struct Evaluation {
  llvm::StringLiteral name;
  mlir::LogicalResult (*run)(EvalRequest &request);
  bool partial; ///< takes operands known in part
};

llvm::ArrayRef<Evaluation> getMovementEvaluations();
llvm::ArrayRef<Evaluation> getElementwiseEvaluations();
llvm::ArrayRef<Evaluation> getReductionEvaluations();

/// Row-major strides in elements.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);
/// The numpy broadcast of two shapes.
std::optional<llvm::SmallVector<int64_t>> broadcastShapes(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);
/// Strides with which `shape` is read under the broadcast result `out`: 0 where it is repeated.
llvm::SmallVector<int64_t> broadcastStrides(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> out);
/// out[i] = in[offset + sum of i * strides], symbols included.
HostTensor stridedCopy(const HostTensor &in, llvm::ArrayRef<int64_t> outShape, llvm::ArrayRef<int64_t> strides,
                       int64_t offset = 0);

/// Calls `visit(linear, offsets)` for each index of `shape` in row-major order, offsets[k] being the sum of
/// index * strides[k].
template <typename Visit>
void forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<llvm::SmallVector<int64_t>> strides, Visit visit) {
  int64_t total = 1;
  for (int64_t size : shape)
    total *= size;
  llvm::SmallVector<int64_t> index(shape.size(), 0), offsets(strides.size(), 0);
  for (int64_t linear = 0; linear < total; ++linear) {
    visit(linear, offsets);
    for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
      ++index[d];
      for (auto [k, stride] : llvm::enumerate(strides))
        offsets[k] += stride[d];
      if (index[d] < shape[d])
        break;
      for (auto [k, stride] : llvm::enumerate(strides))
        offsets[k] -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
}

} // namespace leaf

#endif // LEAFCUTTER_LIB_TRANSFORMS_EVALUATION_H
