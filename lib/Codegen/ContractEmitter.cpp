//===- ContractEmitter.cpp - roles of loops and parts that all strategies share -===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ContractEmitter.h"
#include "Leaf/Groups.h"
#include "Leaf/Sparse.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace leaf;
using namespace leaf::codegen;

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

namespace {
/// Sorts the loops of a contraction into roles, after joining loops that all operands walk as one.
class RoleFinder {
public:
  /// `takesGroups`: a group of a reduction (`depth`) is one step, so that the loop over its elements stands at the
  /// first.
  RoleFinder(Contract &contract, bool takesGroups) : contract(contract) {
    if (takesGroups && getDepth(contract.op))
      contract.loops.back().bound = true;
    operands = {&contract.lhs, &contract.rhs, &contract.out};
    for (Access &extra : contract.extras)
      operands.push_back(&extra);
  }

  ContractRoles find() {
    for (auto [i, loop] : llvm::enumerate(contract.loops))
      if (!loop.bound && loop.extent.is(1) && !isColumn(i))
        loop.bound = true;
    findColumns();
    for (auto [i, loop] : llvm::enumerate(contract.loops)) {
      if (loop.bound || static_cast<int>(i) == roles.n || static_cast<int>(i) == roles.channel)
        continue;
      (loop.reduction ? roles.reductions : contract.rhs.uses(i) ? roles.batch : roles.rows).push_back(i);
    }
    collapse(roles.reductions);
    collapse(roles.rows);
    collapse(roles.batch);
    if (!roles.rows.empty())
      roles.m = roles.rows.pop_back_val();
    return roles;
  }

private:
  bool isColumn(unsigned loop) const { return contract.rhs.panel && contract.rhs.panel->loop == loop; }

  void findColumns() {
    if (contract.rhs.panel) {
      roles.n = contract.rhs.panel->loop;
      return;
    }
    for (auto [i, loop] : llvm::enumerate(contract.loops)) {
      if (loop.bound || loop.reduction || !contract.out.coefs[i].is(1))
        continue;
      if (!contract.lhs.uses(i) && contract.rhs.uses(i))
        roles.n = i;
      else if (contract.lhs.coefs[i].is(1) && contract.rhs.coefs[i].is(1))
        roles.channel = i;
    }
  }

  bool canCollapse(unsigned outer, unsigned inner) const {
    return llvm::all_of(operands, [&](const Access *access) {
      bool plain = access->nonlinear.empty() &&
                   !(access->panel && (access->panel->loop == outer || access->panel->loop == inner));
      return plain && access->coefs[outer] == access->coefs[inner] * contract.loops[inner].extent;
    });
  }

  /// Joins neighbours: the inner one takes the product of the extents, the outer one stands at 0.
  void collapse(SmallVector<unsigned> &loops) {
    for (int i = static_cast<int>(loops.size()) - 2; i >= 0; --i) {
      unsigned outer = loops[i], inner = loops[i + 1];
      if (!canCollapse(outer, inner))
        continue;
      contract.loops[inner].extent = contract.loops[outer].extent * contract.loops[inner].extent;
      contract.loops[outer].bound = true;
      loops.erase(loops.begin() + i);
    }
  }

  Contract &contract;
  SmallVector<Access *> operands;
  ContractRoles roles;
};
} // namespace

std::unique_ptr<ContractStrategy> leaf::codegen::chooseContractStrategy(KernelBuilder &kb, Contract contract) {
  if (contract.op.getWinograd())
    return makeWinogradStrategy(kb, std::move(contract));
  if (getSparseBlock(contract.op)) {
    ContractRoles roles = RoleFinder(contract, /*takesGroups=*/false).find();
    return makeSparseStrategy(kb, std::move(contract), std::move(roles));
  }
  bool linear = contract.lhs.nonlinear.empty() && !contract.lhs.panel && contract.rhs.nonlinear.empty() &&
                contract.out.nonlinear.empty() && !contract.out.panel;
  ContractRoles roles = RoleFinder(contract, /*takesGroups=*/linear).find();
  if (!linear)
    return makePlainStrategy(kb, std::move(contract), std::move(roles));
  if (roles.n >= 0) {
    bool direct = contract.rhs.panel || contract.rhs.coefs[roles.n].is(1);
    int inner = roles.reductions.empty() ? -1 : static_cast<int>(roles.reductions.back());
    bool dot = inner >= 0 && contract.lhs.coefs[inner].is(1) && contract.rhs.coefs[inner].is(1);
    bool fewRows =
        roles.rows.empty() &&
        (roles.m < 0 || (contract.loops[roles.m].extent.isStatic() && contract.loops[roles.m].extent.constant() < 4));
    if (!direct && dot && fewRows)
      return makeDotStrategy(kb, std::move(contract), std::move(roles));
    return makePanelStrategy(kb, std::move(contract), std::move(roles));
  }
  if (roles.channel >= 0)
    return makeDepthwiseStrategy(kb, std::move(contract), std::move(roles));
  return makePlainStrategy(kb, std::move(contract), std::move(roles));
}

