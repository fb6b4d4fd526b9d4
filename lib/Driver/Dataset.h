//===- Dataset.h - samples for calibration and evaluation --------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_DATASET_H
#define LEAFCUTTER_LIB_DRIVER_DATASET_H

#include "leafcutter/Support/Npz.h"

#include "mlir/IR/BuiltinOps.h"
#include <map>
#include <optional>

namespace leaf {

/// Shape of each input by name.
using InputShapes = std::map<std::string, std::vector<int64_t>>;

/// The arrays of an npz, cut into samples. An array has either the rank of its input, and its leading axis is the batch
/// (a sample is one row, or as many as the model's batch is fixed to), or one more, and its leading axis counts
/// samples. An array of rank 0 serves all samples.
class Dataset {
public:
  /// Reads `path` for the entry of `module` (any stage before form). Fails, naming the array, where one is missing or
  /// is no input, where types, ranks or sizes do not fit, where numbers of samples differ or are zero, and on NaN and
  /// infinities. `label` holds the right classes of the first output, one for each row (and position).
  static llvm::Expected<Dataset> load(llvm::StringRef path, mlir::ModuleOp module);

  size_t size() const { return count; }
  /// Inputs of one run.
  NpzFile getSample(size_t index) const;
  InputShapes getShapes() const;

  bool hasLabels() const { return labels.has_value(); }
  /// Labels of the sample's rows, in order; -100 (any negative number) is a position that does not count.
  std::vector<int64_t> getLabels(size_t index) const;
  /// Labels of one row of the batch: more than 1 where positions of a sequence have one each.
  size_t getLabelsPerRow() const;

private:
  struct Input {
    std::string name;
    NpyArray array;
    bool shared = false;        ///< of rank 0: the same for all
    std::vector<int64_t> shape; ///< of one sample
  };

  std::vector<Input> inputs;
  std::optional<NpyArray> labels;
  size_t count = 0;
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_DATASET_H
