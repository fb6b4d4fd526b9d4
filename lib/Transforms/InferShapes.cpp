//===- InferShapes.cpp - infers shapes, folding shape arithmetic on the way ---===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Branches.h"
#include "Containers.h"
#include "InferMLShapes.h"
#include "UnrollLoop.h"
#include "leafcutter/Transforms/ConstantEvaluator.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"
#include "leafcutter/Transforms/SchemaBridge.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

namespace leaf {
#define GEN_PASS_DEF_INFERSHAPES
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

/// Values that shapes may be computed from are lists of sizes; larger ones are not tracked when known in part.
static constexpr int64_t kMaxTrackedElements = 256;
/// Types only get more specific, so the passes over a graph are few; the bound holds off a bug.
static constexpr unsigned kMaxPasses = 8;

namespace {

class ShapeInference {
public:
  ShapeInference() : evaluator(makeOptions()) {}

  LogicalResult run(func::FuncOp func);
  unsigned numFolded = 0, numRefined = 0;

private:
  ConstantEvaluatorOptions makeOptions() {
    ConstantEvaluatorOptions options;
    options.dimSymbol = [this](Value value, unsigned dim) { return symbolOf(value, dim); };
    return options;
  }
  int32_t symbolOf(Value value, unsigned dim);
  void nameArguments(func::FuncOp func);
  LogicalResult inferBlock(Block &block);
  LogicalResult inferOp(Operation *op);
  LogicalResult inferRegions(Operation *op);
  LogicalResult inferBranches(Operation *op);
  bool openChangedStates(Operation *op, unsigned firstArgument, unsigned numStates, unsigned firstYield);
  LogicalResult inferStates(Operation *op, unsigned firstArgument, unsigned numStates, unsigned firstYield);
  LogicalResult inferLoop(Operation *op);
  LogicalResult inferScan(Operation *op);
  LogicalResult inferTypes(Operation *op, ArrayRef<const HostTensor *> values);
  bool trackValues(Operation *op, ArrayRef<const HostTensor *> values);
  void simplifyReshape(Operation *op, const HostTensor *target);
  LogicalResult refineResults(func::FuncOp func);
  void setType(Value value, Type type);

  ConstantEvaluator evaluator;
  llvm::StringMap<int32_t> symbolsByName;
  DenseMap<Value, SmallVector<int32_t>> symbols; ///< per dimension; looked up only, never iterated
  DenseMap<Value, HostTensor> partial;           ///< integer lists known in part; looked up only
  llvm::SmallDenseSet<Value> openStates;         ///< states of loops whose shape changes; looked up only
  int32_t nextSymbol = 1;
};

/// Every `?` has a symbol; one that nothing named gets a symbol of its own.
int32_t ShapeInference::symbolOf(Value value, unsigned dim) {
  SmallVector<int32_t> &own = symbols[value];
  if (own.size() <= dim)
    own.resize(cast<ShapedType>(value.getType()).getRank(), 0);
  if (own[dim] == 0)
    own[dim] = nextSymbol++;
  return own[dim];
}

void ShapeInference::nameArguments(func::FuncOp func) {
  for (BlockArgument argument : func.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto names = func.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), attrs::kDims);
    if (!type || !names || static_cast<int64_t>(names.size()) != type.getRank())
      continue;
    SmallVector<int32_t> own;
    for (StringAttr name : names.getAsRange<StringAttr>()) {
      int32_t &symbol = symbolsByName[name.getValue()];
      if (symbol == 0)
        symbol = nextSymbol++;
      own.push_back(name.getValue().empty() ? 0 : symbol);
    }
    symbols[argument] = own;
  }
}

void ShapeInference::setType(Value value, Type type) {
  if (value.getType() == type)
    return;
  value.setType(type);
  ++numRefined;
}

/// Whether the known dimensions alone make more than 64 TiB: no product of sizes overflows below that.
static bool isTooLarge(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  int64_t bytes = tensor ? HostTensor::elementBytes(tensor.getElementType()) : 0;
  for (int64_t size : tensor ? tensor.getShape() : ArrayRef<int64_t>())
    if (size > 0 && (llvm::MulOverflow(bytes, size, bytes) || bytes > int64_t(1) << 46))
      return true;
  return false;
}

