//===- Sparsity.h - which weights become zero --------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_SPARSITY_H
#define LEAFCUTTER_COMPRESS_SPARSITY_H

#include "leafcutter/Compress/Layers.h"

namespace leaf {

namespace attrs {
/// Weights: how they were pruned, "2:4" or "unstructured" and the like (string).
inline constexpr llvm::StringLiteral kSparsity = "leaf.sparsity";
} // namespace attrs

/// Where zeros may be. Rows are output channels; columns run along the reduction, input channels innermost.
struct SparsityPattern {
  enum Kind { Unstructured, NOfM, Block, Channel } kind = Unstructured;
  int64_t kept = 0, group = 1; ///< NOfM: of each `group` columns of a row, `kept` stay; Block: `group` rows x 1 column

  std::string name() const;
};

/// "unstructured", "N:M" with 0 < N < M <= 64, "blockRx1", or "channel" (leaf-prune-channels).
std::optional<SparsityPattern> parseSparsityPattern(llvm::StringRef text);

/// A layer's weight as rows of output channels.
struct WeightMatrix {
  int64_t rows = 0, columns = 0;
  std::vector<double> values; ///< row-major

  double &at(int64_t row, int64_t column) { return values[row * columns + column]; }
  double at(int64_t row, int64_t column) const { return values[row * columns + column]; }
};

WeightMatrix toMatrix(const Layer &layer, const HostTensor &weight);
/// The weight of which `matrix` was made, with other values.
HostTensor fromMatrix(const Layer &layer, const WeightMatrix &matrix, mlir::RankedTensorType type);

/// Sets the share `sparsity` (N:M: as the pattern says) of the values with the smallest scores to zero. `scores` has
/// one for each value; those of a block are added up.
void pruneByScore(WeightMatrix &matrix, llvm::ArrayRef<double> scores, const SparsityPattern &pattern, double sparsity);

/// What of a layer's result is lost: the squared error of `after` over the squared result of `before`, for inputs whose
/// sum of x x^T is `hessian` (empty: independent ones of equal size).
double relativeLoss(const WeightMatrix &before, const WeightMatrix &after, llvm::ArrayRef<double> hessian);

/// The share of zeros for each matrix that one threshold on the score of a unit (a value, or a block) gives, so that
/// `sparsity` of all values go.
std::vector<double> sharesByThreshold(llvm::ArrayRef<WeightMatrix> matrices, const SparsityPattern &pattern,
                                      double sparsity);

/// By magnitude.
void pruneByMagnitude(WeightMatrix &matrix, const SparsityPattern &pattern, double sparsity);

/// Second order: what goes is chosen by w^2 / diag(H^-1), and the values that stay in the same row make up for it,
/// column by column (SparseGPT: Frantar and Alistarh, 2023, after Optimal Brain Surgeon). `hessian` is the sum over the
/// data of x x^T, [columns x columns], where x are the inputs of the layer in the order of the columns. Columns that
/// never had an input are set to zero. False where the hessian cannot be inverted.
bool pruneBySecondOrder(WeightMatrix &matrix, std::vector<double> hessian, const SparsityPattern &pattern,
                        double sparsity);

/// Layers with fewer weights are not pruned unless asked for: little is won, and first layers are sensitive.
inline constexpr int64_t kFewestWeights = 1024;

/// Why a layer stays dense; "" where it can be pruned. It has at least `fewest` weights.
std::string whyNotSparse(const Layer &layer, int64_t fewest = kFewestWeights);
/// Makes `matrix` the layer's weight, whose symbol tells of the pattern.
void setSparseWeight(const Layer &layer, const WeightMatrix &matrix, const SparsityPattern &pattern);

} // namespace leaf

#endif // LEAFCUTTER_COMPRESS_SPARSITY_H
