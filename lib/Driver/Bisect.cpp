//===- Bisect.cpp - where a wrong answer begins ------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Bisect.h"

#include "Compare.h"
#include "Diagnostics.h"
#include "JitSession.h"
#include "NodeRunner.h"
#include "StageFiles.h"
#include "leafcutter/Support/CText.h"

#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <optional>

using namespace mlir;

namespace leaf {

namespace {

/// What is known of one computed value.
struct Judgement {
  enum { Unknown, Right, Wrong } verdict = Unknown;
  double error = std::numeric_limits<double>::infinity(); ///< relative
  std::vector<unsigned> producers;
};

class Bisector {
public:
  Bisector(const BisectInput &input, llvm::raw_ostream &out) : input(input), out(out) {
    for (const auto &[name, array] : input.nodes)
      known.emplace(name, array);
  }

  llvm::Error run();

private:
  void examine(Stage stage, ModuleOp module);
  llvm::Error examineNodes(Stage stage, ModuleOp module);
  llvm::Error examineKernels(ModuleOp module);
  llvm::Error examineDumps();

  bool agree(const NpyArray &actual, const NpyArray &expected, double &error) const;
  void compare(const NpyArray &array, ArrayRef<std::string> nodes, Judgement &judgement) const;
  bool outputsAgree(const NpzFile &outputs) const;
  void report(Stage stage, const Twine &text);
  llvm::Expected<NpzFile> runKernels(ModuleOp module);

  const BisectInput &input;
  llvm::raw_ostream &out;
  std::map<std::string, NpyArray> known; ///< right values by node
  Stage last = Stage::Import;            ///< the last stage whose answer is right
  bool anyRight = false, found = false;
  llvm::Error failure = llvm::Error::success();
};

} // namespace

/// Whether the values are the same. The stages move data: what has the same elements in another order is right too.
bool Bisector::agree(const NpyArray &actual, const NpyArray &expected, double &error) const {
  NpyArray candidate = actual;
  candidate.shape = expected.shape;
  candidate.elementType = expected.elementType; // signs are lost on the way
  llvm::Expected<Comparison> comparison = compareArrays(candidate, expected, input.tolerance);
  if (!comparison)
    return llvm::consumeError(comparison.takeError()), false;
  error = std::min(error, comparison->maxRel);
  if (comparison->agrees)
    return true;
  std::vector<double> a = toDoubles(candidate), b = toDoubles(expected);
  auto less = [](double x, double y) { return std::isnan(y) ? !std::isnan(x) : x < y; };
  llvm::sort(a, less);
  llvm::sort(b, less);
  double largest = 0, difference = 0;
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    largest = std::isfinite(y) ? std::max(largest, std::fabs(y)) : largest;
    if (!(x == y || (std::isnan(x) && std::isnan(y))))
      difference = std::max(difference, std::isfinite(x) && std::isfinite(y) ? std::fabs(x - y) : INFINITY);
  }
  return difference <= input.tolerance * largest;
}

/// Compares with the right value of each node; one that is right is enough, since fused nodes have one result.
void Bisector::compare(const NpyArray &array, ArrayRef<std::string> nodes, Judgement &judgement) const {
  for (const std::string &node : nodes) {
    auto right = known.find(node);
    if (right == known.end() || right->second.bytes.size() != array.bytes.size() || array.bytes.empty())
      continue;
    bool agrees = agree(array, right->second, judgement.error);
    judgement.verdict = agrees || judgement.verdict == Judgement::Right ? Judgement::Right : Judgement::Wrong;
  }
}

/// The first wrong value, if any. One that a right value is computed from is none: it is another by intent, such as a
/// convolution that a batch norm was folded into.
static std::optional<unsigned> findFirstWrong(ArrayRef<Judgement> values) {
  std::vector<bool> right(values.size());
  for (size_t i = values.size(); i-- > 0;) {
    right[i] = right[i] || values[i].verdict == Judgement::Right;
    if (right[i])
      for (unsigned producer : values[i].producers)
        right[producer] = true;
  }
  for (auto [i, value] : llvm::enumerate(values))
    if (value.verdict == Judgement::Wrong && !right[i])
      return i;
  return std::nullopt;
}

