//===- RegexAutomaton.cpp - regular expressions as tables --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Thompson's construction of a nondeterministic automaton over bytes while the pattern is parsed, then the subset
// construction. Characters beyond ASCII are sequences of bytes, so that a state needs one table row of 256 entries.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/RegexAutomaton.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include <algorithm>
#include <array>
#include <map>

using namespace llvm;

namespace leaf {

static constexpr size_t kMaxStates = 4096;  ///< of the deterministic automaton
static constexpr size_t kMaxNodes = 200000; ///< of the other
static constexpr int kMaxRepeat = 1000, kMaxDepth = 250;
static constexpr uint32_t kLastCharacter = 0x10FFFF;

namespace {

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;

/// What must hold at a place of the text.
enum class Assertion : uint8_t { None, Begin, End, WordBoundary, NoWordBoundary };

/// What is beside a place of the text: its begin or end, a byte of a word (\w), or another byte.
enum class Side : uint8_t { Edge, Word, Other };

/// A node goes to `to` on bytes first to last, or, where that is empty, to `to` and `other` on none, if `assertion`
/// holds there.
struct Node {
  int to = -1, other = -1;
  uint8_t first = 1, last = 0;
  Assertion assertion = Assertion::None;
  bool takesByte() const { return first <= last; }
};

/// Part of the automaton with one way in and one way out.
struct Piece {
  int in, out;
};

class Parser {
public:
  explicit Parser(StringRef pattern) : pattern(pattern) {}

  Expected<Piece> parse() {
    Piece all = alternatives(0);
    if (error.empty() && at < pattern.size())
      fail("unmatched ')'");
    if (!error.empty())
      return createStringError(error);
    return all;
  }

  std::vector<Node> nodes;

private:
  bool accept(StringRef text) {
    if (!pattern.substr(at).starts_with(text))
      return false;
    at += text.size();
    return true;
  }
  void fail(const Twine &what) {
    if (error.empty())
      error = (what + " at byte " + Twine(at) + " of the pattern").str();
    at = pattern.size();
  }
  int add(Node node = {}) {
    if (nodes.size() >= kMaxNodes)
      fail("the pattern is too large");
    else
      nodes.push_back(node);
    return static_cast<int>(nodes.size()) - 1;
  }
  Piece nothing() {
    int node = add();
    return {node, node};
  }
  Piece assertion(Assertion what) {
    int out = add(), in = add({out, -1, 1, 0, what});
    return {in, out};
  }
  void connect(int from, int to) { (nodes[from].to < 0 ? nodes[from].to : nodes[from].other) = to; }
  Piece join(Piece a, Piece b) {
    connect(a.out, b.in);
    return {a.in, b.out};
  }
  Piece either(Piece a, Piece b) {
    int in = add(), out = add();
    nodes[in] = {a.in, b.in};
    connect(a.out, out);
    connect(b.out, out);
    return {in, out};
  }
  Piece bytes(uint8_t first, uint8_t last) {
    int out = add(), in = add({out, -1, first, last});
    return {in, out};
  }

  Piece alternatives(int depth);
  Piece sequence(int depth);
  Piece repeated(int depth);
  Piece atom(int depth);
  std::optional<Assertion> acceptAssertion();
  Piece group(int depth);
  std::pair<int, int> bounds();
  Piece repeat(size_t begin, Piece piece, int least, int most);
  Piece copy(size_t begin, size_t end, Piece piece);
  Ranges characterClass();
  Ranges escape();
  uint32_t character();
  Piece anyOf(Ranges ranges);
  Piece utf8(uint32_t first, uint32_t last);

