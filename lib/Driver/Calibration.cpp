//===- Calibration.cpp - what activations are on real data ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Calibration.h"

#include "Compare.h"
#include "CompiledGraph.h"
#include "leafcutter/Compress/StaticPlan.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include <cmath>
#include <cstring>

using namespace mlir;

namespace leaf {

static std::string outputName(size_t index) { return "observed:" + std::to_string(index); }

static bool isInput(Value value) { return isa<BlockArgument>(value); }

/// The graph at the samples' sizes, which returns `values` too.
static llvm::Expected<OwningOpRef<ModuleOp>> makeObserved(ModuleOp module, const Dataset &data,
                                                          ArrayRef<Value> values) {
  return specializeShapes(module, data.getShapes(), [&](ModuleOp copy, IRMapping &mapping) {
    for (auto [i, value] : llvm::enumerate(values))
      if (!isInput(value))
        addOutput(getEntry(copy), mapping.lookup(value), outputName(i));
  });
}

static int64_t bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() ? tensor.getNumElements() * HostTensor::elementBytes(tensor.getElementType())
                                           : 0;
}

/// Cuts `values` into runs of at most `most` bytes.
static llvm::Expected<std::vector<std::vector<Value>>> cutBySize(ModuleOp module, const Dataset &data,
                                                                 ArrayRef<Value> values, int64_t most) {
  llvm::Expected<OwningOpRef<ModuleOp>> all = makeObserved(module, data, values);
  if (!all)
    return all.takeError();
  func::FuncOp main = getEntry(**all);
  size_t result = getEntry(module).getNumResults();
  std::vector<std::vector<Value>> chunks(1);
  int64_t bytes = 0;
  for (Value value : values) {
    int64_t size = isInput(value) ? 0 : bytesOf(main.getResultTypes()[result++]);
    if (!chunks.back().empty() && bytes + size > most) {
      chunks.emplace_back();
      bytes = 0;
    }
    chunks.back().push_back(value);
    bytes += size;
  }
  return chunks;
}

static const NpyArray *findArray(const NpzFile &file, llvm::StringRef name) {
  auto found = llvm::find_if(file, [&](const auto &entry) { return entry.first == name; });
  return found == file.end() ? nullptr : &found->second;
}

static std::string nameOfInput(Value value) {
  auto argument = cast<BlockArgument>(value);
  auto main = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  auto name = main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), attrs::kName);
  return name ? name.str() : "";
}

llvm::Error observeValues(ModuleOp module, const Dataset &data, const TargetSpec &target, ArrayRef<Value> values,
                          int64_t most, ValueSink sink) {
  llvm::Expected<std::vector<std::vector<Value>>> chunks = cutBySize(module, data, values, most);
  if (!chunks)
    return chunks.takeError();
  for (const std::vector<Value> &chunk : *chunks) {
    llvm::Expected<OwningOpRef<ModuleOp>> observed = makeObserved(module, data, chunk);
    if (!observed)
      return observed.takeError();
    llvm::Expected<std::unique_ptr<CompiledGraph>> graph = CompiledGraph::compile(std::move(*observed), target);
    if (!graph)
      return graph.takeError();
    for (size_t sample = 0; sample < data.size(); ++sample) {
      NpzFile inputs = data.getSample(sample);
      llvm::Expected<NpzFile> outputs = (*graph)->run(inputs);
      if (!outputs)
        return outputs.takeError();
      for (auto [i, value] : llvm::enumerate(chunk)) {
        const NpyArray *array =
            isInput(value) ? findArray(inputs, nameOfInput(value)) : findArray(*outputs, outputName(i));
        if (array)
          if (llvm::Error error = sink(value, *array))
            return error;
      }
    }
  }
  return llvm::Error::success();
}

/// float32 arrays as they lie in memory.
static ArrayRef<float> floatsOf(const NpyArray &array, std::vector<float> &storage) {
  if (array.elementType != "float32")
    return {};
  storage.resize(array.bytes.size() / sizeof(float));
  std::memcpy(storage.data(), array.bytes.data(), array.bytes.size());
  return storage;
}

static std::string describeValue(Value value) {
  return isInput(value) ? "input '" + nameOfInput(value) + "'"
                        : "the result of node '" + nodeName(value.getDefiningOp()) + "'";
}

llvm::Error calibrateRanges(ModuleOp module, const Dataset &data, const TargetSpec &target,
                            const CalibrationOptions &options) {
  StaticPlan plan = planStatic(module);
  llvm::DenseMap<Value, Observer> observers;
  std::vector<float> storage;
  auto sink = [&](Value value, const NpyArray &array) -> llvm::Error {
    observers[value].add(floatsOf(array, storage));
    if (observers[value].getNonFinite() > 0)
      return llvm::createStringError("calibration: " + describeValue(value) +
                                     " has values that are NaN or infinite, so that it has no range; give data that " +
                                     "the float model handles, or leave the nodes that read it in float "
                                     "(--keep-float NODE)");
    return llvm::Error::success();
  };
  if (llvm::Error error =
          observeValues(module, data, target, plan.values.getArrayRef(), options.maxObservedBytes, sink))
    return error;
  unsigned levels = options.activations == ActivationType::Int16 ? 65534 : 255;
  // There are fewer bins than codes of 16 bits: nothing is won by clipping.
  RangeMethod method = options.activations == ActivationType::Int16 ? RangeMethod::MinMax : options.method;
  for (Value value : plan.values) {
    auto [low, high] = observers[value].chooseRange(method, options.percent, levels);
    setRange(value, low, high);
  }
  return llvm::Error::success();
}

