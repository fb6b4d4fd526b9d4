//===- RegexAutomaton.h - regular expressions as tables ----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_REGEXAUTOMATON_H
#define LEAFCUTTER_SUPPORT_REGEXAUTOMATON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace leaf {

/// A deterministic automaton over bytes. It begins in state 0; state 1 is the one that nothing leaves and nothing
/// accepts. A text matches where the state after its last byte accepts.
struct RegexAutomaton {
  std::vector<uint16_t> next; ///< [states][256]
  std::vector<bool> accepts;  ///< [states]
};

/// Compiles a pattern in RE2's syntax for a match of a whole text in UTF-8: literals, `.`, classes with ranges and
/// \d \w \s and their negations, groups, alternatives, greedy and lazy repetition, ^ $ \A \z \b \B.
/// Fails on anything else (flags, Unicode classes, back references), with the place in the pattern, and where more than
/// 4096 states are needed.
llvm::Expected<RegexAutomaton> compileRegex(llvm::StringRef pattern);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_REGEXAUTOMATON_H