  StringRef pattern;
  size_t at = 0;
  std::string error;
};

} // namespace

//===----------------------------------------------------------------------===//
// Characters
//===----------------------------------------------------------------------===//

static Ranges invert(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges result;
  uint32_t next = 0;
  for (auto [first, last] : ranges) {
    if (first > next)
      result.push_back({next, first - 1});
    next = std::max(next, last + 1);
  }
  if (next <= kLastCharacter)
    result.push_back({next, kLastCharacter});
  return result;
}

static std::string encode(uint32_t character) {
  char buffer[4], *end = buffer;
  (void)ConvertCodePointToUTF8(character, end);
  return std::string(buffer, end - buffer);
}

/// Characters of equal length in UTF-8 whose encodings differ in one byte, or in trailing bytes that take all values,
/// are one sequence of byte ranges.
Piece Parser::utf8(uint32_t first, uint32_t last) {
  for (uint32_t end : {0x7Fu, 0x7FFu, 0xD7FFu, 0xFFFFu})
    if (first <= end && last > end)
      return either(utf8(first, end), utf8(end == 0xD7FF ? std::max(0xE000u, end + 1) : end + 1, last));
  for (unsigned shift : {6u, 12u, 18u}) {
    uint32_t mask = (1u << shift) - 1;
    if (last <= 0x7F || (first & ~mask) == (last & ~mask))
      break;
    if (first & mask)
      return either(utf8(first, first | mask), utf8((first | mask) + 1, last));
    if ((last & mask) != mask)
      return either(utf8(first, (last & ~mask) - 1), utf8(last & ~mask, last));
  }
  std::string low = encode(first), high = encode(last);
  Piece all = bytes(low[0], high[0]);
  for (size_t i = 1; i < low.size(); ++i)
    all = join(all, bytes(low[i], high[i]));
  return all;
}

Piece Parser::anyOf(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end());
  if (ranges.empty()) // nothing matches: a node without a way on
    return {add(), add()};
  std::vector<Piece> pieces;
  uint32_t from = 0;
  for (auto [first, last] : ranges) {
    first = std::max(first, from);
    if (first > last)
      continue;
    from = last + 1;
    // Surrogates are no characters.
    if (first < 0xD800 && last > 0xDFFF) {
      pieces.push_back(utf8(first, 0xD7FF));
      pieces.push_back(utf8(0xE000, last));
    } else if (last < 0xD800 || first > 0xDFFF) {
      pieces.push_back(utf8(first, last));
    }
  }
  if (pieces.empty())
    return {add(), add()};
  Piece all = pieces.front();
  for (Piece piece : ArrayRef<Piece>(pieces).drop_front())
    all = either(all, piece);
  return all;
}

uint32_t Parser::character() {
  const auto *from = reinterpret_cast<const UTF8 *>(pattern.data() + at);
  UTF32 result = 0, *target = &result;
  const UTF8 *next = from;
  auto length = std::min<size_t>(getNumBytesForUTF8(*from), pattern.size() - at);
  if (ConvertUTF8toUTF32(&next, from + length, &target, &result + 1, strictConversion) != conversionOK) {
    fail("the pattern is no UTF-8");
    return 0;
  }
  at += length;
  return result;
}

/// What follows a backslash.
Ranges Parser::escape() {
  if (at >= pattern.size()) {
    fail("a backslash ends the pattern");
    return {};
  }
  static const Ranges digits = {{'0', '9'}}, word = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
                      space = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
  char c = pattern[at++];
  switch (c) {
  case 'd':
    return digits;
  case 'D':
    return invert(digits);
  case 'w':
    return word;
  case 'W':
    return invert(word);
  case 's':
    return space;
  case 'S':
    return invert(space);
  case 't':
    return {{'\t', '\t'}};
  case 'n':
    return {{'\n', '\n'}};
  case 'r':
    return {{'\r', '\r'}};
  case 'f':
    return {{'\f', '\f'}};
  case 'v':
    return {{'\v', '\v'}};
  case 'a':
    return {{'\a', '\a'}};
  case 'x': {
    unsigned value;
    StringRef digitsText = pattern.substr(at, 2);
    if (accept("{")) {
      size_t end = pattern.find('}', at);
      digitsText = pattern.slice(at, end);
      at = end == StringRef::npos ? pattern.size() : end + 1;
    } else {
      at = std::min(at + 2, pattern.size());
    }
    if (digitsText.empty() || digitsText.getAsInteger(16, value) || value > kLastCharacter)
      fail("\\x needs a character's number");
    return {{value, value}};
  }
  default:
    if (isAlnum(c))
      fail("'\\" + Twine(c) + "' is not supported");
    return {{static_cast<uint8_t>(c), static_cast<uint8_t>(c)}};
  }
}