//===----------------------------------------------------------------------===//
// ContractStrategy
//===----------------------------------------------------------------------===//

ContractStrategy::ContractStrategy(KernelBuilder &kb, Contract contractIn, ContractRoles roles)
    : kb(kb), contract(std::move(contractIn)), roles(std::move(roles)) {
  for (const NestLoop &loop : contract.loops)
    at.push_back(loop.bound ? loop.at : Pos());
}

Value ContractStrategy::clonePrologue(Region &region, ArrayRef<Value> args, int64_t lanes) {
  BodyCloner cloner(kb, lanes, -1, at, [](Value) -> const Buffer * { return nullptr; });
  FailureOr<SmallVector<Value>> result = cloner.clone(region.front(), args);
  if (succeeded(result))
    return result->front();
  failed = true;
  return kb.zero(region.front().getTerminator()->getOperand(0).getType(), lanes);
}

Value ContractStrategy::lhs(int loop, int64_t lanes) {
  return clonePrologue(contract.op.getLhsPrologue(), kb.loadAlong(contract.lhs, at, loop, lanes), lanes);
}

Value ContractStrategy::rhs(int loop, int64_t lanes) {
  SmallVector<Value> args{kb.loadAlong(contract.rhs, at, loop, lanes)};
  for (unsigned i = 0; i < contract.op.getNumRhsExtras(); ++i)
    args.push_back(kb.loadAlong(contract.extras[i], at, loop, lanes));
  return clonePrologue(contract.op.getRhsPrologue(), args, lanes);
}

void ContractStrategy::finish(Value accumulator, int loop, int64_t lanes) {
  SmallVector<Value> args{accumulator};
  for (unsigned i = contract.op.getNumRhsExtras(); i < contract.extras.size(); ++i) {
    const Access &extra = contract.extras[i];
    // Bias and scale vectors are the same for all rows of a tile.
    bool perRow = roles.m >= 0 && extra.uses(roles.m);
    int64_t offset = loop >= 0 ? at[loop].offset : 0;
    std::pair<unsigned, int64_t> key(i, offset * 256 + lanes);
    Value value = perRow ? Value() : extraCache.lookup(key);
    if (!value)
      value = kb.loadAlong(extra, at, loop, lanes);
    if (!perRow)
      extraCache[key] = value;
    args.push_back(value);
  }
  Value result = clonePrologue(contract.op.getEpilogue(), args, lanes);
  kb.storeAlong(kb.splat(result, lanes), contract.out, at, loop, lanes);
}

void ContractStrategy::finishPartial(Value accumulator, int loop, int64_t valid) {
  int64_t lanes = cast<VectorType>(accumulator.getType()).getDimSize(0), done = 0;
  int64_t base = at[loop].offset;
  for (int64_t width = lanes / 2; width >= 1; width /= 2) {
    if (!(valid & width))
      continue;
    at[loop].offset = base + done;
    Value part;
    if (width == 1) {
      part = kb.lane(accumulator, done);
    } else {
      SmallVector<int64_t> mask;
      for (int64_t i = 0; i < width; ++i)
        mask.push_back(done + i);
      part = vector::ShuffleOp::create(kb.b, kb.loc, accumulator, accumulator, mask);
    }
    finish(part, loop, width);
    done += width;
  }
  at[loop].offset = base;
}

