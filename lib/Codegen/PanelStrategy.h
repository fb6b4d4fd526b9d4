//===- PanelStrategy.h - rows of accumulators over panels of columns -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_PANELSTRATEGY_H
#define LEAF_LIB_CODEGEN_PANELSTRATEGY_H

#include "ContractEmitter.h"
#include "DotStep.h"
#include "TileStep.h"

namespace leaf::codegen {

/// Independent multiply-adds in flight that hide the latency of one.
inline constexpr int64_t enoughAccumulators = 8;

/// The register tile: `mr` rows times `vectors` vectors of columns. One step of the innermost reduction loop loads the
/// vectors of rhs, broadcasts one element of each row, and does mr * vectors multiply-adds. What is chosen beforehand
/// (registers, blocks, prefetching) is in PanelBlocks.cpp, packing at run time in PanelPacking.cpp.
class PanelStrategy : public ContractStrategy {
public:
  PanelStrategy(KernelBuilder &kb, Contract contract, ContractRoles roles);

  llvm::SmallVector<TileDim> chooseTiles() override;
  mlir::LogicalResult emit(llvm::ArrayRef<mlir::Value> tiles) override;

private:
  void joinRows();
  bool paysToJoin(int64_t inner, unsigned numSplit);
  void chooseRegisters();
  void takeMeasured();
  void chooseBlocks();
  bool paysToShareRows(int64_t rows, int64_t bytesPerRow, int64_t weightBytes) const;
  void emitGroup(mlir::Value group);
  void emitRows(int64_t vectors, int64_t valid);
  void emitBlocked(int64_t vectors, int64_t valid);
  void forSums(int64_t vectors, llvm::function_ref<void(int64_t, mlir::Value)> body);
  Values loadSums(mlir::Value place, int64_t mr, int64_t vectors);
  void storeSums(llvm::ArrayRef<mlir::Value> sums, mlir::Value place, int64_t vectors);
  void emitBlocks(Pos column, int64_t vectors, int64_t valid);
  void emitBlock(int64_t vectors, int64_t valid);
  void emitTile(int64_t mr, int64_t vectors, int64_t valid);
  Values emitStep(Values accumulators, int64_t mr, int64_t vectors);
  Values emitDotStep(Values accumulators, int64_t mr, int64_t vectors, int64_t elements);
  Values emitDots(Values accumulators, int64_t mr, int64_t vectors,
                  llvm::function_ref<mlir::Value(int64_t)> groupOfRow);
  Values emitDotSteps(Values accumulators, int64_t mr, int64_t vectors);
  Values accumulate(int64_t mr, int64_t vectors);
  void store(llvm::ArrayRef<mlir::Value> accumulators, int64_t mr, int64_t vectors, int64_t valid);
  void storeBounded(llvm::ArrayRef<mlir::Value> accumulators, int64_t mr, int64_t vectors);
  bool paysToPack();
  void packPanel();
  void packColumns(mlir::Value columns);
  void allocatePacked();
  void put(mlir::Value j, mlir::Value value);
  void fillBehind(mlir::Value columns);
  int getRhsRun() const;
  void packTransposed(unsigned along, mlir::Value columns);
  void packSquare(unsigned along, mlir::Value column);
  mlir::Value rhsVector();
  int64_t tileRows(int64_t vectors) const { return dot ? dot->tileRows(vectors) : kb.target.tileRows(vectors); }
  /// Elements of the last group where that is cut off; otherwise 0.
  int64_t depthTail() { return dot ? *getDepth(contract.op) % dot->groupSize() : 0; }
  bool hasGroupLoop() { return dot && llvm::is_contained(roles.reductions, contract.op.getNumLoops() - 2); }
  /// Columns of a register tile.
  int64_t groupWidth() const { return width * panelsPerGroup / partsPerPanel; }
  /// Groups of columns that are register tiles, where the number of columns is static.
  int64_t numGroups() const { return llvm::divideCeil(extent(roles.n).constant(), groupWidth()); }
  void choosePrefetch();
  void chooseReductionBlock();
  void startPrefetch(mlir::Value lower);

  int64_t lanes, width;             ///< of a vector; of a panel
  std::optional<DotStep> dot;       ///< where the reduction goes in groups
  std::optional<TileStep> tiles;    ///< where whole blocks of rows go through tile registers
  int64_t rowsPerTile = 1;          ///< mr
  int64_t panelsPerGroup = 1;       ///< that one register tile spans
  int64_t partsPerPanel = 1;        ///< that take turns in a register tile; more than 1 only where panelsPerGroup is 1
  int64_t mBlock = 0, rowBlock = 0; ///< 0: not blocked
  int64_t columnShares = 1;         ///< of the columns, around the blocks of rows
  int64_t prefetchAhead = 0;        ///< elements of rhs; 0: the processor is left to itself
  bool prefetchesStream = false;    ///< each step asks for what comes `prefetchAhead` later
  mlir::Value prefetchFrom;         ///< else: element of rhs that step 0 asks for, and step k that k lines later
  int64_t kBlock = 0;               ///< steps of the innermost reduction loop; 0: sums stay in registers
  bool packsAtRunTime = false;
  Size lhsRowStride; ///< elements from one row of lhs to the next
  Buffer packed;     ///< [reductions…][width * panelsPerGroup] of the current group
  Access packedAccess;
  int64_t orderVectors = 1; ///< vectors of a whole group; all columns are summed in the order that suits it
  Buffer sums;              ///< [rows of a block][columns of a group], where the reduction is blocked
  Buffer edge;              ///< [rows][columns] of accumulators where the number of columns is not static
  struct {
    mlir::Value rowLower, rowUpper, mLower, mUpper;
  } range; ///< of the current block; null where not blocked
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_PANELSTRATEGY_H
