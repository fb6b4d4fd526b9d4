//===- Strings.cpp - operators on strings --------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Strings.h"

#include "leafcutter/Support/RegexAutomaton.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

//===----------------------------------------------------------------------===//
// Tools
//===----------------------------------------------------------------------===//

static Value integer(Code &c, int64_t value, unsigned width = 64) {
  return arith::ConstantOp::create(c.b, c.loc, c.b.getIntegerAttr(c.b.getIntegerType(width), value));
}

static Value toIndex(Code &c, Value value) { return arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), value); }

Span StringReader::operator[](Value i) const {
  Value place = c.load(spans, i), bytes = c.size(pool, 0);
  Value begin = toIndex(c, arith::ShRUIOp::create(c.b, c.loc, place, integer(c, 32)));
  Value size = toIndex(c, arith::AndIOp::create(c.b, c.loc, place, integer(c, 0xFFFFFFFF)));
  // The caller's places are held within the pool.
  begin = arith::MinUIOp::create(c.b, c.loc, begin, bytes);
  size = arith::MinUIOp::create(c.b, c.loc, size, c.sub(bytes, begin));
  return {begin, size};
}

Value StringReader::byte(const Span &span, Value i) const { return c.load(pool, c.add(span.begin, i)); }

Value leaf::onnxtolinalg::makeSpan(Code &c, Value begin, Value size) {
  Value high = arith::ShLIOp::create(c.b, c.loc, toI64(c, begin), integer(c, 32));
  return arith::OrIOp::create(c.b, c.loc, high, toI64(c, size));
}

Value leaf::onnxtolinalg::bytesBefore(Code &c, Value x, Value y) {
  return arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::ult, x, y);
}

Value leaf::onnxtolinalg::compareStrings(Code &c, const StringReader &readA, const Span &a, const StringReader &readB,
                                         const Span &b) {
  Value zero = c.index(0), before = c.index(1), behind = c.index(2);
  Value common = c.select(c.less(a.size, b.size), a.size, b.size);
  Value known = c.loop(zero, common, zero, [&](Value i, ValueRange now) -> Code::Values {
    Value x = readA.byte(a, i), y = readB.byte(b, i);
    Value here = c.select(bytesBefore(c, x, y), before, c.select(bytesBefore(c, y, x), behind, zero));
    return {c.select(c.equal(now[0], zero), here, now[0])};
  })[0];
  Value bySize = c.select(c.less(a.size, b.size), before, c.select(c.less(b.size, a.size), behind, zero));
  return c.select(c.equal(known, zero), bySize, known);
}

StringTensor leaf::onnxtolinalg::loadStrings(Lowering &lowering, ArrayRef<std::string> strings) {
  OpBuilder &b = lowering.b();
  SmallVector<int64_t> spans;
  std::string pool;
  for (const std::string &text : strings) {
    spans.push_back(static_cast<int64_t>(pool.size()) << 32 | static_cast<int64_t>(text.size()));
    pool += text;
  }
  if (pool.empty())
    pool.push_back('\0');
  auto type = RankedTensorType::get({static_cast<int64_t>(pool.size())}, b.getI8Type());
  auto bytes = DenseElementsAttr::getFromRawBuffer(type, ArrayRef<char>(pool.data(), pool.size()));
  return {loadNumbers(lowering, spans), lowering.loadConstant(bytes, "strings")};
}

Value leaf::onnxtolinalg::loadNumbers(Lowering &lowering, ArrayRef<int64_t> numbers) {
  auto type = RankedTensorType::get({static_cast<int64_t>(numbers.size())}, lowering.b().getI64Type());
  return lowering.loadConstant(DenseElementsAttr::get(type, numbers), "numbers");
}

SmallVector<std::string> leaf::onnxtolinalg::getStrings(Attribute attribute) {
  SmallVector<std::string> strings;
  if (auto array = dyn_cast_or_null<ArrayAttr>(attribute))
    for (StringAttr text : array.getAsRange<StringAttr>())
      strings.push_back(text.getValue().str());
  if (auto elements = dyn_cast_or_null<DenseStringElementsAttr>(attribute))
    for (StringRef text : elements.getValues<StringRef>())
      strings.push_back(text.str());
  return strings;
}

