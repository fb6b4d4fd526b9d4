//===- LowerStrings.cpp - tensors of strings become places and bytes ----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Operators that only move elements move the places; the bytes stay where they are. Where elements of several tensors
// come together, so do their pools, and the places of all but the first are shifted. Operators that read bytes become
// onnx.StringNode.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Iterators.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

namespace leaf {
#define GEN_PASS_DEF_LOWERSTRINGS
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Pools are addressed with 32 bits.
static constexpr int64_t kMostBytes = (int64_t(1) << 31) - 1;

static bool isString(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  return tensor && isa<leaf::onnx::StringType>(tensor.getElementType());
}

namespace {

/// A tensor of strings: places, bytes, and how often the lengths of all elements together may exceed the pool, because
/// elements share their bytes.
struct Strings {
  Value spans, pool;
  int64_t factor = 1;

  int64_t poolSize() const { return cast<RankedTensorType>(pool.getType()).getDimSize(0); }
};

class StringLowering {
public:
  explicit StringLowering(func::FuncOp main) : main(main), builder(main.getContext()) {}

  LogicalResult run();

private:
  LogicalResult lowerBlock(Block &block);
  LogicalResult lowerOp(Operation *op);
  LogicalResult lowerMovement(Operation *op);
  LogicalResult lowerReader(Operation *op);
  LogicalResult lowerIf(Operation *op);
  void lowerReturn(Operation *op);
  Value join(Strings &first, Strings &second, Location loc);
  Type spansType(Type type) { return cast<TensorType>(type).clone(builder.getI64Type()); }
  Type poolType(int64_t bytes) {
    return RankedTensorType::get({bytes}, IntegerType::get(builder.getContext(), 8, IntegerType::Unsigned));
  }
  FailureOr<int64_t> resultFactor(Operation *op, int64_t factor);
  FailureOr<SmallVector<int64_t>> resultBytes(Operation *op, ArrayRef<Strings> operands);

