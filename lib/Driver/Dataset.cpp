//===- Dataset.cpp - samples for calibration and evaluation --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Dataset.h"

#include "Compare.h"
#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Support/ElementTypes.h"

#include "Leaf/Leaf.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace llvm;

namespace leaf {

namespace {

/// An input of the entry.
struct Formal {
  std::string name, elementType;
  mlir::RankedTensorType type;
};

} // namespace

static std::string nameOf(mlir::Type element) {
  const ElementType *known = findElementType(element);
  return known ? known->name.str() : "an unknown type";
}

static std::vector<Formal> describeInputs(mlir::ModuleOp module) {
  std::vector<Formal> inputs;
  mlir::func::FuncOp main = getEntry(module);
  for (unsigned i = 0; main && i < main.getNumArguments(); ++i) {
    auto type = cast<mlir::RankedTensorType>(main.getArgumentTypes()[i]);
    auto name = main.getArgAttrOfType<mlir::StringAttr>(i, attrs::kName);
    inputs.push_back({name ? name.str() : "", nameOf(type.getElementType()), type});
  }
  return inputs;
}

static std::string describeShape(ArrayRef<int64_t> shape) {
  std::vector<std::string> sizes;
  for (int64_t size : shape)
    sizes.push_back(mlir::ShapedType::isDynamic(size) ? "?" : std::to_string(size));
  return "[" + join(sizes, ",") + "]";
}

static std::string describeFormal(const Formal &input) {
  return "'" + input.name + "' " + input.elementType + describeShape(input.type.getShape());
}

/// Whether the sizes from `from` on are those of the input.
static bool fits(ArrayRef<int64_t> sizes, ArrayRef<int64_t> formal) {
  return sizes.size() == formal.size() && all_of(zip_equal(sizes, formal), [](auto pair) {
           return mlir::ShapedType::isDynamic(std::get<1>(pair)) || std::get<0>(pair) == std::get<1>(pair);
         });
}

/// Shape of one sample and how many there are.
static Expected<std::pair<std::vector<int64_t>, int64_t>> cut(const Formal &input, const NpyArray &array) {
  ArrayRef<int64_t> shape = array.shape, formal = input.type.getShape();
  auto fail = [&](const Twine &why) {
    return createStringError("array '" + input.name + "' has shape " + describeShape(shape) + why + "; the input is " +
                             describeFormal(input) +
                             ", and the array has its rank (the leading axis is the batch) or one axis more in front, "
                             "which counts samples");
  };
  if (shape.size() == formal.size() + 1) {
    if (!fits(shape.drop_front(), formal))
      return fail("");
    return std::pair(shape.drop_front().vec(), shape.front());
  }
  if (shape.size() != formal.size() || !fits(shape.drop_front(), formal.drop_front()))
    return fail("");
  int64_t batch = mlir::ShapedType::isDynamic(formal.front()) ? 1 : formal.front();
  if (batch == 0 || shape.front() % batch != 0)
    return fail(": " + Twine(shape.front()) + " rows are no multiple of the batch");
  std::vector<int64_t> sample = shape.vec();
  sample.front() = batch;
  return std::pair(sample, shape.front() / batch);
}

static Error checkFinite(StringRef name, const NpyArray &array) {
  if (!StringRef(array.elementType).contains("float"))
    return Error::success();
  std::vector<double> values = toDoubles(array);
  size_t rows = array.shape.empty() ? 1 : std::max<int64_t>(array.shape.front(), 1);
  for (auto [i, value] : enumerate(values))
    if (!std::isfinite(value))
      return createStringError("array '" + name + "' holds " + (std::isnan(value) ? "NaN" : "an infinity") +
                               " in row " + Twine(i / std::max<size_t>(values.size() / rows, 1)));
  return Error::success();
}

Expected<Dataset> Dataset::load(StringRef path, mlir::ModuleOp module) {
  Expected<NpzFile> file = readNpz(path);
  if (!file)
    return file.takeError();
  auto fail = [&](const Twine &what) { return createStringError("'" + path + "': " + what); };
  std::vector<Formal> formals = describeInputs(module);
  Dataset data;
  std::optional<std::pair<std::string, int64_t>> known;
  for (const Formal &formal : formals) {
    auto found = find_if(*file, [&](const auto &entry) { return entry.first == formal.name; });
    if (found == file->end())
      return fail("there is no array for input " + describeFormal(formal));
    NpyArray &array = found->second;
    if (array.elementType != formal.elementType)
      return fail("array '" + formal.name + "' is " + array.elementType + ", the input is " + formal.elementType);
    if (Error error = checkFinite(formal.name, array))
      return fail(toString(std::move(error)));
    if (array.shape.empty() && formal.type.getRank() == 0) {
      data.inputs.push_back({formal.name, std::move(array), true, {}});
      continue;
    }
    Expected<std::pair<std::vector<int64_t>, int64_t>> samples = cut(formal, array);
    if (!samples)
      return fail(toString(samples.takeError()));
    if (known && known->second != samples->second)
      return fail("array '" + formal.name + "' has " + Twine(samples->second) + " samples, '" + known->first +
                  "' has " + Twine(known->second));
    known = {formal.name, samples->second};
    data.inputs.push_back({formal.name, std::move(array), false, samples->first});
  }
  for (auto &[name, array] : *file) {
    if (name == "label" && none_of(formals, [&](const Formal &formal) { return formal.name == "label"; })) {
      data.labels = std::move(array);
      continue;
    }
    if (none_of(formals, [&, &name = name](const Formal &formal) { return formal.name == name; })) {
      std::vector<std::string> names;
      for (const Formal &formal : formals)
        names.push_back(describeFormal(formal));
      return fail("array '" + name + "' is neither an input nor 'label'; inputs: " + join(names, ", "));
    }
  }
  data.count = known ? known->second : 1;
  if (data.count == 0)
    return fail("there are no samples");
  if (data.labels) {
    const NpyArray &labels = *data.labels;
    if (StringRef(labels.elementType).contains("float") || labels.elementType == "bool")
      return fail("array 'label' is " + labels.elementType + "; labels are whole numbers");
    if (labels.shape.empty() || labels.shape.front() == 0 || labels.shape.front() % int64_t(data.count) != 0)
      return fail("array 'label' has shape " + describeShape(labels.shape) + " for " + Twine(data.count) + " samples");
  }
  return data;
}

NpzFile Dataset::getSample(size_t index) const {
  NpzFile sample;
  for (const Input &input : inputs) {
    if (input.shared) {
      sample.emplace_back(input.name, input.array);
      continue;
    }
    size_t bytes = input.array.bytes.size() / count;
    auto begin = input.array.bytes.begin() + index * bytes;
    sample.emplace_back(input.name, NpyArray{input.array.elementType, input.shape, {begin, begin + bytes}});
  }
  return sample;
}

InputShapes Dataset::getShapes() const {
  InputShapes shapes;
  for (const Input &input : inputs)
    shapes[input.name] = input.shape;
  return shapes;
}

std::vector<int64_t> Dataset::getLabels(size_t index) const {
  std::vector<double> all = toDoubles(*labels);
  size_t each = all.size() / count;
  std::vector<int64_t> result;
  for (size_t i = 0; i < each; ++i)
    result.push_back(int64_t(all[index * each + i]));
  return result;
}

size_t Dataset::getLabelsPerRow() const {
  size_t total = 1;
  for (int64_t size : labels->shape)
    total *= size;
  return total / labels->shape.front();
}

} // namespace leaf
