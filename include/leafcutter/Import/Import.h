//===- Import.h - ONNX files to the onnx dialect -----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_IMPORT_IMPORT_H
#define LEAFCUTTER_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace leaf {

/// Module attribute: the opset of the file, before it was brought to the newest one.
inline constexpr llvm::StringLiteral kOpsetAttr = "leaf.opset";

/// How the caller's array becomes one input of the model; what is empty stays as the model has it.
struct InputPreprocessing {
  std::string layout;      ///< "nhwc", or "CALLER:MODEL" where the model's own order is not n, c, then the rest
  std::string elementType; ///< "uint8": what the caller gives
  std::vector<double> mean, deviation; ///< one value, or one for each channel: (x - mean) / deviation
};

struct ImportOptions {
  std::string name;                         ///< C identifier of the model; empty: from the file's stem
  std::map<std::string, int64_t> fixedDims; ///< --dim NAME=N
  std::map<std::string, int64_t> bounds;    ///< --dim 'NAME<=N'
  /// Dimensions per input name that are fixed whatever their dim_param says (run, verify, bench: sizes of the npz).
  /// -1 leaves a dimension open.
  std::map<std::string, std::vector<int64_t>> inputShapes;
  /// --bound NODE.OUTPUT=N: what each open dimension of a node's output is at most; the key may be just OUTPUT.
  std::map<std::string, int64_t> outputBounds;
  /// --length NAME=N: elements of a sequence input; of an optional one, 1 where it holds something and 0 where not.
  std::map<std::string, int64_t> lengths;
  /// Lengths that `lengths` lacks follow from the names in `inputShapes` (NAME[0], NAME[1], ...).
  bool lengthsFromShapes = false;
  std::map<std::string, std::string> pins;    ///< --pin INPUT=file.npy
  std::map<std::string, std::string> aliases; ///< --alias PAST=PRESENT
  /// By input name; "" is the only input, or the only one with three or more dimensions. `inputShapes` are those of the
  /// caller's arrays.
  std::map<std::string, InputPreprocessing> preprocessing;
  std::vector<std::string> argmaxOutputs; ///< --output-argmax NAME or NAME:AXIS
  /// Fix an open leading dimension of every input to 1, with a remark (compile and inspect).
  bool defaultBatchToOne = false;
};

/// Reads, checks, upgrades and inlines an ONNX file and returns the module described in docs/Architecture.md, "After
/// import". The mapped file stays alive as long as the returned module's resources need it. Errors name the file and
/// the ONNX node; an open dimension without an option is an error that prints the flags to give.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> importONNX(mlir::MLIRContext *context, llvm::StringRef path,
                                                             const ImportOptions &options);

} // namespace leaf

#endif // LEAFCUTTER_IMPORT_IMPORT_H
