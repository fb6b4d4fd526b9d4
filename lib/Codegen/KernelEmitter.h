//===- KernelEmitter.h - one plan.kernel to one function ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_KERNELEMITTER_H
#define LEAF_LIB_CODEGEN_KERNELEMITTER_H

#include "ContractEmitter.h"
#include "KernelShapes.h"

namespace leaf::codegen {

/// What a call of an emitted kernel has to pass.
struct KernelInterface {
  /// A size argument: dimension `dim` of operand `operand` of the call, or that operand itself (dim -1).
  struct SizeSource {
    unsigned operand;
    int dim;
  };
  llvm::SmallVector<SizeSource> sizes;
  /// Number of tiles: product over the dimensions; symbols of extents number `sizes`.
  llvm::SmallVector<TileDim> tiles;
  int64_t scratchBytes = 0; ///< of each worker
  bool vectorized = true;
};

/// Emits `kernel` as function `name` before it. `boundOf(operand, dim)` is the largest size over all calls (-1:
/// unknown).
class KernelEmitter {
public:
  using BoundOf = llvm::function_ref<int64_t(KernelInterface::SizeSource)>;

  KernelEmitter(plan::KernelOp kernel, const TargetFacts &target, BoundOf boundOf);
  ~KernelEmitter();
  mlir::FailureOr<KernelInterface> emit(mlir::OpBuilder &moduleBuilder);
  /// What emit() made.
  mlir::func::FuncOp getFunction() const { return function; }

private:
  struct Step; ///< one compute op, ready to be emitted

  void makeFunction(mlir::OpBuilder &moduleBuilder);
  void addSizeArguments();
  void cloneScalars();
  int64_t boundOfScalar(mlir::Value value);
  Size sizeOf(unsigned classId);
  llvm::SmallVector<Size> sizesOf(mlir::Value tensor);

  void collectSteps();
  mlir::LogicalResult makeBuffers();
  mlir::LogicalResult makeTemporary(mlir::Value root);
  bool readsInit(mlir::Operation *op, mlir::OpOperand &init);
  mlir::Value rootOf(mlir::Value tensor);
  Buffer *bufferOf(mlir::Value value);
  /// The scalar that a destination was filled with, or null.
  mlir::Value filledWith(mlir::Value init);
  unsigned chooseSharedLoops();

  mlir::LogicalResult emitSingle();
  mlir::LogicalResult emitGroup();
  mlir::LogicalResult emitForall(ForallOp op);
  mlir::LogicalResult emitForallBody(ForallOp op, llvm::ArrayRef<mlir::Value> point);
  Size sizeOfIndex(mlir::Value index);
  mlir::LogicalResult emitTileLoop(llvm::ArrayRef<TileDim> tiles,
                                   llvm::function_ref<mlir::LogicalResult(llvm::ArrayRef<mlir::Value>)> body);
  mlir::LogicalResult emitLoops(llvm::ArrayRef<TileDim> tiles,
                                llvm::function_ref<mlir::LogicalResult(llvm::ArrayRef<mlir::Value>)> body);
  bool isLaunchable(llvm::ArrayRef<TileDim> tiles) const;
  llvm::SmallVector<NestLoop> loopsOf(mlir::Operation *op, const LoopMaps &maps, llvm::ArrayRef<mlir::Value> shared);
  Nest makeNest(mlir::Operation *op, llvm::ArrayRef<mlir::Value> shared);
  Contract makeContract(ContractOp op, llvm::ArrayRef<mlir::Value> shared);
  mlir::LogicalResult emitStep(mlir::Operation *op, llvm::ArrayRef<mlir::Value> shared);
  /// Whether contractions were grouped because of the loops that they share.
  bool hasSeveralContracts() const { return llvm::count_if(steps, llvm::IsaPred<ContractOp>) > 1; }
  Buffer *findRoomOf(mlir::Value root);
  unsigned countRowSteps(llvm::ArrayRef<mlir::Operation *> rest);
  mlir::LogicalResult emitRowSteps(llvm::ArrayRef<mlir::Operation *> ops, llvm::ArrayRef<mlir::Value> shared);
  mlir::LogicalResult emitBorder(BorderOp op);
  std::vector<Nest> makeConcatNests(ConcatOp op, mlir::Block &body, llvm::ArrayRef<mlir::Value> shared);
  mlir::LogicalResult emitConcat(ConcatOp op, llvm::ArrayRef<mlir::Value> shared);
  llvm::SmallVector<int64_t> countConcatBlocks(ConcatOp op);
  mlir::LogicalResult emitConcatBlocks(ConcatOp op, llvm::ArrayRef<TileDim> outer, llvm::ArrayRef<int64_t> blocks);

  plan::KernelOp kernel;
  BoundOf boundOf;
  KernelBuilder kb;
  KernelShapes shapes;
  KernelInterface interface;
  mlir::func::FuncOp function;
  unsigned numShaped = 0, sharedLoops = 0;
  llvm::SmallVector<std::optional<Size>> classSizes;
  llvm::SmallVector<unsigned> symbolOfSize;            ///< symbol of each size argument
  llvm::DenseMap<mlir::Value, unsigned> symbolOfIndex; ///< of the kernel's own index arguments
  mlir::IRMapping scalars;
  llvm::DenseMap<mlir::Value, int64_t> scalarBounds;
  llvm::SmallVector<mlir::Operation *> steps;
  llvm::SmallVector<std::unique_ptr<Buffer>> buffers;
  llvm::DenseMap<mlir::Value, Buffer *> bufferOfRoot;
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_KERNELEMITTER_H