Value leaf::onnxtolinalg::lookUpStrings(Lowering &lowering, StringTensor strings, ArrayRef<std::string> table) {
  SizeArithmetic &s = lowering.sizes();
  Size count = s.product(lowering.getSizes(strings.spans));
  Value spans = lowering.reshape(strings.spans, {count});
  StringTensor keys = loadStrings(lowering, table);
  int64_t numKeys = table.size();
  auto body = [&](Code &c, const ForallArguments &args) {
    StringReader read(c, args.inputs[0], args.inputs[1]), readKey(c, args.inputs[2], args.inputs[3]);
    Value zero = c.index(0), end = c.index(numKeys);
    Span text = read[args.point[0]];
    // Halves [low, high) until it is empty: the first key that does not come before the text.
    Value low = c.loop(
        zero, c.index(llvm::Log2_64_Ceil(numKeys + 1) + 1), {zero, end}, [&](Value, ValueRange range) -> Code::Values {
          Value isOpen = c.less(range[0], range[1]);
          Value middle = arith::ShRUIOp::create(c.b, c.loc, c.add(range[0], range[1]), c.index(1));
          Value at = c.select(isOpen, middle, zero);
          Value isBefore = c.equal(compareStrings(c, readKey, readKey[at], read, text), c.index(1));
          Value up = c.both(isOpen, isBefore);
          return {c.select(up, c.add(middle, 1), range[0]), c.select(up, range[1], c.select(isOpen, middle, range[1]))};
        })[0];
    Value at = c.select(c.less(low, end), low, zero);
    Value isEqual = c.both(c.less(low, end), c.equal(compareStrings(c, readKey, readKey[at], read, text), zero));
    c.store(c.select(isEqual, toI64(c, low), integer(c, -1)), args.outs[0], args.point[0]);
  };
  Type i64 = lowering.b().getI64Type();
  return forall(lowering, {spans, strings.pool, keys.spans, keys.pool}, {{count}}, i64, {count}, body).front();
}

//===----------------------------------------------------------------------===//
// Equal, StringConcat
//===----------------------------------------------------------------------===//

