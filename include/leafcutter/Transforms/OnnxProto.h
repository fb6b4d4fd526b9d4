//===- OnnxProto.h - attributes and tensors as protobuf ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TRANSFORMS_ONNXPROTO_H
#define LEAFCUTTER_TRANSFORMS_ONNXPROTO_H

#include "leafcutter/Transforms/HostTensor.h"

namespace onnx {
class AttributeProto;
class TensorProto;
} // namespace onnx

namespace leaf {

/// Type, shape and raw bytes (copied) of `value`; no name.
void fillTensorProto(::onnx::TensorProto &proto, const HostTensor &value);

/// The ONNX attribute `name` for an attribute of an onnx op. False where ONNX has no such kind, or the elements are not
/// at hand (an elided dump).
bool fillAttributeProto(::onnx::AttributeProto &proto, llvm::StringRef name, mlir::Attribute attr);

} // namespace leaf

#endif // LEAFCUTTER_TRANSFORMS_ONNXPROTO_H
