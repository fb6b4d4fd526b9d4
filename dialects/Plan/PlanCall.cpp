//===- PlanCall.cpp - plan.call: verifier, effects, bufferization -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Plan/Plan.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace leaf::plan;

KernelOp CallOp::resolve() { return SymbolTable::lookupNearestSymbolFrom<KernelOp>(*this, getCalleeAttr()); }

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getCalleeAttr());
  if (!kernel)
    return emitOpError("unknown kernel ") << getCallee();
  if (kernel.getArgumentTypes().size() != getNumOperands())
    return emitOpError("passes ") << getNumOperands() << " operands to a kernel of " << kernel.getArgumentTypes().size()
                                  << " arguments";
  for (auto [i, expected, operand] : llvm::enumerate(kernel.getArgumentTypes(), getOperands())) {
    auto want = dyn_cast<ShapedType>(expected), have = dyn_cast<ShapedType>(operand.getType());
    bool match = want && have ? want.getElementType() == have.getElementType() && want.getShape() == have.getShape()
                              : expected == operand.getType();
    if (!match)
      return emitOpError("operand ") << i << " is " << operand.getType() << ", the kernel takes " << expected;
  }
  return success();
}

void CallOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand, SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand, SideEffects::DefaultResource::get());
  }
}

bool CallOp::bufferizesToMemoryRead(OpOperand &operand, const bufferization::AnalysisState &) {
  return !isDpsInit(&operand);
}

bool CallOp::bufferizesToMemoryWrite(OpOperand &operand, const bufferization::AnalysisState &) {
  return isDpsInit(&operand);
}

bufferization::AliasingValueList CallOp::getAliasingValues(OpOperand &operand, const bufferization::AnalysisState &) {
  if (isDpsInit(&operand))
    return {{getTiedOpResult(&operand), bufferization::BufferRelation::Equivalent}};
  return {};
}

/// True where a kernel can be given the buffer as it is: dense, or with static strides and offset.
static bool isPassable(bufferization::BufferLikeType type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return false;
  if (memref.getLayout().isIdentity())
    return true;
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(memref.getStridesAndOffset(strides, offset)) && llvm::none_of(strides, ShapedType::isDynamic);
}

LogicalResult CallOp::resolveConflicts(RewriterBase &rewriter, const bufferization::AnalysisState &analysis,
                                       const bufferization::BufferizationState &state) {
  OpBuilder::InsertionGuard guard(rewriter);
  if (failed(cast<bufferization::BufferizableOpInterface>(getOperation())
                 .resolveTensorOpOperandConflicts(rewriter, analysis, state)))
    return failure();
  rewriter.setInsertionPoint(*this);
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    auto type = bufferization::getBufferType(operand.get(), analysis.getOptions(), state);
    if (failed(type))
      return failure();
    if (isPassable(*type))
      continue;
    auto copy = bufferization::allocateTensorForShapedValue(rewriter, getLoc(), operand.get(), analysis.getOptions(),
                                                            state, /*copy=*/!isDpsInit(&operand));
    if (failed(copy))
      return failure();
    rewriter.modifyOpInPlace(*this, [&] { operand.set(*copy); });
  }
  return success();
}

LogicalResult CallOp::bufferize(RewriterBase &rewriter, const bufferization::BufferizationOptions &options,
                                bufferization::BufferizationState &state) {
  auto toBuffers = [&](OperandRange values) -> FailureOr<SmallVector<Value>> {
    SmallVector<Value> buffers;
    for (Value value : values) {
      FailureOr<Value> buffer =
          isa<TensorType>(value.getType()) ? bufferization::getBuffer(rewriter, value, options, state) : value;
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    return buffers;
  };
  FailureOr<SmallVector<Value>> ins = toBuffers(getIns()), outs = toBuffers(getOuts());
  if (failed(ins) || failed(outs))
    return failure();
  CallOp::create(rewriter, getLoc(), TypeRange{}, getCalleeAttr(), *ins, *outs, getSizes());
  bufferization::replaceOpWithBufferizedValues(rewriter, *this, *outs);
  return success();
}
