//===- KernelBuilder.h - addresses, loads and stores of a kernel -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_KERNELBUILDER_H
#define LEAF_LIB_CODEGEN_KERNELBUILDER_H

#include "Size.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include <optional>
#include <string>

namespace leaf::codegen {

/// What the emitter needs to know of the target; filled from pass options.
struct TargetFacts {
  int64_t vectorBytes = 32;     ///< native vector width; 0: scalar code
  int64_t registers = 16;       ///< vector (or scalar float) registers
  bool fma = true;              ///< fused multiply-add in hardware
  int64_t workers = 1;          ///< threads that tiles are made for
  int64_t l2Bytes = 512 * 1024; ///< second level cache of a core
  std::string dot = {};         ///< instruction for dot products of bytes, see DotProducts.h; empty: none
  std::string bf16Dot = {};     ///< instruction for dot products of bfloat16; empty: none
  bool amxInt8 = false;         ///< tile registers with dot products of bytes
  bool amxBf16 = false;         ///< the same of bfloat16

  /// Lanes of a native vector of elements of `bits` bits; 1 on scalar targets.
  int64_t lanes(int64_t bits) const { return vectorBytes && bits ? std::max<int64_t>(1, vectorBytes * 8 / bits) : 1; }
  /// Rows of a register tile of `vectors` vectors of columns: sums, one row's columns and one broadcast element fit.
  int64_t tileRows(int64_t vectors) const { return std::clamp<int64_t>((registers - 1 - vectors) / vectors, 1, 14); }
  /// Rows of a matrix, or pixels of an image, from which on workers share rows rather than columns.
  int64_t sharedRows() const { return 48 * workers; }
  /// Parts that a panel of `vectors` vectors is cut into, so that a register tile has enough rows: a panel may be made
  /// for wider vectors than these.
  int64_t panelParts(int64_t vectors) const {
    int64_t parts = 1;
    for (int64_t most = registers < 32 ? 2 : 4; vectors > most && vectors % 2 == 0; vectors /= 2)
      parts *= 2;
    return parts;
  }
};

/// Where a tensor of the kernel lives: a rank-1 memref with strides in elements.
struct Buffer {
  mlir::Value memref;            ///< memref<?xT>; T is i8 where `element` is i1
  mlir::Type element;            ///< element type of the tensor
  llvm::SmallVector<Size> sizes; ///< of the tensor
  llvm::SmallVector<Size> strides;
  mlir::Value scalar; ///< the value itself, for a temporary of one element that is kept in a register
};

/// A place in a loop: value + offset (a null value counts as 0). For the loop of a packed operand `panel` is
/// value / panel width where that is known, and `within` value % panel width (null: 0).
struct Pos {
  mlir::Value value;
  int64_t offset = 0;
  mlir::Value panel = {}, within = {};
};

/// How an operand is addressed: element constant + sum of coefs[loop] * position, plus terms that are not linear.
struct Access {
  /// `loop floordiv width` and `loop mod width` of a packed operand: strides of both parts.
  struct Panel {
    unsigned loop;
    int64_t width;
    Size stride;            ///< of one panel
    int64_t laneStride = 1; ///< of elements within a panel; more where they stand in groups
  };
  Buffer *buffer = nullptr;
  llvm::SmallVector<Size> coefs;
  Size constant;
  std::optional<Panel> panel;
  llvm::SmallVector<std::pair<mlir::AffineExpr, Size>> nonlinear;

  /// True where the element changes with `loop`.
  bool uses(unsigned loop) const;
  /// True where no term that is not linear changes with `loop`.
  bool isLinearIn(unsigned loop) const;
};

/// Builds the body of one kernel function. Index arithmetic is emitted in place, outer terms first, so that
/// loop-invariant code motion finds each partial sum at its level.
class KernelBuilder {
public:
  KernelBuilder(mlir::Location loc, mlir::MLIRContext *context, const TargetFacts &target)
      : b(context), loc(loc), target(target) {}

  mlir::OpBuilder b;
  mlir::Location loc;
  TargetFacts target;
  /// Scalars of the kernel's body, computed at the function's entry: bodies of ops may capture them.
  const mlir::IRMapping *captured = nullptr;

