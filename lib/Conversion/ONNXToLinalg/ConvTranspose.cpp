//===- ConvTranspose.cpp - ConvTranspose ---------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// One contraction gives what each input pixel adds to each position of its window (the columns), then each output
// element gathers the columns that reach it: at most ceil(kernel / stride) per dimension where windows are not dilated.
//
//===----------------------------------------------------------------------===//

#include "ContractBuilder.h"
#include "Indexing.h"
#include "Scalars.h"
#include "Windows.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;
using utils::IteratorType;

namespace {
class TransposedConvolution {
public:
  TransposedConvolution(Lowering &lowering, Node &node, Layout layout, int64_t groups, RankedTensorType weight,
                        ArrayRef<Size> data)
      : lowering(lowering), node(node), layout(layout), groups(groups), groupInputs(weight.getDimSize(0) / groups),
        groupOutputs(weight.getDimSize(1)), kernel(weight.getShape().drop_front(2)) {
    for (unsigned i = 0; i < layout.spatialRank; ++i)
      inSizes.push_back(data[layout.spatial(i)]);
  }
  LogicalResult setSizes();
  Value columns();
  Value gather(Value columns);

private:
  struct Tap {
    Value position, kernelIndex, valid;
  };
  SmallVector<Tap> tapsOf(OpBuilder &b, Location loc, unsigned dim, Value out);

  Lowering &lowering;
  Node &node;
  Layout layout;
  int64_t groups, groupInputs, groupOutputs;
  SmallVector<int64_t> kernel, strides, dilations;
  Sizes inSizes, outSizes, padBegin; ///< spatial

  unsigned rank() const { return layout.spatialRank; }
  int64_t window() const {
    int64_t product = 1;
    for (int64_t size : kernel)
      product *= size;
    return product;
  }
};
} // namespace

static SmallVector<int64_t> orDefault(SmallVector<int64_t> values, unsigned rank, int64_t value) {
  return values.empty() ? SmallVector<int64_t>(rank, value) : values;
}

/// Output sizes and padding, as ConvTranspose-22 defines them.
LogicalResult TransposedConvolution::setSizes() {
  SizeArithmetic &s = lowering.sizes();
  strides = orDefault(node.getInts("strides"), rank(), 1);
  dilations = orDefault(node.getInts("dilations"), rank(), 1);
  SmallVector<int64_t> pads = orDefault(node.getInts("pads"), 2 * rank(), 0);
  SmallVector<int64_t> extra = orDefault(node.getInts("output_padding"), rank(), 0);
  SmallVector<int64_t> target = node.getInts("output_shape");
  StringRef autoPad = node.getString("auto_pad", "NOTSET");
  if (target.size() > rank())
    target.erase(target.begin(), target.end() - rank());
  if (strides.size() != rank() || dilations.size() != rank() || pads.size() != 2 * rank() || extra.size() != rank() ||
      (!target.empty() && target.size() != rank()))
    return node.emitError() << "has attributes that do not fit " << rank() << " spatial dimensions";
  for (unsigned i = 0; i < rank(); ++i) {
    Size full = s.add(s.mul(s.sub(inSizes[i], s.constant(1)), s.constant(strides[i])),
                      s.constant((kernel[i] - 1) * dilations[i] + 1 + extra[i]));
    bool same = autoPad.starts_with("SAME");
    if (target.empty() && !same) {
      int64_t begin = autoPad == "VALID" ? 0 : pads[i], end = autoPad == "VALID" ? 0 : pads[rank() + i];
      padBegin.push_back(s.constant(begin));
      outSizes.push_back(s.sub(full, s.constant(begin + end)));
      continue;
    }
    Size out = target.empty() ? s.mul(inSizes[i], s.constant(strides[i])) : s.constant(target[i]);
    Size total = s.max(s.sub(full, out), s.constant(0)), half = s.divFloor(total, s.constant(2));
    padBegin.push_back(autoPad == "SAME_UPPER" ? half : s.sub(total, half));
    outSizes.push_back(out);
  }
  return success();
}