ContractStrategy::Values ContractStrategy::emitReductions(ArrayRef<unsigned> loops, Values carried,
                                                          function_ref<Values(Values)> leaf) {
  if (loops.empty())
    return leaf(std::move(carried));
  unsigned loop = loops.front();
  return kb.loop(kb.index(0), kb.sizeValue(extent(loop)), 1, carried, [&](Value iv, ValueRange values) {
    at[loop] = {iv};
    return emitReductions(loops.drop_front(), Values(values), leaf);
  });
}

void ContractStrategy::emitLoops(ArrayRef<unsigned> loops, function_ref<void()> body) {
  if (loops.empty())
    return body();
  unsigned loop = loops.front();
  kb.loop(kb.index(0), kb.sizeValue(extent(loop)), 1, [&](Value iv) {
    at[loop] = {iv};
    emitLoops(loops.drop_front(), body);
  });
}

LogicalResult ContractStrategy::emitAllTiles(function_ref<LogicalResult(ArrayRef<Value>)> body) {
  SmallVector<TileDim> dims = chooseTiles();
  SmallVector<Value> ivs;
  std::function<LogicalResult()> nest = [&]() -> LogicalResult {
    if (ivs.size() == dims.size())
      return body(ivs);
    LogicalResult result = success();
    const TileDim &dim = dims[ivs.size()];
    kb.loop(kb.index(0), kb.ceilDiv(kb.sizeValue(dim.extent), dim.block), 1, [&](Value iv) {
      ivs.push_back(iv);
      result = nest();
      ivs.pop_back();
    });
    return result;
  };
  return nest();
}

void ContractStrategy::emitRowTiles(unsigned loop, Value lower, Value upper, int64_t most,
                                    function_ref<void(int64_t)> body) {
  splitRows(extent(loop), lower, upper, most, [&](Pos position, int64_t rows) {
    at[loop] = position;
    body(rows);
  });
}

void ContractStrategy::splitRows(const Size &size, Value lower, Value upper, int64_t most,
                                 function_ref<void(Pos, int64_t)> tileAt) {
  if (!size.isStatic()) {
    Value begin = lower ? lower : kb.index(0), end = lower ? upper : kb.sizeValue(size);
    for (int64_t rows = most; rows >= 1; rows = rows == 1 ? 0 : std::max<int64_t>(1, rows / 2)) {
      Value rest =
          arith::RemUIOp::create(kb.b, kb.loc, arith::SubIOp::create(kb.b, kb.loc, end, begin), kb.index(rows));
      Value stop = rows == 1 ? end : arith::SubIOp::create(kb.b, kb.loc, end, rest).getResult();
      kb.loop(begin, stop, rows, [&](Value iv) { tileAt({iv}, rows); });
      begin = stop;
    }
    return;
  }
  // The last full tile and the rest are shared out evenly, so that both keep the pipelines busy.
  int64_t rows = size.constant(), rest = rows % most;
  int64_t tail = rows <= most ? rows : rest ? most + rest : 0;
  int64_t full = rows - tail;
  if (full) {
    Value stop = kb.index(full);
    kb.loop(lower ? lower : kb.index(0), lower ? kb.minimum(upper, stop) : stop, most,
            [&](Value iv) { tileAt({iv}, most); });
  }
  auto emitTail = [&] {
    if (tail <= most) {
      tileAt({Value(), full}, tail);
    } else {
      tileAt({Value(), full}, (tail + 1) / 2);
      tileAt({Value(), full + (tail + 1) / 2}, tail / 2);
    }
  };
  if (!tail)
    return;
  if (!lower)
    return emitTail();
  Value last = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, upper, kb.index(rows));
  kb.ifElse(last, emitTail);
}

Value ContractStrategy::addLanes(Value vector) {
  int64_t count = cast<VectorType>(vector.getType()).getDimSize(0);
  auto sum = [&](Value a, Value c) -> Value {
    if (isa<IntegerType>(getElementTypeOrSelf(a.getType())))
      return arith::AddIOp::create(kb.b, kb.loc, a, c);
    return arith::AddFOp::create(kb.b, kb.loc, a, c);
  };
  for (; count > 2; count /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < count / 2; ++i) {
      low.push_back(i);
      high.push_back(count / 2 + i);
    }
    vector = sum(vector::ShuffleOp::create(kb.b, kb.loc, vector, vector, low),
                 vector::ShuffleOp::create(kb.b, kb.loc, vector, vector, high));
  }
  return sum(kb.lane(vector, 0), kb.lane(vector, 1));
}
