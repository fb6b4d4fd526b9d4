//===- WriteHalos.cpp - padded buffers are written where they lie -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Plan/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace leaf {
#define GEN_PASS_DEF_WRITEHALOS
#include "leafcutter/Plan/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// A kernel that pads its one input with a constant.
struct Padding {
  SmallVector<int64_t> low;
  TypedAttr value;
};
} // namespace

static std::optional<Padding> getPadding(plan::KernelOp kernel) {
  std::optional<Padding> padding;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (!isa<linalg::GenericOp>(op)) {
      if (!isa<arith::ConstantOp>(op))
        return std::nullopt;
      continue;
    }
    auto attr = op.getAttrOfType<DictionaryAttr>(attrs::kPad);
    auto low = attr ? attr.getAs<DenseI64ArrayAttr>("low") : DenseI64ArrayAttr();
    auto value = attr ? attr.getAs<TypedAttr>("value") : TypedAttr();
    if (padding || !low || !value)
      return std::nullopt;
    padding = Padding{SmallVector<int64_t>(low.asArrayRef()), value};
  }
  return padding;
}

/// True where the padding's box lies inside of the padded buffer.
static bool fits(const Padding &padding, MemRefType inside, MemRefType padded) {
  if (!inside.hasStaticShape() || !padded.hasStaticShape() || inside.getRank() != padded.getRank() ||
      padding.low.size() != static_cast<size_t>(inside.getRank()) || padding.value.getType() != padded.getElementType())
    return false;
  for (auto [low, size, all] : llvm::zip(padding.low, inside.getShape(), padded.getShape()))
    if (low < 0 || size > all - low)
      return false;
  return true;
}

namespace {
struct WriteHalos : leaf::impl::WriteHalosBase<WriteHalos> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<plan::CallOp> calls;
    getOperation().walk([&](plan::CallOp call) { calls.push_back(call); });
    for (plan::CallOp call : calls)
      if (call.getIns().size() == 1 && call.getOuts().size() == 1)
        if (std::optional<Padding> padding = getPadding(call.resolve()))
          apply(call, *padding);
    // Those that only padded.
    eraseUncalledKernels(getOperation(), [](plan::KernelOp kernel) { return getPadding(kernel).has_value(); });
  }

private:
  void apply(plan::CallOp call, const Padding &padding) {
    auto inside = call.getIns()[0].getDefiningOp<memref::AllocOp>();
    auto padded = call.getOuts()[0].getDefiningOp<memref::AllocOp>();
    if (!inside || !padded || inside->getBlock() != call->getBlock() || padded->getBlock() != call->getBlock() ||
        !fits(padding, inside.getType(), padded.getType()) || !getOnlyWriter(inside) || getOnlyWriter(padded) != call)
      return;
    padded->moveBefore(inside);
    OpBuilder builder(inside);
    Value view = createBox(builder, inside.getLoc(), padded, padding.low, inside.getType().getShape());
    plan::KernelOp border = getBorder(call, padding, inside.getType(), padded.getType());
    builder.setInsertionPoint(call);
    plan::CallOp::create(builder, call.getLoc(), TypeRange{}, border.getSymName(), ValueRange{}, padded.getResult(),
                         ValueRange{});
    call.erase();
    replaceBuffer(inside, view);
    inside.erase();
    ++numHalos;
  }

  /// The kernel that writes the border; one for all equal ones.
  plan::KernelOp getBorder(plan::CallOp call, const Padding &padding, MemRefType inside, MemRefType padded) {
    auto type = RankedTensorType::get(padded.getShape(), padded.getElementType());
    OpBuilder builder(&getContext());
    SmallVector<Attribute> key{TypeAttr::get(type), builder.getDenseI64ArrayAttr(padding.low),
                               builder.getDenseI64ArrayAttr(inside.getShape()), padding.value};
    plan::KernelOp &kernel = borders[builder.getArrayAttr(key)];
    if (kernel)
      return kernel;
    Location loc = call.getLoc();
    kernel = plan::KernelOp::create(builder, loc, "border", builder.getFunctionType({type}, {type}), /*num_outs=*/1,
                                    /*shared_loops=*/0, /*in_place=*/ArrayRef<int64_t>{-1},
                                    call.resolve().getNodesAttr(), /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr);
    SymbolTable(getOperation()).insert(kernel);
    Block &body = kernel.getBody().emplaceBlock();
    body.addArgument(type, loc);
    builder.setInsertionPointToEnd(&body);
    auto border = BorderOp::create(builder, loc, type, body.getArgument(0), padding.low,
                                   llvm::to_vector(inside.getShape()), padding.value);
    plan::YieldOp::create(builder, loc, border.getResult());
    return kernel;
  }

  llvm::DenseMap<Attribute, plan::KernelOp> borders;
};
} // namespace
