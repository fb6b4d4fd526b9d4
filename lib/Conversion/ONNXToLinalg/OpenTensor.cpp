//===- OpenTensor.cpp - tensors that change their size ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "OpenTensor.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Bytes beyond which a bound is surely a mistake.
static constexpr int64_t kMostElements = int64_t(1) << 40;

int64_t OpenTensor::getCapacity() const {
  int64_t capacity = 1;
  for (int64_t bound : bounds)
    capacity *= bound;
  return capacity;
}

Value OpenTensor::createBuffer() { return lowering.empty({lowering.sizes().constant(getCapacity())}, element); }

Value OpenTensor::write(Value value, Value buffer, SmallVectorImpl<Value> &sizes, Size at) {
  SizeArithmetic &s = lowering.sizes();
  Sizes own = lowering.getSizes(value);
  for (auto [size, bound] : llvm::zip_equal(own, bounds)) {
    size = lowering.limit(size, bound);
    sizes.push_back(s.value(size));
  }
  Size count = s.product(own);
  Value flat = lowering.reshape(value, {count});
  Size offset = at ? at : s.constant(0), one = s.constant(1);
  return tensor::InsertSliceOp::create(lowering.b(), lowering.loc(), flat, buffer, ArrayRef<OpFoldResult>{offset},
                                       ArrayRef<OpFoldResult>{count}, ArrayRef<OpFoldResult>{one});
}

Value OpenTensor::read(Value buffer, ValueRange sizes) {
  SizeArithmetic &s = lowering.sizes();
  Sizes own;
  for (auto [size, bound] : llvm::zip_equal(sizes, bounds)) {
    Value limited = BoundOp::create(lowering.b(), lowering.loc(), size, lowering.b().getI64IntegerAttr(bound));
    s.setNonNegative(limited);
    own.push_back(limited);
  }
  Size count = s.product(own), zero = s.constant(0), one = s.constant(1);
  Value flat = tensor::ExtractSliceOp::create(lowering.b(), lowering.loc(), buffer, ArrayRef<OpFoldResult>{zero},
                                              ArrayRef<OpFoldResult>{count}, ArrayRef<OpFoldResult>{one});
  lowering.setSizes(flat, {count});
  return lowering.reshape(flat, own);
}

FailureOr<SmallVector<int64_t>> leaf::onnxtolinalg::findBounds(Node &node, unsigned i, RankedTensorType type,
                                                               ArrayRef<int64_t> derived) {
  SmallVector<int64_t> bounds(type.getShape());
  int64_t capacity = 1;
  for (auto [d, bound] : llvm::enumerate(bounds)) {
    if (ShapedType::isDynamic(bound))
      bound = node.getBound(i).value_or(d < derived.size() ? derived[d] : -1);
    if (bound < 0)
      return node.emitError() << "has a result " << i << " (" << type
                              << ") whose size data decide; give its largest size with " << node.getBoundOption(i);
    if (llvm::MulOverflow(capacity, bound, capacity) || capacity > kMostElements)
      return node.emitError() << "has a result " << i << " of up to " << capacity
                              << " elements; give a smaller bound with " << node.getBoundOption(i);
  }
  return bounds;
}

Value leaf::onnxtolinalg::copyTensor(Lowering &lowering, Value tensor) {
  OpBuilder &b = lowering.b();
  if (auto type = cast<RankedTensorType>(tensor.getType()); type.hasStaticShape())
    return bufferization::AllocTensorOp::create(b, lowering.loc(), type, ValueRange(), tensor).getResult();
  Sizes sizes = lowering.getSizes(tensor);
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  return lowering.pointwise(tensor, b.getMultiDimIdentityMap(sizes.size()), sizes, element,
                            [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}
