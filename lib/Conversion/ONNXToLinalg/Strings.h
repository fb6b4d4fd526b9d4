//===- Strings.h - tools of kernels that read strings ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_STRINGS_H
#define LEAF_CONVERSION_ONNXTOLINALG_STRINGS_H

#include "Counted.h"

namespace leaf::onnxtolinalg {

/// Lowered tensors of strings: places (offset << 32 | length, i64) and bytes (i8, rank 1).
struct StringTensor {
  mlir::Value spans, pool;
};

/// Where one string lies: indices into its pool, within it whatever the place said.
struct Span {
  mlir::Value begin, size;
};

/// Reads the strings of two body buffers, spans of rank 1 and their pool.
class StringReader {
public:
  StringReader(Code &c, mlir::Value spans, mlir::Value pool) : c(c), spans(spans), pool(pool) {}

  Span operator[](mlir::Value i) const;
  /// A byte of a string, as i8.
  mlir::Value byte(const Span &span, mlir::Value i) const;

private:
  Code &c;
  mlir::Value spans, pool;
};

/// The place of `size` bytes from `begin`, as an i64.
mlir::Value makeSpan(Code &c, mlir::Value begin, mlir::Value size);
mlir::Value bytesBefore(Code &c, mlir::Value x, mlir::Value y); ///< unsigned comparison
/// 0 where both strings are equal, 1 where `a` comes before `b` in the order of their bytes, 2 behind; an index.
mlir::Value compareStrings(Code &c, const StringReader &readA, const Span &a, const StringReader &readB, const Span &b);

/// Strings and numbers as weights.
StringTensor loadStrings(Lowering &lowering, llvm::ArrayRef<std::string> strings);
mlir::Value loadNumbers(Lowering &lowering, llvm::ArrayRef<int64_t> numbers);

/// For each string (spans of any shape, flattened: rank 1) its position in the sorted `table`, or -1: i64.
mlir::Value lookUpStrings(Lowering &lowering, StringTensor strings, llvm::ArrayRef<std::string> table);

/// Strings of a STRINGS attribute or a tensor of strings.
llvm::SmallVector<std::string> getStrings(mlir::Attribute attribute);

/// Lowers the operator TfIdfVectorizer on tokens (integers of the ONNX type `element`), which are those of `pool`.
mlir::LogicalResult lowerTfIdf(Lowering &lowering, Node &node, mlir::Value tokens, mlir::Type element,
                               llvm::ArrayRef<int64_t> pool);

mlir::LogicalResult lowerStringNormalizer(Lowering &lowering, Node &node, StringTensor strings);
mlir::LogicalResult lowerStringSplit(Lowering &lowering, Node &node, StringTensor strings);
mlir::LogicalResult lowerLabelEncoder(Lowering &lowering, Node &node);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_STRINGS_H
