//===- ModelInterface.h - inputs, outputs and sizes of a model ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_PLAN_MODELINTERFACE_H
#define LEAFCUTTER_PLAN_MODELINTERFACE_H

#include "mlir/IR/BuiltinOps.h"
#include <cstdint>
#include <string>
#include <vector>

namespace leaf {

/// One input or output of the entry point, as the C ABI sees it.
struct TensorInterface {
  std::string name;           ///< ONNX name, any bytes
  std::string elementType;    ///< "float32", "float16", "int64", "uint8", "bool", ... (ONNX spelling, lower case)
  unsigned elementBytes = 4;  ///< size of one element in the buffer (bool: 1)
  std::vector<int64_t> shape; ///< elements; -1 where dynamic
  std::vector<std::string> dimNames; ///< per dimension; "" where static
  std::vector<int64_t> upperBounds;  ///< per dimension, elements; equals shape where static
  std::vector<int64_t> strides;      ///< elements; only for an aliased tensor (capacity strides), otherwise empty
  int64_t capacity = 0;              ///< elements the caller's buffer must hold
  int alias = -1;                    ///< input: index of the output that shares its buffer; output: index of that input
  std::vector<int> dimResults;       ///< output: per dimension index into the returned sizes, -1 where static
};

/// The C ABI of a planned module (after `plan` or `codegen`).
struct ModelInterface {
  std::string name; ///< C identifier
  std::vector<TensorInterface> inputs, outputs;
  std::vector<std::pair<std::string, int64_t>> dims; ///< dynamic dimension name -> upper bound, in argument order
  unsigned numDimResults = 0;                        ///< sizes that the entry returns
  int64_t arenaBytes = 0, arenaLowerBound = 0, arenaAlign = 64, weightBytes = 0;
  /// Identity and size of the weight file; 0: the weights are embedded, or there are none.
  uint64_t weightsId = 0, weightFileBytes = 0;
  int64_t maxWorkers = 1;    ///< that a parallel_for may use
  std::string weightSection; ///< that was asked for; empty: the usual one
  bool hasWeightFile() const { return weightFileBytes != 0; }
  std::vector<std::string> isaLevels; ///< instruction sets to choose from, lowest first; empty: there is one

  /// Buffers of the entry, in order: all inputs, then the outputs whose alias is -1.
  unsigned numBuffers() const;
};

/// DictionaryAttr on a module whose weights go to a file: I64Attrs `id` and `bytes` (of the file).
inline constexpr llvm::StringLiteral kWeightFile = "leaf.weight_file";
/// StringAttr on a module: linker section of its weights.
inline constexpr llvm::StringLiteral kWeightSection = "leaf.weight_section";

/// ArrayAttr of StrAttr on a module after stage codegen: all ISA levels of its library, where there are several.
inline constexpr llvm::StringLiteral kIsaLevels = "leaf.isa_levels";

/// IntegerAttr on a module after stage codegen: workers that scratch is reserved for; absent: 1.
inline constexpr llvm::StringLiteral kMaxWorkers = "plan.max_workers";

/// Reads the interface off the entry function and module attributes. The module must verify as `plan` output.
ModelInterface getModelInterface(mlir::ModuleOp module);

} // namespace leaf

#endif // LEAFCUTTER_PLAN_MODELINTERFACE_H
