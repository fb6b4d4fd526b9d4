//===- Forest.h - decision trees of ai.onnx.ml -------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_FOREST_H
#define LEAF_CONVERSION_ONNXTOLINALG_FOREST_H

#include "Lowering.h"

namespace leaf::onnxtolinalg {

/// The trees of a TreeEnsemble, TreeEnsembleClassifier or TreeEnsembleRegressor in one form. Nodes are numbered across
/// all trees, children after their parents; a leaf is its own child on both sides.
struct Forest {
  enum class Mode : int8_t { Leq, Lt, Gte, Gt, Eq, Neq, Member, Leaf };
  enum class Aggregate { Sum, Average, Min, Max };
  enum class Transform { None, Softmax, Logistic, SoftmaxZero, Probit };

  struct Node {
    Mode mode = Mode::Leaf;
    int32_t feature = 0;
    double value = 0;
    int32_t onTrue = 0, onFalse = 0;
    bool missingIsTrue = false;              ///< where NaN goes
    int32_t firstWeight = 0, lastWeight = 0; ///< of a leaf: its range of `targets` and `weights`
    int32_t firstMember = 0, lastMember = 0; ///< of Mode::Member: its range of `members`
  };

  std::vector<Node> nodes;
  std::vector<int32_t> roots;
  std::vector<int32_t> targets;
  std::vector<double> weights, members, base;
  int64_t numTargets = 1, depth = 0; ///< depth: steps from a root to the farthest leaf
  Aggregate aggregate = Aggregate::Sum;
  Transform transform = Transform::None;

  bool hasMode(Mode mode) const {
    return llvm::any_of(nodes, [&](const Node &node) { return node.mode == mode; });
  }
};

/// Reads the attributes of one of the three operators; an error names what contradicts itself.
mlir::FailureOr<Forest> readForest(Node &node);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_FOREST_H