/// columns[n, g, spatial..., (kernel..., co)] = sum over ci of data * weight.
Value TransposedConvolution::columns() {
  SizeArithmetic &s = lowering.sizes();
  OpBuilder &b = lowering.b();
  Value data = lowering.getTensor(node.getInput(0));
  Sizes dataSizes = lowering.getSizes(data);
  Size batch = dataSizes[0];
  unsigned channel = layout.channel();
  dataSizes[channel] = s.constant(groups);
  dataSizes.insert(dataSizes.begin() + channel + 1, s.constant(groupInputs));
  data = lowering.reshape(data, dataSizes);

  SmallVector<int64_t> split = {groups, groupInputs, groupOutputs}, perm = {0, 1};
  llvm::append_range(split, kernel);
  for (unsigned i = 0; i < rank(); ++i)
    perm.push_back(3 + i);
  perm.push_back(2);
  SmallVector<int64_t> packed = {groups, groupInputs, window() * groupOutputs};
  Value weight = lowering.getTensor(node.getInput(1));
  Value rhs = lowering.relayoutWeight(weight, split, perm, packed);
  if (!rhs) {
    Sizes splitSizes, permuted;
    for (int64_t size : split)
      splitSizes.push_back(s.constant(size));
    SmallVector<AffineExpr> exprs(perm.size());
    for (auto [loop, d] : llvm::enumerate(perm)) {
      permuted.push_back(s.constant(split[d]));
      exprs[d] = b.getAffineDimExpr(loop);
    }
    AffineMap map = AffineMap::get(perm.size(), 0, exprs, b.getContext());
    Type element = Lowering::signless(node.getInputElement(1));
    rhs = lowering.pointwise(lowering.reshape(weight, splitSizes), map, permuted, element,
                             [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    rhs = lowering.reshape(rhs, {s.constant(packed[0]), s.constant(packed[1]), s.constant(packed[2])});
  }

  // Loops: n, g, spatial..., column, ci.
  unsigned count = rank() + 4, column = rank() + 2, input = rank() + 3;
  auto dim = [&](unsigned loop) { return b.getAffineDimExpr(loop); };
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(count, 0, exprs, b.getContext()); };
  SmallVector<AffineExpr> dataExprs = {dim(0)}, spatial, outExprs = {dim(0), dim(1)};
  for (unsigned i = 0; i < rank(); ++i)
    spatial.push_back(dim(2 + i));
  if (layout.channelsLast)
    llvm::append_range(dataExprs, spatial);
  dataExprs.append({dim(1), dim(input)});
  if (!layout.channelsLast)
    llvm::append_range(dataExprs, spatial);
  llvm::append_range(outExprs, spatial);
  outExprs.push_back(dim(column));
  ContractBuilder contract;
  contract.lhs = data;
  contract.rhs = rhs;
  contract.lhsMap = map(dataExprs);
  contract.rhsMap = map({dim(1), dim(input), dim(column)});
  contract.outMap = map(outExprs);
  contract.iterators.assign(count, IteratorType::parallel);
  contract.iterators.back() = IteratorType::reduction;
  contract.accumulator = accumulatorType(node.getResultElement());
  contract.outElement = contract.accumulator;
  contract.outSizes = {batch, s.constant(groups)};
  llvm::append_range(contract.outSizes, inSizes);
  contract.outSizes.push_back(s.constant(packed[2]));
  WeightOperand operand;
  operand.stored = rhs;
  operand.storedType = operand.type = node.getInputElement(1);
  contract.setPrologues(node.getInputElement(0), operand, AffineMap());
  return contract.build(lowering);
}

/// The input positions and kernel indices along one dimension that reach output position `out`.
SmallVector<TransposedConvolution::Tap> TransposedConvolution::tapsOf(OpBuilder &b, Location loc, unsigned dim,
                                                                      Value out) {
  auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, loc, value); };
  Value shifted = out;
  if (constantOf(padBegin[dim]) != 0)
    shifted = arith::AddIOp::create(b, loc, out, BodySize(padBegin[dim]).get(b, loc));
  Value extent = BodySize(inSizes[dim]).get(b, loc);
  auto isInside = [&](Value position) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, position, extent);
  };
  Value stride = constant(strides[dim]);
  SmallVector<Tap> taps;
  if (dilations[dim] == 1) {
    Value quotient = strides[dim] == 1 ? shifted : arith::DivUIOp::create(b, loc, shifted, stride).getResult();
    Value rest = strides[dim] == 1 ? constant(0) : arith::RemUIOp::create(b, loc, shifted, stride).getResult();
    for (int64_t tap = 0; tap * strides[dim] < kernel[dim]; ++tap) {
      Value position = arith::SubIOp::create(b, loc, quotient, constant(tap));
      Value index = arith::AddIOp::create(b, loc, rest, constant(tap * strides[dim]));
      Value valid = isInside(position);
      if ((tap + 1) * strides[dim] > kernel[dim]) {
        Value inKernel = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index, constant(kernel[dim]));
        valid = arith::AndIOp::create(b, loc, valid, inKernel);
      }
      taps.push_back({position, index, valid});
    }
    return taps;
  }
  for (int64_t index = 0; index < kernel[dim]; ++index) {
    Value first = arith::SubIOp::create(b, loc, shifted, constant(index * dilations[dim]));
    Value position = arith::DivSIOp::create(b, loc, first, stride);
    Value rest = arith::RemSIOp::create(b, loc, first, stride);
    Value divides = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest, constant(0));
    taps.push_back({position, constant(index), arith::AndIOp::create(b, loc, divides, isInside(position))});
  }
  return taps;
}

