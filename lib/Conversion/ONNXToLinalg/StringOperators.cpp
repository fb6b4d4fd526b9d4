//===- StringOperators.cpp - StringNormalizer, StringSplit, TfIdfVectorizer -----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Scalars.h"
#include "Strings.h"

#include "llvm/Support/Unicode.h"

using namespace mlir;
using namespace leaf::onnxtolinalg;

/// Characters of one or two bytes in UTF-8, which are all that change their case here.
static constexpr int64_t kCasedCharacters = 0x800;

//===----------------------------------------------------------------------===//
// StringNormalizer
//===----------------------------------------------------------------------===//

/// The simple case mapping of each character that keeps its length in UTF-8.
static SmallVector<int16_t> makeCaseTable(bool upper) {
  SmallVector<int16_t> table;
  for (int c = 0; c < kCasedCharacters; ++c)
    table.push_back(c);
  for (int c = 0; c < kCasedCharacters; ++c) {
    int folded = llvm::sys::unicode::foldCharSimple(c);
    if (folded == c || folded >= kCasedCharacters || (c < 0x80) != (folded < 0x80))
      continue;
    // Several characters may fold to one; the first is its capital.
    if (!upper)
      table[c] = folded;
    else if (table[folded] == folded)
      table[folded] = c;
  }
  return table;
}

/// The bytes with the case of each character changed; all stay where they are.
static Value changeCase(Lowering &lowering, Value pool, bool upper) {
  OpBuilder &b = lowering.b();
  SmallVector<int16_t> entries = makeCaseTable(upper);
  Value table = lowering.loadConstant(
      DenseElementsAttr::get(RankedTensorType::get({kCasedCharacters}, b.getI16Type()), ArrayRef<int16_t>(entries)),
      "case");
  Size size = lowering.getSizes(pool)[0];
  Value last = lowering.sizes().value(lowering.sizes().sub(size, lowering.sizes().constant(1)));
  auto body = [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    Scalar s(b, loc, b.getI64Type());
    Value i = linalg::IndexOp::create(b, loc, 0), zero = arith::ConstantIndexOp::create(b, loc, 0),
          one = arith::ConstantIndexOp::create(b, loc, 1);
    auto byteAt = [&](Value at) {
      Value byte = tensor::ExtractOp::create(b, loc, pool, at);
      return arith::ExtUIOp::create(b, loc, s.type, byte).getResult();
    };
    Value before = arith::MaxSIOp::create(b, loc, arith::SubIOp::create(b, loc, i, one), zero);
    Value behind = arith::MinSIOp::create(b, loc, arith::AddIOp::create(b, loc, i, one), last);
    Value own = byteAt(i), previous = byteAt(before), next = byteAt(behind);
    auto bits = [&](Value x, int64_t mask) { return arith::AndIOp::create(b, loc, x, s.number(mask)).getResult(); };
    auto both = [&](Value x, Value y) { return arith::AndIOp::create(b, loc, x, y).getResult(); };
    auto isLead = [&](Value x) { return s.compare(Scalar::eq, bits(x, 0xE0), s.number(0xC0)); };
    auto isTrail = [&](Value x) { return s.compare(Scalar::eq, bits(x, 0xC0), s.number(0x80)); };
    Value isFirst = both(isLead(own), isTrail(next)), isSecond = both(isTrail(own), isLead(previous));
    Value isAscii = s.compare(Scalar::lt, own, s.number(0x80));
    Value lead = bits(s.select(isFirst, own, previous), 0x1F), trail = bits(s.select(isFirst, next, own), 0x3F);
    Value wide = s.add(s.mul(lead, s.number(64)), trail);
    Value character = s.select(isAscii, own, bits(wide, kCasedCharacters - 1));
    Value at = arith::IndexCastOp::create(b, loc, b.getIndexType(), character);
    Value mapped = arith::ExtUIOp::create(b, loc, s.type, tensor::ExtractOp::create(b, loc, table, at));
    Value high = arith::ShRUIOp::create(b, loc, mapped, s.number(6));
    Value result = s.select(isAscii, mapped,
                            s.select(isFirst, s.add(high, s.number(0xC0)),
                                     s.select(isSecond, s.add(bits(mapped, 0x3F), s.number(0x80)), own)));
    return arith::TruncIOp::create(b, loc, b.getI8Type(), result);
  };
  return lowering.pointwise({}, {}, {size}, b.getI8Type(), body);
}

