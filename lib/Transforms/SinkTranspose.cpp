//===- SinkTranspose.cpp - moves a Transpose below one op ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SinkTranspose.h"

#include "leafcutter/Transforms/CoreOps.h"
#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"

using namespace mlir;
using namespace leaf;

namespace {

/// A Transpose that is to move below `op`.
struct Sinking {
  Operation *op;
  Permutation perm; ///< of the tensors above op
  OpBuilder builder;

  Sinking(Operation *op, Permutation perm) : op(op), perm(std::move(perm)), builder(op) {}

  int64_t rank() const { return perm.size(); }
  /// The axis above the Transpose that is `axis` (negative from the back) below it.
  std::optional<int64_t> axisAbove(int64_t axis) const {
    std::optional<int64_t> at = normalizeAxis(axis, rank());
    return at ? std::optional<int64_t>(perm[*at]) : std::nullopt;
  }
  Attribute axisAttr(int64_t axis) { return builder.getIntegerAttr(builder.getI64Type(), axis); }
  /// Type of a result above the Transpose that is `type` below it.
  RankedTensorType typeAbove(RankedTensorType type) const {
    return RankedTensorType::get(permute(type.getShape(), inversePermutation(perm)), type.getElementType());
  }
  /// Replaces op by a copy on `operands` and attributes `changed`, its results transposed by `below` (one for all).
  void finish(ArrayRef<Value> operands, ArrayRef<NamedAttribute> changed, ArrayRef<int64_t> below);
};

} // namespace

static Operation *transposeOf(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isOnnx(op, "Transpose") ? op : nullptr;
}

static int64_t rankOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getRank() : -1;
}

static std::optional<SmallVector<int64_t>> constantInts(Operation *op, unsigned i) {
  Value operand = onnxOperand(op, i);
  std::optional<HostTensor> value = operand ? getHostConstant(operand) : std::nullopt;
  return value ? value->ints() : std::nullopt;
}

void Sinking::finish(ArrayRef<Value> operands, ArrayRef<NamedAttribute> changed, ArrayRef<int64_t> below) {
  NamedAttrList attributes(op->getAttrs());
  for (NamedAttribute attribute : changed)
    attributes.set(attribute.getName(), attribute.getValue());
  SmallVector<Type> types;
  Permutation above = inversePermutation(below);
  for (Type type : op->getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    types.push_back(tensor ? RankedTensorType::get(permute(tensor.getShape(), above), tensor.getElementType()) : type);
  }
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands, types, attributes);
  Operation *moved = builder.create(state);
  for (auto [from, to] : llvm::zip_equal(op->getResults(), moved->getResults())) {
    if (from.use_empty())
      continue;
    bool plain = isIdentityPermutation(below) || !isa<RankedTensorType>(from.getType());
    from.replaceAllUsesWith(plain ? to : createTranspose(builder, op->getLoc(), to, below));
  }
  op->erase();
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// `value`, which broadcasts against tensors of perm's rank, as it is above the Transpose. `free` is set when that
/// takes no Transpose at run time. Null when its shape does not allow it. Nothing is created when `builder` is null.
static Value operandAbove(OpBuilder *builder, Location loc, Value value, ArrayRef<int64_t> perm, bool &free) {
  free = true;
  if (isNoValue(value))
    return value;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  int64_t rank = perm.size();
  if (!type || type.getRank() > rank)
    return {};
  if (type.hasStaticShape() && type.getNumElements() == 1)
    return value;
  if (Operation *transpose = transposeOf(value);
      transpose && type.getRank() == rank && ArrayRef<int64_t>(permutationOf(transpose, rank)) == perm)
    return transpose->getOperand(0);
  SmallVector<int64_t> shape(rank - type.getRank(), 1);
  shape.append(type.getShape().begin(), type.getShape().end());
  Permutation above = inversePermutation(perm);
  bool isReshape = type.hasStaticShape() && movesUnitDimsOnly(shape, above);
  free = isReshape || isConstantValue(value);
  if (type.getRank() != rank && !type.hasStaticShape())
    return {};
  if (!builder)
    return value;
  if (std::optional<HostTensor> constant = isConstantValue(value) ? getHostConstant(value) : std::nullopt) {
    Value full = type.getRank() == rank ? value : createConstant(*builder, loc, constant->reshaped(shape), "broadcast");
    return createTranspose(*builder, loc, full, above);
  }
  if (isReshape)
    return createReshape(*builder, loc, value, permute(shape, above));
  Value full = type.getRank() == rank ? value : createReshape(*builder, loc, value, shape);
  return createTranspose(*builder, loc, full, above);
}

