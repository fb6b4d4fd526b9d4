//===- ModelRunner.cpp - runs a compiled model on arrays ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/ModelRunner.h"

#include "leafcutter/Support/ElementTypes.h"
#include "leafcutter/Support/StringArrays.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace llvm;

namespace leaf {

//===----------------------------------------------------------------------===//
// GuardedBuffer
//===----------------------------------------------------------------------===//

static constexpr uint64_t guardBytes = 64;
static constexpr char guardPattern = char(0xA5);

GuardedBuffer::GuardedBuffer(uint64_t bytes, uint64_t align)
    : bytes(bytes), memory(std::aligned_alloc(align, alignTo(bytes + guardBytes, align)), std::free) {
  if (!memory)
    report_bad_alloc_error("no memory for a model's buffer");
  std::memset(data() + bytes, guardPattern, guardBytes);
}

bool GuardedBuffer::isIntact() const {
  const char *guard = static_cast<const char *>(memory.get()) + bytes;
  return all_of(ArrayRef<char>(guard, guardBytes), [](char c) { return c == guardPattern; });
}

Error checkMemory(const ModelInterface &interface) {
  uint64_t bytes = interface.arenaBytes;
  auto add = [&](const TensorInterface &tensor) {
    bytes = SaturatingAdd(bytes, SaturatingMultiply<uint64_t>(tensor.capacity, tensor.elementBytes));
  };
  for_each(interface.inputs, add);
  for_each(interface.outputs, add);
  uint64_t memory = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGE_SIZE));
  if (bytes <= memory)
    return Error::success();
  return createStringError("a run of this model needs " + Twine(bytes) + " bytes for its arena, inputs and outputs; " +
                           "this machine has " + Twine(memory));
}

//===----------------------------------------------------------------------===//
// Dense arrays and strided buffers
//===----------------------------------------------------------------------===//

static std::string formatShape(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [i, size] : enumerate(shape))
    text += (i ? "," : "") + (size < 0 ? "?" : std::to_string(size));
  return text + "]";
}

static uint64_t countElements(ArrayRef<int64_t> shape) {
  uint64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

static std::vector<int64_t> denseStrides(ArrayRef<int64_t> shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];
  return strides;
}

/// Copies `shape` elements of `elementBytes` from one layout to another; strides in elements.
static void copyStrided(char *to, ArrayRef<int64_t> toStrides, const char *from, ArrayRef<int64_t> fromStrides,
                        ArrayRef<int64_t> shape, unsigned elementBytes) {
  if (is_contained(shape, 0))
    return;
  size_t rank = shape.size();
  bool rows = rank > 0 && toStrides.back() == 1 && fromStrides.back() == 1;
  ArrayRef<int64_t> outer = rows ? shape.drop_back() : shape;
  uint64_t runBytes = uint64_t(rows ? shape.back() : 1) * elementBytes;
  std::vector<int64_t> index(outer.size(), 0);
  for (;;) {
    int64_t source = 0, target = 0;
    for (size_t d = 0; d < outer.size(); ++d) {
      source += index[d] * fromStrides[d];
      target += index[d] * toStrides[d];
    }
    std::memcpy(to + target * elementBytes, from + source * elementBytes, runBytes);
    size_t d = outer.size();
    while (d > 0 && ++index[d - 1] == outer[d - 1])
      index[--d] = 0;
    if (d == 0)
      return;
  }
}

//===----------------------------------------------------------------------===//
// ModelRunner
//===----------------------------------------------------------------------===//

static constexpr uint64_t bufferAlign = 64;

ModelRunner::ModelRunner(ModelInterface model, Entry entry, const void *weights, unsigned threads)
    : interface(std::move(model)), entry(std::move(entry)),
      arena(interface.arenaBytes, std::max<int64_t>(interface.arenaAlign, 16)) {
  // All ones is NaN in every float type: a value read before it was written shows in the outputs.
  std::memset(arena.data(), 0xFF, arena.size());
  for (const TensorInterface &input : interface.inputs)
    buffers.emplace_back(uint64_t(input.capacity) * input.elementBytes, bufferAlign);
  for (const TensorInterface &output : interface.outputs)
    if (output.alias < 0)
      buffers.emplace_back(uint64_t(output.capacity) * output.elementBytes, bufferAlign);
  for (GuardedBuffer &buffer : buffers) {
    std::memset(buffer.data(), 0xFF, buffer.size());
    pointers.push_back(buffer.data());
  }
  context = leaf_context{arena.data(), arena.size(), weights, nullptr, nullptr, 1, 0, nullptr};
  if (threads <= 1)
    return;
  workers.resize(threads);
  poolStatus = leaf_pool_init(&pool, workers.data(), int32_t(threads));
  context.parallel_for = leaf_pool_parallel_for;
  context.parallel_user = &pool;
  context.max_workers = int32_t(threads);
}

