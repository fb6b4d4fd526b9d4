//===- Tuning.h - measured choices of kernels --------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// How a contraction is computed is chosen by a cost model. `leafc --tune=FILE` measures alternatives instead and stores
// the fastest in FILE, by target and by shape of the contraction; later builds read it (leaf-apply-tuning).
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_CODEGEN_TUNING_H
#define LEAFCUTTER_CODEGEN_TUNING_H

#include "Leaf/Leaf.h"
#include "leafcutter/Target/TargetSpec.h"
#include "llvm/Support/Error.h"
#include <map>
#include <optional>
#include <string>

namespace leaf {

/// How to compute contractions of one shape. What is absent, the cost model chooses.
struct TuningChoice {
  std::optional<int64_t> winograd;   ///< m of F(m x m, 3 x 3); 0: not
  std::optional<int64_t> rows;       ///< of a register tile, at least 1
  std::optional<int64_t> vectors;    ///< of columns in a register tile, at least 1
  std::optional<int64_t> blockBytes; ///< of the lhs that panels pass over again and again
  std::optional<bool> serial;        ///< true: never spread over threads, false: always

  bool operator==(const TuningChoice &other) const {
    return winograd == other.winograd && rows == other.rows && vectors == other.vectors &&
           blockBytes == other.blockBytes && serial == other.serial;
  }
};

/// One tuning file: JSON, sorted, so that equal choices give equal bytes.
class TuningTable {
public:
  /// Fails with a message that names `path` where it cannot be read or is no tuning file.
  static llvm::Expected<TuningTable> load(llvm::StringRef path);
  /// Writes it anew; the file appears only when complete.
  llvm::Error save(llvm::StringRef path) const;

  /// Null where nothing was measured.
  const TuningChoice *find(llvm::StringRef target, llvm::StringRef key) const;
  void set(llvm::StringRef target, llvm::StringRef key, const TuningChoice &choice) {
    targets[target.str()][key.str()] = choice;
  }

private:
  std::map<std::string, std::map<std::string, TuningChoice>> targets;
};

/// What a tuning file calls a target: its triple's architecture, LLVM's CPU and features.
std::string getTuningTarget(const TargetSpec &target);

/// The shape of a contraction as text: extents and kinds of its loops, types and maps of its operands, ops of its
/// epilogue.
std::string getTuningKey(ContractOp contract);

/// StringAttr on a leaf.contract: getTuningKey() of what it was before Winograd and packing.
inline constexpr llvm::StringLiteral kTuningKey = "leaf.tuning_key";
/// DictionaryAttr on a leaf.contract: the TuningChoice, fields by their names.
inline constexpr llvm::StringLiteral kTuning = "leaf.tuning";

/// `op`'s choice; empty where it has none.
TuningChoice getTuning(mlir::Operation *op);
void setTuning(mlir::Operation *op, const TuningChoice &choice);

} // namespace leaf

#endif // LEAFCUTTER_CODEGEN_TUNING_H