/// Whether sinking leaves no more Transposes than before: those of the operands go, one comes below, and one for
/// each operand that was not transposed and does not move for free.
static bool pays(Operation *op, ArrayRef<int64_t> perm) {
  unsigned gone = 0, added = 0;
  for (Value operand : op->getOperands()) {
    bool free = false;
    if (!operandAbove(nullptr, op->getLoc(), operand, perm, free))
      return false;
    Operation *transpose = transposeOf(operand);
    if (transpose && free && rankOf(operand) == static_cast<int64_t>(perm.size()) &&
        ArrayRef<int64_t>(permutationOf(transpose, perm.size())) == perm)
      ++gone;
    added += !free;
  }
  return added == 0 || added < gone;
}

static bool sinkElementwise(Sinking &sinking) {
  Operation *op = sinking.op;
  if (op->getNumResults() != 1 || rankOf(op->getResult(0)) != sinking.rank() || !pays(op, sinking.perm))
    return false;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    bool free = false;
    operands.push_back(operandAbove(&sinking.builder, op->getLoc(), operand, sinking.perm, free));
  }
  sinking.finish(operands, {}, sinking.perm);
  return true;
}

//===----------------------------------------------------------------------===//
// Ops with axes
//===----------------------------------------------------------------------===//

static bool sinkConcat(Sinking &sinking) {
  std::optional<int64_t> axis = sinking.axisAbove(intAttr(sinking.op, "axis", 0));
  if (!axis || !pays(sinking.op, sinking.perm))
    return false;
  SmallVector<Value> operands;
  for (Value operand : sinking.op->getOperands()) {
    bool free = false;
    operands.push_back(operandAbove(&sinking.builder, sinking.op->getLoc(), operand, sinking.perm, free));
  }
  sinking.finish(operands, {sinking.builder.getNamedAttr("axis", sinking.axisAttr(*axis))}, sinking.perm);
  return true;
}

/// Operand 0 without its Transpose, the others as they are.
static SmallVector<Value> dataAbove(Operation *op) {
  SmallVector<Value> operands(op->getOperands());
  operands[0] = transposeOf(operands[0])->getOperand(0);
  return operands;
}

/// One axis attribute, the shape kept: Softmax, LogSoftmax, Split.
static bool sinkAxisOp(Sinking &sinking) {
  bool isSplit = isOnnx(sinking.op, "Split");
  std::optional<int64_t> axis = sinking.axisAbove(intAttr(sinking.op, "axis", isSplit ? 0 : -1));
  if (!axis)
    return false;
  sinking.finish(dataAbove(sinking.op), {sinking.builder.getNamedAttr("axis", sinking.axisAttr(*axis))}, sinking.perm);
  return true;
}

/// Permutation that is left below when the dimensions `reduced` (above) have gone.
static Permutation withoutDims(ArrayRef<int64_t> perm, const llvm::SmallBitVector &reduced) {
  SmallVector<int64_t> newIndex(perm.size(), -1);
  for (int64_t d = 0, next = 0; d < static_cast<int64_t>(perm.size()); ++d)
    if (!reduced[d])
      newIndex[d] = next++;
  Permutation rest;
  for (int64_t from : perm)
    if (!reduced[from])
      rest.push_back(newIndex[from]);
  return rest;
}

