//===- LeafOps.cpp - verifiers, effects and interfaces of leaf ops -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"
#include "Leaf/Sparse.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace leaf;

//===----------------------------------------------------------------------===//
// WeightOp, LoadWeightOp
//===----------------------------------------------------------------------===//

ArrayRef<char> WeightOp::getRawBytes() {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(getValue())) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : ArrayRef<char>();
  }
  // A splat holds one element only: it is no image of the tensor's bytes.
  auto dense = dyn_cast<DenseElementsAttr>(getValue());
  return dense && !dense.isSplat() ? dense.getRawData() : ArrayRef<char>();
}

ArrayRef<char> WeightOp::getDenseBytes(std::vector<char> &storage) {
  ArrayRef<char> bytes = getRawBytes();
  auto dense = dyn_cast<DenseElementsAttr>(getValue());
  if (!bytes.empty() || !dense || !dense.isSplat() || dense.getElementType().isInteger(1))
    return bytes;
  ArrayRef<char> element = dense.getRawData();
  for (int64_t i = 0, e = getWeightType().getNumElements(); i < e; ++i)
    storage.insert(storage.end(), element.begin(), element.end());
  return storage;
}

WeightOp LoadWeightOp::resolve() { return SymbolTable::lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr()); }

LogicalResult LoadWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight)
    return emitOpError("refers to unknown weight ") << getWeightAttr();
  auto type = cast<ShapedType>(getResult().getType());
  RankedTensorType weightType = weight.getWeightType();
  if (type.getElementType() != weightType.getElementType() || type.getShape() != weightType.getShape())
    return emitOpError("result ") << type << " does not match the weight's " << weightType;
  return success();
}

bool LoadWeightOp::isWritable(Value, const bufferization::AnalysisState &) { return false; }

FailureOr<bufferization::BufferLikeType> LoadWeightOp::getBufferType(Value, const bufferization::BufferizationOptions &,
                                                                     const bufferization::BufferizationState &,
                                                                     SmallVector<Value> &) {
  auto type = cast<ShapedType>(getResult().getType());
  return cast<bufferization::BufferLikeType>(MemRefType::get(type.getShape(), type.getElementType()));
}

LogicalResult LoadWeightOp::bufferize(RewriterBase &rewriter, const bufferization::BufferizationOptions &,
                                      bufferization::BufferizationState &) {
  auto type = cast<ShapedType>(getResult().getType());
  bufferization::replaceOpWithNewBufferizedOp<LoadWeightOp>(
      rewriter, *this, MemRefType::get(type.getShape(), type.getElementType()), getWeightAttr());
  return success();
}

//===----------------------------------------------------------------------===//
// BoundOp
//===----------------------------------------------------------------------===//

void BoundOp::inferResultRanges(ArrayRef<ConstantIntRanges> operands, SetIntRangeFn setResultRange) {
  unsigned width = operands[0].umin().getBitWidth();
  APInt low(width, 0), high(width, getMax());
  setResultRange(getResult(), operands[0].intersection(ConstantIntRanges(low, high, low, high)));
}

void BoundOp::populateBoundsForIndexValue(Value value, ValueBoundsConstraintSet &constraints) {
  constraints.bound(value) <= static_cast<int64_t>(getMax());
  constraints.bound(value) >= 0;
  constraints.bound(value) == constraints.getExpr(getN());
}

OpFoldResult BoundOp::fold(FoldAdaptor adaptor) {
  auto n = dyn_cast_or_null<IntegerAttr>(adaptor.getN());
  return n && n.getInt() >= 0 && n.getInt() <= static_cast<int64_t>(getMax()) ? n : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

bool ContractOp::isReduction(unsigned loop) {
  return cast<StringAttr>(getIteratorTypes()[loop]).getValue() == "reduction";
}

std::pair<Value, unsigned> ContractOp::getLoopExtentSource(unsigned loop) {
  auto find = [&](Value operand, AffineMap map) -> std::optional<std::pair<Value, unsigned>> {
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() == loop)
        return std::make_pair(operand, static_cast<unsigned>(position));
    return std::nullopt;
  };
  if (auto source = find(getOut(), getOutMap()))
    return *source;
  for (auto [i, operand] : llvm::enumerate(getOperands().drop_back()))
    if (auto source = find(operand, getMap(i)))
      return *source;
  return {};
}

