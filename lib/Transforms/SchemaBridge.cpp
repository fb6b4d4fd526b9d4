//===- SchemaBridge.cpp - shape inference by libonnx's schemas ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The only file of lib/Transforms that is compiled with exceptions: libonnx throws, nothing leaves this file.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/SchemaBridge.h"

#include "ONNX/ONNX.h"
#include "ONNX/Schemas/Schemas.h"
#include "leafcutter/Support/ElementTypes.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/OnnxProto.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "onnx/defs/schema.h"
#include "onnx/defs/shape_inference.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace mlir;
using namespace leaf;

/// Constants above this many elements are not shown to libonnx: no shape depends on them. Floats matter as scales only.
static constexpr int64_t kMaxShownInts = 65536, kMaxShownFloats = 64;

Type TensorFacts::toType() const {
  if (!elementType)
    return {};
  return hasRank ? Type(RankedTensorType::get(sizes, elementType)) : Type(UnrankedTensorType::get(elementType));
}

/// Elements of 4 or 2 bits, which ONNX puts into bytes together, the first in the lowest bits.
static std::string packElements(ArrayRef<char> bytes, unsigned bits) {
  unsigned perByte = 8 / bits, mask = (1u << bits) - 1;
  std::string packed(llvm::divideCeil(bytes.size(), perByte), '\0');
  for (auto [i, byte] : llvm::enumerate(bytes))
    packed[i / perByte] = char(packed[i / perByte] | (unsigned(byte) & mask) << i % perByte * bits);
  return packed;
}

void leaf::fillTensorProto(::onnx::TensorProto &proto, const HostTensor &value) {
  proto.set_data_type(onnxElementType(value.elementType()));
  for (int64_t size : value.shape())
    proto.add_dims(size);
  const ElementType *type = findElementType(value.elementType());
  if (type && type->kind != ElementType::Bool && type->bits < 8)
    proto.set_raw_data(packElements(value.bytes(), type->bits));
  else
    proto.set_raw_data(value.bytes().data(), value.bytes().size());
}

bool leaf::fillAttributeProto(::onnx::AttributeProto &proto, StringRef name, Attribute attr) {
  proto.set_name(name.str());
  if (auto integer = dyn_cast<IntegerAttr>(attr)) {
    proto.set_type(::onnx::AttributeProto::INT);
    proto.set_i(integer.getInt());
  } else if (auto number = dyn_cast<FloatAttr>(attr)) {
    proto.set_type(::onnx::AttributeProto::FLOAT);
    proto.set_f(static_cast<float>(number.getValueAsDouble()));
  } else if (auto text = dyn_cast<StringAttr>(attr)) {
    proto.set_type(::onnx::AttributeProto::STRING);
    proto.set_s(text.getValue().str());
  } else if (auto ints = dyn_cast<DenseI64ArrayAttr>(attr)) {
    proto.set_type(::onnx::AttributeProto::INTS);
    for (int64_t value : ints.asArrayRef())
      proto.add_ints(value);
  } else if (auto floats = dyn_cast<DenseF32ArrayAttr>(attr)) {
    proto.set_type(::onnx::AttributeProto::FLOATS);
    for (float value : floats.asArrayRef())
      proto.add_floats(value);
  } else if (auto strings = dyn_cast<ArrayAttr>(attr)) {
    proto.set_type(::onnx::AttributeProto::STRINGS);
    for (StringAttr value : strings.getAsRange<StringAttr>())
      proto.add_strings(value.getValue().str());
  } else if (auto texts = dyn_cast<DenseStringElementsAttr>(attr)) {
    proto.set_type(::onnx::AttributeProto::TENSOR);
    proto.mutable_t()->set_data_type(::onnx::TensorProto::STRING);
    for (int64_t size : texts.getType().getShape())
      proto.mutable_t()->add_dims(size);
    for (StringRef text : texts.getValues<StringRef>())
      proto.mutable_t()->add_string_data(text.str());
  } else if (auto elements = dyn_cast<ElementsAttr>(attr)) {
    std::optional<HostTensor> value = getHostElements(elements);
    if (!value)
      return false;
    proto.set_type(::onnx::AttributeProto::TENSOR);
    fillTensorProto(*proto.mutable_t(), *value);
  } else {
    return false;
  }
  return true;
}

