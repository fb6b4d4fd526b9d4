//===- Figures.cpp - counts along the stages ---------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Figures.h"

#include "Leaf/Sparse.h"
#include "Plan/Plan.h"

#include "leafcutter/Support/CText.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace leaf {

/// Size of dimension `dim` of `value`, its upper bound where it is dynamic; 1 where neither is known.
static int64_t sizeOrBound(Value value, unsigned dim) {
  auto type = cast<ShapedType>(value.getType());
  if (!type.isDynamicDim(dim))
    return type.getDimSize(dim);
  FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, {value, dim}, /*stopCondition=*/nullptr, /*closedUB=*/true);
  return succeeded(bound) ? *bound : 1;
}

/// Multiply-accumulates of one contraction when its kernel is called by `call`.
static int64_t countMACs(ContractOp contract, plan::CallOp call, plan::KernelOp kernel) {
  int64_t macs = 1;
  for (unsigned loop = 0; loop < contract.getNumLoops(); ++loop) {
    int64_t extent = contract.getStaticLoopExtent(loop);
    if (ShapedType::isDynamic(extent)) {
      auto [value, dim] = contract.getLoopExtentSource(loop);
      // Arguments of the kernel are known at the call: inputs, then destinations.
      auto argument = dyn_cast<BlockArgument>(value);
      if (argument && argument.getOwner() == &kernel.getBody().front()) {
        unsigned number = argument.getArgNumber(), numIns = call.getIns().size();
        value = number < numIns ? call.getIns()[number] : call.getOuts()[number - numIns];
      }
      extent = sizeOrBound(value, dim);
    }
    macs *= extent;
  }
  // The model's own work is counted, not what an algorithm makes of it.
  if (std::optional<uint64_t> m = contract.getWinograd())
    macs = macs / ((*m + 2) * (*m + 2)) * 9;
  return macs;
}

static void collectAfterForm(ModuleOp module, CompileFigures &figures) {
  figures.kernels = llvm::range_size(module.getOps<plan::KernelOp>());
  module.walk([&](plan::CallOp call) {
    ++figures.kernelsFormed;
    if (plan::KernelOp kernel = call.resolve())
      kernel.walk([&](ContractOp contract) { figures.macs += countMACs(contract, call, kernel); });
  });
}

/// Kernels without any vector instruction.
static void collectScalarKernels(ModuleOp module, CompileFigures &figures) {
  for (auto func : module.getOps<func::FuncOp>()) {
    if (!func->hasAttr("leaf.kernel"))
      continue;
    bool vector = func.walk([](Operation *op) {
                        return llvm::any_of(op->getResultTypes(), llvm::IsaPred<VectorType>) ? WalkResult::interrupt()
                                                                                             : WalkResult::advance();
                      })
                      .wasInterrupted();
    if (vector)
      continue;
    std::vector<std::string> nodes;
    if (auto names = func->getAttrOfType<ArrayAttr>("nodes"))
      for (Attribute name : names)
        nodes.push_back(cast<StringAttr>(name).str());
    std::string suffix = nodes.empty() ? "" : " (" + llvm::join(nodes, ", ") + ")";
    figures.scalarKernels.push_back(func.getSymName().str() + suffix);
  }
}

static void collectSparseLayers(ModuleOp module, CompileFigures &figures) {
  auto layers = module->getAttrOfType<ArrayAttr>(kSparseLayers);
  for (Attribute layer : layers ? layers.getValue() : ArrayRef<Attribute>()) {
    auto fields = dyn_cast<DictionaryAttr>(layer);
    if (!fields)
      continue;
    auto text = [&](StringRef name) {
      auto value = fields.getAs<StringAttr>(name);
      return value ? value.str() : std::string();
    };
    auto number = [&](StringRef name) {
      auto value = fields.getAs<IntegerAttr>(name);
      return value ? value.getInt() : 0;
    };
    auto zeros = fields.getAs<FloatAttr>("zeros");
    figures.sparseLayers.push_back({text("node"), zeros ? zeros.getValueAsDouble() : 0, number("block"),
                                    number("bytes"), number("dense_bytes"), text("why")});
  }
}

