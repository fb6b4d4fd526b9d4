//===- Sizes.h - arithmetic on sizes with sharing ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_SIZES_H
#define LEAF_CONVERSION_ONNXTOLINALG_SIZES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include <map>

namespace leaf::onnxtolinalg {

/// A size or an index: a constant (index IntegerAttr) or an SSA value of type index. i1 values occur for conditions.
using Size = mlir::OpFoldResult;
using Sizes = llvm::SmallVector<Size>;

/// The constant behind `size`, if it is one.
std::optional<int64_t> constantOf(Size size);

/// Builds folded index arithmetic on the straight-line code of @main and shares equal expressions, so that two sizes
/// are the same exactly when their values are: that is what "provably the same" means for broadcasts and reshapes.
/// Ops are inserted at the builder's insertion point, which only ever moves forward, hence earlier ones dominate.
class SizeArithmetic {
public:
  explicit SizeArithmetic(mlir::OpBuilder &builder) : builder(builder), loc(builder.getUnknownLoc()) {}

  void setLoc(mlir::Location newLoc) { loc = newLoc; }

  Size constant(int64_t value) { return builder.getIndexAttr(value); }
  mlir::Value value(Size size);

  Size add(Size a, Size b);
  Size sub(Size a, Size b);
  Size mul(Size a, Size b);
  /// Signed division, towards zero, floor and ceiling.
  Size divTrunc(Size a, Size b);
  Size divFloor(Size a, Size b);
  Size divCeil(Size a, Size b);
  /// Remainder with the sign of the divisor (ONNX Mod of integers).
  Size modFloor(Size a, Size b);
  Size max(Size a, Size b);
  Size min(Size a, Size b);
  /// i1
  Size compare(mlir::arith::CmpIPredicate predicate, Size a, Size b);
  Size select(Size condition, Size a, Size b);

  Size product(llvm::ArrayRef<Size> sizes);

  /// True if the sizes are equal in every run.
  bool same(Size a, Size b) { return a == b || (constantOf(a) && constantOf(a) == constantOf(b)); }
  bool isNonNegative(Size size);
  /// The largest value that `size` can have, where that follows from constants, bounds and minima.
  std::optional<int64_t> upperBound(Size size);
  void setNonNegative(mlir::Value value) { nonNegative.insert(value); }

  /// What is known so far. Values made in a region must not be shared with what follows it: save before, restore after.
  auto save() const { return std::make_tuple(known, constants, products, offsets, nonNegative); }
  template <typename Saved> void restore(Saved saved) {
    std::tie(known, constants, products, offsets, nonNegative) = std::move(saved);
  }

  /// `size` as constant * product of values (products made by mul are taken apart; values sorted by creation).
  struct Product {
    int64_t constant = 1;
    llvm::SmallVector<mlir::Value> factors;
    bool operator==(const Product &other) const = default;
  };
  Product factor(llvm::ArrayRef<Size> sizes);
  Size fromProduct(const Product &product);

private:
  enum class Op { Constant, Add, Sub, Mul, DivTrunc, DivFloor, DivCeil, Rem, Max, Min, Compare, Select };
  using Key = std::tuple<Op, unsigned, const void *, const void *, const void *>;

  unsigned number(mlir::Value value);
  mlir::Value shared(Op op, unsigned detail, mlir::ValueRange operands, llvm::function_ref<mlir::Value()> build);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  std::map<Key, mlir::Value> known;
  std::map<int64_t, mlir::Value> constants;
  llvm::DenseMap<mlir::Value, unsigned> numbers;
  llvm::DenseMap<mlir::Value, std::pair<Size, Size>> products;
  llvm::DenseMap<mlir::Value, std::pair<mlir::Value, int64_t>> offsets; ///< value = base + constant
  llvm::DenseSet<mlir::Value> nonNegative;
};

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_SIZES_H
