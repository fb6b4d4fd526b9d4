//===- Shapes.cpp - reshapes, permutations, dead ops --------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/Shapes.h"

#include "Evaluation.h"
#include "Leaf/Leaf.h"

using namespace mlir;
using namespace leaf;

Permutation leaf::permutationOf(Operation *transpose, int64_t rank) {
  std::optional<SmallVector<int64_t>> perm = intsAttr(transpose, "perm");
  if (perm && static_cast<int64_t>(perm->size()) == rank)
    return *perm;
  return llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
}

bool leaf::isIdentityPermutation(ArrayRef<int64_t> perm) {
  return llvm::all_of(llvm::enumerate(perm),
                      [](auto entry) { return static_cast<int64_t>(entry.index()) == entry.value(); });
}

Permutation leaf::inversePermutation(ArrayRef<int64_t> perm) {
  Permutation inverse(perm.size(), 0);
  for (auto [i, from] : llvm::enumerate(perm))
    inverse[from] = i;
  return inverse;
}

SmallVector<int64_t> leaf::permute(ArrayRef<int64_t> values, ArrayRef<int64_t> perm) {
  SmallVector<int64_t> result;
  for (int64_t from : perm)
    result.push_back(values[from]);
  return result;
}

bool leaf::movesUnitDimsOnly(ArrayRef<int64_t> shape, ArrayRef<int64_t> perm) {
  int64_t last = -1;
  for (int64_t from : perm) {
    if (shape[from] == 1)
      continue;
    if (from < last)
      return false;
    last = from;
  }
  return true;
}

Value leaf::createReshape(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  // A literal 0 would mean "copy": allowzero where a size is 0.
  bool empty = llvm::is_contained(shape, 0);
  Value target = createInts(builder, loc, shape);
  return createOnnx(builder, loc, "Reshape", RankedTensorType::get(shape, type.getElementType()), {value, target},
                    {{"allowzero", builder.getIntegerAttr(builder.getI64Type(), empty ? 1 : 0)}})
      ->getResult(0);
}

HostTensor leaf::transposeTensor(const HostTensor &tensor, ArrayRef<int64_t> perm) {
  return stridedCopy(tensor, permute(tensor.shape(), perm), permute(rowMajorStrides(tensor.shape()), perm));
}

Value leaf::createTranspose(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> perm) {
  auto type = cast<RankedTensorType>(value.getType());
  auto resultType = RankedTensorType::get(permute(type.getShape(), perm), type.getElementType());
  if (isConstantValue(value))
    if (std::optional<HostTensor> constant = getHostConstant(value)) {
      HostTensor moved = transposeTensor(*constant, perm);
      auto load = value.getDefiningOp<LoadWeightOp>();
      return createConstant(builder, loc, moved, load ? load.getWeight() : StringRef("transposed"));
    }
  return createOnnx(builder, loc, "Transpose", resultType, value, {{"perm", builder.getDenseI64ArrayAttr(perm)}})
      ->getResult(0);
}

std::optional<SmallVector<int64_t>> leaf::broadcast(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  return broadcastShapes(a, b);
}

void leaf::removeDeadOps(ModuleOp module) {
  module->walk([](Block *block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
      if ((isOnnx(&op) || isa<LoadWeightOp>(op)) && op.use_empty() && !op.hasTrait<OpTrait::IsTerminator>() &&
          isMemoryEffectFree(&op))
        op.erase();
  });
}
