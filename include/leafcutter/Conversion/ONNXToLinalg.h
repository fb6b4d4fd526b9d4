//===- ONNXToLinalg.h - which operators have a lowering ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_CONVERSION_ONNXTOLINALG_H
#define LEAFCUTTER_CONVERSION_ONNXTOLINALG_H

#include "llvm/ADT/StringRef.h"

namespace leaf {

/// True if leaf-convert-onnx-to-linalg lowers the ONNX operator ("Conv" or "onnx.Conv").
bool isLoweredByONNXToLinalg(llvm::StringRef onnxOpName);

} // namespace leaf

#endif // LEAFCUTTER_CONVERSION_ONNXTOLINALG_H