bool Bisector::outputsAgree(const NpzFile &outputs) const {
  for (const auto &[name, expected] : input.outputs) {
    auto output = llvm::find_if(outputs, [&, &name = name](const auto &pair) { return pair.first == name; });
    if (output == outputs.end())
      return false;
    llvm::Expected<Comparison> comparison = compareArrays(output->second, expected, input.tolerance);
    if (!comparison)
      return llvm::consumeError(comparison.takeError()), false;
    if (!comparison->agrees)
      return false;
  }
  return true;
}

void Bisector::report(Stage stage, const Twine &text) {
  out << "after " << left_justify(getStageName(stage), 10) << escapeMessage(text.str()) << '\n';
}

llvm::Error Bisector::examineNodes(Stage stage, ModuleOp module) {
  std::vector<NodeValue> values;
  llvm::Expected<NpzFile> outputs = NodeRunner(module, input.options.target).run(input.inputs, values);
  if (!outputs)
    return outputs.takeError();
  std::vector<Judgement> judgements;
  for (const NodeValue &value : values) {
    Judgement &judgement = judgements.emplace_back();
    judgement.producers = value.producers;
    // A node may have become several ops, of which only one has its value.
    if (llvm::count_if(values, [&](const NodeValue &other) { return other.node == value.node; }) == 1)
      compare(value.array, value.node, judgement);
  }
  if (std::optional<unsigned> wrong = findFirstWrong(judgements)) {
    const std::string &node = values[*wrong].node;
    report(stage,
           "node '" + node + "' differs: max rel error " + llvm::formatv("{0:f3}", judgements[*wrong].error).str());
    out << "first wrong value: node '" << escapeMessage(node) << "', in stage " << getStageName(stage) << '\n';
    found = true;
    return llvm::Error::success();
  }
  bool right = outputsAgree(*outputs);
  report(stage, Twine(values.size()) + " operators, each run by itself: " + (right ? "agree" : "differ"));
  if (!right) {
    found = true;
    out << "first wrong value: somewhere in stage " << getStageName(stage)
        << (anyRight ? ", in a node that earlier stages do not have\n"
                     : ", or before it: operators give another answer than the reference even by themselves.\n"
                       "Give values of single nodes as arrays 'node:NAME' in the reference, to tell which\n");
    return llvm::Error::success();
  }
  anyRight = true;
  last = stage;
  for (const NodeValue &value : values)
    known.try_emplace(value.node, value.array);
  return llvm::Error::success();
}

static std::vector<std::string> kernelNodes(plan::CallOp call) {
  std::vector<std::string> nodes;
  if (plan::KernelOp kernel = call.resolve())
    if (auto names = kernel->getAttrOfType<ArrayAttr>("nodes"))
      for (Attribute name : names)
        nodes.push_back(cast<StringAttr>(name).str());
  return nodes;
}

namespace {
struct Kernel {
  std::vector<std::string> nodes;
  Judgement judgement;
};
} // namespace

/// Kernel calls that `value` comes from, through views.
static void collectProducers(Value value, const llvm::DenseMap<Operation *, unsigned> &indices,
                             std::vector<unsigned> &producers) {
  Operation *op = value.getDefiningOp();
  while (op && !isa<plan::CallOp>(op) && op->getNumOperands() > 0)
    op = op->getOperand(0).getDefiningOp();
  if (auto index = indices.find(op); op && index != indices.end())
    producers.push_back(index->second);
}

/// Makes the results of all kernels outputs of the model, called "node:" and a number.
static std::vector<Kernel> exposeKernels(func::FuncOp main) {
  Operation *end = main.front().getTerminator();
  SmallVector<Value> returned(end->getOperands());
  std::vector<Kernel> kernels;
  llvm::DenseMap<Operation *, unsigned> indices;
  for (plan::CallOp call : main.getOps<plan::CallOp>()) {
    auto type = dyn_cast<RankedTensorType>(call->getResult(0).getType());
    if (!type || !type.hasStaticShape() || llvm::is_contained(returned, call->getResult(0)))
      continue;
    Builder builder(main.getContext());
    auto name = builder.getNamedAttr(attrs::kName, builder.getStringAttr("node:" + Twine(kernels.size())));
    if (failed(main.insertResult(main.getNumResults(), type, builder.getDictionaryAttr(name))))
      continue;
    end->insertOperands(end->getNumOperands(), call->getResult(0));
    indices[call] = kernels.size();
    Kernel &kernel = kernels.emplace_back(Kernel{kernelNodes(call), {}});
    for (Value operand : call->getOperands())
      collectProducers(operand, indices, kernel.judgement.producers);
  }
  return kernels;
}