/// The type that agrees with both; an error says where they contradict each other.
static llvm::Expected<Type> mergeTypes(Type known, const TensorFacts &facts) {
  auto tensor = dyn_cast<TensorType>(known);
  Type inferred = facts.toType();
  if (!tensor || !inferred)
    return known;
  if (tensor.getElementType() != facts.elementType) {
    std::string text;
    llvm::raw_string_ostream(text) << "element type is " << facts.elementType << ", not " << tensor.getElementType();
    return llvm::createStringError(text);
  }
  if (!tensor.hasRank() || !facts.hasRank)
    return tensor.hasRank() ? known : inferred;
  if (static_cast<size_t>(tensor.getRank()) != facts.sizes.size())
    return llvm::createStringError("rank is " + llvm::Twine(facts.sizes.size()) + ", not " +
                                   llvm::Twine(tensor.getRank()));
  SmallVector<int64_t> sizes(facts.sizes);
  for (auto [d, size] : llvm::enumerate(tensor.getShape())) {
    if (ShapedType::isDynamic(size))
      continue;
    if (!ShapedType::isDynamic(sizes[d]) && sizes[d] != size)
      return llvm::createStringError("dimension " + llvm::Twine(d) + " is " + llvm::Twine(sizes[d]) + ", not " +
                                     llvm::Twine(size));
    sizes[d] = size;
  }
  return RankedTensorType::get(sizes, facts.elementType);
}

LogicalResult ShapeInference::inferTypes(Operation *op, ArrayRef<const HostTensor *> values) {
  auto dimSymbol = [&](Value value, unsigned dim) { return symbolOf(value, dim); };
  llvm::Expected<std::vector<TensorFacts>> facts = inferMLShapes({op, values, dimSymbol});
  if (facts->empty())
    facts = inferBySchema({op, values, dimSymbol});
  if (!facts)
    return op->emitOpError() << "shapes do not fit: " << llvm::toString(facts.takeError());
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    llvm::Expected<Type> merged = mergeTypes(result.getType(), (*facts)[i]);
    if (!merged)
      return op->emitOpError() << "result " << i << " contradicts the model: " << llvm::toString(merged.takeError());
    if (isTooLarge(*merged))
      return op->emitOpError() << "result " << i << " of type " << *merged << " is too large for any memory";
    setType(result, *merged);
    if (!(*facts)[i].symbols.empty())
      symbols[result] = (*facts)[i].symbols;
  }
  return success();
}

/// Evaluates integer lists that are known in part. True when `op` became a constant after all.
bool ShapeInference::trackValues(Operation *op, ArrayRef<const HostTensor *> values) {
  if (op->getNumResults() != 1 && !isOnnx(op, "Split"))
    return false;
  for (Value result : op->getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || !type.hasStaticShape() || type.getNumElements() > kMaxTrackedElements ||
        !isa<IntegerType>(type.getElementType()))
      return false;
  }
  FailureOr<std::vector<HostTensor>> results = evaluator.evaluate(op, values);
  if (failed(results))
    return false;
  OpBuilder builder(op);
  bool known = true;
  for (auto [result, value] : llvm::zip_equal(op->getResults(), *results)) {
    known &= value.isFullyKnown();
    if (value.isFullyKnown())
      result.replaceAllUsesWith(createConstant(builder, op->getLoc(), value, nodeName(op)));
    else
      partial[result] = value;
  }
  return known;
}

/// Replaces a target shape known but for one size by a constant: 0 where the size is the operand's own, -1 for the
/// one that follows from the others. The arithmetic that computed the target becomes dead.
void ShapeInference::simplifyReshape(Operation *op, const HostTensor *target) {
  auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  if (!type || !target || target->isFullyKnown() || intAttr(op, "allowzero", 0) != 0)
    return;
  SmallVector<int64_t> sizes;
  unsigned inferred = 0;
  for (int64_t d = 0, e = target->size(); d < e; ++d) {
    bool copies = target->symbol(d) > 0 && d < type.getRank() && type.isDynamicDim(d) &&
                  symbolOf(op->getOperand(0), d) == target->symbol(d);
    bool known = target->symbol(d) == 0;
    if (known && target->getInt(d) <= 0)
      return;
    inferred += !known && !copies;
    sizes.push_back(known ? target->getInt(d) : copies ? 0 : -1);
  }
  if (inferred > 1)
    return;
  OpBuilder builder(op);
  op->setOperand(1, createInts(builder, op->getLoc(), sizes));
}

