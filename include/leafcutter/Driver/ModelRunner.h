//===- ModelRunner.h - runs a compiled model on arrays -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_DRIVER_MODELRUNNER_H
#define LEAFCUTTER_DRIVER_MODELRUNNER_H

#include "leaf/leaf.h"
#include "leaf/threads.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Support/Npz.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <memory>

namespace leaf {

/// Bytes with an alignment and, behind them, a pattern that tells of writes past the end.
class GuardedBuffer {
public:
  GuardedBuffer(uint64_t bytes, uint64_t align);
  char *data() { return static_cast<char *>(memory.get()); }
  uint64_t size() const { return bytes; }
  bool isIntact() const;

private:
  uint64_t bytes;
  std::unique_ptr<void, void (*)(void *)> memory;
};

/// Fails where the buffers of a run are larger than the machine's memory.
llvm::Error checkMemory(const ModelInterface &interface);

/// Calls NAME_entry: owns arena and buffers, converts between dense arrays and the buffers of the C ABI (an aliased
/// tensor lives in its input's buffer at capacity strides).
class ModelRunner {
public:
  using Entry = std::function<int32_t(const leaf_context *, void *const *, int64_t *)>;

  /// `checkMemory` has passed. `weights` stays valid as long as the runner. `threads` is at most what the model was
  /// compiled for; run() fails where they cannot be started.
  ModelRunner(ModelInterface interface, Entry entry, const void *weights, unsigned threads = 1);
  ~ModelRunner();
  ModelRunner(const ModelRunner &) = delete;

  /// Checks names, types and shapes of `inputs` and fills the buffers; errors say what is expected.
  llvm::Error setInputs(const NpzFile &inputs);
  /// One run on what setInputs laid down. Fails with the status in words, or where the code wrote out of bounds.
  llvm::Error run();
  /// Outputs of the last run, dense, in the model's order.
  NpzFile getOutputs();

  /// All three.
  llvm::Expected<NpzFile> run(const NpzFile &inputs);

  const ModelInterface &getInterface() const { return interface; }

private:
  llvm::Error setInput(unsigned index, const NpyArray &array);
  std::vector<int64_t> getOutputShape(const TensorInterface &output) const;

  ModelInterface interface;
  Entry entry;
  leaf_context context;
  GuardedBuffer arena;
  std::vector<leaf_pool_worker> workers;
  leaf_pool pool;
  leaf_status poolStatus =
      LEAF_OK; ///< of starting the threads; the pool exists where `workers` are and this is LEAF_OK
  std::vector<GuardedBuffer> buffers; ///< inputs, then outputs without alias
  std::vector<void *> pointers;
  std::vector<int64_t> sizes, dims; ///< what setInputs found; those and the entry's results
};

} // namespace leaf

#endif // LEAFCUTTER_DRIVER_MODELRUNNER_H
