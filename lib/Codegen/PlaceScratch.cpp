//===- PlaceScratch.cpp - scratch of kernels behind the arena -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Plan/Plan.h"
#include "leafcutter/Codegen/Passes.h"
#include "leafcutter/Plan/ModelInterface.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace leaf {

#define GEN_PASS_DEF_PLACESCRATCH
#include "leafcutter/Codegen/Passes.h.inc"

using namespace mlir;

namespace {

struct PlaceScratch : impl::PlaceScratchBase<PlaceScratch> {
  using PlaceScratchBase::PlaceScratchBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Builder builder(&getContext());
    if (maxThreads > 1)
      module->setAttr(kMaxWorkers, builder.getI64IntegerAttr(maxThreads));
    SmallVector<plan::LaunchOp> launches;
    int64_t most = 0;
    module.walk([&](plan::LaunchOp launch) {
      if (launch.getScratchBytes() > 0)
        launches.push_back(launch);
      most = std::max<int64_t>(most, launch.getScratchBytes());
    });
    if (launches.empty())
      return;
    auto attribute = [&](StringRef name, int64_t otherwise) {
      auto value = module->getAttrOfType<IntegerAttr>(name);
      return value ? value.getInt() : otherwise;
    };
    int64_t alignment = attribute("plan.arena_align", 64);
    int64_t offset = llvm::alignTo(attribute("plan.arena_bytes", 0), alignment);
    int64_t bytes = most * std::max<int64_t>(1, maxThreads);
    for (plan::LaunchOp launch : launches) {
      OpBuilder b(launch);
      auto type = MemRefType::get({bytes}, b.getI8Type());
      Value slot = plan::SlotOp::create(b, launch.getLoc(), type, offset, bytes, ValueRange());
      launch.getScratchMutable().assign(slot);
    }
    module->setAttr("plan.arena_bytes", builder.getI64IntegerAttr(llvm::alignTo(offset + bytes, alignment)));
    scratchBytes = bytes;
  }
};

} // namespace

} // namespace leaf
