//===- CompressSession.cpp - one model, compressed in several ways --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CompressSession.h"

using namespace llvm;

namespace leaf {

Error CompressSession::load(StringRef calibrationPath, StringRef evaluationPath) {
  for (auto [path, data] : {std::pair(calibrationPath, &calibration), std::pair(evaluationPath, &evaluation)}) {
    if (path.empty())
      continue;
    Expected<Dataset> loaded = Dataset::load(path, model);
    if (!loaded)
      return loaded.takeError();
    *data = std::move(*loaded);
  }
  if (calibration && calibration->size() == 1)
    errs() << "note: the calibration data is a single sample: ranges of other inputs may be larger\n";
  return Error::success();
}

Expected<OwnedModule> CompressSession::prepare(const CompressionSettings &settings) {
  OwnedModule copy(cast<mlir::ModuleOp>(model->clone()));
  if (Error error = prepareCompression(*copy, settings, host, getCalibration()))
    return error;
  return copy;
}

Expected<OwnedModule> CompressSession::compress(const CompressionSettings &settings) {
  Expected<OwnedModule> copy = prepare(settings);
  if (!copy)
    return copy;
  if (Error error = runCompressStage(**copy, settings))
    return error;
  return copy;
}

Expected<std::unique_ptr<CompiledGraph>> CompressSession::compile(mlir::ModuleOp module, const TargetSpec &spec) {
  const Dataset *data = evaluation ? &*evaluation : getCalibration();
  Expected<OwnedModule> fixed = specializeShapes(module, data ? data->getShapes() : fillOpenShapes(model, 1));
  if (!fixed)
    return fixed.takeError();
  return CompiledGraph::compile(std::move(*fixed), spec);
}

Expected<CompiledGraph *> CompressSession::getReference() {
  if (reference)
    return reference.get();
  Expected<std::unique_ptr<CompiledGraph>> compiled = compile(model, host);
  if (!compiled)
    return compiled.takeError();
  reference = std::move(*compiled);
  return reference.get();
}

Expected<Evaluated> CompressSession::evaluateModule(StringRef kind, mlir::ModuleOp module) {
  Expected<CompiledGraph *> first = getReference();
  if (!first)
    return first.takeError();
  std::unique_ptr<CompiledGraph> owned;
  CompiledGraph *graph = *first;
  if (module != model) {
    Expected<std::unique_ptr<CompiledGraph>> compiled = compile(module, host);
    if (!compiled)
      return compiled.takeError();
    owned = std::move(*compiled);
    graph = owned.get();
  }
  Expected<Evaluated> row = evaluateRow(kind, *graph, **first, getEvaluation());
  if (!row || target.name == host.name)
    return row;
  Expected<std::unique_ptr<CompiledGraph>> foreign = compile(module, target);
  if (!foreign)
    return foreign.takeError();
  row->weightBytes = (*foreign)->getInterface().weightBytes;
  row->arenaBytes = (*foreign)->getInterface().arenaBytes;
  row->nanoseconds = (*foreign)->estimate(target);
  row->estimated = true;
  return row;
}

} // namespace leaf
