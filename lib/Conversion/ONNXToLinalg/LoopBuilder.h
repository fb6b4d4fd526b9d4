//===- LoopBuilder.h - scf loops over the body of Loop and Scan --*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_LOOPBUILDER_H
#define LEAF_CONVERSION_ONNXTOLINALG_LOOPBUILDER_H

#include "OpenTensor.h"

namespace leaf::onnxtolinalg {

/// An output that collects one slice per iteration.
struct Collected {
  unsigned axis = 0;
  bool reverse = false; ///< the first slice comes last; only where the trip count is known
};

/// How often a body runs, and what it hands on.
struct LoopSpec {
  std::optional<Size> trip;      ///< iterations at most; nothing: no limit
  std::optional<Size> condition; ///< i1, whether to begin; then the body's first yielded value says whether to go on
  llvm::SmallVector<mlir::Value> states; ///< ONNX values that the states start as
  llvm::SmallVector<Collected> collected;
  unsigned firstYield = 0; ///< yielded values before the states
};

/// A loop over the body of an ONNX node: an scf.for where the trip count alone decides, an scf.while otherwise. Each
/// state lives in one buffer, which every iteration overwrites: as it is where its sizes stay, as an OpenTensor where
/// they change. A collected output is written slice by slice.
class LoopBuilder {
public:
  LoopBuilder(Lowering &lowering, Node &node, LoopSpec spec)
      : lowering(lowering), b(lowering.b()), s(lowering.sizes()), node(node), spec(std::move(spec)) {}

  /// `bind` gives the body's arguments their values, from the iteration's number and the carried states.
  using Bind = llvm::function_ref<mlir::LogicalResult(mlir::Value, mlir::ValueRange)>;
  mlir::LogicalResult run(Bind bind);

private:
  struct Slot { ///< of a state or a collected output among the carried values
    unsigned first = 0;
    std::optional<OpenTensor> open;
    llvm::SmallVector<int64_t> bounds; ///< of an open collected output: iterations, then a slice
  };
  mlir::LogicalResult findOpenStates();
  mlir::LogicalResult openState(unsigned i, llvm::ArrayRef<int64_t> derived = {});
  mlir::LogicalResult limitTrip();
  mlir::LogicalResult makeInitial();
  void emitLoop();
  mlir::Value emitCondition(mlir::ValueRange carried);
  mlir::LogicalResult emitBody(mlir::Block *body, mlir::Value iteration, mlir::ValueRange carried, Bind bind);
  mlir::LogicalResult yieldState(unsigned i, mlir::Value result, mlir::ValueRange carried,
                                 llvm::ArrayRef<mlir::Value> views);
  mlir::LogicalResult writeSlice(unsigned i, mlir::Value slice, mlir::ValueRange carried, mlir::Value iteration);
  void yieldCondition(mlir::Value condition, mlir::Value iteration);
  mlir::LogicalResult setResults(mlir::ValueRange results);
  mlir::Value readCollected(unsigned i, mlir::ValueRange results, Size count);

  unsigned numStates() const { return spec.states.size(); }
  Size positionOf(const Collected &output, mlir::Value iteration);

  Lowering &lowering;
  mlir::OpBuilder &b;
  SizeArithmetic &s;
  Node &node;
  LoopSpec spec;
  std::optional<Size> limit;     ///< iterations that there is room for
  bool isCut = false;            ///< whether `limit` is below the trip count, or may be
  llvm::SmallVector<Slot> slots; ///< states, then collected outputs
  llvm::SmallVector<std::optional<llvm::SmallVector<int64_t>>> openBounds; ///< per state, where it is open
  llvm::SmallVector<mlir::Value> initial, next;
  llvm::SmallVector<Sizes> initialSizes; ///< of closed slots
  mlir::Operation *loop = nullptr;
  bool retry = false; ///< a state turned out to be open
};

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_LOOPBUILDER_H