/// Exporters keep branches for sizes that a build does not have; what cannot run there is an error of that run only.
LogicalResult ShapeInference::inferBranches(Operation *op) {
  SmallVector<std::string> errors(op->getNumRegions());
  for (auto [region, error] : llvm::zip(op->getRegions(), errors)) {
    ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &diagnostic) {
      if (error.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error) {
        if (auto name = dyn_cast<NameLoc>(diagnostic.getLocation()))
          error = "node '" + name.getName().str() + "': ";
        error += diagnostic.str();
      }
      return success();
    });
    if (failed(inferBlock(region.front())) && error.empty())
      error = "shapes do not fit";
  }
  if (llvm::none_of(errors, [](const std::string &error) { return !error.empty(); }))
    return success();
  for (auto [i, error] : llvm::enumerate(errors)) {
    if (error.empty())
      continue;
    if (failed(invalidateBranch(op, i, error)))
      return op->emitOpError() << "has a branch that cannot run: " << error;
  }
  return success();
}

/// The element type and the sizes that both have.
static Type commonType(Type a, Type b) {
  auto x = dyn_cast<RankedTensorType>(a), y = dyn_cast<RankedTensorType>(b);
  if (!x || !y || x.getRank() != y.getRank())
    return UnrankedTensorType::get(cast<TensorType>(a).getElementType());
  SmallVector<int64_t> sizes(x.getShape());
  for (auto [size, other] : llvm::zip(sizes, y.getShape()))
    size = size == other ? size : ShapedType::kDynamic;
  return RankedTensorType::get(sizes, x.getElementType());
}

/// Opens the dimensions of states that one run of the body changes; true where there were some. Inference folds what
/// follows from a state's sizes, which may turn out to be wrong: it works on a copy of the loop.
bool ShapeInference::openChangedStates(Operation *op, unsigned firstArgument, unsigned numStates, unsigned firstYield) {
  auto saved = std::make_tuple(symbols, partial, openStates, nextSymbol, numFolded, numRefined);
  OpBuilder builder(op);
  Operation *copy = builder.clone(*op);
  Block &body = copy->getRegion(0).front(), &original = op->getRegion(0).front();
  bool changed = false, inferred;
  {
    // What is wrong with a body shows again when it is inferred for good.
    ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
    inferred = succeeded(inferBlock(body));
  }
  for (unsigned i = 0; i < numStates && inferred; ++i) {
    BlockArgument argument = body.getArgument(firstArgument + i);
    Type yielded = body.getTerminator()->getOperand(firstYield + i).getType();
    if (!isa<RankedTensorType>(yielded) || !isa<TensorType>(argument.getType()) || yielded == argument.getType())
      continue;
    Type common = commonType(argument.getType(), yielded);
    changed |= common != argument.getType();
    original.getArgument(firstArgument + i).setType(common);
  }
  copy->erase();
  std::tie(symbols, partial, openStates, nextSymbol, numFolded, numRefined) = std::move(saved);
  return changed;
}

/// Infers a loop's body. libonnx forgets the shape of a loop's states, which may change. Here a state has the shape
/// that it starts with and keeps; what changes is open.
LogicalResult ShapeInference::inferStates(Operation *op, unsigned firstArgument, unsigned numStates,
                                          unsigned firstYield) {
  Block &body = op->getRegion(0).front();
  SmallVector<Type> before(body.getArgumentTypes());
  // Opening one state may change others, but each dimension only once.
  while (openChangedStates(op, firstArgument, numStates, firstYield))
    ;
  for (auto [argument, type] : llvm::zip(body.getArguments(), before))
    if (argument.getType() != type)
      openStates.insert(argument);
  return inferBlock(body);
}

