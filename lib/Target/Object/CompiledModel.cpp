//===- CompiledModel.cpp - a model compiled into this process ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/TargetMachine.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemAlloc.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include <cstring>

using namespace mlir;
using namespace leaf;

namespace {

/// Alignment of the weight section, as the ABI promises it.
constexpr size_t kWeightAlign = 64;

class JITModel : public CompiledModel {
public:
  using Entry = int32_t (*)(const leaf_context *, void *const *, int64_t *);

  ~JITModel() override { llvm::deallocate_buffer(bytes, size, kWeightAlign); }

  int32_t run(const leaf_context *context, void *const *buffers, int64_t *dims) override {
    return entry(context, buffers, dims);
  }
  const void *weights() const override { return bytes; }
  uint64_t codeBytes() const override { return code; }

  llvm::Error copyWeights(ModuleOp module) {
    size = std::max<uint64_t>(object::getWeightBytes(module), kWeightAlign);
    bytes = static_cast<char *>(llvm::allocate_buffer(size, kWeightAlign));
    uint64_t end = 0;
    llvm::Error error = object::visitWeights(module, [&](uint64_t offset, ArrayRef<char> data) {
      std::memset(bytes + end, 0, offset - end);
      std::memcpy(bytes + offset, data.data(), data.size());
      end = offset + data.size();
    });
    std::memset(bytes + end, 0, size - end);
    return error;
  }

  /// Compiles into a process of its own symbols: nothing of this program can be called but the compiler helpers.
  llvm::Error compile(ModuleOp module, const TargetSpec &target) {
    llvm::Expected<std::string> name = object::getModelName(module);
    if (!name)
      return name.takeError();
    llvm::SmallVector<char, 0> buffer;
    llvm::raw_svector_ostream stream(buffer);
    if (llvm::Error error = emitObject(module, target, stream))
      return error;
    auto object = std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(buffer), *name + ".o", false);
    llvm::Expected<std::unique_ptr<llvm::object::ObjectFile>> file =
        llvm::object::ObjectFile::createObjectFile(object->getMemBufferRef());
    if (!file)
      return file.takeError();
    code = object::getCodeBytes(**file);

    llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> created =
        llvm::orc::LLJITBuilder()
            .setJITTargetMachineBuilder(llvm::orc::JITTargetMachineBuilder(llvm::Triple(target.triple)))
            .setLinkProcessSymbolsByDefault(false)
            .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
            .create();
    if (!created)
      return created.takeError();
    jit = std::move(*created);
    if (llvm::Error error = defineHelpers())
      return error;
    if (llvm::Error error = jit->addObjectFile(std::move(object)))
      return error;
    llvm::Expected<llvm::orc::ExecutorAddr> address = jit->lookup(*name + "_entry");
    if (!address)
      return address.takeError();
    entry = address->toPtr<Entry>();
    return llvm::Error::success();
  }

private:
  llvm::Error defineHelpers() {
    auto define = [](auto *function) {
      return llvm::orc::ExecutorSymbolDef(llvm::orc::ExecutorAddr::fromPtr(function),
                                          llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable);
    };
    llvm::orc::SymbolMap helpers;
    helpers[jit->mangleAndIntern("memcpy")] = define(&std::memcpy);
    helpers[jit->mangleAndIntern("memmove")] = define(&std::memmove);
    helpers[jit->mangleAndIntern("memset")] = define(&std::memset);
    return jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(helpers)));
  }

  std::unique_ptr<llvm::orc::LLJIT> jit;
  Entry entry = nullptr;
  char *bytes = nullptr;
  uint64_t size = 0, code = 0;
};

} // namespace

llvm::Expected<std::unique_ptr<CompiledModel>> CompiledModel::create(ModuleOp module, const TargetSpec &target) {
  initializeTargets();
  llvm::Triple triple(target.triple), host(llvm::sys::getProcessTriple());
  if (triple.getArch() != host.getArch() || triple.getOS() != host.getOS())
    return llvm::createStringError("code for target '" + target.name + "' (" + target.triple +
                                   ") can't run in this process (" + host.str() + ")");
  auto model = std::make_unique<JITModel>();
  if (llvm::Error error = model->copyWeights(module))
    return std::move(error);
  if (llvm::Error error = model->compile(module, target))
    return std::move(error);
  return model;
}
