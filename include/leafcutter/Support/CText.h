//===- CText.h - any bytes in C source text ----------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_CTEXT_H
#define LEAFCUTTER_SUPPORT_CTEXT_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace leaf {

/// `text` for use inside a C block comment: printable ASCII stays, other bytes, backslashes, and what could end or nest
/// a comment or form a trigraph become \xNN. Any bytes are allowed.
std::string escapeComment(llvm::StringRef text);

/// `text` as the inside of a C string literal.
std::string escapeString(llvm::StringRef text);

/// `text` for a terminal or a log: bytes that are no UTF-8, and control characters but for line ends, become \xNN.
/// Names in a model may hold any bytes, terminal commands too.
std::string escapeMessage(llvm::StringRef text);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_CTEXT_H