int64_t ContractOp::getStaticLoopExtent(unsigned loop) {
  auto [operand, dim] = getLoopExtentSource(loop);
  return cast<ShapedType>(operand.getType()).getDimSize(dim);
}

/// The yield that ends `block`; null where something else does. An op is verified before its regions are, so the block
/// may be empty.
static YieldOp getYield(Block &block) { return block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back()); }

static LogicalResult verifyPrologue(ContractOp op, Region &region, Value operand, StringRef name) {
  Block &block = region.front();
  if (block.getNumArguments() == 0 ||
      block.getArgument(0).getType() != cast<ShapedType>(operand.getType()).getElementType())
    return op.emitOpError() << name << " must take an element of its operand first";
  YieldOp yield = getYield(block);
  if (!yield || yield.getValues().size() != 1 || yield.getValues()[0].getType() != op.getAccumulatorType())
    return op.emitOpError() << name << " must yield one value of the accumulator type " << op.getAccumulatorType();
  return success();
}

static LogicalResult verifyMaps(ContractOp op) {
  if (op.getIndexingMaps().size() != op.getOperands().size())
    return op.emitOpError("expects one indexing map per operand, got ")
           << op.getIndexingMaps().size() << " for " << op.getOperands().size();
  for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
    AffineMap map = op.getMap(i);
    auto type = cast<ShapedType>(operand.getType());
    if (map.getNumDims() != op.getNumLoops() || map.getNumSymbols() != 0 || !type.hasRank() ||
        map.getNumResults() != static_cast<unsigned>(type.getRank()))
      return op.emitOpError("indexing map ")
             << i << " does not fit " << type << " and " << op.getNumLoops() << " loops";
  }
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    if (!op.getLoopExtentSource(loop).first)
      return op.emitOpError("no operand gives the extent of loop ") << loop;
    if (op.isReduction(loop) && op.getOutMap().isFunctionOfDim(loop))
      return op.emitOpError("reduction loop ") << loop << " indexes the output";
  }
  return success();
}

/// Position of a dimension, or nothing where `expr` is another expression.
static std::optional<unsigned> getDim(AffineExpr expr) {
  auto dim = dyn_cast<AffineDimExpr>(expr);
  return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
}

/// The two dimensions of `out + kernel`.
static std::optional<std::pair<unsigned, unsigned>> getWindow(ContractOp op, AffineExpr expr) {
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!sum || sum.getKind() != AffineExprKind::Add)
    return std::nullopt;
  std::optional<unsigned> first = getDim(sum.getLHS()), second = getDim(sum.getRHS());
  if (!first || !second || op.isReduction(*first) == op.isReduction(*second))
    return std::nullopt;
  return op.isReduction(*first) ? std::make_pair(*second, *first) : std::make_pair(*first, *second);
}

