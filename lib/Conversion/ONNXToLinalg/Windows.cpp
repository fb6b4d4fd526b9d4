//===- Windows.cpp - sliding windows of convolutions and pools ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Windows.h"

#include "Indexing.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

bool Window::hasPadding(SizeArithmetic &sizes, ArrayRef<Size> spatial) const {
  for (unsigned i = 0; i < rank(); ++i)
    if (constantOf(padBegin[i]) != 0 || !sizes.same(covered[i], spatial[i]))
      return true;
  return false;
}

/// Pads so that there are ceil(size / stride) windows, the odd one at the end, or at the begin for SAME_LOWER.
static void padSame(SizeArithmetic &s, Window &window, Size size, unsigned i, bool lower) {
  Size out = s.divCeil(size, s.constant(window.strides[i]));
  int64_t extent = window.dilations[i] * (window.kernel[i] - 1) + 1;
  Size needed = s.add(s.mul(s.sub(out, s.constant(1)), s.constant(window.strides[i])), s.constant(extent));
  Size total = s.max(s.sub(needed, size), s.constant(0));
  Size half = s.divFloor(total, s.constant(2)), rest = s.sub(total, half);
  window.padBegin.push_back(lower ? rest : half);
  window.padEnd.push_back(lower ? half : rest);
  window.outSizes.push_back(out);
}

static Size countPositions(SizeArithmetic &s, const Window &window, Size size, unsigned i, bool ceilMode) {
  int64_t extent = window.dilations[i] * (window.kernel[i] - 1) + 1;
  Size stride = s.constant(window.strides[i]);
  Size padded = s.add(s.add(size, window.padBegin[i]), window.padEnd[i]);
  Size room = s.sub(padded, s.constant(extent));
  if (!ceilMode)
    return s.add(s.divFloor(room, stride), s.constant(1));
  Size out = s.add(s.divCeil(room, stride), s.constant(1));
  // A window that would start in the padding behind the data does not count.
  Size last = s.mul(s.sub(out, s.constant(1)), stride);
  Size beyond = s.compare(arith::CmpIPredicate::sge, last, s.add(size, window.padBegin[i]));
  return s.select(beyond, s.sub(out, s.constant(1)), out);
}

FailureOr<Window> leaf::onnxtolinalg::getWindow(Lowering &lowering, Node &node, ArrayRef<int64_t> kernel,
                                                ArrayRef<Size> spatial) {
  SizeArithmetic &s = lowering.sizes();
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  unsigned rank = kernel.size();
  auto orOnes = [&](SmallVector<int64_t> values) { return values.empty() ? SmallVector<int64_t>(rank, 1) : values; };
  window.strides = orOnes(node.getInts("strides"));
  window.dilations = orOnes(node.getInts("dilations"));
  SmallVector<int64_t> pads = node.getInts("pads");
  if (pads.empty())
    pads.assign(2 * rank, 0);
  if (spatial.size() != rank || window.strides.size() != rank || window.dilations.size() != rank ||
      pads.size() != 2 * rank)
    return node.emitError() << "has attributes for " << rank << " spatial dimensions but data with " << spatial.size();
  StringRef autoPad = node.getString("auto_pad", "NOTSET");
  bool ceilMode = node.getInt("ceil_mode", 0) != 0;
  for (unsigned i = 0; i < rank; ++i) {
    if (autoPad.starts_with("SAME")) {
      padSame(s, window, spatial[i], i, autoPad == "SAME_LOWER");
    } else {
      bool valid = autoPad == "VALID";
      window.padBegin.push_back(s.constant(valid ? 0 : pads[i]));
      window.padEnd.push_back(s.constant(valid ? 0 : pads[rank + i]));
      window.outSizes.push_back(countPositions(s, window, spatial[i], i, ceilMode));
    }
    Size padded = s.add(s.add(spatial[i], window.padBegin[i]), window.padEnd[i]);
    if (ceilMode) {
      Size last = s.mul(s.sub(window.outSizes[i], s.constant(1)), s.constant(window.strides[i]));
      padded = s.max(padded, s.add(last, s.constant(window.dilations[i] * (kernel[i] - 1) + 1)));
    }
    window.covered.push_back(padded);
  }
  return window;
}

Layout leaf::onnxtolinalg::getLayout(Node &node, int64_t rank) {
  return Layout{node.hasAttr("leaf.channels_last"), static_cast<unsigned>(rank - 2)};
}

Value leaf::onnxtolinalg::padConstant(Lowering &lowering, Value tensor, ArrayRef<Size> begin, ArrayRef<Size> outSizes,
                                      TypedAttr value) {
  Value padded = padWith(lowering, tensor, begin, outSizes,
                         [&](OpBuilder &b, Location loc) -> Value { return arith::ConstantOp::create(b, loc, value); });
  auto generic = padded.getDefiningOp<linalg::GenericOp>();
  SmallVector<int64_t> low;
  for (Size size : begin)
    low.push_back(constantOf(size).value_or(-1));
  if (padded == tensor || !generic || llvm::any_of(low, [](int64_t size) { return size < 0; }))
    return padded;
  OpBuilder &b = lowering.b();
  generic->setAttr(attrs::kPad, b.getDictionaryAttr({b.getNamedAttr("low", b.getDenseI64ArrayAttr(low)),
                                                     b.getNamedAttr("value", value)}));
  return padded;
}

Value leaf::onnxtolinalg::padWith(Lowering &lowering, Value tensor, ArrayRef<Size> begin, ArrayRef<Size> outSizes,
                                  function_ref<Value(OpBuilder &, Location)> value) {
  SizeArithmetic &s = lowering.sizes();
  Sizes sizes = lowering.getSizes(tensor);
  SmallVector<bool> padded;
  for (size_t d = 0; d < sizes.size(); ++d)
    padded.push_back(constantOf(begin[d]) != 0 || !s.same(sizes[d], outSizes[d]));
  if (!llvm::is_contained(padded, true))
    return tensor;
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  // Sizes as values are made outside of the body.
  SmallVector<IndexBound> bounds;
  for (size_t d = 0; d < sizes.size(); ++d)
    bounds.push_back(padded[d] ? IndexBound(lowering, begin[d], sizes[d]) : IndexBound());
  return lowering.pointwise({}, {}, outSizes, element, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> indices;
    Value inside;
    for (size_t d = 0; d < sizes.size(); ++d) {
      Value index = linalg::IndexOp::create(b, loc, d);
      if (padded[d]) {
        auto [clamped, ok] = bounds[d].shiftAndClamp(b, loc, index);
        index = clamped;
        inside = inside ? arith::AndIOp::create(b, loc, inside, ok).getResult() : ok;
      }
      indices.push_back(index);
    }
    Value fill = value(b, loc);
    Value element = tensor::ExtractOp::create(b, loc, tensor, indices);
    return arith::SelectOp::create(b, loc, inside, element, fill);
  });
}

Value leaf::onnxtolinalg::padForWindow(Lowering &lowering, Value tensor, const Window &window, const Layout &layout,
                                       TypedAttr value) {
  Sizes sizes = lowering.getSizes(tensor);
  Sizes begin(sizes.size(), lowering.sizes().constant(0)), out = sizes;
  for (unsigned i = 0; i < window.rank(); ++i) {
    begin[layout.spatial(i)] = window.padBegin[i];
    out[layout.spatial(i)] = window.covered[i];
  }
  return padConstant(lowering, tensor, begin, out, value);
}