LogicalResult ShapeInference::inferLoop(Operation *op) {
  Block &body = op->getRegion(0).front();
  OperandRange states = op->getOperands().drop_front(2);
  auto arguments = body.getArguments().drop_front(2);
  // In a later pass a state is known to be open already.
  for (auto [state, argument] : llvm::zip(states, arguments))
    if (auto known = dyn_cast<RankedTensorType>(argument.getType());
        isa<RankedTensorType>(state.getType()) && (!known || !openStates.contains(argument)))
      setType(argument, state.getType());
  if (failed(inferStates(op, 2, states.size(), 1)))
    return failure();
  Operation *yield = body.getTerminator();
  std::optional<HostTensor> trip = getHostConstant(op->getOperand(0));
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    if (isa<NoneType>(result.getType()))
      continue;
    auto yielded = dyn_cast<RankedTensorType>(yield->getOperand(1 + i).getType());
    if (i < states.size()) {
      setType(result, arguments[i].getType());
    } else if (yielded) {
      SmallVector<int64_t> sizes(yielded.getShape());
      bool isCounted = trip && trip->size() == 1 && isAlwaysTrue(yield->getOperand(0), body) &&
                       (isNoValue(op->getOperand(1)) || isAlwaysTrue(op->getOperand(1), body));
      sizes.insert(sizes.begin(), isCounted ? std::max<int64_t>(trip->getInt(0), 0) : ShapedType::kDynamic);
      setType(result, RankedTensorType::get(sizes, yielded.getElementType()));
    }
  }
  return success();
}

/// The slices of what is scanned have no axis; outputs get one with as many positions.
LogicalResult ShapeInference::inferScan(Operation *op) {
  Block &body = op->getRegion(0).front();
  unsigned numInputs = intAttr(op, "num_scan_inputs", 0), numStates = op->getNumOperands() - numInputs;
  if (numInputs == 0 || numInputs > op->getNumOperands() || body.getNumArguments() != op->getNumOperands() ||
      llvm::any_of(op->getOperands(), isNoValue))
    return op->emitOpError() << "has " << op->getNumOperands() << " inputs, of which " << numInputs
                             << " are scanned, for a body with " << body.getNumArguments();
  SmallVector<int64_t> inAxes = intsAttr(op, "scan_input_axes").value_or(SmallVector<int64_t>(numInputs, 0)),
                       outAxes = intsAttr(op, "scan_output_axes").value_or(SmallVector<int64_t>());
  int64_t trip = ShapedType::kDynamic;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    BlockArgument argument = body.getArgument(i);
    if (!type || openStates.contains(argument))
      continue;
    SmallVector<int64_t> shape(type.getShape());
    if (i >= numStates) {
      std::optional<int64_t> axis =
          i - numStates < inAxes.size() ? normalizeAxis(inAxes[i - numStates], shape.size()) : std::nullopt;
      if (!axis)
        return op->emitOpError() << "scans input " << i << " along an axis that it does not have";
      trip = ShapedType::isDynamic(trip) ? shape[*axis] : trip;
      shape.erase(shape.begin() + *axis);
    }
    setType(argument, type.clone(shape));
  }
  if (failed(inferStates(op, 0, numStates, 0)))
    return failure();
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    auto yielded = dyn_cast<RankedTensorType>(body.getTerminator()->getOperand(i).getType());
    if (isa<NoneType>(result.getType()) || !yielded)
      continue;
    if (i < numStates) {
      setType(result, body.getArgument(i).getType());
      continue;
    }
    SmallVector<int64_t> sizes(yielded.getShape());
    std::optional<int64_t> axis =
        normalizeAxis(i - numStates < outAxes.size() ? outAxes[i - numStates] : 0, sizes.size() + 1);
    if (!axis)
      return op->emitOpError() << "collects output " << i << " along an axis that it does not have";
    sizes.insert(sizes.begin() + *axis, trip);
    setType(result, RankedTensorType::get(sizes, yielded.getElementType()));
  }
  return success();
}

LogicalResult ShapeInference::inferRegions(Operation *op) {
  if (isOnnx(op, "If"))
    return success(); // done before
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(inferBlock(block)))
        return failure();
  return success();
}