static bool sinkReduce(Sinking &sinking) {
  Operation *op = sinking.op;
  std::optional<SmallVector<int64_t>> axes = constantInts(op, 1);
  bool isArg = onnxName(op).starts_with("Arg");
  if (isArg)
    axes = SmallVector<int64_t>{intAttr(op, "axis", 0)};
  bool reducesAll = !isArg && !onnxOperand(op, 1) && intAttr(op, "noop_with_empty_axes", 0) == 0;
  if (reducesAll)
    axes = llvm::to_vector(llvm::seq<int64_t>(0, sinking.rank()));
  if (!axes || axes->empty())
    return false;
  llvm::SmallBitVector reduced(sinking.rank());
  for (int64_t &axis : *axes) {
    std::optional<int64_t> above = sinking.axisAbove(axis);
    if (!above)
      return false;
    axis = *above;
    reduced.set(axis);
  }
  llvm::sort(*axes);
  SmallVector<Value> operands = dataAbove(op);
  SmallVector<NamedAttribute> changed;
  if (isArg)
    changed.push_back(sinking.builder.getNamedAttr("axis", sinking.axisAttr(axes->front())));
  else
    operands[1] = createInts(sinking.builder, op->getLoc(), *axes);
  bool keeps = intAttr(op, "keepdims", 1) != 0;
  sinking.finish(operands, changed, keeps ? sinking.perm : withoutDims(sinking.perm, reduced));
  return true;
}

/// Integer operand `i` of `op` lists one value per dimension of the data: as it is above the Transpose.
static Value listAbove(Sinking &sinking, ArrayRef<int64_t> values) {
  return createInts(sinking.builder, sinking.op->getLoc(), permute(values, inversePermutation(sinking.perm)));
}

/// Slice and Pad name their axes in operand 3; without it they list all.
static bool sinkAxesList(Sinking &sinking) {
  Operation *op = sinking.op;
  std::optional<SmallVector<int64_t>> axes;
  if (onnxOperand(op, 3)) {
    axes = constantInts(op, 3);
    if (!axes)
      return false;
  } else {
    int64_t listed = sinking.rank();
    if (isOnnx(op, "Slice")) {
      auto starts = dyn_cast<RankedTensorType>(op->getOperand(1).getType());
      if (!starts || !starts.hasStaticShape())
        return false;
      listed = starts.getNumElements();
    }
    axes = llvm::to_vector(llvm::seq<int64_t>(0, listed));
  }
  for (int64_t &axis : *axes) {
    std::optional<int64_t> above = sinking.axisAbove(axis);
    if (!above)
      return false;
    axis = *above;
  }
  SmallVector<Value> operands = dataAbove(op);
  operands[3] = createInts(sinking.builder, op->getLoc(), *axes);
  sinking.finish(operands, {}, sinking.perm);
  return true;
}

static bool sinkTile(Sinking &sinking) {
  std::optional<SmallVector<int64_t>> repeats = constantInts(sinking.op, 1);
  if (!repeats || static_cast<int64_t>(repeats->size()) != sinking.rank())
    return false;
  SmallVector<Value> operands = dataAbove(sinking.op);
  operands[1] = listAbove(sinking, *repeats);
  sinking.finish(operands, {}, sinking.perm);
  return true;
}

/// Expand to a static shape of the same rank.
static bool sinkExpand(Sinking &sinking) {
  auto type = dyn_cast<RankedTensorType>(sinking.op->getResult(0).getType());
  if (!type || !type.hasStaticShape() || type.getRank() != sinking.rank())
    return false;
  SmallVector<Value> operands = dataAbove(sinking.op);
  operands[1] = listAbove(sinking, type.getShape());
  sinking.finish(operands, {}, sinking.perm);
  return true;
}

