//===- Preprocessing.h - what stands before and behind a model ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_PREPROCESSING_H
#define LEAFCUTTER_TRANSFORMS_PREPROCESSING_H

#include "llvm/ADT/StringRef.h"

namespace leaf::preprocessing {

/// DictionaryAttr on an argument of the entry: how the caller's array becomes the model's input. Every key is optional;
/// leaf-fold-preprocessing turns it into ops.
inline constexpr llvm::StringLiteral kRequest = "leaf.preprocess";

// Keys of that dictionary.
/// DenseI64ArrayAttr: axis i of the model's input is axis perm[i] of the caller's array.
inline constexpr llvm::StringLiteral kPerm = "perm";
/// I64Attr: the axis of the caller's array that the means and deviations run along (1).
inline constexpr llvm::StringLiteral kChannelAxis = "channel_axis";
/// TypeAttr: element type of the caller's array.
inline constexpr llvm::StringLiteral kType = "type";
/// DenseF64ArrayAttr: one value, or one for each channel.
inline constexpr llvm::StringLiteral kMean = "mean", kStd = "std";

/// I64Attr on a result of the entry: the axis (negative: from the back) that its maximum's index replaces.
inline constexpr llvm::StringLiteral kArgMax = "leaf.argmax";

} // namespace leaf::preprocessing

#endif // LEAFCUTTER_TRANSFORMS_PREPROCESSING_H