llvm::Expected<NpzFile> Bisector::runKernels(ModuleOp module) {
  PassManager pm(module.getContext());
  buildPlanPipeline(pm, {});
  buildCodegenPipeline(pm, {input.options.target, /*maxThreads=*/1});
  if (failed(pm.run(module)))
    return llvm::createStringError("the kernels cannot be compiled with all their results as outputs");
  return runInProcess(module, input.options.target, input.inputs);
}

llvm::Error Bisector::examineKernels(ModuleOp original) {
  OwningOpRef<ModuleOp> module(original.clone());
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (!main)
    return llvm::createStringError("the module has no entry function");
  std::vector<Kernel> kernels = exposeKernels(main);
  llvm::Expected<NpzFile> outputs = runKernels(*module);
  if (!outputs)
    return outputs.takeError();
  for (const auto &[name, array] : *outputs) {
    StringRef text = name;
    unsigned index;
    if (text.consume_front("node:") && !text.getAsInteger(10, index) && index < kernels.size())
      compare(array, kernels[index].nodes, kernels[index].judgement);
  }
  std::vector<Judgement> judgements;
  for (const Kernel &kernel : kernels)
    judgements.push_back(kernel.judgement);
  if (std::optional<unsigned> wrong = findFirstWrong(judgements)) {
    const std::vector<std::string> &nodes = kernels[*wrong].nodes;
    std::string list = "'" + llvm::join(nodes, "', '") + "'";
    report(Stage::Form, "the kernel of " + list + " differs: max rel error " +
                            llvm::formatv("{0:f3}", judgements[*wrong].error).str());
    out << "first wrong value: node '" << escapeMessage(nodes.back()) << "', in stage form or the code of its kernel"
        << (nodes.size() > 1 ? ", which fuses " + escapeMessage(list) : "") << '\n';
    found = true;
    return llvm::Error::success();
  }
  bool right = outputsAgree(*outputs);
  report(Stage::Form, Twine(kernels.size()) + " kernels, with all results as outputs: " + (right ? "agree" : "differ"));
  if (right) {
    last = Stage::Form;
    return llvm::Error::success();
  }
  found = true;
  out << "first wrong value: an output of the model that no kernel's result tells; stage form\n";
  return llvm::Error::success();
}

void Bisector::examine(Stage stage, ModuleOp module) {
  if (found || failure)
    return;
  if (stage == Stage::Normalize || stage == Stage::Compress || stage == Stage::Optimize)
    failure = examineNodes(stage, module);
  else if (stage == Stage::Form)
    failure = examineKernels(module);
}

/// Dumps of the earlier stages, and the file itself.
llvm::Error Bisector::examineDumps() {
  if (llvm::sys::path::extension(input.path) != ".mlir")
    return llvm::Error::success();
  for (Stage stage : getStages()) {
    SmallString<128> path(llvm::sys::path::parent_path(input.path));
    llvm::sys::path::append(path, "0" + Twine(unsigned(stage) + 1) + "." + getStageName(stage) + ".mlir");
    bool own = llvm::sys::fs::equivalent(path, input.path);
    if (llvm::sys::fs::exists(path)) {
      DialectRegistry registry;
      registerDialects(registry);
      MLIRContext context(registry);
      context.loadAllAvailableDialects();
      DiagnosticCollector diagnostics(&context);
      StageHeader header;
      llvm::Expected<OwningOpRef<ModuleOp>> module = readStage(&context, path, header);
      if (!module)
        return diagnostics.merge(module.takeError());
      examine(stage, **module);
    }
    if (own || found || failure)
      break;
  }
  return llvm::Error::success();
}

llvm::Error Bisector::run() {
  if (llvm::Error error = examineDumps())
    return llvm::joinErrors(std::move(error), std::move(failure));
  CompilerOptions options = input.options;
  options.onStageEnd = [&](Stage stage, ModuleOp module) { examine(stage, module); };
  options.stopAfter = Stage::Form;
  if (!found && !failure)
    if (llvm::Error error = Compiler(options).run(input.path))
      return llvm::joinErrors(std::move(error), std::move(failure));
  if (failure)
    return std::move(failure);
  if (!found)
    out << "first wrong value: none up to stage " << getStageName(last)
        << "; later ones place buffers (plan), emit code, or the sizes are dynamic\n";
  return llvm::Error::success();
}

llvm::Error bisect(const BisectInput &input, llvm::raw_ostream &out) { return Bisector(input, out).run(); }

} // namespace leaf
