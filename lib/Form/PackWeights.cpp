//===- PackWeights.cpp - weights of contractions into panels -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "GroupReductions.h"
#include "Leaf/Sparse.h"
#include "WeightBytes.h"
#include "leafcutter/Form/Passes.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/MathExtras.h"
#include <map>

namespace leaf {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// How a weight is cut into panels. Dimensions are those of the plain weight.
struct Packing {
  SmallVector<unsigned> batch;           ///< indexed by parallel loops other than n, or by 0
  SmallVector<unsigned> inner;           ///< indexed by reduction loops
  int64_t width = 0;                     ///< NR
  std::optional<ReductionGroups> groups; ///< of the reduction's last elements

  int64_t groupSize() const { return groups ? groups->size : 1; }
  unsigned numJoined() const { return groups ? groups->numJoined : 0; }
  bool operator<(const Packing &other) const {
    auto key = [](const Packing &p) { return std::make_tuple(p.width, p.groupSize(), p.numJoined()); };
    return std::tie(batch, inner) != std::tie(other.batch, other.inner)
               ? std::tie(batch, inner) < std::tie(other.batch, other.inner)
               : key(*this) < key(other);
  }
};
} // namespace

/// Floats per panel: two vectors of AVX-512 or AVX2, four of NEON, four scalars; less where the weight has fewer.
static int64_t getPanelWidth(int64_t columns, int64_t lanes) {
  int64_t width = lanes >= 16 ? 2 * lanes : lanes > 1 ? 16 : 4;
  if (columns >= width)
    return width;
  return lanes > 1 ? static_cast<int64_t>(llvm::alignTo(columns, lanes)) : columns;
}

/// The packing of the contraction's rhs, or nothing where it has another shape than [batch, K..., N].
static std::optional<Packing> getPacking(ContractOp contract, int64_t lanes) {
  AffineMap out = contract.getOutMap(), rhs = contract.getRhsMap();
  if (getSparseBlock(contract) || out.getNumResults() == 0 || rhs.getNumResults() == 0 ||
      !rhs.isProjectedPermutation(/*allowZeroInResults=*/true))
    return std::nullopt;
  auto n = dyn_cast<AffineDimExpr>(out.getResults().back());
  if (!n || rhs.getResults().back() != n || contract.getLhsMap().isFunctionOfDim(n.getPosition()))
    return std::nullopt;
  auto type = cast<RankedTensorType>(contract.getRhs().getType());
  Packing packing;
  packing.width = getPanelWidth(type.getShape().back(), lanes);
  auto isReduction = [&](unsigned d) {
    auto loop = dyn_cast<AffineDimExpr>(rhs.getResult(d));
    return loop && contract.isReduction(loop.getPosition());
  };
  for (unsigned d = 0; d + 1 < rhs.getNumResults(); ++d)
    (isReduction(d) ? packing.inner : packing.batch).push_back(d);
  return packing;
}

static AffineMap getPackedMap(ContractOp contract, const Packing &packing) {
  AffineMap rhs = contract.getRhsMap();
  AffineExpr n = rhs.getResults().back();
  SmallVector<AffineExpr> results;
  for (unsigned d : packing.batch)
    results.push_back(rhs.getResult(d));
  results.push_back(n.floorDiv(packing.width));
  for (unsigned d : packing.inner)
    results.push_back(rhs.getResult(d));
  results.push_back(n % packing.width);
  return AffineMap::get(rhs.getNumDims(), 0, results, contract.getContext());
}

static RankedTensorType getPackedType(RankedTensorType type, const Packing &packing) {
  SmallVector<int64_t> shape;
  for (unsigned d : packing.batch)
    shape.push_back(type.getDimSize(d));
  shape.push_back(llvm::divideCeil(type.getShape().back(), packing.width));
  for (unsigned d : ArrayRef(packing.inner).drop_back(packing.numJoined()))
    shape.push_back(type.getDimSize(d));
  if (packing.groups)
    shape.push_back(packing.groups->numGroups());
  shape.push_back(packing.width);
  if (packing.groups)
    shape.push_back(packing.groups->size);
  return RankedTensorType::get(shape, type.getElementType());
}

/// Element offsets, in a dense row-major `type`, of all indices of `dims`, the last one fastest.
static SmallVector<int64_t> getOffsets(RankedTensorType type, ArrayRef<unsigned> dims) {
  SmallVector<int64_t> strides = computeSuffixProduct(type.getShape()), offsets = {0};
  for (unsigned d : dims) {
    SmallVector<int64_t> next;
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < type.getDimSize(d); ++i)
        next.push_back(offset + i * strides[d]);
    offsets = std::move(next);
  }
  return offsets;
}

static std::vector<char> packBytes(ArrayRef<char> bytes, RankedTensorType type, const Packing &packing) {
  int64_t element = getElementBytes(type.getElementType()), columns = type.getShape().back();
  int64_t panels = llvm::divideCeil(columns, packing.width);
  SmallVector<int64_t> batch = getOffsets(type, packing.batch), inner = getOffsets(type, packing.inner);
  std::vector<char> packed(batch.size() * panels * inner.size() * packing.width * element);
  char *to = packed.data();
  for (int64_t base : batch)
    for (int64_t panel = 0; panel < panels; ++panel)
      for (int64_t row : inner) {
        int64_t first = panel * packing.width, count = std::min(packing.width, columns - first);
        std::memcpy(to, bytes.data() + (base + row + first) * element, count * element);
        to += packing.width * element;
      }
  return packed;
}

