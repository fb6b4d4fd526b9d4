//===- WeightFile.h - weights in a file of their own -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_WEIGHTFILE_H
#define LEAFCUTTER_TARGET_WEIGHTFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace leaf {

/// One weight of a section.
struct WeightBlob {
  std::string name;
  uint64_t offset = 0, bytes = 0; ///< in the section; offsets are multiples of 64 and grow
};

/// A weight file (docs/RuntimeABI.md, "Weight files") before it is written.
class WeightFile {
public:
  /// Writes the weight section that the blobs describe, the same each time.
  using SectionWriter = std::function<llvm::Error(llvm::raw_ostream &)>;

  /// Calls `write` once; nothing that it writes is kept.
  static llvm::Expected<WeightFile> create(llvm::StringRef model, const std::vector<WeightBlob> &blobs,
                                           SectionWriter write);

  /// The weights of a planned module, which must outlive the result. Fails where weights have no data.
  static llvm::Expected<WeightFile> create(mlir::ModuleOp module);

  /// Identity of model and weights; never 0.
  uint64_t id() const { return identity; }
  /// Bytes of the file.
  uint64_t bytes() const { return index.size() + dataBytes; }
  llvm::Error write(llvm::raw_ostream &out) const;

private:
  WeightFile() = default;

  std::vector<char> index; ///< the FlatBuffer, padded to where the data begins
  SectionWriter writeSection;
  uint64_t dataBytes = 0, identity = 0;
};

/// What `leafc inspect` says about a weight file.
struct WeightFileInfo {
  std::string model, producer;
  uint64_t id = 0, fileBytes = 0, dataOffset = 0, dataBytes = 0;
  bool intact = false;           ///< the checksum agrees
  std::vector<WeightBlob> blobs; ///< offsets in the file
};

/// Reads the index at the start of `bytes`. Fails with a message where that is no weight file.
llvm::Expected<WeightFileInfo> readWeightFile(llvm::StringRef bytes);

} // namespace leaf

#endif // LEAFCUTTER_TARGET_WEIGHTFILE_H