/// Quantization by one scale, or by one scale per index of an axis.
static bool sinkQuantize(Sinking &sinking) {
  int64_t scaleRank = rankOf(sinking.op->getOperand(1));
  SmallVector<NamedAttribute> changed;
  if (intAttr(sinking.op, "block_size", 0) != 0 || scaleRank < 0 || scaleRank > 1)
    return false;
  if (scaleRank == 1) {
    std::optional<int64_t> axis = sinking.axisAbove(intAttr(sinking.op, "axis", 1));
    if (!axis)
      return false;
    changed.push_back(sinking.builder.getNamedAttr("axis", sinking.axisAttr(*axis)));
  }
  sinking.finish(dataAbove(sinking.op), changed, sinking.perm);
  return true;
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> nonUnitDims(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> dims;
  for (auto [d, size] : llvm::enumerate(shape))
    if (size != 1)
      dims.push_back(d);
  return dims;
}

/// A Reshape that only adds or drops dimensions of size 1 is as good above the Transpose as below it.
static bool sinkUnitReshape(Sinking &sinking) {
  auto in = cast<RankedTensorType>(sinking.op->getOperand(0).getType());
  auto out = dyn_cast<RankedTensorType>(sinking.op->getResult(0).getType());
  if (!out || !in.hasStaticShape() || !out.hasStaticShape())
    return false;
  SmallVector<int64_t> inDims = nonUnitDims(in.getShape()), outDims = nonUnitDims(out.getShape());
  if (inDims.size() != outDims.size())
    return false;
  // Sort key of each result dimension: where its data is above; unit dimensions stay behind their predecessor.
  SmallVector<int64_t> key(out.getRank(), -1);
  for (auto [a, b] : llvm::zip_equal(inDims, outDims)) {
    if (in.getDimSize(a) != out.getDimSize(b))
      return false;
    key[b] = sinking.perm[a];
  }
  for (int64_t d = 1; d < out.getRank(); ++d)
    if (out.getDimSize(d) == 1)
      key[d] = key[d - 1];
  Permutation order = llvm::to_vector(llvm::seq<int64_t>(0, out.getRank()));
  llvm::sort(order, [&](int64_t a, int64_t b) { return std::pair(key[a], a) < std::pair(key[b], b); });
  Value data = transposeOf(sinking.op->getOperand(0))->getOperand(0);
  Value above = createReshape(sinking.builder, sinking.op->getLoc(), data, permute(out.getShape(), order));
  Permutation below = inversePermutation(order);
  Value result =
      isIdentityPermutation(below) ? above : createTranspose(sinking.builder, sinking.op->getLoc(), above, below);
  sinking.op->getResult(0).replaceAllUsesWith(result);
  sinking.op->erase();
  return true;
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

namespace {
struct Rule {
  StringLiteral name;
  bool (*sink)(Sinking &);
};
} // namespace

/// Rules for ops whose data is operand 0.
static constexpr Rule dataRules[] = {
    {"ArgMax", sinkReduce},
    {"ArgMin", sinkReduce},
    {"DequantizeLinear", sinkQuantize},
    {"Expand", sinkExpand},
    {"LogSoftmax", sinkAxisOp},
    {"Pad", sinkAxesList},
    {"QuantizeLinear", sinkQuantize},
    {"ReduceL1", sinkReduce},
    {"ReduceL2", sinkReduce},
    {"ReduceLogSum", sinkReduce},
    {"ReduceLogSumExp", sinkReduce},
    {"ReduceMax", sinkReduce},
    {"ReduceMean", sinkReduce},
    {"ReduceMin", sinkReduce},
    {"ReduceProd", sinkReduce},
    {"ReduceSum", sinkReduce},
    {"ReduceSumSquare", sinkReduce},
    {"Reshape", sinkUnitReshape},
    {"Slice", sinkAxesList},
    {"Softmax", sinkAxisOp},
    {"Split", sinkAxisOp},
    {"Tile", sinkTile},
};

bool leaf::sinkTransposes(Operation *op) {
  if (!isOnnx(op) || op->getNumOperands() == 0)
    return false;
  if (isElementwiseOp(op->getName()) || isOnnx(op, "Concat")) {
    for (Value operand : op->getOperands()) {
      Operation *transpose = transposeOf(operand);
      if (!transpose)
        continue;
      Sinking sinking(op, permutationOf(transpose, rankOf(operand)));
      if (isOnnx(op, "Concat") ? sinkConcat(sinking) : sinkElementwise(sinking))
        return true;
    }
    return false;
  }
  Operation *transpose = transposeOf(op->getOperand(0));
  const Rule *rule = llvm::find_if(dataRules, [&](const Rule &entry) { return entry.name == onnxName(op); });
  if (!transpose || rule == std::end(dataRules))
    return false;
  Sinking sinking(op, permutationOf(transpose, rankOf(op->getOperand(0))));
  return rule->sink(sinking);
}

/// The permuted rows of a [K, N] weight (columns of [N, K] when `transposed`): row k of the flattened T(x) is row
/// order[k] of the flattened x.
static HostTensor permuteRows(const HostTensor &weight, ArrayRef<int64_t> order, bool transposed) {
  HostTensor result = HostTensor::make(weight.type());
  unsigned bytes = HostTensor::elementBytes(weight.elementType());
  int64_t columns = weight.shape()[1];
  for (int64_t r = 0; r < weight.shape()[0]; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      int64_t to = transposed ? r * columns + order[c] : order[r] * columns + c;
      std::memcpy(result.data() + to * bytes, weight.bytes().data() + (r * columns + c) * bytes, bytes);
    }
  return result;
}

/// The stored weight behind `value`, which may be decoded by a Cast, or by a DequantizeLinear whose scales do not run
/// along `dim`. Null when there is none.
static Value storedWeight(Value value, int64_t dim) {
  if (isConstantValue(value))
    return value;
  Operation *op = value.getDefiningOp();
  if (!op || !isOnnx(op) || op->getNumOperands() == 0 || !isConstantValue(op->getOperand(0)))
    return {};
  if (isOnnx(op, "Cast"))
    return op->getOperand(0);
  if (!isOnnx(op, "DequantizeLinear") || intAttr(op, "block_size", 0) != 0 || rankOf(op->getOperand(1)) > 1)
    return {};
  std::optional<int64_t> axis = normalizeAxis(intAttr(op, "axis", 1), rankOf(value));
  auto scale = dyn_cast<RankedTensorType>(op->getOperand(1).getType());
  bool isOneScale = scale && scale.hasStaticShape() && scale.getNumElements() == 1;
  return isOneScale || (axis && *axis != dim) ? op->getOperand(0) : Value();
}

bool leaf::permuteWeightRows(Operation *op) {
  bool isGemm = isOnnx(op, "Gemm");
  if ((!isGemm && !isOnnx(op, "MatMul")) || (isGemm && intAttr(op, "transA", 0)))
    return false;
  Operation *reshape = op->getOperand(0).getDefiningOp();
  Operation *transpose = reshape && isOnnx(reshape, "Reshape") ? transposeOf(reshape->getOperand(0)) : nullptr;
  if (!transpose)
    return false;
  auto flat = dyn_cast<RankedTensorType>(reshape->getResult(0).getType());
  auto below = cast<RankedTensorType>(transpose->getResult(0).getType());
  Permutation perm = permutationOf(transpose, below.getRank());
  // [B, ...] flattened to [B, K], B staying first.
  if (!flat || flat.getRank() != 2 || !flat.hasStaticShape() || !below.hasStaticShape() || perm.empty() ||
      perm[0] != 0 || flat.getDimSize(0) != below.getDimSize(0))
    return false;
  bool transposed = isGemm && intAttr(op, "transB", 0) != 0;
  Value stored = storedWeight(op->getOperand(1), transposed ? 1 : 0);
  std::optional<HostTensor> weight = stored ? getHostConstant(stored) : std::nullopt;
  if (!weight || weight->rank() != 2 || weight->shape()[transposed ? 1 : 0] != flat.getDimSize(1))
    return false;
  // Number the rows of one batch by their place in x, and read them in T(x)'s order.
  auto above = cast<RankedTensorType>(transpose->getOperand(0).getType());
  SmallVector<int64_t> shape(above.getShape().drop_front()), inner;
  for (int64_t from : ArrayRef(perm).drop_front())
    inner.push_back(from - 1);
  auto i64 = IntegerType::get(op->getContext(), 64);
  HostTensor rows = HostTensor::make(RankedTensorType::get(shape, i64));
  for (int64_t k = 0, e = rows.size(); k < e; ++k)
    rows.setInt(k, k);
  SmallVector<int64_t> order = *transposeTensor(rows, inner).ints();
  OpBuilder builder(op);
  auto load = stored.getDefiningOp<LoadWeightOp>();
  Value permuted = createConstant(builder, op->getLoc(), permuteRows(*weight, order, transposed),
                                  load ? load.getWeight() : StringRef("permuted"));
  if (stored != op->getOperand(1)) {
    Operation *decode = builder.clone(*op->getOperand(1).getDefiningOp());
    decode->setOperand(0, permuted);
    permuted = decode->getResult(0);
  }
  op->setOperand(0, createReshape(builder, reshape->getLoc(), transpose->getOperand(0), flat.getShape()));
  op->setOperand(1, permuted);
  return true;
}
