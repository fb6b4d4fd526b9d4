//===- Tensors.cpp - element types and payloads of TensorProto ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"

#include "leafcutter/Support/ElementTypes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;
using namespace leaf;
using namespace leaf::importer;
using ::onnx::TensorProto;

namespace {

/// Owned bytes, aligned for any element type.
std::shared_ptr<std::vector<uint64_t>> allocate(size_t bytes) {
  return std::make_shared<std::vector<uint64_t>>((bytes + 7) / 8);
}

void own(TensorData &data, std::shared_ptr<std::vector<uint64_t>> storage, size_t bytes) {
  data.bytes = ArrayRef<char>(reinterpret_cast<const char *>(storage->data()), bytes);
  data.owner = std::move(storage);
}

template <typename To, typename Range> void narrow(TensorData &data, const Range &values) {
  auto storage = allocate(values.size() * sizeof(To));
  To *out = reinterpret_cast<To *>(storage->data());
  for (auto value : values)
    *out++ = static_cast<To>(value);
  own(data, std::move(storage), values.size() * sizeof(To));
}

template <typename Range> void refer(TensorData &data, const Range &values, std::shared_ptr<const void> owner) {
  data.bytes = ArrayRef<char>(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(*values.data()));
  data.owner = std::move(owner);
}

/// Elements kept in the typed field of their kind instead of raw_data.
void readTypedField(TensorData &data, const std::shared_ptr<const TensorProto> &tensor) {
  switch (data.dataType) {
  case TensorProto::FLOAT:
    return refer(data, tensor->float_data(), tensor);
  case TensorProto::DOUBLE:
    return refer(data, tensor->double_data(), tensor);
  case TensorProto::INT64:
    return refer(data, tensor->int64_data(), tensor);
  case TensorProto::INT32:
    return refer(data, tensor->int32_data(), tensor);
  case TensorProto::UINT64:
    return refer(data, tensor->uint64_data(), tensor);
  case TensorProto::UINT32:
    return narrow<uint32_t>(data, tensor->uint64_data());
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
  case TensorProto::INT16:
  case TensorProto::UINT16:
    return narrow<uint16_t>(data, tensor->int32_data());
  default:
    return narrow<uint8_t>(data, tensor->int32_data());
  }
}

/// Any other value than 0 and 1 in a bool would break code that relies on them.
void canonicalizeBools(TensorData &data) {
  if (data.dataType != TensorProto::BOOL || llvm::all_of(data.bytes, [](char c) { return c == 0 || c == 1; }))
    return;
  auto storage = allocate(data.bytes.size());
  char *out = reinterpret_cast<char *>(storage->data());
  for (char c : data.bytes)
    *out++ = c != 0;
  own(data, std::move(storage), data.bytes.size());
}

/// Elements that ONNX packs into bytes, the first in the lowest bits, one in each byte.
void unpackElements(TensorData &data, unsigned bits, size_t count) {
  auto storage = allocate(count);
  char *out = reinterpret_cast<char *>(storage->data());
  unsigned perByte = 8 / bits;
  for (size_t i = 0; i < count; ++i)
    out[i] = static_cast<char>(uint8_t(data.bytes[i / perByte]) >> i % perByte * bits & ((1u << bits) - 1));
  own(data, std::move(storage), count);
}

/// Bits of an element where ONNX packs several into a byte; 0 for other types.
unsigned packedBits(int32_t dataType) {
  const ElementType *type = findONNXElementType(dataType);
  return type && type->bits < 8 && type->kind != ElementType::Bool ? type->bits : 0;
}

} // namespace

size_t importer::elementBytes(int32_t dataType) {
  const ElementType *type = findONNXElementType(dataType);
  return type ? type->bytes : 0;
}

std::string importer::elementName(int32_t dataType) {
  if (const ElementType *type = findONNXElementType(dataType))
    return type->name.str();
  return TensorProto::DataType_IsValid(dataType)
             ? StringRef(TensorProto::DataType_Name(static_cast<TensorProto::DataType>(dataType))).lower()
             : "element type " + std::to_string(dataType);
}

Type importer::elementType(MLIRContext *context, int32_t dataType) {
  const ElementType *type = findONNXElementType(dataType);
  return type ? type->get(context) : Type();
}

size_t importer::denseBytes(int32_t dataType, ArrayRef<int64_t> shape, const std::string &what) {
  size_t bytes = elementBytes(dataType);
  if (bytes == 0)
    throw ImportError(what + " has element type " + elementName(dataType) + ", which is not supported");
  for (int64_t dim : shape)
    if (dim < 0 || __builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes) || bytes > (size_t(1) << 46))
      throw ImportError(what + " has an impossible shape");
  return bytes;
}

size_t importer::storedBytes(int32_t dataType, size_t dense) {
  unsigned bits = packedBits(dataType);
  return bits ? llvm::divideCeil(dense * bits, 8) : dense;
}