  /// Symbols: index values with an upper bound (-1: unknown).
  unsigned addSymbol(mlir::Value value, int64_t bound);
  mlir::Value getSymbol(unsigned id) const { return symbols[id].first; }
  /// Largest value of `size`, or nullopt.
  std::optional<int64_t> upperBound(const Size &size) const;

  mlir::Value index(int64_t value);
  mlir::Value sizeValue(const Size &size);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return b ? add(a, index(b)) : a; }
  mlir::Value mul(mlir::Value a, const Size &b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b);
  /// The largest multiple of `b` that is at most `a`.
  mlir::Value alignDown(mlir::Value a, int64_t b);
  mlir::Value minimum(mlir::Value a, mlir::Value b);
  mlir::Value posValue(const Pos &pos);
  Size addSizes(const Size &a, const Size &b);

  /// Row-major strides of `sizes`.
  static llvm::SmallVector<Size> denseStrides(llvm::ArrayRef<Size> sizes);
  /// The access of `buffer` through `map`; loops are the dimensions of the map.
  Access makeAccess(Buffer &buffer, mlir::AffineMap map);
  mlir::Value address(const Access &access, llvm::ArrayRef<Pos> at, int64_t laneOffset = 0);

  /// Type of `lanes` values of type `element`; the type itself for one lane.
  static mlir::Type spread(mlir::Type element, int64_t lanes);
  mlir::Value splat(mlir::Value scalar, int64_t lanes);
  mlir::Value splatConstant(mlir::TypedAttr value, int64_t lanes);
  mlir::Value zero(mlir::Type element, int64_t lanes);
  /// Loads `lanes` consecutive elements; i1 comes as i1.
  mlir::Value load(const Buffer &buffer, mlir::Value address, int64_t lanes);
  void store(mlir::Value value, const Buffer &buffer, mlir::Value address);
  /// Element of a vector (or the value itself where it is a scalar).
  mlir::Value lane(mlir::Value value, int64_t index);
  /// Transposes a square of as many vectors as they have lanes, a power of two.
  void transposeSquare(llvm::MutableArrayRef<mlir::Value> rows);
  /// a * b + c.
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value c);

  /// Loads `lanes` elements that lie along `loop`: contiguous, the same one, or strided (gathered by scalar loads).
  /// A uniform element comes as a scalar.
  mlir::Value loadAlong(const Access &access, llvm::ArrayRef<Pos> at, int loop, int64_t lanes);
  /// Asks for the line of an element to come into the second level cache. It may lie outside of the buffer.
  void prefetch(const Buffer &buffer, mlir::Value address);
  void prefetch(const Access &access, llvm::ArrayRef<Pos> at, int64_t ahead) {
    prefetch(*access.buffer, address(access, at, ahead));
  }
  void storeAlong(mlir::Value value, const Access &access, llvm::ArrayRef<Pos> at, int loop, int64_t lanes);

  /// Runs `body(iv, carried) -> carried` for lower <= iv < upper.
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)>;
  llvm::SmallVector<mlir::Value> loop(mlir::Value lower, mlir::Value upper, int64_t step, mlir::ValueRange carried,
                                      LoopBody body);
  void loop(mlir::Value lower, mlir::Value upper, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  void ifElse(mlir::Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise = {});

  /// Scratch of each worker: a dense buffer of these sizes, 64-byte aligned.
  mlir::FailureOr<Buffer> allocateScratch(mlir::Type element, llvm::ArrayRef<Size> sizes);
  /// Gives the tile registers of AMX these shapes in the whole function, at whose end they must be released. False
  /// where it has others already.
  bool configureTiles(llvm::ArrayRef<int64_t> rows, llvm::ArrayRef<int64_t> rowBytes);
  int64_t getScratchBytes() const { return scratchBytes; }
  mlir::Value scratch;          ///< memref<?xi8> argument
  mlir::Block *entry = nullptr; ///< of the function

private:
  llvm::SmallVector<std::pair<mlir::Value, int64_t>> symbols;
  int64_t scratchBytes = 0;
  llvm::SmallVector<int64_t> tileRows, tileRowBytes; ///< empty where tile registers are not used
};

/// Memory type of an element: i1 takes a byte.
mlir::Type memoryType(mlir::Type element);

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_KERNELBUILDER_H