  func::FuncOp main;
  OpBuilder builder;
  llvm::DenseMap<Value, Strings> lowered;
};

} // namespace

/// Operators whose elements of operands and results are the same, and the operands that hold such elements.
static std::optional<SmallVector<unsigned>> getMovedOperands(Operation *op) {
  static const llvm::StringSet<> first = {"Identity",  "Reshape", "Flatten",  "Squeeze", "Unsqueeze",
                                          "Transpose", "Slice",   "Gather",   "Expand",  "GatherElements",
                                          "GatherND",  "Tile",    "Compress", "Split",   "ReverseSequence"};
  SmallVector<unsigned> operands;
  if (first.contains(onnxName(op)))
    return SmallVector<unsigned>{0};
  if (isOnnx(op, "Where"))
    return SmallVector<unsigned>{1, 2};
  if (isOnnx(op, "ScatterElements") || isOnnx(op, "ScatterND"))
    return SmallVector<unsigned>{0, 2};
  if (isOnnx(op, "Concat"))
    return llvm::to_vector(llvm::seq<unsigned>(0, op->getNumOperands()));
  return std::nullopt;
}

static std::optional<int64_t> countElements(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? std::optional(type.getNumElements()) : std::nullopt;
}

/// How often bytes may be used in a result after operators that repeat elements.
FailureOr<int64_t> StringLowering::resultFactor(Operation *op, int64_t factor) {
  bool picks = isOnnx(op, "Gather") || isOnnx(op, "GatherElements") || isOnnx(op, "GatherND");
  if (!picks && !isOnnx(op, "Expand") && !isOnnx(op, "Tile"))
    return factor;
  std::optional<int64_t> from = countElements(op->getOperand(0)), to = countElements(op->getResult(0));
  if (!from || !to)
    return op->emitOpError("repeats strings a number of times that is not known when the model is compiled; fix the "
                           "sizes with --dim NAME=N");
  int64_t times = picks ? std::max<int64_t>(*to, 1) : llvm::divideCeil(*to, std::max<int64_t>(*from, 1));
  int64_t all;
  if (llvm::MulOverflow(factor, std::max<int64_t>(times, 1), all) || all > kMostBytes)
    return op->emitOpError("repeats too many strings");
  return all;
}

/// Puts the pool of `second` behind that of `first`, for both, and returns the shifted places of `second`.
Value StringLowering::join(Strings &first, Strings &second, Location loc) {
  if (first.pool == second.pool)
    return second.spans;
  auto i64 = builder.getI64Type();
  Value shift;
  bool isOpen = ShapedType::isDynamic(first.poolSize());
  if (isOpen) {
    Value size = createOnnx(builder, loc, "Size", RankedTensorType::get({}, i64), first.pool)->getResult(0);
    Value unit =
        createConstant(builder, loc, HostTensor::ofInts(RankedTensorType::get({}, i64), {int64_t(1) << 32}), "shift");
    shift = createOnnx(builder, loc, "Mul", RankedTensorType::get({}, i64), {size, unit})->getResult(0);
  } else {
    shift = createConstant(builder, loc, HostTensor::ofInts(RankedTensorType::get({}, i64), {first.poolSize() << 32}),
                           "shift");
  }
  int64_t size =
      isOpen || ShapedType::isDynamic(second.poolSize()) ? ShapedType::kDynamic : first.poolSize() + second.poolSize();
  first.pool = createOnnx(builder, loc, "Concat", poolType(size), {first.pool, second.pool},
                          {{"axis", builder.getI64IntegerAttr(0)}})
                   ->getResult(0);
  first.factor = std::max(first.factor, second.factor);
  return createOnnx(builder, loc, "Add", second.spans.getType(), {second.spans, shift})->getResult(0);
}

LogicalResult StringLowering::lowerMovement(Operation *op) {
  SmallVector<Value> operands(op->getOperands());
  std::optional<Strings> all;
  for (unsigned i : *getMovedOperands(op)) {
    Strings own = lowered.lookup(operands[i]);
    if (!all) {
      all = own;
      operands[i] = own.spans;
    } else {
      operands[i] = join(*all, own, op->getLoc());
    }
  }
  FailureOr<int64_t> factor = resultFactor(op, all->factor);
  if (failed(factor))
    return failure();
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(operands);
  for (Type type : op->getResultTypes())
    state.addTypes(isString(type) ? spansType(type) : type);
  state.addAttributes(op->getAttrs());
  Operation *moved = builder.create(state);
  for (auto [before, after] : llvm::zip(op->getResults(), moved->getResults()))
    lowered[before] = {after, all->pool, *factor};
  return success();
}

/// Bytes of all strings that a LabelEncoder may give.
static int64_t countLabelBytes(Operation *op) {
  int64_t bytes = 0;
  auto add = [&](Attribute attribute) {
    if (auto text = dyn_cast_or_null<StringAttr>(attribute))
      bytes += text.size();
    if (auto array = dyn_cast_or_null<ArrayAttr>(attribute))
      for (StringAttr text : array.getAsRange<StringAttr>())
        bytes += text.size();
    if (auto elements = dyn_cast_or_null<DenseStringElementsAttr>(attribute))
      for (StringRef text : elements.getValues<StringRef>())
        bytes += text.size();
  };
  add(op->getAttr("values_strings"));
  add(op->getAttr("values_tensor"));
  Attribute other = op->getAttr("default_tensor");
  add(isa_and_nonnull<DenseStringElementsAttr>(other)
          ? other
          : StringAttr::get(op->getContext(), stringAttr(op, "default_string", "_Unused")));
  return std::max<int64_t>(bytes, 1);
}

/// Bytes that each result of strings needs; -1: it shares the pool of the first operand. kDynamic: as much as the
/// operands have.
FailureOr<SmallVector<int64_t>> StringLowering::resultBytes(Operation *op, ArrayRef<Strings> operands) {
  SmallVector<int64_t> bytes;
  for (OpResult result : op->getResults()) {
    if (!isString(result.getType()))
      continue;
    if (isOnnx(op, "StringSplit")) {
      bytes.push_back(-1);
      continue;
    }
    if (isOnnx(op, "StringNormalizer")) {
      bytes.push_back(operands.front().poolSize());
      continue;
    }
    if (isOnnx(op, "ml.LabelEncoder")) {
      bytes.push_back(countLabelBytes(op));
      continue;
    }
    int64_t all = 0;
    std::optional<int64_t> to = countElements(result);
    for (const Strings &operand : operands) {
      std::optional<int64_t> from = countElements(operand.spans);
      if (ShapedType::isDynamic(operand.poolSize()) || !from || !to) {
        all = ShapedType::kDynamic;
        break;
      }
      int64_t times = llvm::divideCeil(std::max<int64_t>(*to, 1), std::max<int64_t>(*from, 1));
      if (llvm::MulOverflow(times, operand.factor * operand.poolSize(), times) || llvm::AddOverflow(all, times, all) ||
          all > kMostBytes)
        return op->emitOpError("makes strings of more than 2 GiB");
    }
    bytes.push_back(all);
  }
  return bytes;
}

LogicalResult StringLowering::lowerReader(Operation *op) {
  static const llvm::StringSet<> readers = {"Equal",          "StringConcat",    "StringSplit",    "StringNormalizer",
                                            "RegexFullMatch", "TfIdfVectorizer", "ml.LabelEncoder"};
  if (!readers.contains(onnxName(op)))
    return op->emitOpError("on strings is not supported");
  OperationState state(op->getLoc(), leaf::onnx::StringNodeOp::getOperationName());
  SmallVector<Strings> strings;
  for (Value operand : op->getOperands()) {
    auto found = lowered.find(operand);
    if (found == lowered.end()) {
      state.addOperands(operand);
      continue;
    }
    strings.push_back(found->second);
    state.addOperands({found->second.spans, found->second.pool});
  }
  FailureOr<SmallVector<int64_t>> bytes = resultBytes(op, strings);
  if (failed(bytes))
    return failure();
  unsigned nextBytes = 0;
  for (Type type : op->getResultTypes()) {
    state.addTypes(isString(type) ? spansType(type) : type);
    if (!isString(type))
      continue;
    int64_t size = (*bytes)[nextBytes++];
    if (size >= 0 || ShapedType::isDynamic(size))
      state.addTypes(poolType(size));
  }
  state.addAttributes(op->getAttrs());
  state.addAttribute("operator_name", builder.getStringAttr(onnxName(op)));
  Operation *node = builder.create(state);
  unsigned next = 0;
  nextBytes = 0;
  for (OpResult result : op->getResults()) {
    Value value = node->getResult(next++);
    if (!isString(result.getType())) {
      result.replaceAllUsesWith(value);
      continue;
    }
    bool shares = (*bytes)[nextBytes++] == -1;
    int64_t factor = shares || isOnnx(op, "StringNormalizer") ? strings.front().factor : 1;
    if (isOnnx(op, "ml.LabelEncoder"))
      factor = std::max<int64_t>(countElements(value).value_or(kMostBytes), 1);
    lowered[result] = {value, shares ? strings.front().pool : node->getResult(next++), factor};
  }
  return success();
}

/// Branches yield places and bytes.
LogicalResult StringLowering::lowerIf(Operation *op) {
  SmallVector<Type> types;
  SmallVector<Value> yields[2];
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    Strings both[2];
    bool areStrings = isString(op->getResult(i).getType());
    for (unsigned k = 0; k < 2; ++k) {
      Value value = op->getRegion(k).front().getTerminator()->getOperand(i);
      both[k] = areStrings ? lowered.lookup(value) : Strings{value, {}};
      yields[k].push_back(both[k].spans);
      if (areStrings)
        yields[k].push_back(both[k].pool);
    }
    types.push_back(areStrings ? spansType(op->getResult(i).getType()) : op->getResult(i).getType());
    if (areStrings)
      types.push_back(poolType(both[0].poolSize() == both[1].poolSize() ? both[0].poolSize() : ShapedType::kDynamic));
  }
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(op->getOperands());
  state.addTypes(types);
  state.addAttributes(op->getAttrs());
  for (unsigned k = 0; k < 2; ++k) {
    op->getRegion(k).front().getTerminator()->setOperands(yields[k]);
    state.addRegion()->takeBody(op->getRegion(k));
  }
  Operation *replacement = builder.create(state);
  unsigned next = 0;
  for (OpResult result : op->getResults()) {
    Value value = replacement->getResult(next++);
    if (isString(result.getType()))
      lowered[result] = {value, replacement->getResult(next++), 1};
    else
      result.replaceAllUsesWith(value);
  }
  return success();
}

