//===- Indexing.cpp - index arithmetic in bodies -----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

Value BodySize::get(OpBuilder &b, Location loc) const {
  if (std::optional<int64_t> c = constantOf(size))
    return arith::ConstantIndexOp::create(b, loc, *c);
  return cast<Value>(size);
}

IndexBound::IndexBound(Lowering &lowering, Size begin, Size extent)
    : begin(begin), extent(extent), last(lowering.sizes().sub(extent, lowering.sizes().constant(1))) {}

Value leaf::onnxtolinalg::clampIndex(OpBuilder &b, Location loc, Value index, const BodySize &last) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value capped = arith::MinSIOp::create(b, loc, index, last.get(b, loc));
  return arith::MaxSIOp::create(b, loc, capped, zero);
}

std::pair<Value, Value> IndexBound::shiftAndClamp(OpBuilder &b, Location loc, Value index) const {
  if (begin.constant() != 0)
    index = arith::SubIOp::create(b, loc, index, begin.get(b, loc));
  // One unsigned comparison covers both ends.
  Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index, extent.get(b, loc));
  return {clampIndex(b, loc, index, last), inside};
}

Value leaf::onnxtolinalg::wrapIndex(OpBuilder &b, Location loc, Value element, Type type, const BodySize &extent,
                                    const BodySize &last) {
  Type index = b.getIndexType();
  if (type.isUnsignedInteger())
    return clampIndex(b, loc, arith::IndexCastUIOp::create(b, loc, index, element), last);
  Value position = arith::IndexCastOp::create(b, loc, index, element);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, position, zero);
  Value fromEnd = arith::AddIOp::create(b, loc, position, extent.get(b, loc));
  return clampIndex(b, loc, arith::SelectOp::create(b, loc, negative, fromEnd, position), last);
}
