//===- Diagnostics.cpp - MLIR's diagnostics as messages for users ------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"

#include "leafcutter/Support/CText.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace leaf {

std::string describeLocation(Location location) {
  if (auto name = dyn_cast<NameLoc>(location)) {
    // The module itself is named after its file.
    StringRef text = name.getName().getValue();
    return text.ends_with(".onnx") ? text.str() : ("node '" + text + "'").str();
  }
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return describeLocation(call.getCallee());
  if (auto file = dyn_cast<FileLineColLoc>(location))
    return (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" + Twine(file.getColumn())).str();
  if (auto fused = dyn_cast<FusedLoc>(location)) {
    // Several nodes in one op: all of them, each once.
    std::vector<std::string> parts;
    for (Location part : fused.getLocations())
      if (std::string text = describeLocation(part); !text.empty() && !llvm::is_contained(parts, text))
        parts.push_back(text);
    return llvm::join(parts, ", ");
  }
  return "";
}

static std::string render(Diagnostic &diagnostic) {
  std::string where = describeLocation(diagnostic.getLocation());
  std::string text = where.empty() ? diagnostic.str() : where + ": " + diagnostic.str();
  for (Diagnostic &note : diagnostic.getNotes()) {
    // "see current operation" prints a whole op; the node's name says enough.
    if (std::string body = note.str(); !StringRef(body).starts_with("see current operation"))
      text += "\n  note: " + body;
  }
  return text;
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) { return handle(diagnostic); }) {
  context->printOpOnDiagnostic(false);
}

LogicalResult DiagnosticCollector::handle(Diagnostic &diagnostic) {
  std::scoped_lock lock(mutex);
  std::string text = render(diagnostic);
  // MLIR's own words about crash reproducers; CrashReproducer has better ones.
  if (StringRef(diagnostic.str()).contains("detected while processing"))
    return success();
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
    llvm::errs() << (diagnostic.getSeverity() == DiagnosticSeverity::Warning ? "warning: " : "note: ")
                 << escapeMessage(text) << '\n';
  else if (!llvm::is_contained(errors, text))
    errors.push_back(text);
  return success();
}

llvm::Error DiagnosticCollector::merge(llvm::Error error) {
  std::string last = llvm::toString(std::move(error));
  if (errors.empty())
    return llvm::createStringError(last);
  std::string all = llvm::join(errors, "\n");
  StringRef tail = last;
  return llvm::createStringError(tail.starts_with("stage ") ? all + "\n" + last : last + "\n" + all);
}

} // namespace leaf