ModelRunner::~ModelRunner() {
  if (!workers.empty() && poolStatus == LEAF_OK)
    leaf_pool_destroy(&pool);
}

static std::string describeInput(const TensorInterface &input) {
  std::string text = "'" + input.name + "' " + input.elementType + "[";
  for (size_t d = 0; d < input.shape.size(); ++d) {
    text += d ? "," : "";
    text += input.shape[d] >= 0 ? std::to_string(input.shape[d])
                                : input.dimNames[d] + "<=" + std::to_string(input.upperBounds[d]);
  }
  return text + "]";
}

Error ModelRunner::setInput(unsigned index, const NpyArray &array) {
  const TensorInterface &input = interface.inputs[index];
  auto fail = [&](const Twine &what) {
    return createStringError("input '" + input.name + "' " + what + "; the model takes " + describeInput(input));
  };
  const ElementType *type = findElementType(input.elementType);
  bool unknown = array.elementType == kUnknownByte || array.elementType == kUnknownWord;
  bool fits = unknown && type && !type->isOfNumpy() && getElementBytes(array.elementType) == type->bytes;
  if (array.elementType != input.elementType && !fits)
    return fail("is " + array.elementType);
  if (array.shape.size() != input.shape.size())
    return fail("has shape " + formatShape(array.shape));
  for (size_t d = 0; d < array.shape.size(); ++d) {
    int64_t size = array.shape[d];
    if (input.shape[d] >= 0 ? size != input.shape[d] : size > input.upperBounds[d])
      return fail("has shape " + formatShape(array.shape));
    auto dim = find_if(interface.dims, [&](const auto &entry) { return entry.first == input.dimNames[d]; });
    if (input.shape[d] >= 0 || dim == interface.dims.end())
      continue;
    int64_t &known = sizes[dim - interface.dims.begin()];
    if (known >= 0 && known != size)
      return fail("has shape " + formatShape(array.shape) + ", but dimension '" + dim->first + "' is " + Twine(known) +
                  " in another input");
    known = size;
  }
  std::vector<int64_t> dense = denseStrides(array.shape);
  copyStrided(buffers[index].data(), input.strides.empty() ? dense : input.strides, array.bytes.data(), dense,
              array.shape, input.elementBytes);
  if (type && type->isNarrowInteger())
    extendElements(MutableArrayRef<char>(buffers[index].data(), buffers[index].size()), *type);
  return Error::success();
}

/// Strings are two inputs: the places, and the bytes.
static bool takesStrings(const ModelInterface &interface, StringRef name) {
  return any_of(interface.inputs,
                [&](const TensorInterface &input) { return input.name == (name + kStringBytes).str(); });
}

/// A pool may be longer than the strings in it.
static void fillPools(const ModelInterface &interface, NpzFile &inputs) {
  for (auto &[name, array] : inputs)
    for (const TensorInterface &input : interface.inputs)
      if (input.name == name && StringRef(name).ends_with(kStringBytes) && input.shape.size() == 1 &&
          array.shape.size() == 1 && array.elementType == "uint8" && input.shape[0] > array.shape[0]) {
        array.bytes.resize(input.shape[0], '\0');
        array.shape = input.shape;
      }
}

