//===- Containers.cpp - sequences and optionals of known structure ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Containers.h"

#include "UnrollLoop.h"
#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Iterators.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace leaf;

/// Parts that one SplitToSequence makes at most.
static constexpr int64_t kMaxParts = 65536;

bool leaf::isContainer(Type type) { return isa<leaf::onnx::SequenceType, leaf::onnx::OptionalType>(type); }

using Elements = SmallVector<Value>;

/// The elements of a sequence whose length is known.
static std::optional<Elements> getElements(Value sequence) {
  Operation *op = sequence.getDefiningOp();
  if (op && isOnnx(op, "SequenceEmpty"))
    return Elements();
  if (op && isOnnx(op, "SequenceConstruct"))
    return Elements(op->getOperands());
  return std::nullopt;
}

/// The value in an optional, null where it has none; nothing where that is not known.
static std::optional<Value> getContent(Value optional) {
  if (!isa<leaf::onnx::OptionalType>(optional.getType()))
    return isNoValue(optional) ? Value() : optional;
  Operation *op = optional.getDefiningOp();
  if (!op || !isOnnx(op, "Optional"))
    return std::nullopt;
  return onnxOperand(op, 0);
}

/// The single integer of a constant operand; `absent` where there is none.
static std::optional<int64_t> getInteger(Operation *op, unsigned operand, int64_t absent) {
  Value value = onnxOperand(op, operand);
  if (!value)
    return absent;
  std::optional<HostTensor> constant = getHostConstant(value);
  if (!constant || constant->size() != 1 || constant->isFloat())
    return std::nullopt;
  return constant->getInt(0);
}

namespace {

/// One rewriting: what replaces the results of `op`, made in front of it.
class Rewrite {
public:
  explicit Rewrite(Operation *op) : op(op), builder(op), before(op->getPrevNode()) {}

  Location loc() const { return op->getLoc(); }
  Value create(StringRef name, Type type, ValueRange operands,
               std::initializer_list<std::pair<StringRef, Attribute>> attributes = {}) {
    return createOnnx(builder, loc(), name, type, operands, attributes)->getResult(0);
  }
  IntegerAttr integer(int64_t value) { return builder.getI64IntegerAttr(value); }
  Value ints(ArrayRef<int64_t> values) { return createInts(builder, loc(), values); }
  Value scalar(int64_t value, Type element) {
    return createConstant(builder, loc(), HostTensor::ofInts(RankedTensorType::get({}, element), value), "length");
  }
  Value sequence(ArrayRef<Value> elements, Type type) { return create("SequenceConstruct", type, elements); }
  OpBuilder &b() { return builder; }

  Operation *finish(ValueRange values) {
    op->replaceAllUsesWith(values);
    return finish();
  }
  Operation *finish() {
    Operation *first = before ? before->getNextNode() : &op->getBlock()->front();
    if (first == op)
      first = op->getNextNode();
    op->erase();
    return first;
  }

private:
  Operation *op;
  OpBuilder builder;
  Operation *before;
};

} // namespace

using Resolution = std::optional<Operation *>;

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

/// A position from the front, or nothing where it lies outside.
static std::optional<int64_t> getPosition(Operation *op, unsigned operand, int64_t absent, int64_t count) {
  std::optional<int64_t> position = getInteger(op, operand, absent);
  if (!position)
    return std::nullopt;
  if (*position < 0)
    *position += count;
  return *position >= 0 && *position < count ? position : std::nullopt;
}

static Resolution resolveLength(Operation *op) {
  std::optional<Elements> elements = getElements(op->getOperand(0));
  if (!elements)
    return std::nullopt;
  Rewrite rewrite(op);
  return rewrite.finish(rewrite.scalar(elements->size(), rewrite.b().getI64Type()));
}

/// Elements of one type make a tensor with a leading dimension, from which a position that data decides is taken.
static Value gatherElement(Rewrite &rewrite, ArrayRef<Value> elements, Value position) {
  auto type = dyn_cast<RankedTensorType>(elements.front().getType());
  if (!type || !type.hasStaticShape() || !llvm::all_of(elements, [&](Value v) { return v.getType() == type; }))
    return {};
  SmallVector<int64_t> one(type.getShape()), all(type.getShape());
  one.insert(one.begin(), 1);
  all.insert(all.begin(), elements.size());
  Value axis = rewrite.ints({0});
  Elements rows;
  for (Value element : elements)
    rows.push_back(rewrite.create("Unsqueeze", type.clone(one), {element, axis}));
  Value table = rewrite.create("Concat", type.clone(all), rows, {{"axis", rewrite.integer(0)}});
  return rewrite.create("Gather", type, {table, position}, {{"axis", rewrite.integer(0)}});
}

