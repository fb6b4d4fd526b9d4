//===- FoldBatchNorm.cpp - folds BatchNormalization into weights --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {

/// y = x * factor[c] + offset[c], in double until it is stored.
struct Affine {
  std::vector<double> factor, offset;
};

/// The affine map of an inference BatchNormalization with constant statistics.
std::optional<Affine> affineOf(Operation *op) {
  if (intAttr(op, "training_mode", 0) != 0)
    return std::nullopt;
  std::optional<HostTensor> parts[4];
  for (unsigned i = 0; i < 4; ++i) {
    parts[i] = getHostConstant(op->getOperand(1 + i));
    if (!parts[i] || !parts[i]->isFloat() || parts[i]->size() != parts[0]->size())
      return std::nullopt;
  }
  double epsilon = floatAttr(op, "epsilon", 1e-5);
  Affine affine;
  for (int64_t c = 0, e = parts[0]->size(); c < e; ++c) {
    double factor = parts[0]->getFloat(c) / std::sqrt(parts[3]->getFloat(c) + epsilon);
    affine.factor.push_back(factor);
    affine.offset.push_back(parts[1]->getFloat(c) - parts[2]->getFloat(c) * factor);
  }
  return affine;
}

/// Dimension of the weight operand that runs over the output channels; nothing where BatchNormalization can't go in.
std::optional<int64_t> outputChannelDim(Operation *producer) {
  if (isOnnx(producer, "Conv"))
    return 0;
  if (isOnnx(producer, "ConvTranspose"))
    return intAttr(producer, "group", 1) == 1 ? std::optional<int64_t>(1) : std::nullopt;
  if (!isOnnx(producer, "Gemm") || floatAttr(producer, "alpha", 1) != 1 || floatAttr(producer, "beta", 1) != 1)
    return std::nullopt;
  return intAttr(producer, "transB", 0) ? 0 : 1;
}

HostTensor scaleAlong(const HostTensor &weight, int64_t dim, const std::vector<double> &factor) {
  HostTensor scaled = HostTensor::make(weight.type());
  int64_t inner = 1;
  for (int64_t size : weight.shape().drop_front(dim + 1))
    inner *= size;
  for (int64_t i = 0, e = weight.size(); i < e; ++i)
    scaled.setFloat(i, weight.getFloat(i) * factor[i / inner % weight.shape()[dim]]);
  return scaled;
}

/// Moves the affine map into the constant weight and bias of the op that makes x, when nothing else reads either.
bool foldIntoProducer(Operation *op, const Affine &affine) {
  Operation *producer = op->getOperand(0).getDefiningOp();
  if (!producer || !isOnnx(producer) || !producer->hasOneUse())
    return false;
  std::optional<int64_t> dim = outputChannelDim(producer);
  std::optional<HostTensor> weight = dim ? getHostConstant(producer->getOperand(1)) : std::nullopt;
  Value oldBias = dim ? onnxOperand(producer, 2) : Value();
  std::optional<HostTensor> bias = oldBias ? getHostConstant(oldBias) : std::nullopt;
  int64_t channels = affine.factor.size();
  if (!weight || !weight->isFloat() || weight->shape()[*dim] != channels || !producer->getOperand(1).hasOneUse() ||
      (oldBias && (!bias || !(bias->size() == channels || bias->size() == 1))))
    return false;
  HostTensor newBias = HostTensor::make(RankedTensorType::get({channels}, weight->elementType()));
  for (int64_t c = 0; c < channels; ++c) {
    double old = bias ? bias->getFloat(bias->size() == 1 ? 0 : c) : 0;
    newBias.setFloat(c, old * affine.factor[c] + affine.offset[c]);
  }
  OpBuilder builder(producer);
  std::string hint = nodeName(producer);
  producer->setOperand(
      1, createConstant(builder, producer->getLoc(), scaleAlong(*weight, *dim, affine.factor), hint + "_weight"));
  producer->setOperand(2, createConstant(builder, producer->getLoc(), newBias, hint + "_bias"));
  op->getResult(0).replaceAllUsesWith(producer->getResult(0));
  op->erase();
  return true;
}

/// x * factor + offset with constants of shape [C, 1, ...].
bool decompose(Operation *op, const Affine &affine) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || type.getRank() < 2 || !isa<FloatType>(type.getElementType()))
    return false;
  SmallVector<int64_t> shape(type.getRank() - 1, 1);
  shape[0] = affine.factor.size();
  auto make = [&](ArrayRef<double> values) {
    HostTensor tensor = HostTensor::make(RankedTensorType::get(shape, type.getElementType()));
    for (auto [i, value] : llvm::enumerate(values))
      tensor.setFloat(i, value);
    return tensor;
  };
  OpBuilder builder(op);
  std::string hint = nodeName(op);
  Value factor = createConstant(builder, op->getLoc(), make(affine.factor), hint + "_factor");
  Value offset = createConstant(builder, op->getLoc(), make(affine.offset), hint + "_offset");
  Value scaled = createOnnx(builder, op->getLoc(), "Mul", type, {op->getOperand(0), factor})->getResult(0);
  op->getResult(0).replaceAllUsesWith(createOnnx(builder, op->getLoc(), "Add", type, {scaled, offset})->getResult(0));
  op->erase();
  return true;
}

struct FoldBatchNorm : leaf::impl::FoldBatchNormBase<FoldBatchNorm> {
  using FoldBatchNormBase::FoldBatchNormBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      bool inference = llvm::all_of(llvm::drop_begin(op->getResults()), [](Value v) { return v.use_empty(); });
      if (isOnnx(op, "BatchNormalization") && inference)
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      std::optional<Affine> affine = affineOf(op);
      if (!affine)
        continue;
      if (foldIntoProducer(op, *affine))
        ++numFolded;
      else
        numDecomposed += decompose(op, *affine);
    }
  }
};

} // namespace
