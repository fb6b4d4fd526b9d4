//===- ProcessMemory.cpp - resident memory of this process -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ProcessMemory.h"

#include <cstdio>

namespace leaf {

uint64_t readProcessMemory(llvm::StringRef field) {
  uint64_t bytes = 0;
  if (FILE *file = std::fopen("/proc/self/status", "r")) {
    char buffer[256];
    while (std::fgets(buffer, sizeof buffer, file)) {
      llvm::StringRef line = buffer;
      uint64_t kib;
      if (!line.consume_front(field) || !line.consume_front(":"))
        continue;
      line = line.trim();
      if (!line.consumeInteger(10, kib))
        bytes = kib * 1024;
    }
    std::fclose(file);
  }
  return bytes;
}

void resetPeakMemory() {
  if (FILE *file = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", file);
    std::fclose(file);
  }
}

} // namespace leaf