Error ModelRunner::setInputs(const NpzFile &given) {
  for (const TensorInterface &input : interface.inputs)
    for (const auto &[name, array] : given)
      if (name == input.name && isStringArray(array) && !takesStrings(interface, name))
        return createStringError("input '" + name + "' is an array of strings; the model takes " +
                                 describeInput(input));
  NpzFile split;
  if (any_of(given, [](const auto &entry) { return isStringArray(entry.second); })) {
    split = splitStrings(given);
    fillPools(interface, split);
  }
  const NpzFile &inputs = split.empty() ? given : split;
  sizes.assign(interface.dims.size(), -1);
  for (const auto &[name, array] : inputs)
    if (none_of(interface.inputs, [&, &name = name](const TensorInterface &input) { return input.name == name; })) {
      std::vector<std::string> known;
      for (const TensorInterface &input : interface.inputs)
        known.push_back(describeInput(input));
      return createStringError("'" + name + "' is no input of the model; its inputs: " + join(known, ", "));
    }
  for (auto [index, input] : enumerate(interface.inputs)) {
    auto it = find_if(inputs, [&, &input = input](const auto &entry) { return entry.first == input.name; });
    if (it == inputs.end())
      return createStringError("input " + describeInput(input) + " is missing");
    if (Error error = setInput(index, it->second))
      return error;
  }
  for (auto [size, dim] : zip_equal(sizes, interface.dims))
    if (size < 0)
      return createStringError("no input has dimension '" + dim.first + "'");
  return Error::success();
}

static StringRef describeStatus(int32_t status) {
  switch (status) {
  case LEAF_ERROR_ARGUMENT:
    return "a required pointer is null";
  case LEAF_ERROR_ARENA:
    return "the arena is too small or not aligned";
  case LEAF_ERROR_BOUND:
    return "a size is above the bound that the model was compiled for";
  case LEAF_ERROR_SHAPE:
    return "sizes that must agree do not";
  case LEAF_ERROR_WEIGHTS:
    return "the weight file is damaged";
  case LEAF_ERROR_VERSION:
    return "the weight file has another format version";
  case LEAF_ERROR_MODEL:
    return "the weight file is that of another model";
  case LEAF_ERROR_FILE:
    return "the weight file cannot be opened or mapped";
  case LEAF_ERROR_THREADS:
    return "the system gives no more threads";
  case LEAF_ERROR_ISA:
    return "the machine has none of the instruction sets of the model";
  default:
    return "unknown status";
  }
}

Error ModelRunner::run() {
  if (poolStatus != LEAF_OK)
    return createStringError("the system does not give " + Twine(workers.size()) + " threads; use fewer (--threads)");
  dims = sizes;
  dims.resize(sizes.size() + interface.numDimResults, -1);
  int32_t status = entry(&context, pointers.data(), dims.data());
  if (status != LEAF_OK)
    return createStringError("the model returned status " + Twine(status) + ": " + describeStatus(status));
  if (!arena.isIntact())
    return createStringError("the compiled code wrote past its arena of " + Twine(arena.size()) + " bytes");
  for (auto [index, buffer] : enumerate(buffers))
    if (!buffer.isIntact())
      return createStringError("the compiled code wrote past buffer " + Twine(index));
  return Error::success();
}

std::vector<int64_t> ModelRunner::getOutputShape(const TensorInterface &output) const {
  std::vector<int64_t> shape = output.shape;
  for (size_t d = 0; d < shape.size(); ++d)
    if (shape[d] < 0)
      shape[d] = std::clamp<int64_t>(dims[interface.dims.size() + output.dimResults[d]], 0, output.upperBounds[d]);
  return shape;
}

NpzFile ModelRunner::getOutputs() {
  NpzFile result;
  unsigned next = interface.inputs.size();
  for (const TensorInterface &output : interface.outputs) {
    NpyArray array{output.elementType, getOutputShape(output), {}};
    array.bytes.resize(countElements(array.shape) * output.elementBytes);
    GuardedBuffer &buffer = buffers[output.alias >= 0 ? unsigned(output.alias) : next++];
    std::vector<int64_t> dense = denseStrides(array.shape);
    ArrayRef<int64_t> strides = output.strides;
    if (strides.empty() && output.alias >= 0)
      strides = interface.inputs[output.alias].strides;
    copyStrided(array.bytes.data(), dense, buffer.data(), strides.empty() ? ArrayRef<int64_t>(dense) : strides,
                array.shape, output.elementBytes);
    if (const ElementType *type = findElementType(output.elementType); type && type->isNarrowInteger())
      maskElements(array.bytes, *type);
    result.emplace_back(output.name, std::move(array));
  }
  return joinStrings(std::move(result));
}

Expected<NpzFile> ModelRunner::run(const NpzFile &inputs) {
  if (Error error = setInputs(inputs))
    return error;
  if (Error error = run())
    return error;
  return getOutputs();
}

} // namespace leaf