namespace {

void setDim(::onnx::TensorShapeProto::Dimension &dim, int64_t size, int32_t symbol) {
  if (!ShapedType::isDynamic(size))
    dim.set_dim_value(size);
  else if (symbol > 0)
    dim.set_dim_param("s" + std::to_string(symbol));
}

/// The types that a region (the body of If) yields, inferred before.
class RegionTypes final : public ::onnx::GraphInferencer {
public:
  explicit RegionTypes(std::vector<::onnx::TypeProto> types) : types(std::move(types)) {}
  std::vector<const ::onnx::TypeProto *> doInferencing(const std::vector<const ::onnx::TypeProto *> &,
                                                       const std::vector<const ::onnx::TensorProto *> &) override {
    std::vector<const ::onnx::TypeProto *> result;
    for (const ::onnx::TypeProto &type : types)
      result.push_back(&type);
    return result;
  }

private:
  std::vector<::onnx::TypeProto> types;
};

/// One op as libonnx's inference functions see a node.
class OpContext final : public ::onnx::InferenceContext {
public:
  OpContext(const InferenceRequest &request, const ::onnx::OpSchema &schema) : op(request.op), request(request) {
    readAttributes(schema);
    unsigned count = op->getNumOperands();
    while (count > 0 && isa<NoneType>(op->getOperand(count - 1).getType()))
      --count;
    for (unsigned i = 0; i < count; ++i) {
      types.push_back(typeOf(op->getOperand(i)));
      readValue(i);
    }
    // As in a NodeProto: absent results at the end are not counted (BatchNormalization's say that it trains).
    unsigned results = op->getNumResults();
    while (results > 0 && isa<NoneType>(op->getResult(results - 1).getType()))
      --results;
    outputs.resize(results);
  }

  const ::onnx::AttributeProto *getAttribute(const std::string &name) const override {
    auto found = attributes.find(name);
    return found == attributes.end() ? nullptr : &found->second;
  }
  size_t getNumInputs() const override { return types.size(); }
  bool hasInput(size_t i) const override { return i < types.size() && types[i]; }
  const ::onnx::TypeProto *getInputType(size_t i) const override { return i < types.size() ? types[i].get() : nullptr; }
  const ::onnx::TensorProto *getInputData(size_t i) const override {
    return i < tensors.size() ? tensors[i].get() : nullptr;
  }
  const ::onnx::SparseTensorProto *getInputSparseData(size_t) const override { return nullptr; }
  const ::onnx::TensorShapeProto *getSymbolicInput(size_t i) const override {
    return i < symbolic.size() ? symbolic[i].get() : nullptr;
  }
  size_t getNumOutputs() const override { return outputs.size(); }
  bool hasOutput(size_t i) override { return i < outputs.size() && !isa<NoneType>(op->getResult(i).getType()); }
  ::onnx::TypeProto *getOutputType(size_t i) override { return i < outputs.size() ? &outputs[i] : nullptr; }
  ::onnx::GraphInferencer *getGraphAttributeInferencer(const std::string &name) override {
    auto found = regions.find(name);
    if (found == regions.end())
      throw ::onnx::InferenceError("no graph attribute '" + name + "'");
    return &found->second;
  }
  std::string getDisplayName() const override { return nodeName(op); }

  TensorFacts facts(unsigned i) const {
    TensorFacts facts;
    if (i >= outputs.size() || !outputs[i].has_tensor_type())
      return facts;
    const ::onnx::TypeProto::Tensor &tensor = outputs[i].tensor_type();
    facts.elementType = elementTypeOfONNX(op->getContext(), tensor.elem_type());
    facts.hasRank = tensor.has_shape();
    for (const ::onnx::TensorShapeProto::Dimension &dim : tensor.shape().dim()) {
      facts.sizes.push_back(dim.has_dim_value() ? dim.dim_value() : ShapedType::kDynamic);
      int32_t symbol = 0;
      StringRef param = dim.dim_param();
      if (!param.consume_front("s") || param.getAsInteger(10, symbol))
        symbol = 0;
      facts.symbols.push_back(symbol);
    }
    return facts;
  }

private:
  std::unique_ptr<::onnx::TypeProto> typeOf(Value value) const {
    auto type = dyn_cast<TensorType>(value.getType());
    if (!type)
      return nullptr;
    auto proto = std::make_unique<::onnx::TypeProto>();
    ::onnx::TypeProto::Tensor *tensor = proto->mutable_tensor_type();
    tensor->set_elem_type(onnxElementType(type.getElementType()));
    if (!type.hasRank())
      return proto;
    ::onnx::TensorShapeProto *shape = tensor->mutable_shape();
    for (auto [d, size] : llvm::enumerate(type.getShape()))
      setDim(*shape->add_dim(), size, ShapedType::isDynamic(size) ? request.dimSymbol(value, d) : 0);
    return proto;
  }

