//===- Export.h - the onnx dialect to ONNX files -----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_EXPORT_EXPORT_H
#define LEAFCUTTER_EXPORT_EXPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <string>

namespace leaf {

struct ExportOptions {
  /// Weights go to PATH.data, beside the model, once they are more bytes than this together. A protobuf holds less than
  /// 2 GiB, so larger values are cut to that.
  uint64_t externalAbove = uint64_t(1) << 30;
  std::map<std::string, std::string> metadata; ///< metadata_props of the model
};

/// Writes `module`, which holds `onnx` ops and weights as after the stages import, normalize and compress, to the ONNX
/// file `path`; files appear when complete. Names of inputs, outputs, nodes and initializers are those of the imported
/// file, and so is the opset (attribute leaf.opset of the module) unless an operator needs a newer one: per-channel
/// scales need 13, 16-bit quantization 21. Open dimensions keep their names. Fails on ops of other dialects, and on
/// layouts that only the stage optimize makes.
llvm::Error exportONNX(mlir::ModuleOp module, llvm::StringRef path, const ExportOptions &options = {});

} // namespace leaf

#endif // LEAFCUTTER_EXPORT_EXPORT_H
