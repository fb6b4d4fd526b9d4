//===- Import.cpp - ONNX files to the onnx dialect ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// The boundary of the importer: no exception of protobuf, libonnx or our own steps leaves it.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Import/Import.h"

#include "CacheSizes.h"
#include "SourceModel.h"

#include "ONNX/Schemas/Schemas.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

#include <new>

using namespace mlir;
using namespace leaf;

llvm::Expected<OwningOpRef<ModuleOp>> leaf::importONNX(MLIRContext *context, StringRef path,
                                                       const ImportOptions &options) {
  auto fail = [&](const std::string &message) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), path.str() + ": " + message);
  };
  try {
    leaf::onnx::registerSchemas();
    importer::SourceModel model = importer::loadModel(path);
    importer::checkModel(model);
    importer::flattenMaps(model);
    importer::expandContainerInputs(model, options);
    importer::addStringPools(model);
    importer::markCacheSizes(model);
    importer::resolvePreprocessing(model, options);
    importer::resolveDimensions(model, options);
    importer::upgradeModel(model);
    OwningOpRef<ModuleOp> module = importer::buildModule(context, model, options);
    importer::attachPreprocessing(*module, model);
    Location loc = NameLoc::get(StringAttr::get(context, path));
    for (const std::string &remark : model.remarks)
      emitRemark(loc) << remark;
    std::string problems;
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      problems += (problems.empty() ? "" : "\n") + diagnostic.str();
      return success();
    });
    if (failed(verify(*module)))
      return fail("the imported model is inconsistent: " + problems);
    return module;
  } catch (const std::bad_alloc &) {
    return fail("needs more memory than there is");
  } catch (const std::exception &error) {
    return fail(error.what());
  } catch (...) {
    return fail("cannot be imported");
  }
}