namespace {
/// Work of a quantized model that is done on floats.
struct FloatWork {
  std::string node;
  std::string why;
};

/// What of a model after form is computed in integers.
struct Arithmetic {
  int64_t contractions = 0;            ///< products and convolutions, counted by their calls
  int64_t integerContractions = 0;     ///< those that add up integers
  bool isQuantized = false;            ///< some kernel reads or writes codes of 8 bits
  std::vector<FloatWork> floatLayers;  ///< contractions that add up floats
  std::vector<FloatWork> floatIslands; ///< kernels without a contraction that read or write codes
};
} // namespace

static std::string nodesOf(plan::KernelOp kernel) {
  std::vector<std::string> names;
  for (Attribute name : kernel.getNodes().value_or(ArrayAttr()) ? kernel.getNodes()->getValue() : ArrayRef<Attribute>())
    names.push_back(cast<StringAttr>(name).str());
  return names.empty() ? kernel.getSymName().str() : llvm::join(names, ", ");
}

static bool holdsBytes(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.getElementType().isInteger(8);
}

/// Why a contraction of a quantized model adds up floats.
static StringRef whyFloat(ContractOp contract) {
  bool data = holdsBytes(contract.getLhs().getType()), weight = holdsBytes(contract.getRhs().getType());
  if (data && weight)
    return "its scales or zero points are not one for the data and one for each output channel of a constant weight";
  if (weight)
    return "its input is not quantized";
  return data ? "its weight is not quantized" : "neither operand is quantized";
}

/// Counts what of a quantized model is computed in integers, and names what is not.
static void collectArithmetic(plan::KernelOp kernel, Arithmetic &figures) {
  bool contracts = false;
  kernel.walk([&](ContractOp contract) {
    contracts = true;
    ++figures.contractions;
    if (isa<IntegerType>(contract.getAccumulatorType()))
      ++figures.integerContractions;
    else
      figures.floatLayers.push_back({nodesOf(kernel), whyFloat(contract).str()});
  });
  unsigned firstOut = kernel.getFirstOut();
  bool reads = llvm::any_of(kernel.getArgumentTypes().take_front(firstOut), holdsBytes);
  bool writes = llvm::any_of(kernel.getResultTypes(), holdsBytes);
  figures.isQuantized |= reads || writes;
  if (contracts || (!reads && !writes))
    return;
  bool isFloat = kernel
                     .walk([](Operation *op) {
                       return isa<arith::ArithDialect>(op->getDialect()) && op->getNumOperands() > 0 &&
                                      isa<FloatType>(op->getResult(0).getType())
                                  ? WalkResult::interrupt()
                                  : WalkResult::advance();
                     })
                     .wasInterrupted();
  if (isFloat)
    figures.floatIslands.push_back({nodesOf(kernel), reads && writes ? "reads and writes codes, computes in float32"
                                                     : reads         ? "reads codes, computes in float32"
                                                                     : "computes in float32, writes codes"});
}

/// Most kernels that a list names.
static constexpr size_t kNamedKernels = 12;

static void printWork(raw_ostream &out, ArrayRef<FloatWork> list) {
  for (const FloatWork &work : list.take_front(kNamedKernels))
    out << "                " << escapeMessage(work.node) << ": " << work.why << '\n';
  if (list.size() > kNamedKernels)
    out << "                and " << list.size() - kNamedKernels << " more\n";
}

void printArithmetic(raw_ostream &out, ModuleOp module) {
  Arithmetic figures;
  module.walk([&](plan::CallOp call) {
    if (plan::KernelOp kernel = call.resolve())
      collectArithmetic(kernel, figures);
  });
  if (!figures.isQuantized)
    return;
  out << "  integer     " << figures.integerContractions << " of " << figures.contractions
      << " products and convolutions\n";
  if (!figures.floatLayers.empty()) {
    out << "  float       products and convolutions of float32:\n";
    printWork(out, figures.floatLayers);
  }
  if (!figures.floatIslands.empty()) {
    out << "  by floats   other kernels that read or write codes:\n";
    printWork(out, figures.floatIslands);
  }
}

void collectFigures(ModuleOp module, Stage stage, const TargetSpec &target, CompileFigures &figures) {
  if (stage == Stage::Import)
    for (WeightOp weight : module.getOps<WeightOp>())
      figures.parameters += weight.getWeightType().getNumElements();
  if (stage == Stage::Form) {
    collectAfterForm(module, figures);
    collectSparseLayers(module, figures);
  }
  if (stage == Stage::Codegen && target.vectorBytes > 0)
    collectScalarKernels(module, figures);
}

} // namespace leaf
