//===- AssignCapacities.cpp - upper bounds of the entry's buffers ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Leaf/OutputNames.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"
#include "leafcutter/Plan/SizeBounds.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

namespace leaf {
#define GEN_PASS_DEF_ASSIGNCAPACITIES
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Upper bound of dimension `d` of argument `i`; for outputs, `sizes` are the values returned for its open dimensions.
static std::optional<int64_t> getBound(func::FuncOp entry, unsigned i, unsigned d, SizeBounds &bounds, Value size) {
  if (size)
    return bounds.getUpperBound(size);
  auto names = entry.getArgAttrOfType<ArrayAttr>(i, leaf::attrs::kDims);
  auto known = entry->getParentOfType<ModuleOp>()->getAttrOfType<DictionaryAttr>(leaf::attrs::kBounds);
  auto bound = names && known ? known.getAs<IntegerAttr>(cast<StringAttr>(names[d]).getValue()) : IntegerAttr();
  return bound ? std::optional<int64_t>(bound.getInt()) : std::nullopt;
}

static LogicalResult assignCapacities(func::FuncOp entry) {
  SizeBounds bounds(entry);
  OperandRange returned = entry.getBody().front().getTerminator()->getOperands();
  unsigned next = 0;
  auto nextSize = [&] {
    // Sizes of aliased outputs stand between; their buffers are inputs.
    while (entry.getResultAttr(next, plan::attrs::kAliasOutput))
      ++next;
    return returned[next++];
  };
  Builder builder(entry.getContext());
  // They are set all at once: one by one, each change would copy those of all arguments.
  SmallVector<DictionaryAttr> attributes;
  for (BlockArgument argument : entry.getArguments()) {
    unsigned i = argument.getArgNumber();
    NamedAttrList list(entry.getArgAttrDict(i));
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type) {
      attributes.push_back(list.getDictionary(entry.getContext()));
      continue;
    }
    bool output = entry.getArgAttr(i, plan::attrs::kOutput) != nullptr;
    SmallVector<int64_t> upper, shape(type.getShape());
    auto aliased = entry.getArgAttrOfType<DenseI64ArrayAttr>(i, plan::attrs::kShape);
    int64_t capacity = aliased ? type.getNumElements() : 1;
    if (aliased)
      for (auto [size, open] : llvm::zip(shape, aliased.asArrayRef()))
        size = open < 0 ? ShapedType::kDynamic : open;
    for (auto [d, size] : llvm::enumerate(shape)) {
      std::optional<int64_t> bound = size;
      if (ShapedType::isDynamic(size))
        bound = getBound(entry, i, d, bounds, output ? nextSize() : Value());
      if (!bound)
        return entry.emitOpError("dimension ")
               << d << " of " << (output ? "output " : "input ") << entry.getArgAttr(i, leaf::attrs::kName)
               << " has no upper bound; give one with "
               << (output ? getBoundOption(argument.getLoc()) : std::string("--dim 'NAME<=N'"));
      upper.push_back(*bound);
      if (!aliased && llvm::MulOverflow(capacity, *bound, capacity))
        return entry.emitOpError("the size of argument ") << i << " exceeds 64 bits";
    }
    list.set(plan::attrs::kCapacity, builder.getI64IntegerAttr(capacity));
    list.set(plan::attrs::kUpperBounds, builder.getDenseI64ArrayAttr(upper));
    attributes.push_back(list.getDictionary(entry.getContext()));
  }
  entry.setAllArgAttrs(attributes);
  return success();
}

namespace {
struct AssignCapacities : leaf::impl::AssignCapacitiesBase<AssignCapacities> {
  using Base::Base;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(assignCapacities(function)))
        return signalPassFailure();
  }
};
} // namespace