std::optional<UnitConvolution> leaf::matchUnitConvolution(ContractOp op) {
  AffineMap lhs = op.getLhsMap(), rhs = op.getRhsMap(), out = op.getOutMap();
  if (lhs.getNumResults() != 4 || out.getNumResults() != 4 || (rhs.getNumResults() != 4 && rhs.getNumResults() != 5))
    return std::nullopt;
  auto rows = getWindow(op, lhs.getResult(1)), columns = getWindow(op, lhs.getResult(2));
  std::optional<unsigned> ci = getDim(lhs.getResult(3)), co = getDim(out.getResult(3));
  if (!rows || !columns || !ci || !co || !op.isReduction(*ci) || lhs.isFunctionOfDim(*co))
    return std::nullopt;
  UnitConvolution conv;
  std::tie(conv.oh, conv.kh) = *rows;
  std::tie(conv.ow, conv.kw) = *columns;
  conv.ci = *ci;
  conv.co = *co;
  if (std::optional<unsigned> n = getDim(lhs.getResult(0)))
    conv.n = static_cast<int>(*n);
  unsigned first = rhs.getNumResults() - 4;
  bool isRhs = getDim(rhs.getResult(first)) == conv.kh && getDim(rhs.getResult(first + 1)) == conv.kw &&
               getDim(rhs.getResult(first + 2)) == conv.ci && rhs.getResult(first + 3).isFunctionOfDim(conv.co);
  if (first == 0)
    isRhs &= getDim(rhs.getResult(3)) == conv.co;
  bool isOut = out.getResult(0) == lhs.getResult(0) && out.getResult(1).isFunctionOfDim(conv.oh) &&
               out.getResult(2).isFunctionOfDim(conv.ow);
  unsigned known = 6 + (conv.n >= 0);
  if (!isRhs || !isOut || op.getNumLoops() != known)
    return std::nullopt;
  return conv;
}

static LogicalResult verifyWinograd(ContractOp op) {
  int64_t m = *op.getWinograd();
  std::optional<UnitConvolution> conv = matchUnitConvolution(op);
  if ((m != 2 && m != 4) || !conv)
    return op.emitOpError("winograd must be 2 or 4, on a convolution of stride 1 in channels-last layout");
  if (op.getStaticLoopExtent(conv->kh) != m + 2 || op.getStaticLoopExtent(conv->kw) != m + 2)
    return op.emitOpError("winograd = ") << m << " needs a rhs of " << m + 2 << "x" << m + 2 << " transformed filters";
  if (!op.getAccumulatorType().isF32())
    return op.emitOpError("winograd needs accumulators of f32");
  return success();
}

/// The operands of a sparse rhs (Leaf/Sparse.h).
static LogicalResult verifySparse(ContractOp op) {
  auto isFlat = [](Value value) {
    auto type = dyn_cast<ShapedType>(value.getType());
    return type && type.hasRank() && type.getRank() == 1;
  };
  if (op.getWinograd() || op.getNumRhsExtras() != 2 || !isFlat(op.getExtras()[kSparseValues]) ||
      !isFlat(op.getExtras()[kSparsePositions]))
    return op.emitOpError("with leaf.sparse needs two flat rhs extras: values and positions");
  Type starts = getElementTypeOrSelf(op.getRhs().getType());
  Type positions = getElementTypeOrSelf(op.getExtras()[kSparsePositions].getType());
  if (!starts.isInteger(32) || !(positions.isInteger(8) || positions.isInteger(16)))
    return op.emitOpError("with leaf.sparse needs starts of i32 and positions of i8 or i16");
  unsigned inner = 0;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    if (op.isReduction(loop) && ShapedType::isDynamic(op.getStaticLoopExtent(loop)))
      return op.emitOpError("with leaf.sparse needs reductions of static size");
    inner += op.isReduction(loop) && !op.getRhsMap().isFunctionOfDim(loop);
  }
  AffineMap out = op.getOutMap();
  auto n = out.getNumResults() ? dyn_cast<AffineDimExpr>(out.getResults().back()) : AffineDimExpr(nullptr);
  if (inner != 1 || !n || ShapedType::isDynamic(op.getStaticLoopExtent(n.getPosition())) ||
      op.getStaticLoopExtent(n.getPosition()) % *getSparseBlock(op) || op.getLhsMap().isFunctionOfDim(n.getPosition()))
    return op.emitOpError("with leaf.sparse needs one reduction that starts do not index, and whole blocks of columns, "
                          "the innermost loop of the result");
  return success();
}

