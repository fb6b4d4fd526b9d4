//===- TileStep.h - blocks of rows by tile registers -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_TILESTEP_H
#define LEAF_LIB_CODEGEN_TILESTEP_H

#include "ContractEmitter.h"

namespace leaf::codegen {

/// The sums of a block of rows and one panel of columns by the tile registers of AMX, for a contraction whose reduction
/// goes in groups (`leaf.depth`). Both operands are loaded as they lie in memory: 16 columns of a packed
/// panel are a tile of 64-byte rows, and rows of lhs are one fixed stride apart. Registers 0-3 hold sums, 4 and 5 lhs,
/// 6 and 7 rhs.
class TileStep {
public:
  /// Nothing where the target has no tile registers, an operand does not lie so, or vectors are as fast. `panel` is the
  /// number of columns of a panel.
  static std::optional<TileStep> choose(KernelBuilder &kb, Contract &contract, const ContractRoles &roles,
                                        int64_t panel);

  /// Rows of a block.
  int64_t getRows() const { return rowTiles * rowsPerTile; }
  /// Emits the reduction for the block at `at` and `vectors` vectors of columns.
  void emit(llvm::SmallVectorImpl<Pos> &at, int64_t vectors);
  /// Sums [row][vectors * 16] that emit() left; `address` of row `row` and vector 0.
  const Buffer &getSums() const { return sums; }
  mlir::Value getAddress(mlir::Value row, int64_t vectors) { return kb->mul(row, Size(vectors * lanes)); }

private:
  static constexpr int64_t lanes = 16, firstLhs = 4, firstRhs = 6;

  TileStep(KernelBuilder &kb, Contract &contract, const ContractRoles &roles)
      : kb(&kb), contract(&contract), roles(roles) {}
  bool match(int64_t panel);
  bool chooseRows(int64_t vectors);
  bool configure(int64_t panel);
  void emitLoops(llvm::SmallVectorImpl<Pos> &at, unsigned depth, int64_t vectors);
  void emitDots(llvm::SmallVectorImpl<Pos> &at, int64_t vectors);

  KernelBuilder *kb;
  Contract *contract;
  ContractRoles roles;
  std::string instruction;
  int64_t elementBytes = 1, groupsPerStep = 0, steps = 1;
  int64_t rowTiles = 1, rowsPerTile = 1;
  Buffer sums;
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_TILESTEP_H
