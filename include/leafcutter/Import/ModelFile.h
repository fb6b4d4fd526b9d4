//===- ModelFile.h - the protobuf of an ONNX file ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_IMPORT_MODELFILE_H
#define LEAFCUTTER_IMPORT_MODELFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace onnx {
class ModelProto;
}

namespace leaf {

/// Reads and parses an ONNX file into `model`. What a parsed model may hold is bounded, so that code that walks it by
/// recursion is safe: subgraphs and calls of local functions nest at most 100 deep, no function calls itself, and
/// inlining gives at most a million nodes. Nothing else is checked. The message does not name the file.
llvm::Error readModelFile(llvm::StringRef path, ::onnx::ModelProto &model);

/// The same for bytes in memory.
llvm::Error parseModel(llvm::StringRef bytes, ::onnx::ModelProto &model);

} // namespace leaf

#endif // LEAFCUTTER_IMPORT_MODELFILE_H