LogicalResult ContractOp::verify() {
  if (!getNumRhsExtrasAttr())
    return emitOpError("num_rhs_extras must be an i64");
  if (getNumRhsExtras() > getExtras().size())
    return emitOpError("num_rhs_extras ") << getNumRhsExtras() << " exceeds " << getExtras().size() << " extras";
  if (getEpilogue().front().getNumArguments() != 1 + getExtras().size() - getNumRhsExtras())
    return emitOpError("epilogue must take the accumulator and one element of each of its ")
           << getExtras().size() - getNumRhsExtras() << " extras";
  if (failed(verifyMaps(*this)) || failed(verifyPrologue(*this, getLhsPrologue(), getLhs(), "lhs prologue")) ||
      failed(verifyPrologue(*this, getRhsPrologue(), getRhs(), "rhs prologue")))
    return failure();
  YieldOp yield = getYield(getEpilogue().front());
  Type element = cast<ShapedType>(getOut().getType()).getElementType();
  if (!yield || yield.getValues().size() != 1 || yield.getValues()[0].getType() != element)
    return emitOpError("epilogue must yield one ") << element;
  if (getSparseBlock(*this))
    return verifySparse(*this);
  return getWinograd() ? verifyWinograd(*this) : success();
}

/// Destination-passing ops on memrefs read their inputs and write their destination.
template <typename OpTy>
static void addEffects(OpTy op, SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand, SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand, SideEffects::DefaultResource::get());
  }
}

void ContractOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}

//===----------------------------------------------------------------------===//
// ConcatOp
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::verify() {
  auto out = cast<ShapedType>(getOut().getType());
  int64_t dim = getDim();
  if (dim < 0 || dim >= out.getRank())
    return emitOpError("dimension ") << dim << " is outside rank " << out.getRank();
  for (Value input : getInputs()) {
    auto type = cast<ShapedType>(input.getType());
    if (type.getRank() != out.getRank() || type.getElementType() != out.getElementType())
      return emitOpError("input ") << type << " does not match " << out;
    for (int64_t d = 0; d < out.getRank(); ++d)
      if (d != dim && failed(verifyCompatibleShape({type.getDimSize(d)}, {out.getDimSize(d)})))
        return emitOpError("input ") << type << " does not match " << out << " in dimension " << d;
  }
  return success();
}

void ConcatOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}

//===----------------------------------------------------------------------===//
// BorderOp
//===----------------------------------------------------------------------===//

LogicalResult BorderOp::verify() {
  auto out = cast<ShapedType>(getOut().getType());
  if (!out.hasStaticShape() || getValue().getType() != out.getElementType())
    return emitOpError("needs a destination of static shape and a value of its element type");
  size_t rank = out.getRank();
  if (getLow().size() != rank || getSize().size() != rank)
    return emitOpError("needs an offset and a size for each of ") << rank << " dimensions";
  for (size_t d = 0; d < rank; ++d)
    if (getLow()[d] < 0 || getSize()[d] < 0 || getSize()[d] > out.getDimSize(d) - getLow()[d])
      return emitOpError("has a box that leaves ") << out << " in dimension " << d;
  return success();
}

void BorderOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}

//===----------------------------------------------------------------------===//
// ForallOp
//===----------------------------------------------------------------------===//

LogicalResult ForallOp::verify() {
  Block &block = getBody().front();
  size_t numExtents = getExtents().size(), numBuffers = getInputs().size() + getOuts().size();
  if (block.getNumArguments() != numExtents + numBuffers)
    return emitOpError("body must take ") << numExtents << " indices and " << numBuffers << " buffers, but takes "
                                          << block.getNumArguments() << " arguments";
  for (BlockArgument index : getPoint())
    if (!index.getType().isIndex())
      return emitOpError("body argument ") << index.getArgNumber() << " must be an index";
  for (auto [operand, buffer] : llvm::zip(getOperands(), getBuffers())) {
    auto type = cast<ShapedType>(operand.getType());
    if (buffer.getType() != MemRefType::get(type.getShape(), type.getElementType()))
      return emitOpError("body argument ") << buffer.getArgNumber() << " must be the memref of " << type;
  }
  YieldOp yield = getYield(block);
  if (!yield || !yield.getValues().empty())
    return emitOpError("body must end with a leaf.yield without values");
  return success();
}

void ForallOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}