/// The same on the host.
static std::string lowerCase(const std::string &text) {
  static const SmallVector<int16_t> table = makeCaseTable(/*upper=*/false);
  std::string result = text;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    if (byte < 0x80) {
      result[i] = static_cast<char>(table[byte]);
    } else if ((byte & 0xE0) == 0xC0 && i + 1 < text.size() && (text[i + 1] & 0xC0) == 0x80) {
      int16_t mapped = table[(byte & 0x1F) << 6 | (text[i + 1] & 0x3F)];
      result[i] = static_cast<char>(0xC0 | mapped >> 6);
      result[i + 1] = static_cast<char>(0x80 | (mapped & 0x3F));
      ++i;
    }
  }
  return result;
}

LogicalResult leaf::onnxtolinalg::lowerStringNormalizer(Lowering &lowering, Node &node, StringTensor strings) {
  SizeArithmetic &s = lowering.sizes();
  Operation *op = node.getOperation();
  StringRef action = node.getString("case_change_action", "NONE");
  if (action != "NONE" && action != "LOWER" && action != "UPPER")
    return node.emitError() << "has the unknown case_change_action '" << action << "'";
  Sizes sizes = lowering.getSizes(strings.spans);
  if (sizes.empty() || sizes.size() > 2 || (sizes.size() == 2 && constantOf(sizes[0]) != 1))
    return node.emitError() << "takes strings of shape [C] or [1, C]";
  bool isExact = node.getInt("is_case_sensitive", 0) != 0;
  SmallVector<std::string> stopwords = getStrings(op->getAttr("stopwords"));
  if (!isExact)
    llvm::transform(stopwords, stopwords.begin(), lowerCase);
  llvm::sort(stopwords);
  Value compared = isExact || stopwords.empty() ? strings.pool : changeCase(lowering, strings.pool, /*upper=*/false);
  Value pool = action == "NONE" ? strings.pool : changeCase(lowering, strings.pool, action == "UPPER");
  Size count = sizes.back();
  Value spans = lowering.reshape(strings.spans, {count});
  if (!stopwords.empty()) {
    Value found = lookUpStrings(lowering, {strings.spans, compared}, stopwords);
    Size room = s.max(count, s.constant(1));
    Type i64 = lowering.b().getI64Type();
    auto body = [&](Code &c, const ForallArguments &args) {
      Value zero = c.index(0);
      // An empty result is one empty string.
      c.store(toI64(c, zero), args.outs[0], zero);
      Value kept = c.loop(zero, c.size(args.inputs[0], 0), zero, [&](Value i, ValueRange now) -> Code::Values {
        Value keeps = c.less(c.load(args.inputs[1], i), toI64(c, zero));
        c.when(keeps, [&] { c.store(c.load(args.inputs[0], i), args.outs[0], now[0]); });
        return {c.select(keeps, c.add(now[0], 1), now[0])};
      })[0];
      c.store(toI64(c, c.select(c.equal(kept, zero), c.index(1), kept)), args.outs[1], zero);
    };
    SmallVector<Value> results = forall(lowering, {spans, found}, {{room}, {s.constant(1)}}, {i64, i64}, {}, body);
    count = readCount(lowering, results[1], room);
    spans = takeFirst(lowering, results[0], 0, count);
  }
  sizes.back() = count;
  lowering.setTensor(op->getResult(0), lowering.reshape(spans, sizes));
  lowering.setTensor(op->getResult(1), pool);
  return success();
}

//===----------------------------------------------------------------------===//
// StringSplit
//===----------------------------------------------------------------------===//

namespace {
/// Walks over the parts of one string, as Python's str.split.
class Splitter {
public:
  Splitter(Code &c, StringReader &read, StringRef delimiter, int64_t most)
      : c(c), read(read), delimiter(delimiter), most(most) {}

