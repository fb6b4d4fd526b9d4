//===- Identifier.h - C identifiers from any text ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_IDENTIFIER_H
#define LEAFCUTTER_SUPPORT_IDENTIFIER_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace leaf {

/// A valid identifier of C99 and C++ that looks like `text`: other characters become '_', a keyword, a leading digit
/// or a reserved leading '_' is avoided. Empty text gives "model". Different texts may give the same identifier.
std::string makeIdentifier(llvm::StringRef text);

/// The same for a model. Functions, types, macros and files are named after it, so it must be neither "example" nor the
/// name of a system header, which get "_net" at their end, nor "leaf" or start with "leaf_", which get "m_" in front.
std::string makeModelName(llvm::StringRef text);

/// Whether `text` may be used as an identifier as it is.
bool isIdentifier(llvm::StringRef text);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_IDENTIFIER_H
