//===- PackedWeights.cpp - weights of few bits in com.microsoft ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "PackedWeights.h"

#include "llvm/Support/MathExtras.h"

using namespace leaf::importer;
using ::onnx::MakeAttribute;
using ::onnx::TensorProto;

std::string PackedWeights::unpackBytes(std::string packed, int64_t rows, int64_t columns) {
  int64_t perByte = 8 / bits;
  std::string matrix = body.reshape(std::move(packed), {rows, -1});
  if (perByte == 1)
    return body.slice(matrix, 1, 0, columns);
  std::string mask = body.scalar(static_cast<double>((1 << bits) - 1), TensorProto::UINT8);
  auto right = MakeAttribute("direction", std::string("RIGHT"));
  Body::Names parts;
  for (int64_t i = 0; i < perByte; ++i) {
    std::string amount = body.scalar(static_cast<double>(i * bits), TensorProto::UINT8);
    std::string shifted = i == 0 ? matrix : body.op("BitShift", {matrix, amount}, {right});
    parts.push_back(body.unsqueeze(body.op("BitwiseAnd", {shifted, mask}), {2}));
  }
  return body.slice(body.reshape(body.concat(parts, 2), {rows, -1}), 1, 0, columns);
}

std::string PackedWeights::unpack(std::string packed, std::string scales, std::string zeros, int32_t zeroType,
                                  int64_t rows, int64_t columns) {
  body.require(bits == 2 || bits == 4 || bits == 8, "has weights of other than 2, 4 or 8 bits");
  body.require(block > 0, "has a block size that is not positive");
  int64_t blocks = llvm::divideCeil(columns, block);
  // Blocks are whole: a row's last one may go beyond its end.
  std::string integers = unpackBytes(std::move(packed), rows, blocks * block);
  std::string scale = body.reshape(std::move(scales), {rows, blocks});
  auto axis = MakeAttribute("axis", static_cast<int64_t>(1)), size = MakeAttribute("block_size", block);
  std::string numbers;
  if (zeros.empty() || zeroType == TensorProto::UINT8) {
    std::string middle = body.scalar(static_cast<double>(1 << (bits - 1)), TensorProto::UINT8);
    std::string zero = zeros.empty() ? body.op("Expand", {middle, body.ints({rows, blocks})})
                                     : unpackBytes(std::move(zeros), rows, blocks);
    numbers = body.op("DequantizeLinear", {integers, scale, zero}, {axis, size});
  } else {
    std::string zero = body.unsqueeze(body.reshape(std::move(zeros), {rows, blocks}), {2});
    std::string wide = body.cast(body.reshape(integers, {rows, blocks, block}), zeroType);
    std::string scaled = body.mul(body.sub(wide, zero), body.unsqueeze(scale, {2}));
    numbers = body.reshape(scaled, {rows, blocks * block});
  }
  return blocks * block == columns ? numbers : body.slice(numbers, 1, 0, columns);
}