static Resolution resolveAt(Operation *op) {
  std::optional<Elements> elements = getElements(op->getOperand(0));
  if (!elements || elements->empty())
    return std::nullopt;
  Rewrite rewrite(op);
  if (isConstantValue(op->getOperand(1))) {
    std::optional<int64_t> position = getPosition(op, 1, 0, elements->size());
    return position ? Resolution(rewrite.finish((*elements)[*position])) : std::nullopt;
  }
  Value element = gatherElement(rewrite, *elements, op->getOperand(1));
  return element ? Resolution(rewrite.finish(element)) : std::nullopt;
}

static Resolution resolveInsert(Operation *op) {
  std::optional<Elements> elements = getElements(op->getOperand(0));
  if (!elements)
    return std::nullopt;
  // The end is a position, too; -1 is in front of the last.
  int64_t count = elements->size();
  std::optional<int64_t> position = getInteger(op, 2, count);
  if (!position)
    return std::nullopt;
  if (*position < 0)
    *position += count;
  if (*position < 0 || *position > count)
    return std::nullopt;
  elements->insert(elements->begin() + *position, op->getOperand(1));
  Rewrite rewrite(op);
  return rewrite.finish(rewrite.sequence(*elements, op->getResult(0).getType()));
}

static Resolution resolveErase(Operation *op) {
  std::optional<Elements> elements = getElements(op->getOperand(0));
  std::optional<int64_t> position = elements ? getPosition(op, 1, -1, elements->size()) : std::nullopt;
  if (!position)
    return std::nullopt;
  elements->erase(elements->begin() + *position);
  Rewrite rewrite(op);
  return rewrite.finish(rewrite.sequence(*elements, op->getResult(0).getType()));
}

static Resolution resolveConcat(Operation *op) {
  std::optional<Elements> elements = getElements(op->getOperand(0));
  if (!elements || elements->empty())
    return std::nullopt;
  auto result = dyn_cast<TensorType>(op->getResult(0).getType());
  Rewrite rewrite(op);
  Type unranked = UnrankedTensorType::get(result.getElementType());
  auto axis = rewrite.integer(intAttr(op, "axis", 0));
  if (intAttr(op, "new_axis", 0) != 0) {
    Value axes = rewrite.ints({axis.getInt()});
    for (Value &element : *elements)
      element = rewrite.create("Unsqueeze", unranked, {element, axes});
  }
  return rewrite.finish(rewrite.create("Concat", result, *elements, {{"axis", axis}}));
}

/// Sizes of the parts of SplitToSequence along an axis of `size`.
static std::optional<SmallVector<int64_t>> getParts(Operation *op, int64_t size) {
  Value split = onnxOperand(op, 1);
  if (!split)
    return SmallVector<int64_t>(size, 1);
  std::optional<HostTensor> constant = getHostConstant(split);
  if (!constant || constant->isFloat())
    return std::nullopt;
  if (constant->rank() > 0)
    return constant->ints();
  int64_t part = constant->getInt(0);
  if (part < 1)
    return std::nullopt;
  SmallVector<int64_t> parts(size / part, part);
  if (size % part)
    parts.push_back(size % part);
  return parts;
}

