//===- ContractEmitter.h - the micro-kernels of leaf.contract ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_CONTRACTEMITTER_H
#define LEAF_LIB_CODEGEN_CONTRACTEMITTER_H

#include "Leaf/Leaf.h"
#include "NestEmitter.h"

namespace leaf::codegen {

/// A leaf.contract with its loops and accesses.
struct Contract {
  ContractOp op;
  llvm::SmallVector<NestLoop> loops;
  Access lhs, rhs, out;
  llvm::SmallVector<Access> extras;
};

/// Loops of a contraction by what they do; unit and bound loops are in none of these.
struct ContractRoles {
  int n = -1;                             ///< columns: in rhs and out, not in lhs; vector lanes
  int channel = -1;                       ///< depthwise: contiguous in lhs, rhs and out
  int m = -1;                             ///< innermost loop of rows: in lhs and out, not in rhs
  llvm::SmallVector<unsigned> rows;       ///< other loops of rows, outermost first
  llvm::SmallVector<unsigned> batch;      ///< parallel loops of rhs other than n
  llvm::SmallVector<unsigned> reductions; ///< outermost first
};

/// Strategy for one contraction. Regions are cloned by the helpers of this base at the positions in `at`.
class ContractStrategy {
public:
  ContractStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);
  virtual ~ContractStrategy() = default;

  virtual llvm::SmallVector<TileDim> chooseTiles() = 0;
  /// Emits one tile; with no tiles (inside a group), everything.
  virtual mlir::LogicalResult emit(llvm::ArrayRef<mlir::Value> tiles) = 0;
  virtual bool isVectorized() const { return true; }

protected:
  using Values = llvm::SmallVector<mlir::Value>;
  mlir::Type accumulatorType() { return contract.op.getAccumulatorType(); }
  const Size &extent(unsigned loop) const { return contract.loops[loop].extent; }
  /// Element(s) of lhs at `at` after its prologue: a scalar, or `lanes` along `loop`.
  mlir::Value lhs(int loop = -1, int64_t lanes = 1);
  mlir::Value rhs(int loop = -1, int64_t lanes = 1);
  /// Applies the epilogue to `lanes` accumulators along `loop` and stores them.
  void finish(mlir::Value accumulator, int loop, int64_t lanes);
  /// As finish(), for the first `valid` lanes only.
  void finishPartial(mlir::Value accumulator, int loop, int64_t valid);
  Values emitReductions(llvm::ArrayRef<unsigned> loops, Values carried, llvm::function_ref<Values(Values)> leaf);
  /// Runs `body` over the loops with their whole extent.
  void emitLoops(llvm::ArrayRef<unsigned> loops, llvm::function_ref<void()> body);
  /// Rows [lower, upper) of `loop` in tiles of at most `most` rows: body(mr) with at[loop] at the first one. A null
  /// `lower` means the whole extent. Blocks must start at multiples of `most`.
  void emitRowTiles(unsigned loop, mlir::Value lower, mlir::Value upper, int64_t most,
                    llvm::function_ref<void(int64_t)> body);
  /// As emitRowTiles() for rows that are no loop: body(first row, mr) for `count` rows.
  void splitRows(const Size &count, mlir::Value lower, mlir::Value upper, int64_t most,
                 llvm::function_ref<void(Pos, int64_t)> body);
  /// Runs `body` for each tile of chooseTiles(), here and now.
  mlir::LogicalResult emitAllTiles(llvm::function_ref<mlir::LogicalResult(llvm::ArrayRef<mlir::Value>)> body);
  mlir::Value clonePrologue(mlir::Region &region, llvm::ArrayRef<mlir::Value> args, int64_t lanes);
  /// Reduces the lanes of a vector by additions.
  mlir::Value addLanes(mlir::Value vector);

  KernelBuilder &kb;
  Contract contract;
  ContractRoles roles;
  llvm::SmallVector<Pos> at;
  bool failed = false;
  /// Loads of epilogue extras that do not change within a tile, by extra and address offset.
  llvm::DenseMap<std::pair<unsigned, int64_t>, mlir::Value> extraCache;
};

/// Chooses how to emit `contract`; never null.
std::unique_ptr<ContractStrategy> chooseContractStrategy(KernelBuilder &kb, Contract contract);

/// Packed or contiguous rhs columns as vectors, several rows of accumulators in registers.
std::unique_ptr<ContractStrategy> makePanelStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);
/// A convolution by Winograd's minimal filtering; `contract.op` says which.
std::unique_ptr<ContractStrategy> makeWinogradStrategy(KernelBuilder &kb, Contract contract);
/// Channels as vectors, several pixels of accumulators.
std::unique_ptr<ContractStrategy> makeDepthwiseStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);
/// The reduction as vectors, for few rows and a rhs that is contiguous along it.
std::unique_ptr<ContractStrategy> makeDotStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);
/// A weight of which only what is not zero is stored (Leaf/Sparse.h).
std::unique_ptr<ContractStrategy> makeSparseStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);
/// Scalar loops, for every map.
std::unique_ptr<ContractStrategy> makePlainStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_CONTRACTEMITTER_H