llvm::Error calibrateChannels(ModuleOp module, const Dataset &data, const TargetSpec &target,
                              const CalibrationOptions &options) {
  llvm::SetVector<Value> values;
  for (const Layer &layer : collectLayers(module))
    if (layer.weightOperand == 1 && (isOnnx(layer.op, "Gemm") || isOnnx(layer.op, "MatMul")))
      values.insert(layer.op->getOperand(0));
  llvm::DenseMap<Value, std::vector<double>> most;
  std::vector<float> storage;
  auto sink = [&](Value value, const NpyArray &array) -> llvm::Error {
    std::vector<double> &channels = most[value];
    channels.resize(array.shape.back(), 0);
    for (auto [i, x] : llvm::enumerate(floatsOf(array, storage)))
      channels[i % channels.size()] = std::max(channels[i % channels.size()], std::fabs(double(x)));
    return llvm::Error::success();
  };
  if (llvm::Error error = observeValues(module, data, target, values.getArrayRef(), options.maxObservedBytes, sink))
    return error;
  for (Value value : values) {
    auto attr = DenseF64ArrayAttr::get(module.getContext(), most[value]);
    if (Operation *op = value.getDefiningOp())
      op->setAttr(attrs::kChannelMax, attr);
    else
      getEntry(module).setArgAttr(cast<BlockArgument>(value).getArgNumber(), attrs::kChannelMax, attr);
  }
  return llvm::Error::success();
}

namespace {

/// A layer with its sums over the samples.
struct LossSums {
  LayerLoss loss;
  double squared = 0, power = 0;
};

} // namespace

static double scalarOf(const NpzFile &outputs, const std::string &name) {
  const NpyArray *array = findArray(outputs, name);
  return array ? toDoubles(*array).front() : 0;
}

/// The graph with a quantized twin beside each layer; `sums` gets one entry for each.
static llvm::Expected<OwningOpRef<ModuleOp>> makeTwinned(ModuleOp module, const Dataset &data, ActivationType type,
                                                         std::vector<LossSums> &sums) {
  return specializeShapes(module, data.getShapes(), [&](ModuleOp copy, IRMapping &mapping) {
    llvm::DenseMap<Operation *, Operation *> originals;
    for (const Layer &layer : collectLayers(module))
      originals[mapping.lookup(layer.op)] = layer.op;
    for (const LayerError &error : addLayerErrors(copy, type)) {
      std::string name = outputName(sums.size());
      addOutput(getEntry(copy), error.squared, name + ":squared");
      addOutput(getEntry(copy), error.power, name + ":power");
      if (error.meanByChannel)
        addOutput(getEntry(copy), error.meanByChannel, name + ":mean");
      sums.emplace_back().loss.layer = originals[error.layer];
    }
  });
}

llvm::Expected<std::vector<LayerLoss>> measureLayerLosses(ModuleOp module, const Dataset &data,
                                                          const TargetSpec &target, const CalibrationOptions &options) {
  std::vector<LossSums> sums;
  llvm::Expected<OwningOpRef<ModuleOp>> twinned = makeTwinned(module, data, options.activations, sums);
  if (!twinned)
    return twinned.takeError();
  llvm::Expected<std::unique_ptr<CompiledGraph>> graph = CompiledGraph::compile(std::move(*twinned), target);
  if (!graph)
    return graph.takeError();
  for (size_t sample = 0; sample < data.size(); ++sample) {
    llvm::Expected<NpzFile> outputs = (*graph)->run(data.getSample(sample));
    if (!outputs)
      return outputs.takeError();
    for (auto [i, sum] : llvm::enumerate(sums)) {
      sum.squared += scalarOf(*outputs, outputName(i) + ":squared");
      sum.power += scalarOf(*outputs, outputName(i) + ":power");
      const NpyArray *mean = findArray(*outputs, outputName(i) + ":mean");
      std::vector<double> values = mean ? toDoubles(*mean) : std::vector<double>();
      sum.loss.bias.resize(values.size(), 0);
      for (auto [total, value] : llvm::zip_equal(sum.loss.bias, values))
        total += value / double(data.size());
    }
  }
  std::vector<LayerLoss> losses;
  for (LossSums &sum : sums) {
    sum.loss.noise = sum.power > 0 ? sum.squared / sum.power : sum.squared > 0 ? 1 : 0;
    losses.push_back(std::move(sum.loss));
  }
  return losses;
}

} // namespace leaf
