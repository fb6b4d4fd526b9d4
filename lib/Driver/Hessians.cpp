//===- Hessians.cpp - what layers read, as second moments ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Hessians.h"

#include "Calibration.h"
#include "Compare.h"
#include "leafcutter/Transforms/Onnx.h"

using namespace llvm;

namespace leaf {

/// Inputs that a hessian is summed over, about.
static constexpr int64_t kMostRows = 8192;
/// Bytes of activations that one compiled graph returns.
static constexpr int64_t kObservedBytes = int64_t(256) << 20;

namespace {

/// A layer with the sum of x x^T of its inputs.
struct HessianSums {
  Layer layer;
  int64_t columns = 0, rowsPerSample = 0;
  std::vector<double> sums; ///< empty: not gathered

  /// The lower triangle; mirror() fills the upper one.
  void add(ArrayRef<double> row) {
    for (int64_t i = 0; i < columns; ++i)
      if (row[i] != 0)
        for (int64_t j = 0; j <= i; ++j)
          sums[i * columns + j] += row[i] * row[j];
  }
  void mirror() {
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t j = 0; j < i; ++j)
        sums[j * columns + i] = sums[i * columns + j];
  }
};

/// Reads what a convolution multiplies at one position of its result.
class PatchReader {
public:
  PatchReader(const Layer &layer, ArrayRef<int64_t> input, ArrayRef<int64_t> kernel)
      : input(input), kernel(kernel.drop_front(2)), spatial(kernel.size() - 2) {
    auto attribute = [&](StringRef name, int64_t otherwise, size_t count) {
      auto given = intsAttr(layer.op, name);
      return given && given->size() == count ? *given : SmallVector<int64_t>(count, otherwise);
    };
    strides = attribute("strides", 1, spatial);
    dilations = attribute("dilations", 1, spatial);
    pads = attribute("pads", 0, 2 * spatial);
    StringRef automatic = stringAttr(layer.op, "auto_pad", "NOTSET");
    if (automatic == "NOTSET")
      return;
    for (size_t d = 0; d < spatial; ++d)
      pads[d] = automatic.starts_with("SAME") ? padBefore(d, automatic == "SAME_LOWER") : 0;
  }

  /// Columns in the order of toMatrix: kernel positions outside, channels inside.
  void read(ArrayRef<double> values, ArrayRef<int64_t> position, int64_t batch, std::vector<double> &row) const {
    int64_t channels = input[1], plane = 1, taps = 1;
    for (int64_t size : input.drop_front(2))
      plane *= size;
    for (int64_t size : kernel)
      taps *= size;
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t offset = 0, rest = tap;
      bool inside = true;
      SmallVector<int64_t> at(spatial);
      for (int64_t d = int64_t(spatial) - 1; d >= 0; --d) {
        at[d] = position[d] * strides[d] - pads[d] + rest % kernel[d] * dilations[d];
        rest /= kernel[d];
      }
      for (size_t d = 0; d < spatial; ++d) {
        inside &= at[d] >= 0 && at[d] < input[2 + d];
        offset = offset * input[2 + d] + at[d];
      }
      for (int64_t c = 0; c < channels; ++c)
        row[tap * channels + c] = inside ? values[(batch * channels + c) * plane + offset] : 0;
    }
  }

private:
  /// What auto_pad puts before the first element, so that the result has ceil(size / stride) elements; of an odd number
  /// the larger half where `isLower`.
  int64_t padBefore(size_t d, bool isLower) const {
    int64_t size = input[2 + d], steps = (size + strides[d] - 1) / strides[d];
    int64_t window = (kernel[d] - 1) * dilations[d] + 1;
    int64_t total = std::max<int64_t>(0, (steps - 1) * strides[d] + window - size);
    return isLower ? (total + 1) / 2 : total / 2;
  }

  ArrayRef<int64_t> input, kernel;
  size_t spatial;
  SmallVector<int64_t> strides, dilations, pads;
};

} // namespace

static void addConvolution(HessianSums &sums, const NpyArray &array) {
  auto kernel = cast<mlir::ShapedType>(sums.layer.weight().getType()).getShape();
  auto result = cast<mlir::ShapedType>(sums.layer.op->getResult(0).getType()).getShape();
  std::vector<double> values = toDoubles(array), row(sums.columns);
  PatchReader reader(sums.layer, array.shape, kernel);
  // Result sizes may be open in the module; positions past the end of the input would read zeros only.
  SmallVector<int64_t> extent;
  int64_t positions = 1;
  for (size_t d = 2; d < array.shape.size(); ++d) {
    extent.push_back(mlir::ShapedType::isDynamic(result[d]) ? array.shape[d] : result[d]);
    positions *= extent.back();
  }
  int64_t total = positions * array.shape.front(), step = std::max<int64_t>(1, total / sums.rowsPerSample);
  for (int64_t i = 0; i < total; i += step) {
    SmallVector<int64_t> position(extent.size());
    int64_t rest = i % positions;
    for (int64_t d = int64_t(extent.size()) - 1; d >= 0; --d) {
      position[d] = rest % extent[d];
      rest /= extent[d];
    }
    reader.read(values, position, i / positions, row);
    sums.add(row);
  }
}

static void addRows(HessianSums &sums, const NpyArray &array) {
  std::vector<double> values = toDoubles(array);
  int64_t rows = int64_t(values.size()) / sums.columns, step = std::max<int64_t>(1, rows / sums.rowsPerSample);
  for (int64_t i = 0; i < rows; i += step)
    sums.add(ArrayRef(values).slice(i * sums.columns, sums.columns));
}

Expected<std::vector<std::vector<double>>> gatherHessians(mlir::ModuleOp module, ArrayRef<Layer> layers,
                                                          const Dataset &data, const TargetSpec &target) {
  std::vector<HessianSums> all;
  SetVector<mlir::Value> values;
  int64_t rowsPerSample = std::max<int64_t>(4, kMostRows / int64_t(data.size()));
  for (const Layer &layer : layers) {
    ArrayRef<int64_t> shape = cast<mlir::ShapedType>(layer.weight().getType()).getShape();
    int64_t columns = mlir::ShapedType::getNumElements(shape) / std::max<int64_t>(1, shape[layer.channelAxis]);
    HessianSums &sums = all.emplace_back(HessianSums{layer, columns, rowsPerSample, {}});
    if (columns > kMostHessianColumns || layer.weightOperand != 1 || isOnnx(layer.op, "ConvTranspose"))
      continue;
    sums.sums.resize(columns * columns, 0);
    values.insert(layer.op->getOperand(0));
  }
  auto sink = [&](mlir::Value value, const NpyArray &array) -> Error {
    for (HessianSums &sums : all)
      if (!sums.sums.empty() && sums.layer.op->getOperand(0) == value)
        isOnnx(sums.layer.op, "Conv") ? addConvolution(sums, array) : addRows(sums, array);
    return Error::success();
  };
  if (Error error = observeValues(module, data, target, values.getArrayRef(), kObservedBytes, sink))
    return std::move(error);
  std::vector<std::vector<double>> result;
  for (HessianSums &sums : all) {
    if (!sums.sums.empty())
      sums.mirror();
    result.push_back(std::move(sums.sums));
  }
  return result;
}

} // namespace leaf
