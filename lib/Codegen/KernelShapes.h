//===- KernelShapes.h - which sizes of a kernel are equal --------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_KERNELSHAPES_H
#define LEAF_LIB_CODEGEN_KERNELSHAPES_H

#include "Plan/Plan.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace leaf::codegen {

/// Loops of a compute op with the operands that they index.
struct LoopMaps {
  llvm::SmallVector<mlir::Value> operands;
  llvm::SmallVector<mlir::AffineMap> maps;
  llvm::SmallVector<bool> reduction;
};

/// Loops and maps of a linalg op or leaf.contract; identity loops over the destination for leaf.concat.
LoopMaps getLoopMaps(mlir::Operation *op);

/// Groups the dimensions of a kernel's tensors into classes of equal size: those that one loop indexes plainly, a
/// result and its destination, a temporary and the size it was made with.
class KernelShapes {
public:
  /// A dimension class: static, or the size of dimension `dim` of kernel argument `argument`, or `value` (an index
  /// value of the kernel).
  struct Class {
    int64_t size = mlir::ShapedType::kDynamic;
    int argument = -1;
    unsigned dim = 0;
    mlir::Value value;
  };

  explicit KernelShapes(plan::KernelOp kernel);

  unsigned classOf(mlir::Value tensor, unsigned dim);
  const Class &get(unsigned id) const { return classes[id]; }
  unsigned size() const { return classes.size(); }
  /// Class of the extent of `loop`.
  unsigned classOfLoop(mlir::Operation *op, unsigned loop);

private:
  void uniteLoops(mlir::Operation *op);
  void uniteSizes(mlir::Operation *op);
  unsigned node(mlir::Value tensor, unsigned dim);

  llvm::DenseMap<std::pair<mlir::Value, unsigned>, unsigned> nodes;
  llvm::SmallVector<std::pair<mlir::Value, unsigned>> nodeList;
  llvm::EquivalenceClasses<unsigned> equal;
  llvm::DenseMap<unsigned, unsigned> classOfNode;
  llvm::SmallVector<Class> classes;
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_KERNELSHAPES_H
