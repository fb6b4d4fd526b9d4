//===- NestEmitter.h - loops of elementwise ops and reductions ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_NESTEMITTER_H
#define LEAF_LIB_CODEGEN_NESTEMITTER_H

#include "BodyCloner.h"

namespace leaf::codegen {

/// One dimension of a kernel's tile space: ceil(extent / block) tiles.
struct TileDim {
  Size extent;
  int64_t block = 1;
};

/// A loop of an op: its extent, or where it stands if something around the op runs it.
struct NestLoop {
  Size extent;
  bool reduction = false;
  bool bound = false;
  Pos at = {}; ///< where `bound`
};

/// A scalar body under a loop nest.
struct Nest {
  mlir::Block *body = nullptr; ///< arguments: one per input, then one per output
  llvm::SmallVector<NestLoop> loops;
  llvm::SmallVector<Access> inputs, outputs;
  /// For each output the scalar it starts from; null: what the destination holds.
  llvm::SmallVector<mlir::Value> initial;
};

/// Emits a Nest. One loop is chosen to run over vector lanes: a parallel one that is contiguous in the destination, or
/// a reduction that is contiguous in the inputs (then with several accumulators and a tree at its end). Without such a
/// loop the nest stays scalar.
class NestEmitter {
public:
  NestEmitter(KernelBuilder &kb, Nest nest, BodyCloner::BufferOf bufferOf);

  /// Outer parallel loops that emit() leaves to its caller, outermost first. Empty unless `split`.
  llvm::ArrayRef<TileDim> chooseTiles();
  /// `tiles`: the number of the tile in each dimension of chooseTiles().
  mlir::LogicalResult emit(llvm::ArrayRef<mlir::Value> tiles);
  bool isVectorized() const { return vectorLoop >= 0; }

private:
  void dropUnitLoops();
  void collapseLoops();
  bool canCollapse(unsigned outer, unsigned inner) const;
  void chooseVectorLoop();
  /// Loads that take one scalar load a lane; -1 where `loop` cannot be the vector loop. Sets `bits`.
  int gatherCost(unsigned loop, unsigned &bits) const;
  void chooseUnroll();
  void chooseTranspose();
  int64_t getTransposeLanes(unsigned from, unsigned to) const;
  bool hasReductions() const { return !reductions.empty(); }

  using Values = llvm::SmallVector<mlir::Value>;
  void emitParallel(unsigned depth);
  void emitVectorRange(mlir::Value lower, mlir::Value upper, bool whole);
  void emitStrip(int64_t count, int64_t stripLanes);
  void emitTransposed(mlir::Value lower, mlir::Value upper);
  Values emitColumns(int64_t count);
  void emitSquare();
  void emitInterleaved(int64_t count);
  Values emitReductions(unsigned depth, Values carried, llvm::function_ref<Values(Values)> leaf);
  void emitVectorReduction();
  Values emitVectorReductionLoop(Values carried);
  mlir::Value reduceLanes(mlir::Operation *combiner, mlir::Value vector);
  mlir::Value combine(mlir::Operation *combiner, mlir::Value a, mlir::Value b);
  Values element(int64_t elementLanes, mlir::ValueRange accumulators);
  mlir::Value initialValue(unsigned output, int64_t elementLanes);
  void storeOutput(unsigned output, mlir::Value value, int64_t elementLanes);

  KernelBuilder &kb;
  Nest nest;
  BodyCloner::BufferOf bufferOf;
  llvm::SmallVector<Pos> at;
  llvm::SmallVector<unsigned> parallels, reductions; ///< loops to emit, in order; the vector loop excluded
  llvm::SmallVector<TileDim> tileDims;
  int vectorLoop = -1;
  int storeLoop = -1; ///< where it is not vectorLoop: vectors are transposed before they are stored
  int64_t lanes = 1, unroll = 1;
  /// Range of the loop that is blocked by the last tile dimension.
  bool blocked = false;
  bool failed = false;
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_NESTEMITTER_H