/// Places repeated to `sizes` and flattened.
static Value broadcastSpans(Lowering &lowering, Value spans, ArrayRef<Size> sizes) {
  Sizes own = lowering.getSizes(spans);
  Value all = spans;
  if (own.size() != sizes.size() ||
      !llvm::all_of_zip(own, sizes, [&](Size a, Size b) { return lowering.sizes().same(a, b); }))
    all = lowering.pointwise(spans, lowering.broadcastMap(own, sizes), sizes, lowering.b().getI64Type(),
                             [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  return lowering.reshape(all, {lowering.sizes().product(sizes)});
}

/// Both operands of a node broadcast against each other.
static FailureOr<Sizes> broadcastPair(Lowering &lowering, Node &node, StringTensor &a, StringTensor &b) {
  FailureOr<Sizes> sizes = lowering.broadcast(node, {lowering.getSizes(a.spans), lowering.getSizes(b.spans)});
  if (failed(sizes))
    return failure();
  a.spans = broadcastSpans(lowering, a.spans, *sizes);
  b.spans = broadcastSpans(lowering, b.spans, *sizes);
  return sizes;
}

static StringTensor getStringOperand(Lowering &lowering, Node &node, unsigned first) {
  return {lowering.getTensor(node.getInput(first)), lowering.getTensor(node.getInput(first + 1))};
}

static LogicalResult lowerStringEqual(Lowering &lowering, Node &node) {
  StringTensor a = getStringOperand(lowering, node, 0), b = getStringOperand(lowering, node, 2);
  FailureOr<Sizes> sizes = broadcastPair(lowering, node, a, b);
  if (failed(sizes))
    return failure();
  Size count = lowering.sizes().product(*sizes);
  Type i1 = lowering.b().getI1Type();
  Value result = forall(lowering, {a.spans, a.pool, b.spans, b.pool}, {{count}}, i1, {count},
                        [&](Code &c, const ForallArguments &args) {
                          StringReader x(c, args.inputs[0], args.inputs[1]), y(c, args.inputs[2], args.inputs[3]);
                          Value order = compareStrings(c, x, x[args.point[0]], y, y[args.point[0]]);
                          c.store(c.equal(order, c.index(0)), args.outs[0], args.point[0]);
                        })
                     .front();
  lowering.setTensor(node.getOperation()->getResult(0), lowering.reshape(result, *sizes));
  return success();
}

static LogicalResult lowerStringConcat(Lowering &lowering, Node &node) {
  SizeArithmetic &s = lowering.sizes();
  StringTensor a = getStringOperand(lowering, node, 0), b = getStringOperand(lowering, node, 2);
  Size counts[2] = {s.product(lowering.getSizes(a.spans)), s.product(lowering.getSizes(b.spans))};
  Size pools[2] = {lowering.getSizes(a.pool)[0], lowering.getSizes(b.pool)[0]};
  FailureOr<Sizes> sizes = broadcastPair(lowering, node, a, b);
  if (failed(sizes))
    return failure();
  Size count = s.product(*sizes), bytes = s.constant(0);
  RankedTensorType poolType = node.getResultType(1);
  if (!poolType.isDynamicDim(0))
    bytes = s.constant(poolType.getDimSize(0));
  else
    for (unsigned i = 0; i < 2; ++i)
      bytes = s.add(bytes, s.same(counts[i], count) ? pools[i] : s.mul(pools[i], count));
  Type i64 = lowering.b().getI64Type(), i8 = lowering.b().getI8Type();
  auto body = [&](Code &c, const ForallArguments &args) {
    Value zero = c.index(0), pool = args.outs[1], room = c.size(pool, 0);
    StringReader x(c, args.inputs[0], args.inputs[1]), y(c, args.inputs[2], args.inputs[3]);
    c.loop(zero, room, [&](Value i) { c.store(integer(c, 0, 8), pool, i); });
    Value needed = c.loop(zero, c.size(args.outs[0], 0), zero, [&](Value i, ValueRange now) -> Code::Values {
      Span first = x[i], second = y[i];
      Value size = c.add(first.size, second.size), end = c.add(now[0], size);
      Value fits = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::ule, end, room);
      c.when(fits, [&] {
        c.loop(zero, first.size, [&](Value k) { c.store(x.byte(first, k), pool, c.add(now[0], k)); });
        Value middle = c.add(now[0], first.size);
        c.loop(zero, second.size, [&](Value k) { c.store(y.byte(second, k), pool, c.add(middle, k)); });
      });
      c.store(makeSpan(c, c.select(fits, now[0], zero), c.select(fits, size, zero)), args.outs[0], i);
      return {end};
    })[0];
    c.store(toI64(c, needed), args.outs[2], zero);
  };
  SmallVector<Value> results = forall(lowering, {a.spans, a.pool, b.spans, b.pool}, {{count}, {bytes}, {s.constant(1)}},
                                      {i64, i8, i64}, {}, body);
  Value needed = tensor::ExtractOp::create(lowering.b(), lowering.loc(), results[2], s.value(s.constant(0)));
  Value size = arith::IndexCastOp::create(lowering.b(), lowering.loc(), lowering.b().getIndexType(), needed);
  lowering.requireWithinBound(s.compare(arith::CmpIPredicate::ule, size, bytes),
                              "strings share bytes, and their concatenations have no room");
  lowering.setTensor(node.getOperation()->getResult(0), lowering.reshape(results[0], *sizes));
  lowering.setTensor(node.getOperation()->getResult(1), results[1]);
  return success();
}

//===----------------------------------------------------------------------===//
// RegexFullMatch
//===----------------------------------------------------------------------===//

static LogicalResult lowerRegexFullMatch(Lowering &lowering, Node &node) {
  llvm::Expected<leaf::RegexAutomaton> automaton = leaf::compileRegex(node.getString("pattern", ""));
  if (!automaton)
    return node.emitError() << "has a pattern that cannot be compiled: " << llvm::toString(automaton.takeError());
  StringTensor strings = getStringOperand(lowering, node, 0);
  OpBuilder &b = lowering.b();
  SizeArithmetic &s = lowering.sizes();
  Sizes sizes = lowering.getSizes(strings.spans);
  Size count = s.product(sizes);
  int64_t numStates = automaton->accepts.size();
  SmallVector<int16_t> next(automaton->next.begin(), automaton->next.end());
  Value table = lowering.loadConstant(
      DenseElementsAttr::get(RankedTensorType::get({numStates * 256}, b.getI16Type()), ArrayRef<int16_t>(next)),
      "automaton");
  SmallVector<bool> accepts(automaton->accepts.begin(), automaton->accepts.end());
  Value accepting = lowering.loadConstant(
      DenseElementsAttr::get(RankedTensorType::get({numStates}, b.getI1Type()), ArrayRef<bool>(accepts)), "accepting");
  Value result = forall(lowering, {lowering.reshape(strings.spans, {count}), strings.pool, table, accepting}, {{count}},
                        b.getI1Type(), {count},
                        [&](Code &c, const ForallArguments &args) {
                          StringReader read(c, args.inputs[0], args.inputs[1]);
                          Span text = read[args.point[0]];
                          Value state =
                              c.loop(c.index(0), text.size, c.index(0), [&](Value i, ValueRange now) -> Code::Values {
                                Value byte = arith::ExtUIOp::create(c.b, c.loc, c.b.getI64Type(), read.byte(text, i));
                                Value row = c.mul(now[0], c.index(256));
                                Value to = c.load(args.inputs[2], c.add(row, toIndex(c, byte)));
                                return {toIndex(c, to)};
                              })[0];
                          c.store(c.load(args.inputs[3], state), args.outs[0], args.point[0]);
                        })
                     .front();
  lowering.setTensor(node.getOperation()->getResult(0), lowering.reshape(result, sizes));
  return success();
}

//===----------------------------------------------------------------------===//
// All
//===----------------------------------------------------------------------===//

static LogicalResult lowerStringTokens(Lowering &lowering, Node &node) {
  StringTensor strings = getStringOperand(lowering, node, 0);
  SmallVector<std::string> pool = getStrings(node.getOperation()->getAttr("pool_strings")), table(pool);
  llvm::sort(table);
  table.erase(llvm::unique(table), table.end());
  SmallVector<int64_t> tokens;
  for (const std::string &text : pool)
    tokens.push_back(llvm::lower_bound(table, text) - table.begin());
  Sizes sizes = lowering.getSizes(strings.spans);
  Value found = lowering.reshape(lookUpStrings(lowering, strings, table), sizes);
  return lowerTfIdf(lowering, node, found, lowering.b().getI64Type(), tokens);
}

static LogicalResult lowerStringNode(Lowering &lowering, Node &node) {
  StringRef name = node.getString("operator_name", "");
  if (name == "Equal")
    return lowerStringEqual(lowering, node);
  if (name == "StringConcat")
    return lowerStringConcat(lowering, node);
  if (name == "RegexFullMatch")
    return lowerRegexFullMatch(lowering, node);
  if (name == "TfIdfVectorizer")
    return lowerStringTokens(lowering, node);
  if (name == "ml.LabelEncoder")
    return lowerLabelEncoder(lowering, node);
  StringTensor strings = getStringOperand(lowering, node, 0);
  if (name == "StringNormalizer")
    return lowerStringNormalizer(lowering, node, strings);
  if (name == "StringSplit")
    return lowerStringSplit(lowering, node, strings);
  return node.emitError() << "stands for '" << name << "', which is not known on strings";
}

static LogicalResult lowerIntegerTokens(Lowering &lowering, Node &node) {
  SmallVector<int64_t> pool = node.getInts("pool_int64s");
  return lowerTfIdf(lowering, node, lowering.getTensor(node.getInput(0)), node.getInputElement(0), pool);
}

void leaf::onnxtolinalg::registerStrings(Registry &registry) {
  registry.add("StringNode", lowerStringNode);
  registry.add("TfIdfVectorizer", lowerIntegerTokens);
  registry.add("ml.LabelEncoder", lowerLabelEncoder);
}