static Resolution resolveSplit(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  std::optional<int64_t> axis = type ? normalizeAxis(intAttr(op, "axis", 0), type.getRank()) : std::nullopt;
  if (!axis || type.isDynamicDim(*axis) || type.getDimSize(*axis) > kMaxParts)
    return std::nullopt;
  std::optional<SmallVector<int64_t>> parts = getParts(op, type.getDimSize(*axis));
  if (!parts || parts->empty())
    return std::nullopt;
  Rewrite rewrite(op);
  SmallVector<Type> types;
  for (int64_t part : *parts) {
    SmallVector<int64_t> shape(type.getShape());
    shape[*axis] = part;
    types.push_back(type.clone(shape));
  }
  Operation *split = createOnnx(rewrite.b(), op->getLoc(), "Split", types, {op->getOperand(0), rewrite.ints(*parts)},
                                {{"axis", rewrite.integer(*axis)}});
  Elements elements(split->getResults());
  // With sizes given, dimensions are kept whatever keepdims says.
  if (!onnxOperand(op, 1) && intAttr(op, "keepdims", 1) == 0) {
    SmallVector<int64_t> shape(type.getShape());
    shape.erase(shape.begin() + *axis);
    Value axes = rewrite.ints({*axis});
    for (Value &element : elements)
      element = rewrite.create("Squeeze", type.clone(shape), {element, axes});
  }
  return rewrite.finish(rewrite.sequence(elements, op->getResult(0).getType()));
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

static Resolution resolveHasElement(Operation *op) {
  std::optional<Value> content = op->getNumOperands() ? getContent(op->getOperand(0)) : Value();
  if (!content)
    return std::nullopt;
  Rewrite rewrite(op);
  return rewrite.finish(rewrite.scalar(*content ? 1 : 0, rewrite.b().getI1Type()));
}

static Resolution resolveGetElement(Operation *op) {
  std::optional<Value> content = getContent(op->getOperand(0));
  if (!content || !*content)
    return std::nullopt;
  return Rewrite(op).finish(*content);
}

static Resolution resolveIdentity(Operation *op) {
  if (!isContainer(op->getOperand(0).getType()))
    return std::nullopt;
  return Rewrite(op).finish(op->getOperand(0));
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// The tensors of a container that is known, and how it is put together again from others.
struct Parts {
  Elements tensors;
  bool isSequence = false, isOptional = false, isPresent = true;

  bool operator==(const Parts &other) const {
    return tensors.size() == other.tensors.size() && isSequence == other.isSequence && isPresent == other.isPresent;
  }
  Value rebuild(Rewrite &rewrite, ValueRange from, Type type) const;
};

static std::optional<Parts> takeApart(Value value) {
  Parts parts;
  parts.isOptional = isa<leaf::onnx::OptionalType>(value.getType());
  std::optional<Value> content = getContent(value);
  if (!content)
    return std::nullopt;
  parts.isPresent = static_cast<bool>(*content);
  if (!parts.isPresent)
    return parts;
  parts.isSequence = isa<leaf::onnx::SequenceType>(content->getType());
  if (!parts.isSequence) {
    parts.tensors.push_back(*content);
    return parts;
  }
  std::optional<Elements> elements = getElements(*content);
  if (!elements)
    return std::nullopt;
  parts.tensors = *elements;
  return parts;
}

Value Parts::rebuild(Rewrite &rewrite, ValueRange from, Type type) const {
  Type inner = isOptional ? cast<leaf::onnx::OptionalType>(type).getElementType() : type;
  Value value = !isPresent   ? createNoValue(rewrite.b(), rewrite.loc())
                : isSequence ? rewrite.sequence(Elements(from), inner)
                             : from.front();
  if (!isOptional)
    return value;
  return rewrite.create("Optional", type, value, {{"type_attr", TypeAttr::get(inner)}});
}

/// Both branches yield the tensors of their containers instead.
static Resolution resolveIf(Operation *op) {
  if (llvm::none_of(op->getResultTypes(), isContainer))
    return std::nullopt;
  SmallVector<Value> yields[2];
  SmallVector<Parts> parts;
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    std::optional<Parts> both[2];
    for (unsigned k = 0; k < 2; ++k) {
      both[k] = takeApart(op->getRegion(k).front().getTerminator()->getOperand(i));
      if (!both[k])
        return std::nullopt;
      llvm::append_range(yields[k], both[k]->tensors);
    }
    if (!(*both[0] == *both[1]))
      return std::nullopt;
    parts.push_back(*both[0]);
  }
  Rewrite rewrite(op);
  SmallVector<Type> types;
  for (Value value : yields[0])
    types.push_back(UnrankedTensorType::get(cast<TensorType>(value.getType()).getElementType()));
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(op->getOperands());
  state.addTypes(types);
  state.addAttributes(op->getAttrs());
  for (unsigned k = 0; k < 2; ++k) {
    op->getRegion(k).front().getTerminator()->setOperands(yields[k]);
    state.addRegion()->takeBody(op->getRegion(k));
  }
  Operation *replacement = rewrite.b().create(state);
  Elements values;
  unsigned next = 0;
  for (auto [part, result] : llvm::zip_equal(parts, op->getResults())) {
    values.push_back(
        part.rebuild(rewrite, replacement->getResults().slice(next, part.tensors.size()), result.getType()));
    next += part.tensors.size();
  }
  return rewrite.finish(values);
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

/// Whether an op in a region of `op` handles containers.
static bool handlesContainers(Operation *op) {
  return op
      ->walk([&](Operation *inner) {
        return llvm::any_of(inner->getOperandTypes(), isContainer) || llvm::any_of(inner->getResultTypes(), isContainer)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

static Resolution resolveLoop(Operation *op) {
  if (!handlesContainers(op))
    return std::nullopt;
  Operation *first = unrollLoop(op);
  return first ? Resolution(first) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// All
//===----------------------------------------------------------------------===//

std::optional<Operation *> leaf::resolveContainers(Operation *op) {
  static const llvm::StringMap<Resolution (*)(Operation *)> table = {{"SequenceLength", resolveLength},
                                                                     {"SequenceAt", resolveAt},
                                                                     {"SequenceInsert", resolveInsert},
                                                                     {"SequenceErase", resolveErase},
                                                                     {"ConcatFromSequence", resolveConcat},
                                                                     {"SplitToSequence", resolveSplit},
                                                                     {"OptionalHasElement", resolveHasElement},
                                                                     {"OptionalGetElement", resolveGetElement},
                                                                     {"Identity", resolveIdentity},
                                                                     {"If", resolveIf},
                                                                     {"Loop", resolveLoop}};
  auto found = isOnnx(op) ? table.find(onnxName(op)) : table.end();
  return found == table.end() ? std::nullopt : found->second(op);
}

void leaf::expandContainerResults(func::FuncOp entry) {
  Operation *ret = entry.front().getTerminator();
  if (llvm::none_of(ret->getOperandTypes(), isContainer))
    return;
  Builder builder(entry.getContext());
  SmallVector<Value> values;
  SmallVector<Attribute> attributes;
  for (auto [i, value] : llvm::enumerate(ret->getOperands())) {
    DictionaryAttr own = entry.getResultAttrDict(i);
    std::optional<Parts> parts = isContainer(value.getType()) ? takeApart(value) : std::nullopt;
    if (!parts) {
      values.push_back(value);
      attributes.push_back(own);
      continue;
    }
    for (auto [k, tensor] : llvm::enumerate(parts->tensors)) {
      std::string name = own.getAs<StringAttr>(attrs::kName).str();
      if (parts->isSequence)
        name += "[" + std::to_string(k) + "]";
      NamedAttrList list;
      list.set(attrs::kName, builder.getStringAttr(name));
      values.push_back(tensor);
      attributes.push_back(list.getDictionary(entry.getContext()));
    }
  }
  ret->setOperands(values);
  entry.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), ValueRange(values).getTypes()));
  entry.setResAttrsAttr(builder.getArrayAttr(attributes));
}

/// Why the container that `op` makes is not known at compile time.
static std::string explain(Operation *op) {
  if (isOnnx(op, "Loop"))
    return "is carried by a loop whose number of iterations is not known when the model is compiled; make its trip "
           "count and condition constants with --pin INPUT=FILE.npy";
  if (isOnnx(op, "If"))
    return "has another length or presence in each branch; make the condition a constant with --pin INPUT=FILE.npy";
  if (isOnnx(op, "SplitToSequence"))
    return "has parts that are not known when the model is compiled; give the size of the axis with --dim NAME=N, and "
           "the parts with --pin INPUT=FILE.npy";
  return "is not known in length when the model is compiled; positions must lie within the sequence, and inputs that "
         "decide them be made constants with --pin INPUT=FILE.npy";
}

LogicalResult leaf::checkContainers(func::FuncOp entry) {
  SmallVector<Operation *> makers;
  entry.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (llvm::any_of(op->getResultTypes(), isContainer)) {
      if (op->use_empty() && isMemoryEffectFree(op))
        return op->erase();
      makers.push_back(op);
    }
  });
  bool ok = true;
  for (Operation *op : llvm::reverse(makers)) {
    // What makes a known container is right; one of those that use it is not.
    if (isOnnx(op, "SequenceConstruct") || isOnnx(op, "SequenceEmpty") || isOnnx(op, "Optional"))
      continue;
    ok = false;
    op->emitOpError("makes a sequence or optional that ") << explain(op);
  }
  if (!ok || makers.empty())
    return success(ok);
  Operation *user = *makers.front()->user_begin();
  return user->emitOpError("takes a sequence or optional, but what it does with it is not known when the model is "
                           "compiled: ")
         << "positions must be constants within the sequence, or all elements have one static shape";
}