  /// Calls `part` with number and place of each; returns how many there are.
  Value run(const Span &text, function_ref<void(Value, Value, Value)> part);

private:
  Value isDelimiter(const Span &text, Value at);
  Value isSpace(const Span &text, Value at);
  Value canSplit(Value parts) { return most < 0 ? c.equal(parts, parts) : c.less(parts, c.index(most)); }
  Value splitAtSpaces(const Span &text, function_ref<void(Value, Value, Value)> part);

  Code &c;
  StringReader &read;
  StringRef delimiter; ///< empty: white space
  int64_t most;        ///< splits; -1: no limit
};
} // namespace

static Value byteConstant(Code &c, char value) {
  return arith::ConstantOp::create(c.b, c.loc, c.b.getI8IntegerAttr(value));
}

Value Splitter::isDelimiter(const Span &text, Value at) {
  Value size = c.index(delimiter.size()), fits = c.less(at, c.add(c.sub(text.size, size), 1)), zero = c.index(0);
  Value all = fits;
  for (auto [i, byte] : llvm::enumerate(delimiter)) {
    Value place = c.select(fits, c.add(at, i), zero);
    all = c.both(all, c.equal(read.byte(text, place), byteConstant(c, byte)));
  }
  return all;
}

Value Splitter::isSpace(const Span &text, Value at) {
  Value byte = read.byte(text, at), result = c.equal(byte, byteConstant(c, ' '));
  for (char space : {'\t', '\n', '\v', '\f', '\r'})
    result = c.either(result, c.equal(byte, byteConstant(c, space)));
  return result;
}

/// A part begins behind white space and ends before it; the last one that splits allow takes all of the rest.
Value Splitter::splitAtSpaces(const Span &text, function_ref<void(Value, Value, Value)> part) {
  Value zero = c.index(0), none = c.sub(zero, c.index(1));
  Code::Values end = c.loop(zero, text.size, {zero, none}, [&](Value i, ValueRange now) -> Code::Values {
    Value parts = now[0], start = now[1], space = isSpace(text, i);
    Value inside = c.less(none, start), ends = c.both(c.both(inside, space), canSplit(parts));
    c.when(ends, [&] { part(parts, start, c.sub(i, start)); });
    Value begins = c.select(space, c.less(zero, zero), c.equal(start, none));
    return {c.select(ends, c.add(parts, 1), parts), c.select(ends, none, c.select(begins, i, start))};
  });
  Value rest = c.less(none, end[1]);
  c.when(rest, [&] { part(end[0], end[1], c.sub(text.size, end[1])); });
  return c.select(rest, c.add(end[0], 1), end[0]);
}

Value Splitter::run(const Span &text, function_ref<void(Value, Value, Value)> part) {
  if (delimiter.empty())
    return splitAtSpaces(text, part);
  Value zero = c.index(0);
  Code::Values end = c.loop(zero, text.size, {zero, zero}, [&](Value i, ValueRange now) -> Code::Values {
    Value parts = now[0], start = now[1];
    Value isFree = c.less(start, c.add(i, 1)); // not within the delimiter before
    Value ends = c.both(c.both(isFree, isDelimiter(text, i)), canSplit(parts));
    c.when(ends, [&] { part(parts, start, c.sub(i, start)); });
    return {c.select(ends, c.add(parts, 1), parts), c.select(ends, c.add(i, delimiter.size()), start)};
  });
  part(end[0], end[1], c.sub(text.size, end[1]));
  return c.add(end[0], 1);
}

