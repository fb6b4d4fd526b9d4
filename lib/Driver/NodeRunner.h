//===- NodeRunner.h - onnx ops one by one ------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_NODERUNNER_H
#define LEAFCUTTER_LIB_DRIVER_NODERUNNER_H

#include "leafcutter/Support/Npz.h"
#include "leafcutter/Target/TargetSpec.h"
#include "leafcutter/Transforms/HostTensor.h"

#include "mlir/IR/BuiltinOps.h"

namespace leaf {

/// The value of one op of a module, and where it is from.
struct NodeValue {
  std::string node;                ///< name of the ONNX node
  NpyArray array;                  ///< of the first result
  std::vector<unsigned> producers; ///< those of its operands that were computed, by index
};

/// Runs a module of the stages normalize to optimize one op at a time: by the host evaluator where that knows the op,
/// otherwise by compiling it alone, so that nothing is fused, shared or placed in an arena with others. Slow, and a
/// second opinion on the compiled whole.
class NodeRunner {
public:
  NodeRunner(mlir::ModuleOp module, const TargetSpec &target) : module(module), target(target) {}

  /// Values of all ops in order (constants left out) go to `values`, the model's outputs are returned. Fails on sizes
  /// that are not static, and where an op cannot be run alone.
  llvm::Expected<NpzFile> run(const NpzFile &inputs, std::vector<NodeValue> &values);

private:
  llvm::Expected<std::vector<HostTensor>> runOp(mlir::Operation *op);
  llvm::Expected<std::vector<HostTensor>> runAlone(mlir::Operation *op);
  llvm::Error bindInputs(mlir::Block &entry, const NpzFile &inputs);

  mlir::ModuleOp module;
  TargetSpec target;
  llvm::DenseMap<mlir::Value, HostTensor> known;
};

/// `tensor` as an array; i1 is "bool".
NpyArray toArray(const HostTensor &tensor);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_NODERUNNER_H
