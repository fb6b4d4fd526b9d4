//===- BodyCloner.h - scalar regions cloned at vector type -------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_BODYCLONER_H
#define LEAF_LIB_CODEGEN_BODYCLONER_H

#include "KernelBuilder.h"

namespace leaf::codegen {

/// How a value of a scalar body changes over the lanes of a vector: not at all, by one each lane, or in any way.
enum class Spread { Uniform, Linear, Varying };

/// What the values of a body are when `vectorLoop` runs over the lanes; -1 for a scalar clone.
class BodySpread {
public:
  /// `args` are those of the block's arguments.
  BodySpread(mlir::Block &body, llvm::ArrayRef<Spread> args, int vectorLoop);
  Spread get(mlir::Value value) const;
  /// Width in bits of the widest varying value; index counts as 32 because it is kept in 32 bits per lane.
  unsigned getWidestBits() const { return widest; }
  /// Number of loads that need one scalar load for each lane.
  unsigned getNumGathers(llvm::function_ref<bool(mlir::Value)> isRowMajor) const;

private:
  llvm::DenseMap<mlir::Value, Spread> spreads;
  mlir::Block &body;
  unsigned widest = 8;
};

/// Clones a scalar body at `lanes` lanes. Uniform values stay scalars until a varying op needs them.
class BodyCloner {
public:
  using BufferOf = llvm::function_ref<const Buffer *(mlir::Value)>;

  /// `at` are the positions of the loops that linalg.index names. `bufferOf` finds captured tensors.
  BodyCloner(KernelBuilder &kb, int64_t lanes, int vectorLoop, llvm::ArrayRef<Pos> at, BufferOf bufferOf)
      : kb(kb), lanes(lanes), vectorLoop(lanes == 1 ? -1 : vectorLoop), at(at), bufferOf(bufferOf) {}

  /// Values of the terminator's operands; scalars where uniform. `args` may be scalars (uniform) or vectors.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> clone(mlir::Block &body, llvm::ArrayRef<mlir::Value> args);

private:
  mlir::LogicalResult cloneOp(mlir::Operation &op, const BodySpread &spread);
  mlir::Value lookup(mlir::Value value);
  mlir::Value varying(mlir::Value value, const BodySpread &spread);
  mlir::Value cloneExtract(mlir::Operation &op, const BodySpread &spread);
  mlir::Type varyingType(mlir::Type type);

  KernelBuilder &kb;
  int64_t lanes;
  int vectorLoop;
  llvm::ArrayRef<Pos> at;
  BufferOf bufferOf;
  llvm::DenseMap<mlir::Value, mlir::Value> mapped;
};

/// The op that adds a new element to `accumulator` (a block argument) and is yielded at `position`, or null.
mlir::Operation *matchCombiner(mlir::Block &body, unsigned position, mlir::Value accumulator);

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_BODYCLONER_H