LogicalResult leaf::onnxtolinalg::lowerStringSplit(Lowering &lowering, Node &node, StringTensor strings) {
  SizeArithmetic &s = lowering.sizes();
  StringRef delimiter = node.getString("delimiter", "");
  int64_t most = node.hasAttr("maxsplit") ? node.getInt("maxsplit", 0) : -1;
  Sizes sizes = lowering.getSizes(strings.spans);
  Size count = s.product(sizes), bytes = lowering.getSizes(strings.pool)[0], one = s.constant(1);
  Value spans = lowering.reshape(strings.spans, {count});
  Type i64 = lowering.b().getI64Type();
  // Each split takes a delimiter out of the bytes.
  Size room = s.add(s.divTrunc(bytes, s.constant(std::max<int64_t>(delimiter.size(), 1))), one);
  if (most >= 0)
    room = s.min(room, s.constant(most + 1));
  auto countParts = [&](Code &c, const ForallArguments &args) {
    StringReader read(c, args.inputs[0], args.inputs[1]);
    Value largest =
        c.loop(c.index(0), c.size(args.inputs[0], 0), c.index(0), [&](Value i, ValueRange now) -> Code::Values {
          Value parts = Splitter(c, read, delimiter, most).run(read[i], [](Value, Value, Value) {});
          c.store(toI64(c, parts), args.outs[0], i);
          return {c.select(c.less(now[0], parts), parts, now[0])};
        })[0];
    c.store(toI64(c, largest), args.outs[1], c.index(0));
  };
  SmallVector<Value> counted = forall(lowering, {spans, strings.pool}, {{count}, {one}}, {i64, i64}, {}, countParts);
  Size width = readCount(lowering, counted[1], room);
  auto fill = [&](Code &c, const ForallArguments &args) {
    StringReader read(c, args.inputs[0], args.inputs[1]);
    Value row = args.point[0], out = args.outs[0], parts = c.size(out, 1), zero = c.index(0);
    c.loop(zero, parts, [&](Value k) { c.store(toI64(c, zero), out, {row, k}); });
    Span text = read[row];
    Splitter(c, read, delimiter, most).run(text, [&](Value number, Value begin, Value size) {
      c.when(c.less(number, parts), [&] { c.store(makeSpan(c, c.add(text.begin, begin), size), out, {row, number}); });
    });
  };
  Value split = forall(lowering, {spans, strings.pool}, {{count, width}}, i64, {count}, fill).front();
  Sizes outSizes(sizes);
  outSizes.push_back(width);
  lowering.setTensor(node.getOperation()->getResult(0), lowering.reshape(split, outSizes));
  if (node.hasResult(1))
    lowering.setTensor(node.getOperation()->getResult(1), lowering.reshape(counted[0], sizes));
  return success();
}

//===----------------------------------------------------------------------===//
// TfIdfVectorizer
//===----------------------------------------------------------------------===//

namespace {
/// An n-gram: its tokens in the pool, and where it is counted.
struct Gram {
  int64_t begin, size, output;
};
} // namespace

/// The n-grams of the pool whose size is asked for.
static FailureOr<SmallVector<Gram>> readGrams(Node &node, int64_t poolSize) {
  SmallVector<int64_t> begins = node.getInts("ngram_counts"), outputs = node.getInts("ngram_indexes");
  int64_t least = node.getInt("min_gram_length", 1), most = node.getInt("max_gram_length", 1);
  SmallVector<Gram> grams;
  int64_t number = 0;
  for (auto [i, begin] : llvm::enumerate(begins)) {
    int64_t size = i + 1, end = i + 1 < begins.size() ? begins[i + 1] : poolSize;
    if (begin < 0 || end < begin || end > poolSize || (end - begin) % size)
      return node.emitError() << "has ngram_counts that do not fit its pool of " << poolSize;
    for (int64_t at = begin; at < end; at += size, ++number) {
      if (number >= static_cast<int64_t>(outputs.size()) || outputs[number] < 0)
        return node.emitError() << "has " << outputs.size() << " ngram_indexes for more n-grams, or a negative one";
      if (size >= least && size <= most)
        grams.push_back({at, size, outputs[number]});
    }
  }
  return grams;
}

/// What a count is multiplied by, by column: weights are in the order of the n-grams.
static SmallVector<float> getWeights(Node &node, int64_t columns) {
  SmallVector<float> weights(columns, 1);
  if (auto given = node.getOperation()->getAttrOfType<DenseF32ArrayAttr>("weights"))
    for (auto [column, weight] : llvm::zip(node.getInts("ngram_indexes"), given.asArrayRef()))
      weights[column] = weight;
  return weights;
}

