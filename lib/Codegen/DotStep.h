//===- DotStep.h - one step of a reduction in groups -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_DOTSTEP_H
#define LEAF_LIB_CODEGEN_DOTSTEP_H

#include "KernelBuilder.h"
#include "Leaf/Groups.h"

namespace leaf::codegen {

/// The innermost step of a contraction whose reduction goes in groups (`leaf.depth`): for rows i and vectors
/// of columns j, sum[i][j][lane] += sum over g of lhs[i][g] * rhs[j][lane][g]. A group is 32 bits, 4 bytes or 2
/// bfloat16, or 128 bits. How that is done depends on the target's instruction:
///
///   whole   one instruction takes both operands as they are stored (vpdpbusd, vdpbf16ps, sdot, usdot). Where it wants
///           the bytes of lhs of the other sign their top bit is flipped, which adds or subtracts 128, and a dot
///           product of that with each column, one for all rows, is subtracted at the end.
///   pairs   bytes are widened to 16 bits, and products of two neighbours are added (vpmaddwd): two sums for each
///           column, which are joined at the end. Nothing saturates.
///   rows    16 bytes of one row and one column are multiplied (smlal, vmladava): each column has a vector of sums that
///           are added at the end, or a sum in a general register.
///   words   the same of 4 bytes in general registers (smlad).
///   plain   one element of the group after another, with the lanes' own arithmetic.
class DotStep {
public:
  using Values = llvm::SmallVector<mlir::Value>;

  /// `op` has a depth; `lanes` are those of a vector of accumulators.
  DotStep(KernelBuilder &kb, ContractOp op, int64_t lanes);

  int64_t groupSize() const { return group; }
  /// Vectors that a tile of `rows` rows and `vectors` vectors of columns carries through the reduction.
  int64_t numAccumulators(int64_t rows, int64_t vectors) const {
    return (rows + (flips ? 1 : 0)) * vectors * partials();
  }
  /// Vectors that one sum, or vector of sums, takes on its way.
  int64_t partials() const { return mode == Pairs ? 2 : mode == Rows ? lanes : 1; }
  /// Sums are in general registers, of which there are few.
  bool isScalar() const { return lanes == 1 && (mode == Rows || mode == Words); }
  /// Parts of a panel of `vectors` vectors of columns; see TargetFacts::panelParts.
  int64_t panelParts(int64_t vectors) const;
  /// Rows of a register tile of `vectors` vectors of columns.
  int64_t tileRows(int64_t vectors) const;
  /// The first `elements` of a group of lhs; the others are zero, and are not read.
  mlir::Value loadGroup(const Access &lhs, llvm::ArrayRef<Pos> at, int64_t elements);
  /// Groups of a row that one load brings, of which instructions take one as it lies in its vector; else 1.
  int64_t groupsPerLoad() const;
  /// Groups that a step of the innermost loop takes.
  int64_t groupsAtOnce() const;
  /// groupsPerLoad() groups of a row. `takeGroup` makes one of them what loadGroup() gives.
  mlir::Value loadGroups(const Access &lhs, llvm::ArrayRef<Pos> at);
  mlir::Value takeGroup(mlir::Value groups, int64_t index);
  /// Groups of one vector of columns.
  Values loadColumns(const Buffer &buffer, mlir::Value address);
  /// Adds one group to `vectors` vectors of columns; `columns` are all that loadColumns() gave, `word(i)` gives the
  /// group of row i.
  Values step(Values accumulators, int64_t rows, int64_t vectors, llvm::ArrayRef<mlir::Value> columns,
              llvm::function_ref<mlir::Value(int64_t)> word);
  /// The sums of all rows and columns from what was carried through the reduction.
  Values finish(llvm::ArrayRef<mlir::Value> accumulators, int64_t rows, int64_t vectors);

private:
  enum Mode { Whole, Pairs, Rows, Words, Plain };
  void chooseMode(ContractOp op);
  mlir::Value loadWord(const Access &lhs, mlir::Value address, int64_t elements);
  void addRow(Values &accumulators, mlir::Value lhs, llvm::ArrayRef<mlir::Value> columns, int64_t first);
  mlir::Value addNeighbours(mlir::Value a, mlir::Value b);
  mlir::Value flip(mlir::Value bytes);
  mlir::Value spreadWord(mlir::Value word);
  llvm::SmallVector<mlir::Value> widenPairs(mlir::Value bytes, bool isSigned);
  mlir::Value addProduct(mlir::Value lhs, mlir::Value rhs, mlir::Value sum);
  mlir::Value element(mlir::Value words, int64_t index, bool isSigned);
  mlir::Value shift(mlir::Value words, int64_t bits, bool left, bool isSigned);
  mlir::VectorType operandType() const;

  KernelBuilder &kb;
  std::string instruction;
  DotOperand lhsOperand, rhsOperand;
  int64_t lanes, group;
  Mode mode = Plain;
  bool flips = false;  ///< the top bits of lhs
  bool isHalf = false; ///< the last group that was loaded has no elements in its second half
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_DOTSTEP_H