  /// A fully known operand becomes data, a partly known list of sizes symbolic shape data.
  void readValue(unsigned i) {
    tensors.emplace_back();
    symbolic.emplace_back();
    const HostTensor *value = request.values[i];
    if (!value || value->size() > (value->isFloat() ? kMaxShownFloats : kMaxShownInts))
      return;
    if (value->isFullyKnown()) {
      tensors.back() = std::make_unique<::onnx::TensorProto>();
      return fillTensorProto(*tensors.back(), *value);
    }
    if (value->rank() > 1)
      return;
    symbolic.back() = std::make_unique<::onnx::TensorShapeProto>();
    for (int64_t k = 0, e = value->size(); k < e; ++k)
      setDim(*symbolic.back()->add_dim(), value->symbol(k) ? ShapedType::kDynamic : value->getInt(k), value->symbol(k));
  }

  void readAttributes(const ::onnx::OpSchema &schema) {
    std::map<std::string, bool> names; // sorted: regions are in that order
    for (const auto &[name, attribute] : schema.attributes())
      names[name] = attribute.type == ::onnx::AttributeProto::GRAPH;
    unsigned region = 0;
    for (const auto &[name, isGraph] : names) {
      if (isGraph) {
        if (region < op->getNumRegions())
          addRegion(name, op->getRegion(region++));
        continue;
      }
      Attribute attr = op->getAttr(name);
      attr = attr ? attr : op->getAttr(name + "_attr");
      if (!attr)
        continue;
      ::onnx::AttributeProto proto;
      if (fillAttributeProto(proto, name, attr))
        attributes.emplace(name, std::move(proto));
    }
  }

  void addRegion(const std::string &name, Region &region) {
    std::vector<::onnx::TypeProto> yielded;
    if (!region.empty())
      for (Value value : region.front().getTerminator()->getOperands())
        if (std::unique_ptr<::onnx::TypeProto> type = typeOf(value))
          yielded.push_back(*type);
    regions.emplace(name, RegionTypes(std::move(yielded)));
  }

  Operation *op;
  const InferenceRequest &request;
  std::map<std::string, ::onnx::AttributeProto> attributes;
  std::map<std::string, RegionTypes> regions;
  std::vector<std::unique_ptr<::onnx::TypeProto>> types;
  std::vector<std::unique_ptr<::onnx::TensorProto>> tensors;
  std::vector<std::unique_ptr<::onnx::TensorShapeProto>> symbolic;
  std::vector<::onnx::TypeProto> outputs;
};

/// libonnx starts messages with "[ShapeInferenceError] " and may add context lines.
std::string firstLine(const char *what) {
  StringRef text = StringRef(what).split('\n').first;
  if (text.starts_with("["))
    text = text.split("] ").second;
  text.consume_back(".");
  return text.str();
}

} // namespace

llvm::Expected<std::vector<TensorFacts>> leaf::inferBySchema(const InferenceRequest &request) {
  auto [domain, name] = leaf::onnx::getOperatorName(request.op);
  std::vector<TensorFacts> results(request.op->getNumResults());
  leaf::onnx::registerSchemas();
  try {
    const ::onnx::OpSchema *schema = ::onnx::OpSchemaRegistry::Schema(name.str(), domain.str());
    if (!schema || !schema->has_type_and_shape_inference_function())
      return results;
    OpContext context(request, *schema);
    schema->GetTypeAndShapeInferenceFunction()(context);
    for (unsigned i = 0; i < results.size(); ++i)
      results[i] = context.facts(i);
  } catch (const std::exception &error) {
    return llvm::createStringError(firstLine(error.what()));
  }
  return results;
}