LogicalResult leaf::onnxtolinalg::lowerTfIdf(Lowering &lowering, Node &node, Value tokens, Type element,
                                             ArrayRef<int64_t> pool) {
  SizeArithmetic &s = lowering.sizes();
  OpBuilder &b = lowering.b();
  StringRef mode = node.getString("mode", "TF");
  FailureOr<SmallVector<Gram>> grams = readGrams(node, pool.size());
  if (failed(grams))
    return failure();
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return node.emitError() << "has the unknown mode '" << mode << "'";
  Sizes sizes = lowering.getSizes(tokens);
  if (sizes.empty() || sizes.size() > 2)
    return node.emitError() << "takes tokens of shape [C] or [N, C], not of rank " << sizes.size();
  int64_t columns = 0, skips = node.getInt("max_skip_count", 0);
  for (int64_t output : node.getInts("ngram_indexes"))
    columns = std::max(columns, output + 1);
  SmallVector<int64_t> table; // begin, size, output of each
  for (Gram gram : *grams)
    table.append({gram.begin, gram.size, gram.output});
  int64_t numGrams = grams->size();
  table.append({0, 0, 0}); // never empty
  SmallVector<int64_t> words(pool);
  words.push_back(0);
  SmallVector<float> weights = getWeights(node, columns);
  Value weightTable = lowering.loadConstant(
      DenseElementsAttr::get(RankedTensorType::get({columns}, b.getF32Type()), ArrayRef<float>(weights)), "weights");
  Size rows = sizes.size() == 2 ? sizes[0] : s.constant(1), length = sizes.back();
  Value flat = lowering.reshape(tokens, {rows, length});
  auto body = [&](Code &c, const ForallArguments &args) {
    Value zero = c.index(0), one = c.index(1), row = args.point[0], out = args.outs[0],
          count = c.size(args.inputs[0], 1);
    Scalar f(c.b, c.loc, c.b.getF32Type());
    auto field = [&](Value g, int64_t k) {
      Value at = c.add(c.mul(g, c.index(3)), k);
      return arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), c.load(args.inputs[1], at)).getResult();
    };
    c.loop(zero, c.index(columns), [&](Value k) { c.store(f.number(0), out, {row, k}); });
    c.loop(zero, c.index(numGrams), [&](Value g) {
      Value begin = field(g, 0), size = field(g, 1), output = field(g, 2);
      // A single token has no gaps.
      Value gaps = c.select(c.equal(size, one), one, c.index(skips + 1));
      Value found = c.loop(zero, gaps, zero, [&](Value gap, ValueRange outer) -> Code::Values {
        Value stride = c.add(gap, one), span = c.mul(c.sub(size, one), stride);
        return {c.loop(zero, c.sub(count, span), outer[0], [&](Value at, ValueRange inner) -> Code::Values {
          Value misses = c.loop(zero, size, zero, [&](Value k, ValueRange now) -> Code::Values {
            Value token = c.load(args.inputs[0], {row, c.add(at, c.mul(k, stride))});
            Value same = c.equal(convertElement(c.b, c.loc, token, element, c.b.getI64Type()),
                                 c.load(args.inputs[2], c.add(begin, k)));
            return {c.select(same, now[0], one)};
          })[0];
          return {c.select(c.equal(misses, zero), c.add(inner[0], one), inner[0])};
        })[0]};
      })[0];
      Value number = arith::UIToFPOp::create(c.b, c.loc, f.type, toI64(c, found));
      c.store(f.add(c.load(out, {row, output}), number), out, {row, output});
    });
    if (mode == "TF")
      return;
    c.loop(zero, c.index(columns), [&](Value k) {
      Value number = c.load(out, {row, k}), weight = c.load(args.inputs[3], k);
      Value present = f.compare(Scalar::gt, number, f.number(0));
      Value value = mode == "IDF" ? f.select(present, weight, f.number(0)) : f.mul(number, weight);
      c.store(value, out, {row, k});
    });
  };
  Value result = forall(lowering, {flat, loadNumbers(lowering, table), loadNumbers(lowering, words), weightTable},
                        {{rows, s.constant(columns)}}, b.getF32Type(), {rows}, body)
                     .front();
  if (sizes.size() == 1)
    result = lowering.reshape(result, {s.constant(columns)});
  lowering.setTensor(node.getOperation()->getResult(0), result);
  return success();
}
