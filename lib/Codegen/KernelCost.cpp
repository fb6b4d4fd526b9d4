//===- KernelCost.cpp - what a kernel computes and moves ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "KernelCost.h"

#include "KernelShapes.h"
#include "Leaf/Sparse.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

namespace {

/// Sums up one kernel.
class CostEstimate {
public:
  CostEstimate(plan::KernelOp kernel, function_ref<int64_t(unsigned, unsigned)> boundOf)
      : body(kernel.getBody().front()), boundOf(boundOf), shapes(kernel) {
    touched.resize(body.getNumArguments());
  }

  KernelCost run() {
    for (Operation &op : body.without_terminator()) {
      if (isa<ForallOp>(op)) {
        cost.known = false;
        for (Value operand : op.getOperands())
          touchAll(operand);
      } else if (auto border = dyn_cast<BorderOp>(op)) {
        double box = elementBytes(border.getOut().getType());
        for (int64_t size : border.getSize())
          box *= static_cast<double>(size);
        touch(border.getOut(), sizeOf(border.getOut()) - box);
      } else if (isa<linalg::LinalgOp, ContractOp, ConcatOp>(op)) {
        addLoops(&op);
      }
    }
    for (auto [argument, bytes] : llvm::zip(body.getArguments(), touched))
      cost.bytes += bytes < 0 ? sizeOf(argument) : std::min(bytes, sizeOf(argument));
    return cost;
  }

private:
  double sizeOfClass(unsigned id) {
    const KernelShapes::Class &entry = shapes.get(id);
    int64_t size = entry.size;
    if (ShapedType::isDynamic(size))
      size = entry.argument >= 0 ? boundOf(entry.argument, entry.dim) : -1;
    cost.known &= size >= 0;
    return size < 0 ? 1 : static_cast<double>(size);
  }

  static double elementBytes(Type type) {
    Type element = getElementTypeOrSelf(type);
    return element.isIntOrFloat() ? std::max(1u, element.getIntOrFloatBitWidth() / 8) : 8;
  }

  /// Bytes of a tensor.
  double sizeOf(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return 0;
    double size = elementBytes(type);
    for (int64_t d = 0; d < type.getRank(); ++d)
      size *= sizeOfClass(shapes.classOf(value, d));
    return size;
  }

  void touchAll(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == &body)
      touched[argument.getArgNumber()] = -1;
  }

  void touch(Value value, double bytes) {
    if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == &body)
      if (double &sum = touched[argument.getArgNumber()]; sum >= 0)
        sum += bytes;
  }

  /// Operations of a scalar body; what it gathers is touched `times` times.
  double countBody(Region &region, double times) {
    constexpr double polynomial = 20;
    double operations = 0;
    for (Operation &op : region.front().without_terminator()) {
      if (auto extract = dyn_cast<tensor::ExtractOp>(op))
        touch(extract.getTensor(), times * elementBytes(extract.getType()));
      else if (isa<math::MathDialect>(op.getDialect()))
        operations += isa<math::AbsFOp, math::FloorOp, math::CeilOp, math::RoundEvenOp, math::TruncOp, math::SqrtOp,
                          math::FmaOp, math::CopySignOp>(op)
                          ? 1
                          : polynomial;
      else if (isa<arith::ArithDialect>(op.getDialect()) && !isa<arith::ConstantOp>(op))
        ++operations;
    }
    return operations;
  }

  static unsigned getInnermostColumn(ContractOp contract) {
    return cast<AffineDimExpr>(contract.getOutMap().getResults().back()).getPosition();
  }

  /// Operations of a contraction for each point of its loops, on average where its weight is sparse. With Winograd's
  /// minimal filtering the loops run over all pixels and all (m + 2)^2 points of a filter, which are multiplied once
  /// for m x m pixels.
  static double perPoint(ContractOp contract) {
    if (getSparseBlock(contract)) {
      double dense = static_cast<double>(contract.getStaticLoopExtent(getInnermostColumn(contract)));
      for (unsigned loop = 0; loop < contract.getNumLoops(); ++loop)
        if (contract.isReduction(loop))
          dense *= static_cast<double>(contract.getStaticLoopExtent(loop));
      auto values = cast<ShapedType>(contract.getExtras()[kSparseValues].getType());
      return 2 * static_cast<double>(values.getNumElements()) / dense;
    }
    double m = static_cast<double>(contract.getWinograd().value_or(1));
    return 2 / (m * m);
  }

  void addLoops(Operation *op) {
    LoopMaps loops = getLoopMaps(op);
    double all = 1, parallel = 1;
    for (auto [i, reduction] : llvm::enumerate(loops.reduction)) {
      double extent = sizeOfClass(shapes.classOfLoop(op, i));
      all *= extent;
      parallel *= reduction ? 1 : extent;
    }
    auto contract = dyn_cast<ContractOp>(op);
    if (contract)
      cost.operations += all * perPoint(contract);
    for (Region &region : op->getRegions())
      if (!region.empty())
        cost.operations += (contract ? parallel : all) * countBody(region, contract ? parallel : all);
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    for (OpOperand &operand : op->getOpOperands())
      if (!linalgOp || linalgOp.isDpsInit(&operand) || linalgOp.payloadUsesValueFromOperand(&operand))
        touchAll(operand.get());
  }

  Block &body;
  function_ref<int64_t(unsigned, unsigned)> boundOf;
  KernelShapes shapes;
  SmallVector<double> touched; ///< bytes of each argument; -1: all of it
  KernelCost cost;
};

} // namespace

KernelCost leaf::codegen::estimateCost(plan::KernelOp kernel, function_ref<int64_t(unsigned, unsigned)> boundOf) {
  return CostEstimate(kernel, boundOf).run();
}