/// What follows '['.
Ranges Parser::characterClass() {
  static const std::map<StringRef, Ranges> named = {{"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
                                                    {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
                                                    {"ascii", {{0, 127}}},
                                                    {"blank", {{'\t', '\t'}, {' ', ' '}}},
                                                    {"cntrl", {{0, 31}, {127, 127}}},
                                                    {"digit", {{'0', '9'}}},
                                                    {"graph", {{'!', '~'}}},
                                                    {"lower", {{'a', 'z'}}},
                                                    {"print", {{' ', '~'}}},
                                                    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
                                                    {"space", {{'\t', '\r'}, {' ', ' '}}},
                                                    {"upper", {{'A', 'Z'}}},
                                                    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
                                                    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}};
  bool negated = accept("^");
  Ranges ranges;
  auto one = [&]() -> Ranges {
    if (accept("\\"))
      return escape();
    uint32_t c = character();
    return {{c, c}};
  };
  for (bool first = true; first || !accept("]"); first = false) {
    if (at >= pattern.size()) {
      fail("']' is missing");
      return {};
    }
    if (accept("[:")) {
      size_t end = pattern.find(":]", at);
      StringRef name = pattern.slice(at, end);
      bool isNegated = name.consume_front("^");
      auto found = named.find(name);
      if (end == StringRef::npos || found == named.end()) {
        fail("unknown class");
        return {};
      }
      Ranges inner = isNegated ? invert(found->second) : found->second;
      ranges.insert(ranges.end(), inner.begin(), inner.end());
      at = end + 2;
      continue;
    }
    Ranges low = one();
    bool isRange = low.size() == 1 && low[0].first == low[0].second && pattern.substr(at).starts_with("-") &&
                   !pattern.substr(at).starts_with("-]");
    if (isRange && accept("-")) {
      Ranges high = one();
      if (high.size() != 1 || high[0].first != high[0].second || high[0].first < low[0].first)
        fail("bad range");
      else
        low[0].second = high[0].first;
    }
    ranges.insert(ranges.end(), low.begin(), low.end());
  }
  return negated ? invert(ranges) : ranges;
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

Piece Parser::alternatives(int depth) {
  Piece all = sequence(depth);
  while (error.empty() && accept("|"))
    all = either(all, sequence(depth));
  return all;
}

Piece Parser::sequence(int depth) {
  Piece all = nothing();
  while (error.empty() && at < pattern.size() && pattern[at] != '|' && pattern[at] != ')')
    all = join(all, repeated(depth));
  return all;
}

/// The repetition that follows; (1, 1) where there is none, -1: without end.
std::pair<int, int> Parser::bounds() {
  if (accept("*"))
    return {0, -1};
  if (accept("+"))
    return {1, -1};
  if (accept("?"))
    return {0, 1};
  size_t end = pattern.find('}', at);
  if (!pattern.substr(at).starts_with("{") || end == StringRef::npos)
    return {1, 1};
  auto [low, high] = pattern.slice(at + 1, end).split(',');
  bool hasComma = pattern.slice(at + 1, end).contains(',');
  int least, most;
  // Braces around anything else stand for themselves.
  if (low.getAsInteger(10, least) || (!high.empty() && high.getAsInteger(10, most)))
    return {1, 1};
  most = !hasComma ? least : high.empty() ? -1 : most;
  if (least > kMaxRepeat || most > kMaxRepeat || (most >= 0 && most < least))
    fail("bad repetition");
  at = end + 1;
  return {least, most};
}

/// A copy of the nodes `begin` to `end`, which hold `piece`.
Piece Parser::copy(size_t begin, size_t end, Piece piece) {
  int shift = static_cast<int>(nodes.size() - begin);
  auto move = [&](int node) { return node >= static_cast<int>(begin) ? node + shift : node; };
  for (size_t i = begin; i < end && error.empty(); ++i) {
    Node node = nodes[i];
    node.to = move(node.to);
    node.other = move(node.other);
    add(node);
  }
  return {piece.in + shift, piece.out + shift};
}

Piece Parser::repeat(size_t begin, Piece piece, int least, int most) {
  if (least == 1 && most == 1)
    return piece;
  size_t end = nodes.size();
  auto another = [&] { return copy(begin, end, piece); };
  auto optional = [&](Piece inner) { return either(inner, nothing()); };
  Piece all = nothing();
  for (int i = 0; i < least && error.empty(); ++i)
    all = join(all, another());
  if (most < 0 && error.empty()) {
    Piece inner = another();
    int loop = add(), out = add();
    nodes[loop] = {inner.in, out};
    connect(inner.out, loop);
    return join(all, {loop, out});
  }
  for (int i = least; i < most && error.empty(); ++i)
    all = join(all, optional(another()));
  return all;
}

Piece Parser::repeated(int depth) {
  size_t begin = nodes.size();
  Piece piece = atom(depth);
  while (error.empty()) {
    size_t before = at;
    auto [least, most] = bounds();
    if (at == before)
      break;
    (void)accept("?"); // lazy: a match of the whole is the same
    piece = repeat(begin, piece, least, most);
  }
  return piece;
}

Piece Parser::group(int depth) {
  if (depth >= kMaxDepth)
    return fail("too many groups in each other"), nothing();
  if (accept("?") && !accept(":")) {
    // (?P<name>...) and (?<name>...)
    (void)accept("P");
    size_t end = pattern.find('>', at);
    if (!accept("<") || end == StringRef::npos || pattern[at] == '=' || pattern[at] == '!')
      return fail("flags and look-around are not supported"), nothing();
    at = end + 1;
  }
  Piece inner = alternatives(depth + 1);
  if (error.empty() && !accept(")"))
    fail("')' is missing");
  return inner;
}

std::optional<Assertion> Parser::acceptAssertion() {
  static constexpr std::pair<StringLiteral, Assertion> all[] = {
      {"^", Assertion::Begin}, {"\\A", Assertion::Begin},        {"$", Assertion::End},
      {"\\z", Assertion::End}, {"\\b", Assertion::WordBoundary}, {"\\B", Assertion::NoWordBoundary}};
  for (auto [text, assertion] : all)
    if (accept(text))
      return assertion;
  return std::nullopt;
}

Piece Parser::atom(int depth) {
  if (std::optional<Assertion> what = acceptAssertion())
    return assertion(*what);
  if (accept("("))
    return group(depth);
  if (accept("["))
    return anyOf(characterClass());
  if (accept("."))
    return anyOf(invert({{'\n', '\n'}}));
  if (accept("\\"))
    return anyOf(escape());
  if (StringRef("*+?").contains(pattern[at]))
    return fail("'" + Twine(pattern[at]) + "' is not supported here"), nothing();
  uint32_t c = character();
  return anyOf({{c, c}});
}

//===----------------------------------------------------------------------===//
// Deterministic automaton
//===----------------------------------------------------------------------===//

namespace {
/// The subset construction. A state is the nodes that may be reached, and, as long as assertions are among them, what
/// lies before: whether they hold is known when the next byte, or the end, is.
class Subsets {
public:
  Subsets(const std::vector<Node> &nodes, Piece all) : nodes(nodes), all(all), seen(nodes.size(), 0) {}

  Expected<RegexAutomaton> build();

private:
  using State = std::pair<std::vector<int>, Side>;

  uint16_t number(State state);
  State close(std::vector<int> from, Side before);
  std::vector<int> follow(std::vector<int> from, Side before, std::optional<Side> after);
  void addRow(const State &state);

  const std::vector<Node> &nodes;
  const Piece all;
  std::vector<unsigned> seen; ///< by node: the last round in which it was followed
  unsigned round = 0;
  std::map<State, uint16_t> numbers;
  std::vector<State> states;
  RegexAutomaton automaton;
};
} // namespace

static Side sideOf(unsigned byte) {
  return byte < 128 && (isAlnum(static_cast<char>(byte)) || byte == '_') ? Side::Word : Side::Other;
}

static bool holds(Assertion assertion, Side before, Side after) {
  switch (assertion) {
  case Assertion::None:
    return true;
  case Assertion::Begin:
    return before == Side::Edge;
  case Assertion::End:
    return after == Side::Edge;
  case Assertion::WordBoundary:
    return (before == Side::Word) != (after == Side::Word);
  case Assertion::NoWordBoundary:
    return (before == Side::Word) == (after == Side::Word);
  }
  llvm_unreachable("all kinds are handled");
}

/// Sorted nodes that are reached from `from` without a byte and take one, are the end, or assert something that is
/// wrong or, where what comes `after` is unknown, open.
std::vector<int> Subsets::follow(std::vector<int> from, Side before, std::optional<Side> after) {
  ++round;
  std::vector<int> result;
  while (!from.empty()) {
    int index = from.back();
    from.pop_back();
    if (index < 0 || seen[index] == round)
      continue;
    seen[index] = round;
    const Node &node = nodes[index];
    bool goesOn =
        !node.takesByte() && (node.assertion == Assertion::None || (after && holds(node.assertion, before, *after)));
    if (!goesOn || index == all.out)
      result.push_back(index);
    if (goesOn)
      from.insert(from.end(), {node.to, node.other});
  }
  std::sort(result.begin(), result.end());
  return result;
}

Subsets::State Subsets::close(std::vector<int> from, Side before) {
  std::vector<int> reached = follow(std::move(from), before, std::nullopt);
  bool asserts = any_of(reached, [&](int node) { return nodes[node].assertion != Assertion::None; });
  return {std::move(reached), asserts ? before : Side::Other};
}

uint16_t Subsets::number(State state) {
  auto [entry, isNew] = numbers.try_emplace(state, static_cast<uint16_t>(states.size()));
  if (isNew)
    states.push_back(std::move(state));
  return entry->second;
}

void Subsets::addRow(const State &state) {
  const auto &[reached, before] = state;
  automaton.accepts.push_back(is_contained(follow(reached, before, Side::Edge), all.out));
  std::array<std::vector<int>, 256> targets;
  for (Side side : {Side::Word, Side::Other})
    for (int index : follow(reached, before, side))
      if (const Node &node = nodes[index]; node.takesByte())
        for (unsigned byte = node.first; byte <= node.last; ++byte)
          if (sideOf(byte) == side)
            targets[byte].push_back(node.to);
  for (unsigned byte = 0; byte < targets.size(); ++byte)
    automaton.next.push_back(targets[byte].empty() ? 1 : number(close(std::move(targets[byte]), sideOf(byte))));
}

Expected<RegexAutomaton> Subsets::build() {
  State start = close({all.in}, Side::Edge);
  if (start.first.empty()) // nothing matches: any other name for the state without ways on
    start.first = {-1};
  number(std::move(start));
  number({{}, Side::Other});
  for (size_t i = 0; i < states.size(); ++i) {
    if (states.size() > kMaxStates)
      return createStringError("the pattern needs more than " + Twine(kMaxStates) + " states");
    addRow(State(states[i])); // which grows `states`
  }
  return std::move(automaton);
}

Expected<RegexAutomaton> compileRegex(StringRef pattern) {
  Parser parser(pattern);
  Expected<Piece> all = parser.parse();
  if (!all)
    return all.takeError();
  return Subsets(parser.nodes, *all).build();
}

} // namespace leaf