LogicalResult StringLowering::lowerOp(Operation *op) {
  if (auto strings = dyn_cast<leaf::onnx::StringsOp>(op)) {
    lowered[strings.getResult()] = {strings.getSpans(), strings.getPool(), 1};
    return success();
  }
  for (Region &region : op->getRegions())
    if (failed(lowerBlock(region.front())))
      return failure();
  if (llvm::none_of(op->getOperandTypes(), isString) && llvm::none_of(op->getResultTypes(), isString))
    return success();
  if (isOnnx(op, "Yield"))
    return success();
  builder.setInsertionPoint(op);
  // Shapes are those of the places.
  if (isOnnx(op, "Shape") || isOnnx(op, "Size")) {
    op->setOperand(0, lowered.lookup(op->getOperand(0)).spans);
    return success();
  }
  if (isOnnx(op, "If"))
    return lowerIf(op);
  return getMovedOperands(op) ? lowerMovement(op) : lowerReader(op);
}

LogicalResult StringLowering::lowerBlock(Block &block) {
  for (BlockArgument argument : block.getArguments())
    if (isString(argument.getType()))
      return block.getParentOp()->emitOpError("carries strings, which is not supported");
  for (Operation &op : llvm::make_early_inc_range(block))
    if (!isa<func::ReturnOp>(op) && failed(lowerOp(&op)))
      return failure();
  return success();
}

