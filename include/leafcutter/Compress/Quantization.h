//===- Quantization.h - scales, zero points and quantized tensors -*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_COMPRESS_QUANTIZATION_H
#define LEAFCUTTER_COMPRESS_QUANTIZATION_H

#include "leafcutter/Transforms/HostTensor.h"

namespace leaf {

/// What activations are quantized to.
enum class ActivationType { UInt8, Int8, Int16 };

/// "uint8", "int8" or "int16"; nothing for other words.
std::optional<ActivationType> parseActivationType(llvm::StringRef name);
mlir::Type getElementType(mlir::MLIRContext *context, ActivationType type);

/// value = (code - zero) * scale
struct QuantizationParameters {
  float scale = 1;
  int64_t zero = 0;
};

/// Parameters with which [low, high] and zero can be represented. 8 bits: asymmetric; 16 bits: zero point 0. A range
/// without extent has scale 1. `low` and `high` are finite.
QuantizationParameters chooseParameters(double low, double high, ActivationType type);

/// A weight of 8 bits, symmetric (codes -127 to 127), one scale for each position along `axis`.
struct QuantizedWeight {
  HostTensor codes;
  std::vector<float> scales;
};

/// Fails where an element is not finite. A channel of zeros gets the largest scale of the others (1 where there are
/// none), since a bias may be in its units. `least` (may be empty) are lower bounds of the scales.
std::optional<QuantizedWeight> quantizeWeight(const HostTensor &weight, int64_t axis,
                                              llvm::ArrayRef<double> least = {});

/// One float, or one code, as a constant.
mlir::Value createScalar(mlir::OpBuilder &builder, mlir::Location loc, double value);
mlir::Value createCode(mlir::OpBuilder &builder, mlir::Location loc, int64_t value, mlir::Type type);
/// A vector of float32.
mlir::Value createFloats(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<float> values,
                         llvm::StringRef hint);

/// DequantizeLinear of the quantized weight, along `axis`; `name` is that of the float one.
mlir::Value createDequantizedWeight(mlir::OpBuilder &builder, const QuantizedWeight &weight, int64_t axis,
                                    llvm::StringRef name);

/// An activation through QuantizeLinear and DequantizeLinear.
struct RoundTrip {
  mlir::Value codes, numbers;
};
RoundTrip createRoundTrip(mlir::OpBuilder &builder, mlir::Value value, const QuantizationParameters &parameters,
                          ActivationType type, llvm::StringRef name);

/// A builder right behind where `value` is made, and a name for what is made of it: that of its node, or input_N for
/// argument N of the function.
std::pair<mlir::OpBuilder, std::string> placeBehind(mlir::Value value);

/// The name of a constant for the names of what it becomes: that in the ONNX file, or of the node.
std::string constantName(mlir::Value value);

} // namespace leaf

#endif // LEAFCUTTER_COMPRESS_QUANTIZATION_H
