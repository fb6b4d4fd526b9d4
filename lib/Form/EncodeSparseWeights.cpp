//===- EncodeSparseWeights.cpp - weights that are mostly zero, without the zeros -===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Sparse.h"
#include "SparseCost.h"
#include "WeightBytes.h"
#include "leafcutter/Form/Passes.h"
#include "leafcutter/Support/ElementTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>
#include <variant>

namespace leaf {
#define GEN_PASS_DEF_ENCODESPARSEWEIGHTS
#include "leafcutter/Form/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {
/// Weights with fewer zeros than this are no matter of this pass.
constexpr double kLeastZeros = 0.25;
/// Elements of blocks, with the zeros in them, for each one that is not zero.
constexpr double kMostFilled = 1.25;
/// Of dense cycles that sparse ones must stay below.
constexpr double kGain = 0.97;
/// Reductions of fewer elements, and single columns, are left dense.
constexpr int64_t kLeastDepth = 4;
/// Columns that an entry may have, the largest first: of equal costs it has the fewest positions.
constexpr int64_t kBlocks[] = {16, 8, 4, 1};

/// How a contraction indexes its weight [outer..., K, N]. Dimensions are those of the weight.
struct WeightShape {
  SmallVector<unsigned> outer; ///< by other reductions
  unsigned inner;              ///< by the reduction along which lhs is contiguous
};

/// The content of a weight in terms of its rows [outer][K] of N columns.
struct WeightRows {
  ArrayRef<char> bytes;
  int64_t element = 0, columns = 0, depth = 0;
  SmallVector<int64_t> outer; ///< element offset of each position of the outer reductions
  int64_t innerStride = 0;    ///< elements

  const char *at(int64_t row, int64_t k, int64_t column) const {
    return bytes.data() + (outer[row] + k * innerStride + column) * element;
  }
  /// Whether `width` columns from there are zero, whatever their sign. Elements are floats or integers.
  bool isZero(int64_t row, int64_t k, int64_t column, int64_t width, bool isFloat) const {
    const char *from = at(row, k, column);
    for (int64_t i = 0; i < width * element; ++i)
      if (from[i] && !(isFloat && i % element == element - 1 && from[i] == static_cast<char>(0x80)))
        return false;
    return true;
  }
};

struct Encoded {
  std::vector<int32_t> starts;
  std::vector<char> values;
  std::vector<uint16_t> positions;
};
} // namespace

/// True where a region only converts its first argument, so that zero stays zero.
static bool keepsZero(Region &region) {
  Block &block = region.front();
  return block.getNumArguments() == 1 &&
         llvm::all_of(block.without_terminator(), [](Operation &op) { return isa<arith::ExtFOp, arith::ExtSIOp>(op); });
}

static std::optional<unsigned> getLoop(AffineExpr expr) {
  auto dim = dyn_cast<AffineDimExpr>(expr);
  return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
}

/// The weight's shape, or why it can't be encoded.
static std::variant<WeightShape, StringRef> matchShape(ContractOp op) {
  AffineMap lhs = op.getLhsMap(), rhs = op.getRhsMap(), out = op.getOutMap();
  if (op.getWinograd() || op.getNumRhsExtras() || !keepsZero(op.getRhsPrologue()))
    return StringRef("its weight is decoded in the kernel");
  if (lhs.getNumResults() == 0 || rhs.getNumResults() < 2 || out.getNumResults() == 0)
    return StringRef("it has no columns");
  std::optional<unsigned> n = getLoop(out.getResults().back()), k = getLoop(lhs.getResults().back());
  if (!n || rhs.getResults().back() != out.getResults().back() || lhs.isFunctionOfDim(*n))
    return StringRef("its columns are not the innermost dimension of the result");
  bool isOnce = llvm::count_if(lhs.getResults(), [&](AffineExpr e) { return e.isFunctionOfDim(*k); }) == 1;
  if (!k || !op.isReduction(*k) || !isOnce)
    return StringRef("it does not read its input along the reduction");
  bool isLinear = llvm::all_of(lhs.getResults(), [](AffineExpr expr) {
    return !expr.walk([](AffineExpr e) {
                  bool bad = e.getKind() == AffineExprKind::FloorDiv || e.getKind() == AffineExprKind::Mod ||
                             e.getKind() == AffineExprKind::CeilDiv;
                  return bad ? WalkResult::interrupt() : WalkResult::advance();
                })
                .wasInterrupted();
  });
  if (!isLinear)
    return StringRef("it reads its input in another order than it lies");
  WeightShape shape;
  bool hasInner = false;
  auto type = cast<ShapedType>(op.getRhs().getType());
  for (unsigned d = 0; d + 1 < rhs.getNumResults(); ++d) {
    std::optional<unsigned> loop = getLoop(rhs.getResult(d));
    if (loop == k) {
      shape.inner = d;
      hasInner = true;
    } else if (loop && op.isReduction(*loop)) {
      shape.outer.push_back(d);
    } else if (type.getDimSize(d) != 1) {
      return StringRef("its weight is a batch of matrices");
    }
  }
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (op.isReduction(loop) && !rhs.isFunctionOfDim(loop))
      return StringRef("its weight is the same for all of a reduction");
  if (!hasInner)
    return StringRef("it does not read its input along the reduction");
  return shape;
}