Value TransposedConvolution::gather(Value columns) {
  SizeArithmetic &s = lowering.sizes();
  MLIRContext *context = lowering.b().getContext();
  // Result with its channels split: n, (g, co), spatial... in the layout's order.
  Sizes sizes = {lowering.getSizes(columns)[0]};
  if (layout.channelsLast)
    llvm::append_range(sizes, outSizes);
  unsigned groupDim = sizes.size();
  sizes.append({s.constant(groups), s.constant(groupOutputs)});
  if (!layout.channelsLast)
    llvm::append_range(sizes, outSizes);
  unsigned firstSpatial = layout.channelsLast ? 1 : 3;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  Type biasType;
  if (node.hasInput(2)) {
    inputs.push_back(
        lowering.reshape(lowering.getTensor(node.getInput(2)), {s.constant(groups), s.constant(groupOutputs)}));
    maps.push_back(AffineMap::get(
        sizes.size(), 0, {getAffineDimExpr(groupDim, context), getAffineDimExpr(groupDim + 1, context)}, context));
    biasType = node.getInputElement(2);
  }
  Type accumulator = accumulatorType(node.getResultElement());
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
    Scalar scalar(b, loc, accumulator);
    Value sum = args.empty() ? scalar.number(0) : convertElement(b, loc, args[0], biasType, accumulator);
    SmallVector<SmallVector<Tap>> taps;
    for (unsigned i = 0; i < rank(); ++i)
      taps.push_back(tapsOf(b, loc, i, linalg::IndexOp::create(b, loc, firstSpatial + i)));
    Value n = linalg::IndexOp::create(b, loc, 0), group = linalg::IndexOp::create(b, loc, groupDim);
    Value channel = linalg::IndexOp::create(b, loc, groupDim + 1);
    auto visit = [&](auto &&self, unsigned dim, SmallVector<Value> at, Value offset, Value valid) -> void {
      if (dim < rank()) {
        for (const Tap &tap : taps[dim]) {
          SmallVector<Value> next(at);
          next.push_back(clampIndex(b, loc, tap.position, BodySize(s.sub(inSizes[dim], s.constant(1)))));
          Value scaled = offset;
          if (scaled)
            scaled = arith::MulIOp::create(b, loc, offset, arith::ConstantIndexOp::create(b, loc, kernel[dim]));
          scaled = scaled ? arith::AddIOp::create(b, loc, scaled, tap.kernelIndex).getResult() : tap.kernelIndex;
          Value ok = valid ? arith::AndIOp::create(b, loc, valid, tap.valid).getResult() : tap.valid;
          self(self, dim + 1, next, scaled, ok);
        }
        return;
      }
      // A kernel index beyond the kernel is masked below; keep the address inside all the same.
      Value safe = arith::MinUIOp::create(b, loc, offset, arith::ConstantIndexOp::create(b, loc, window() - 1));
      Value base = arith::MulIOp::create(b, loc, safe, arith::ConstantIndexOp::create(b, loc, groupOutputs));
      at.push_back(arith::AddIOp::create(b, loc, base, channel));
      Value column = tensor::ExtractOp::create(b, loc, columns, at);
      sum = scalar.add(sum, scalar.select(valid, column, scalar.number(0)));
    };
    visit(visit, 0, {n, group}, Value(), Value());
    return convertElement(b, loc, sum, accumulator, node.getResultElement());
  };
  for (Size size : inSizes)
    if (!constantOf(size))
      s.value(s.sub(size, s.constant(1)));
  Value split = lowering.pointwise(inputs, maps, sizes, node.getResultElement(), body);
  Sizes merged = sizes;
  merged[groupDim] = s.constant(groups * groupOutputs);
  merged.erase(merged.begin() + groupDim + 1);
  return lowering.reshape(split, lowering.refine(merged, node));
}

static LogicalResult lowerConvTranspose(Lowering &lowering, Node &node) {
  Sizes data = lowering.getSizesOf(node.getInput(0));
  RankedTensorType weight = node.getInputType(1);
  Layout layout = getLayout(node, data.size());
  int64_t groups = node.getInt("group", 1);
  if (!weight.hasStaticShape() || groups <= 0 || weight.getDimSize(0) % groups != 0)
    return node.emitError() << "needs a weight of static shape whose first dimension is a multiple of its " << groups
                            << " groups";
  if (constantOf(data[layout.channel()]) != weight.getDimSize(0))
    return node.emitError() << "has a number of channels other than the " << weight.getDimSize(0) << " of its weight";
  TransposedConvolution conv(lowering, node, layout, groups, weight, data);
  if (failed(conv.setSizes()))
    return failure();
  lowering.setTensor(node.getOperation()->getResult(0), conv.gather(conv.columns()));
  return success();
}

void leaf::onnxtolinalg::registerConvTranspose(Registry &registry) {
  registry.add("ConvTranspose", lowerConvTranspose);
}