void importer::setRawData(TensorProto &tensor, ArrayRef<char> bytes) {
  unsigned bits = packedBits(tensor.data_type());
  if (!bits)
    return tensor.set_raw_data(bytes.data(), bytes.size());
  std::string &raw = *tensor.mutable_raw_data();
  raw.assign(storedBytes(tensor.data_type(), bytes.size()), '\0');
  for (auto [i, byte] : llvm::enumerate(bytes))
    raw[i * bits / 8] = static_cast<char>(raw[i * bits / 8] | (byte & ((1 << bits) - 1)) << i * bits % 8);
}

TensorData importer::readTensor(std::shared_ptr<const TensorProto> tensor, const std::string &what) {
  TensorData data;
  data.name = tensor->name();
  data.dataType = tensor->data_type();
  data.shape.assign(tensor->dims().begin(), tensor->dims().end());
  size_t expected = denseBytes(data.dataType, data.shape, what);
  if (tensor->has_raw_data())
    refer(data, tensor->raw_data(), tensor);
  else
    readTypedField(data, tensor);
  size_t stored = storedBytes(data.dataType, expected);
  if (data.bytes.size() != stored)
    throw ImportError(what + " holds " + std::to_string(data.bytes.size()) + " bytes, but its shape and type need " +
                      std::to_string(stored));
  canonicalizeBools(data);
  if (unsigned bits = packedBits(data.dataType))
    unpackElements(data, bits, expected);
  if (reinterpret_cast<uintptr_t>(data.bytes.data()) % elementBytes(data.dataType) != 0) {
    auto storage = allocate(expected);
    std::memcpy(storage->data(), data.bytes.data(), expected);
    own(data, std::move(storage), expected);
  }
  return data;
}

TensorProto importer::densify(const ::onnx::SparseTensorProto &sparse, const std::string &what) {
  auto keep = [](const TensorProto &tensor) { return std::make_shared<const TensorProto>(tensor); };
  TensorData values = readTensor(keep(sparse.values()), what), indices = readTensor(keep(sparse.indices()), what);
  std::vector<int64_t> shape(sparse.dims().begin(), sparse.dims().end());
  size_t bytes = denseBytes(values.dataType, shape, what), size = elementBytes(values.dataType);
  // It becomes part of the protobuf, and a few values must not ask for terabytes.
  if (bytes > INT32_MAX)
    throw ImportError(what + " has " + std::to_string(bytes) +
                      " bytes when dense; sparse tensors above 2 GiB are not " + "supported");
  size_t count = values.bytes.size() / size, rank = shape.size();
  size_t perValue = indices.shape.size() == 2 ? rank : 1;
  if (indices.dataType != TensorProto::INT64 || indices.bytes.size() != count * perValue * 8)
    throw ImportError(what + " has indices that do not fit its values");
  const auto *index = reinterpret_cast<const int64_t *>(indices.bytes.data());
  TensorProto dense;
  dense.set_name(sparse.values().name());
  dense.set_data_type(values.dataType);
  for (int64_t dim : shape)
    dense.add_dims(dim);
  std::string raw(bytes, '\0');
  for (size_t i = 0; i < count; ++i) {
    uint64_t linear = 0;
    if (perValue == 1 && indices.shape.size() != 2)
      linear = static_cast<uint64_t>(index[i]);
    else
      for (size_t d = 0; d < rank; ++d) {
        if (index[i * rank + d] < 0 || index[i * rank + d] >= shape[d])
          throw ImportError(what + " has an index outside its shape");
        linear = linear * shape[d] + index[i * rank + d];
      }
    if (linear >= bytes / size)
      throw ImportError(what + " has an index outside its shape");
    std::memcpy(raw.data() + linear * size, values.bytes.data() + i * size, size);
  }
  setRawData(dense, raw);
  return dense;
}

ElementsAttr importer::denseAttribute(MLIRContext *context, const TensorData &tensor) {
  auto type = RankedTensorType::get(tensor.shape, elementType(context, tensor.dataType));
  if (type.getNumElements() == 0)
    return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  if (tensor.dataType == TensorProto::BOOL) {
    SmallVector<bool> bits(tensor.bytes.begin(), tensor.bytes.end());
    return DenseElementsAttr::get(type, ArrayRef<bool>(bits));
  }
  return DenseElementsAttr::getFromRawBuffer(type, tensor.bytes);
}

ElementsAttr importer::resourceAttribute(MLIRContext *context, StringRef key, const TensorData &tensor) {
  auto type = RankedTensorType::get(tensor.shape, elementType(context, tensor.dataType));
  AsmResourceBlob blob(
      tensor.bytes, elementBytes(tensor.dataType),
      [owner = tensor.owner](void *, size_t, size_t) mutable { owner.reset(); },
      /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, key, std::move(blob));
}