/// Results: NAME, the places, and NAME.bytes.
void StringLowering::lowerReturn(Operation *op) {
  SmallVector<Value> values;
  SmallVector<Attribute> attributes;
  for (auto [i, value] : llvm::enumerate(op->getOperands())) {
    NamedAttrList own(main.getResultAttrDict(i));
    auto found = lowered.find(value);
    if (found == lowered.end()) {
      values.push_back(value);
      attributes.push_back(own.getDictionary(main.getContext()));
      continue;
    }
    std::string name = cast<StringAttr>(own.get(attrs::kName)).str();
    own.set(attrs::kElementType, builder.getStringAttr("string"));
    attributes.push_back(own.getDictionary(main.getContext()));
    NamedAttrList pool;
    pool.set(attrs::kName, builder.getStringAttr(name + ".bytes"));
    attributes.push_back(pool.getDictionary(main.getContext()));
    values.append({found->second.spans, found->second.pool});
  }
  op->setOperands(values);
  main.setFunctionType(builder.getFunctionType(main.getArgumentTypes(), ValueRange(values).getTypes()));
  main.setResAttrsAttr(builder.getArrayAttr(attributes));
}

LogicalResult StringLowering::run() {
  Block &block = main.front();
  if (failed(lowerBlock(block)))
    return failure();
  lowerReturn(block.getTerminator());
  main.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (llvm::any_of(op->getResultTypes(), isString) && op->use_empty())
      op->erase();
  });
  return success();
}

namespace {
struct LowerStrings : leaf::impl::LowerStringsBase<LowerStrings> {
  using LowerStringsBase::LowerStringsBase;

  void runOnOperation() override {
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(StringLowering(function).run()))
        signalPassFailure();
  }
};
} // namespace
