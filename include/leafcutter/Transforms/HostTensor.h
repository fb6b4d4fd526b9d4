//===- HostTensor.h - tensor values at compile time --------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_HOSTTENSOR_H
#define LEAFCUTTER_TRANSFORMS_HOSTTENSOR_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace leaf {

/// The value of a static tensor at compile time: dense row-major, little-endian, i1 as one byte each, narrower
/// types than 8 bits in the low bits of one. Small integer
/// tensors may be known in part only: an unknown element is a size (so not negative), named by a positive symbol;
/// equal symbols are equal sizes. Copies share their bytes; a writer calls `make` for bytes of its own.
class HostTensor {
public:
  HostTensor() = default;
  /// A zero tensor with bytes of its own.
  static HostTensor make(mlir::RankedTensorType type);
  /// A tensor whose bytes live elsewhere, for at least as long as this value and its copies.
  static HostTensor borrow(mlir::RankedTensorType type, llvm::ArrayRef<char> bytes);
  static HostTensor ofInts(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> values);

  /// Bytes of one element in `bytes()`; 0 when such elements cannot be held (strings).
  static unsigned elementBytes(mlir::Type elementType);
  /// Whether `type` is static and its elements can be held.
  static bool canHold(mlir::Type type);

  mlir::RankedTensorType type() const { return tensorType; }
  mlir::Type elementType() const { return tensorType.getElementType(); }
  llvm::ArrayRef<int64_t> shape() const { return tensorType.getShape(); }
  int64_t rank() const { return tensorType.getRank(); }
  int64_t size() const { return tensorType.getNumElements(); }
  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType()); }
  bool isUnsigned() const { return elementType().isUnsignedInteger() || elementType().isInteger(1); }
  llvm::ArrayRef<char> bytes() const { return view; }
  /// Only for tensors from `make`, before they are copied.
  char *data() { return const_cast<char *>(view.data()); }

  double getFloat(int64_t i) const;
  /// Elements of integer tensors; ui64 as the same 64 bits.
  int64_t getInt(int64_t i) const;
  void setFloat(int64_t i, double value);
  /// Wraps to the element's width.
  void setInt(int64_t i, int64_t value);
  /// Element as double whatever its type.
  double getNumber(int64_t i) const;

  bool isFullyKnown() const { return symbols.empty(); }
  /// 0: known; otherwise the symbol of the size that element `i` is, or -1: nothing is known.
  int32_t symbol(int64_t i) const { return symbols.empty() ? 0 : symbols[i]; }
  void setSymbol(int64_t i, int32_t symbol);
  /// Drops the symbols when all elements are known after all.
  void normalizeSymbols();

  /// The same elements under another shape with as many elements.
  HostTensor reshaped(llvm::ArrayRef<int64_t> shape) const;
  /// All elements as integers; nothing when one is unknown or the tensor is no integer tensor.
  std::optional<llvm::SmallVector<int64_t>> ints() const;

private:
  mlir::RankedTensorType tensorType;
  std::shared_ptr<std::vector<char>> storage;
  llvm::ArrayRef<char> view;
  std::vector<int32_t> symbols;
};

/// The elements of a dense or dense-resource attribute; nothing when they can't be held or are not attached.
std::optional<HostTensor> getHostElements(mlir::ElementsAttr elements);
/// The value of `value` when an onnx.Constant or a leaf.load_weight defines it and its bytes are at hand.
std::optional<HostTensor> getHostConstant(mlir::Value value);
/// Whether `value` is an onnx.Constant or a leaf.load_weight (without reading it).
bool isConstantValue(mlir::Value value);

/// Creates the constant at the builder's insertion point: an onnx.Constant up to 256 bytes, otherwise a leaf.weight
/// named after `hint` in the enclosing module and a leaf.load_weight. The tensor is fully known.
mlir::Value createConstant(mlir::OpBuilder &builder, mlir::Location loc, const HostTensor &tensor,
                           llvm::StringRef hint);
/// A 1-D i64 onnx.Constant.
mlir::Value createInts(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<int64_t> values);

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_HOSTTENSOR_H
