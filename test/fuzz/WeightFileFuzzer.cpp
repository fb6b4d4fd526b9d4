//===- WeightFileFuzzer.cpp - any bytes as a weight file ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Both readers: the compiler's, which shows the index, and the runtime's, which a program relies on.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "leaf/weights.h"
#include "leafcutter/Target/WeightFile.h"

#include <cstring>
#include <memory>

using namespace leaf;

/// Opens the file as a program would that was compiled with these weights; reads what it is given.
static void open(const char *file, size_t size, uint64_t id, uint64_t weightBytes) {
  leaf_weight_file opened;
  leaf_status status = leaf_weights_open(&opened, file, size, id, weightBytes);
  if ((status == LEAF_OK) != (opened.weights != nullptr))
    std::abort();
  if (status != LEAF_OK)
    return;
  const char *weights = static_cast<const char *>(opened.weights);
  if (opened.weight_bytes != weightBytes || weights < file || weights + weightBytes > file + size)
    std::abort();
  leaf_weights_close(&opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Padding stands in for what lies behind a file in memory: none of it may be taken for the file.
  std::unique_ptr<char, void (*)(void *)> memory(
      static_cast<char *>(std::aligned_alloc(LEAF_WEIGHTS_ALIGN, (size / LEAF_WEIGHTS_ALIGN + 1) * LEAF_WEIGHTS_ALIGN)),
      std::free);
  char *file = memory.get();
  std::memcpy(file, data, size);
  llvm::Expected<WeightFileInfo> info = readWeightFile(llvm::StringRef(file, size));
  if (info) {
    open(file, size, info->id, info->dataBytes);
    open(file, size, info->id, info->dataBytes + 1);
  } else {
    llvm::consumeError(info.takeError());
  }
  open(file, size, 1, 64);
  open(file, size, 0, 0);
  return 0;
}