/// As packBytes(), the last reductions in groups: [batch..., N/NR, outer..., K/G, NR, G], zero from element K on.
static std::vector<char> packGroups(ArrayRef<char> bytes, RankedTensorType type, const Packing &packing) {
  int64_t element = getElementBytes(type.getElementType()), columns = type.getShape().back();
  int64_t panels = llvm::divideCeil(columns, packing.width), size = packing.groups->size;
  ArrayRef<unsigned> inner = packing.inner, outerDims = inner.drop_back(packing.numJoined());
  SmallVector<int64_t> batch = getOffsets(type, packing.batch), outer = getOffsets(type, outerDims);
  SmallVector<int64_t> run = getOffsets(type, inner.take_back(packing.numJoined()));
  int64_t depth = packing.groups->numGroups() * size;
  std::vector<char> packed(batch.size() * panels * outer.size() * depth * packing.width * element);
  char *to = packed.data();
  for (int64_t base : batch)
    for (int64_t panel = 0; panel < panels; ++panel)
      for (int64_t row : outer)
        for (int64_t group = 0; group < depth; group += size)
          for (int64_t n = panel * packing.width; n < (panel + 1) * packing.width; ++n)
            for (int64_t k = group; k < group + size; ++k, to += element)
              if (n < columns && k < static_cast<int64_t>(run.size()))
                std::memcpy(to, bytes.data() + (base + row + run[k] + n) * element, element);
  return packed;
}

namespace {
struct PackWeights : leaf::impl::PackWeightsBase<PackWeights> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<ContractOp> contracts;
    getOperation().walk([&](ContractOp contract) { contracts.push_back(contract); });
    for (ContractOp contract : contracts)
      if (failed(pack(contract)))
        return signalPassFailure();
    eraseUnused();
  }

  LogicalResult pack(ContractOp contract) {
    auto load = contract.getRhs().getDefiningOp<LoadWeightOp>();
    std::optional<Packing> packing = load ? getPacking(contract, lanes) : std::nullopt;
    if (!packing)
      return success();
    if (std::optional<DotOperand> rhs = matchDot(contract) ? matchDot(contract)->second : std::optional<DotOperand>())
      if (!packing->inner.empty())
        packing->groups = findGroups(contract, rhs->element.isInteger(8) ? byteGroup : bf16Group);
    WeightOp weight = load.resolve();
    if (packing->groups && failed(markBounds(contract, weight)))
      return failure();
    WeightOp &packed = done[{weight.getSymName().str(), *packing}];
    if (!packed) {
      RankedTensorType type = weight.getWeightType();
      std::vector<char> storage;
      FailureOr<ArrayRef<char>> bytes = readBytes(weight, storage);
      if (failed(bytes))
        return failure();
      packed = createWeight(getOperation(), weight.getLoc(), (weight.getSymName() + "_packed").str(),
                            getPackedType(type, *packing),
                            packing->groups ? packGroups(*bytes, type, *packing) : packBytes(*bytes, type, *packing));
      ++numPacked;
    }
    OpBuilder builder(contract);
    Value value = LoadWeightOp::create(builder, load.getLoc(), packed.getWeightType(), packed.getSymName());
    if (packing->groups) {
      groupReductions(contract, *packing->groups, packing->width, packing->batch,
                      ArrayRef(packing->inner).drop_back(packing->numJoined()));
    } else {
      SmallVector<Attribute> maps(contract.getIndexingMaps().getValue());
      maps[1] = AffineMapAttr::get(getPackedMap(contract, *packing));
      contract.setIndexingMapsAttr(builder.getArrayAttr(maps));
    }
    contract.getRhsMutable().assign(value);
    if (load.use_empty())
      load.erase();
    return success();
  }

  /// Tells codegen where no weight is the least number of its type.
  static LogicalResult markBounds(ContractOp contract, WeightOp weight) {
    if (!weight.getWeightType().getElementType().isInteger(8))
      return success();
    std::vector<char> storage;
    FailureOr<ArrayRef<char>> bytes = readBytes(weight, storage);
    if (failed(bytes))
      return failure();
    if (!llvm::is_contained(*bytes, std::numeric_limits<int8_t>::min()))
      contract->setAttr(kAboveMinimum, UnitAttr::get(contract.getContext()));
    return success();
  }

  /// Plain weights that all users now read packed.
  void eraseUnused() {
    llvm::DenseSet<StringRef> used;
    getOperation().walk([&](LoadWeightOp load) { used.insert(load.getWeight()); });
    for (WeightOp weight : llvm::make_early_inc_range(getOperation().getOps<WeightOp>()))
      if (!used.contains(weight.getSymName()))
        weight.erase();
  }

  std::map<std::pair<std::string, Packing>, WeightOp> done;
};
} // namespace