static WeightRows getRows(ArrayRef<char> bytes, RankedTensorType type, const WeightShape &shape) {
  WeightRows rows{
      bytes, getElementBytes(type.getElementType()), type.getShape().back(), type.getDimSize(shape.inner), {0}};
  SmallVector<int64_t> strides = computeSuffixProduct(type.getShape());
  rows.innerStride = strides[shape.inner];
  for (unsigned d : shape.outer) {
    SmallVector<int64_t> next;
    for (int64_t offset : rows.outer)
      for (int64_t i = 0; i < type.getDimSize(d); ++i)
        next.push_back(offset + i * strides[d]);
    rows.outer = std::move(next);
  }
  return rows;
}

/// Visits blocks of `block` columns that are not all zero, in the order of their entries; `segmentEnd` after each block
/// column of a segment.
template <typename Visit, typename End>
static void forEachEntry(const WeightRows &rows, int64_t block, int64_t segment, bool isFloat, Visit visit,
                         End columnEnd) {
  for (int64_t row = 0; row < static_cast<int64_t>(rows.outer.size()); ++row)
    for (int64_t lower = 0; lower < rows.depth; lower += segment)
      for (int64_t column = 0; column < rows.columns; column += block) {
        for (int64_t k = lower; k < std::min(lower + segment, rows.depth); ++k)
          if (!rows.isZero(row, k, column, block, isFloat))
            visit(row, lower, k, column);
        columnEnd(column);
      }
}

static int64_t countEntries(const WeightRows &rows, int64_t block, bool isFloat) {
  int64_t count = 0;
  for (int64_t row = 0; row < static_cast<int64_t>(rows.outer.size()); ++row)
    for (int64_t k = 0; k < rows.depth; ++k)
      for (int64_t column = 0; column < rows.columns; column += block)
        count += !rows.isZero(row, k, column, block, isFloat);
  return count;
}

static Encoded encode(const WeightRows &rows, int64_t block, int64_t segment, bool isFloat) {
  Encoded result;
  forEachEntry(
      rows, block, segment, isFloat,
      [&](int64_t row, int64_t lower, int64_t k, int64_t column) {
        const char *from = rows.at(row, k, column);
        result.values.insert(result.values.end(), from, from + block * rows.element);
        result.positions.push_back(static_cast<uint16_t>(k - lower));
      },
      [&](int64_t column) {
        // Each segment begins where the one before it ended.
        if (column == 0) {
          int32_t end = static_cast<int32_t>(result.positions.size());
          int32_t begin = result.starts.empty() ? 0 : result.starts.back();
          result.starts.push_back(begin);
          result.starts.push_back(end);
          return;
        }
        result.starts.push_back(static_cast<int32_t>(result.positions.size()));
      });
  return result;
}