LogicalResult ShapeInference::inferOp(Operation *op) {
  if (isOnnx(op, "Loop"))
    return inferLoop(op);
  if (isOnnx(op, "Scan"))
    return inferScan(op);
  if (failed(inferRegions(op)))
    return failure();
  if (!isOnnx(op) || op->getNumResults() == 0 || isOnnx(op, "NoValue"))
    return success();
  // A pass over the graph starts from what the types say now.
  for (Value result : op->getResults())
    partial.erase(result);
  if (foldToConstants(op, evaluator)) {
    ++numFolded;
    return success();
  }
  // Containers are resolved, or an error.
  if (llvm::any_of(op->getResultTypes(), isContainer) || llvm::any_of(op->getOperandTypes(), isContainer))
    return success();
  SmallVector<std::optional<HostTensor>> constants;
  SmallVector<const HostTensor *> values;
  for (Value operand : op->getOperands()) {
    auto known = isConstantValue(operand) ? partial.end() : partial.find(operand);
    constants.push_back(known != partial.end() ? known->second : getHostConstant(operand));
  }
  for (std::optional<HostTensor> &constant : constants)
    values.push_back(constant ? &*constant : nullptr);
  if (failed(inferTypes(op, values)))
    return failure();
  if (isOnnx(op, "Reshape"))
    simplifyReshape(op, values[1]);
  if (trackValues(op, values)) {
    op->erase();
    ++numFolded;
  }
  return success();
}

LogicalResult ShapeInference::inferBlock(Block &block) {
  for (Operation *op = &block.front(); op;) {
    if (Operation *first = isOnnx(op, "If") ? inlineKnownBranch(op) : nullptr) {
      op = first;
      ++numRefined;
      continue;
    }
    // Branches have been looked into before their containers are taken out of them.
    if (isOnnx(op, "If") && failed(inferBranches(op)))
      return failure();
    if (std::optional<Operation *> first = resolveContainers(op)) {
      op = *first;
      ++numRefined;
      continue;
    }
    Operation *next = op->getNextNode();
    if (failed(inferOp(op)))
      return failure();
    op = next;
  }
  return success();
}

/// The declared result types say what the model promises; sizes that only they know go to the returned values.
LogicalResult ShapeInference::refineResults(func::FuncOp func) {
  Operation *terminator = func.front().getTerminator();
  SmallVector<Type> results;
  for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
    if (auto declared = dyn_cast<RankedTensorType>(func.getResultTypes()[i]); declared && value.getDefiningOp()) {
      TensorFacts facts{declared.getElementType(), true, SmallVector<int64_t>(declared.getShape()), {}};
      llvm::Expected<Type> merged = mergeTypes(value.getType(), facts);
      if (!merged)
        return terminator->emitError() << "model output " << i
                                       << " contradicts its declaration: " << llvm::toString(merged.takeError());
      setType(value, *merged);
    }
    results.push_back(value.getType());
  }
  func.setType(FunctionType::get(func.getContext(), func.getArgumentTypes(), results));
  return success();
}

LogicalResult ShapeInference::run(func::FuncOp func) {
  nameArguments(func);
  unsigned before = 0;
  for (unsigned pass = 0; pass < kMaxPasses; ++pass) {
    if (failed(inferBlock(func.front())) || failed(refineResults(func)))
      return failure();
    if (numRefined == before)
      break;
    before = numRefined;
  }
  expandContainerResults(func);
  return checkContainers(func);
}

/// All values without a rank are reported together, each at the op that makes it.
LogicalResult checkRanks(ModuleOp module) {
  bool failed = false;
  module->walk([&](Operation *op) {
    if (!isOnnx(op))
      return;
    for (Type type : op->getResultTypes()) {
      auto tensor = dyn_cast<TensorType>(type);
      if (!tensor || tensor.hasRank())
        continue;
      op->emitOpError("result has a rank that depends on the input's values; fix its sizes with --dim NAME=N, or make "
                      "the input that it depends on a constant with --pin INPUT=file.npy");
      failed = true;
      break;
    }
  });
  return failure(failed);
}

struct InferShapes : leaf::impl::InferShapesBase<InferShapes> {
  using InferShapesBase::InferShapesBase;

  void runOnOperation() override {
    for (func::FuncOp func : getOperation().getOps<func::FuncOp>()) {
      if (func.isExternal())
        continue;
      ShapeInference inference;
      if (failed(inference.run(func)))
        return signalPassFailure();
      numFolded += inference.numFolded;
      numRefined += inference.numRefined;
    }
    if (failed(checkRanks(getOperation())))
      signalPassFailure();
  }
};

} // namespace
