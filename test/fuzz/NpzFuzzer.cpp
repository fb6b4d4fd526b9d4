//===- NpzFuzzer.cpp - any bytes as .npz and .npy ----------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "leafcutter/Support/Npz.h"

using namespace leaf;

/// What the readers promise about an array.
static void check(const NpyArray &array) {
  uint64_t count = 1;
  for (int64_t size : array.shape)
    count *= uint64_t(size);
  if (array.bytes.size() != count * getElementBytes(array.elementType))
    std::abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const fuzz::Folder folder;
  std::string path = folder.write("arrays", fuzz::toText(data, size));
  llvm::Expected<NpyArray> array = readNpy(path);
  if (array)
    check(*array);
  else
    llvm::consumeError(array.takeError());
  llvm::Expected<NpzFile> arrays = readNpz(path);
  if (!arrays) {
    llvm::consumeError(arrays.takeError());
    return 0;
  }
  for (const auto &entry : *arrays)
    check(entry.second);
  return 0;
}