template <typename T> static ArrayRef<char> asBytes(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

namespace {
struct EncodeSparseWeights : leaf::impl::EncodeSparseWeightsBase<EncodeSparseWeights> {
  using Base::Base;

  void runOnOperation() override {
    if (mode != "auto" && mode != "always" && mode != "off") {
      getOperation().emitError("leaf-encode-sparse-weights: unknown mode '") << mode << "'; auto, always or off";
      return signalPassFailure();
    }
    if (mode == "off")
      return;
    llvm::MapVector<StringRef, SmallVector<LoadWeightOp>> loads;
    getOperation().walk([&](LoadWeightOp load) { loads[load.getWeight()].push_back(load); });
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      totalBytes += getBytes(weight.getWeightType());
    for (auto &[name, uses] : loads)
      if (failed(visit(uses)))
        return signalPassFailure();
    if (!report.empty())
      getOperation()->setAttr(kSparseLayers, ArrayAttr::get(&getContext(), report));
  }

private:
  /// The contractions that multiply by the weight; empty where anything else reads it.
  static SmallVector<ContractOp> getContracts(ArrayRef<LoadWeightOp> uses) {
    SmallVector<ContractOp> contracts;
    for (LoadWeightOp load : uses)
      for (OpOperand &use : load->getUses()) {
        auto contract = dyn_cast<ContractOp>(use.getOwner());
        if (!contract || use.getOperandNumber() != 1)
          return {};
        contracts.push_back(contract);
      }
    return contracts;
  }

  LogicalResult visit(ArrayRef<LoadWeightOp> uses) {
    SmallVector<ContractOp> contracts = getContracts(uses);
    WeightOp weight = LoadWeightOp(uses.front()).resolve();
    RankedTensorType type = weight.getWeightType();
    if (contracts.empty() || !type.getElementType().isIntOrFloat() || type.getElementTypeBitWidth() % 8 ||
        type.getNumElements() == 0)
      return success();
    std::vector<char> storage;
    FailureOr<ArrayRef<char>> bytes = readBytes(weight, storage);
    if (failed(bytes))
      return failure();
    bool isFloat = isa<FloatType>(type.getElementType());
    WeightRows flat{*bytes, getElementBytes(type.getElementType()), 1, type.getNumElements(), {0}, 1};
    double zeros = 1 - static_cast<double>(countEntries(flat, 1, isFloat)) / static_cast<double>(type.getNumElements());
    if (zeros < kLeastZeros)
      return success();
    WeightShape shape;
    for (auto [i, contract] : llvm::enumerate(contracts)) {
      auto match = matchShape(contract);
      if (std::holds_alternative<StringRef>(match))
        return leaveDense(contract, weight, zeros, std::get<StringRef>(match));
      // A dot product does 64 of them at once.
      if (mode == "auto" && lanes > 1 && contract.getAccumulatorType().isInteger())
        return leaveDense(contract, weight, zeros, "products of bytes are faster dense");
      auto found = std::get<WeightShape>(match);
      if (i && (found.inner != shape.inner || found.outer != shape.outer))
        return leaveDense(contract, weight, zeros, "two layers read the weight in different orders");
      shape = found;
    }
    WeightRows rows = getRows(*bytes, type, shape);
    if (rows.depth < kLeastDepth || rows.columns < 2)
      return leaveDense(contracts.front(), weight, zeros, "it is too small");
    SparseCostTarget target{static_cast<int64_t>(lanes), totalBytes / 100 * (growth - 100), totalBytes};
    int64_t segment = chooseSegment(contracts.front(), rows.depth, rows.columns, 1 - zeros, target);
    std::optional<int64_t> block = chooseBlock(contracts, rows, segment, isFloat, target);
    if (!block)
      return leaveDense(contracts.front(), weight, zeros, "dense is faster by the cost model");
    apply(uses, contracts, weight, shape, rows, *block, segment, zeros);
    return success();
  }

  /// Columns of an entry; nothing where dense is faster.
  std::optional<int64_t> chooseBlock(ArrayRef<ContractOp> contracts, const WeightRows &rows, int64_t segment,
                                     bool isFloat, const SparseCostTarget &target) {
    std::optional<int64_t> best;
    double bestCycles = 0;
    for (ContractOp contract : contracts)
      bestCycles += kGain * estimateDenseCycles(contract, target);
    if (mode == "always")
      bestCycles = HUGE_VAL;
    int64_t numbers = countEntries(rows, 1, isFloat);
    for (int64_t block : kBlocks) {
      int64_t entries = rows.columns % block == 0 ? countEntries(rows, block, isFloat) : 0;
      if (rows.columns % block || static_cast<double>(entries * block) > kMostFilled * static_cast<double>(numbers))
        continue;
      SparseWork work{entries, static_cast<int64_t>(rows.outer.size()), rows.depth, rows.columns, block, rows.element,
                      segment};
      double cycles = 0;
      for (ContractOp contract : contracts)
        cycles += estimateSparseCycles(contract, work, target);
      if (cycles < bestCycles && work.entries < std::numeric_limits<int32_t>::max()) {
        best = block;
        bestCycles = cycles;
      }
    }
    return best;
  }

  LogicalResult leaveDense(ContractOp contract, WeightOp weight, double zeros, StringRef why) {
    int64_t bytes = getBytes(weight.getWeightType());
    addToReport(contract, zeros, 0, bytes, bytes, why);
    return success();
  }

  void addToReport(ContractOp contract, double zeros, int64_t block, int64_t bytes, int64_t denseBytes, StringRef why) {
    Builder b(&getContext());
    auto name = contract.getLoc()->findInstanceOf<NameLoc>();
    report.push_back(b.getDictionaryAttr(
        {b.getNamedAttr("node", name ? name.getName() : b.getStringAttr("")),
         b.getNamedAttr("zeros", b.getF64FloatAttr(zeros)), b.getNamedAttr("block", b.getI64IntegerAttr(block)),
         b.getNamedAttr("bytes", b.getI64IntegerAttr(bytes)),
         b.getNamedAttr("dense_bytes", b.getI64IntegerAttr(denseBytes)), b.getNamedAttr("why", b.getStringAttr(why))}));
  }

  void apply(ArrayRef<LoadWeightOp> uses, ArrayRef<ContractOp> contracts, WeightOp weight, const WeightShape &shape,
             const WeightRows &rows, int64_t block, int64_t segment, double zeros) {
    RankedTensorType type = weight.getWeightType();
    Encoded encoded = encode(rows, block, segment, isa<FloatType>(type.getElementType()));
    // A tensor needs an element.
    if (encoded.positions.empty()) {
      encoded.positions.push_back(0);
      encoded.values.resize(block * rows.element);
    }
    Builder b(&getContext());
    SmallVector<int64_t> sizes;
    for (unsigned d : shape.outer)
      sizes.push_back(type.getDimSize(d));
    sizes.push_back(llvm::divideCeil(rows.depth, segment));
    sizes.push_back(rows.columns / block + 1);
    int64_t entries = encoded.positions.size();
    auto store = [&](StringRef suffix, ArrayRef<int64_t> dims, Type element, ArrayRef<char> content) {
      return createWeight(getOperation(), weight.getLoc(), (weight.getSymName() + suffix).str(),
                          RankedTensorType::get(dims, element), content);
    };
    std::array<WeightOp, 3> stored = {
        store("_starts", sizes, b.getI32Type(), asBytes(encoded.starts)),
        store("_values", {entries * block}, type.getElementType(), encoded.values),
        segment > 256 ? store("_positions", {entries}, b.getI16Type(), asBytes(encoded.positions))
                      : store("_positions", {entries}, b.getI8Type(),
                              asBytes(std::vector<uint8_t>(encoded.positions.begin(), encoded.positions.end())))};
    int64_t bytes = 0;
    for (WeightOp op : stored)
      bytes += getBytes(op.getWeightType());
    addToReport(contracts.front(), zeros, block, bytes, getBytes(type), "");
    for (ContractOp contract : contracts)
      rewrite(contract, stored, shape, block, segment);
    for (LoadWeightOp load : uses)
      load->erase();
    SymbolTable(getOperation()).erase(weight);
    ++numEncoded;
  }

  static void rewrite(ContractOp contract, MutableArrayRef<WeightOp> stored, const WeightShape &shape, int64_t block,
                      int64_t segment) {
    OpBuilder b(contract);
    Location loc = contract.getLoc();
    SmallVector<Value> loads;
    for (WeightOp weight : stored)
      loads.push_back(LoadWeightOp::create(b, weight.getLoc(), weight.getWeightType(), weight.getSymName()));
    AffineMap rhs = contract.getRhsMap();
    AffineExpr zero = b.getAffineConstantExpr(0), n = rhs.getResults().back();
    SmallVector<AffineExpr> starts;
    for (unsigned d : shape.outer)
      starts.push_back(rhs.getResult(d));
    starts.push_back(zero);
    starts.push_back(block == 1 ? n : n.floorDiv(block));
    AffineMap first = AffineMap::get(rhs.getNumDims(), 0, {zero}, b.getContext());
    SmallVector<Attribute> maps(contract.getIndexingMaps().getValue());
    maps[1] = AffineMapAttr::get(AffineMap::get(rhs.getNumDims(), 0, starts, b.getContext()));
    maps.insert(maps.begin() + 2, 2, AffineMapAttr::get(first));
    contract.getRhsMutable().assign(loads[0]);
    SmallVector<Value> extras{loads[1], loads[2]};
    llvm::append_range(extras, contract.getExtras());
    contract.getExtrasMutable().assign(extras);
    contract.setIndexingMapsAttr(b.getArrayAttr(maps));
    contract.setNumRhsExtras(2);
    contract->setAttr(kSparse, b.getI64IntegerAttr(block));
    contract->setAttr(kSegment, b.getI64IntegerAttr(segment));
    Block &prologue = contract.getRhsPrologue().front();
    prologue.insertArgument(0u, b.getI32Type(), loc);
    prologue.addArgument(stored[2].getWeightType().getElementType(), loc);
  }

  int64_t totalBytes = 0; ///< of all weights, dense
  SmallVector<Attribute> report;
};
} // namespace
