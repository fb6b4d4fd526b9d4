//===- Diagnostics.h - MLIR's diagnostics as messages for users --*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_DIAGNOSTICS_H
#define LEAFCUTTER_LIB_DRIVER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"
#include <mutex>
#include <string>
#include <vector>

namespace leaf {

/// The ONNX node (or file position) that a location stands for; empty where it says nothing.
std::string describeLocation(mlir::Location location);

/// While it lives, errors are kept and everything milder goes to stderr.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);

  /// `error` with all errors kept so far, one a line; kept ones come first, and a bare "stage X failed" only stands
  /// where no other error says more.
  llvm::Error merge(llvm::Error error);

  /// Different errors kept so far.
  size_t getNumErrors() const { return errors.size(); }

private:
  mlir::LogicalResult handle(mlir::Diagnostic &diagnostic);

  std::mutex mutex;
  std::vector<std::string> errors;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_DIAGNOSTICS_H
