//===- ProcessMemory.h - resident memory of this process ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_PROCESSMEMORY_H
#define LEAFCUTTER_LIB_DRIVER_PROCESSMEMORY_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace leaf {

/// A field of /proc/self/status in bytes, such as VmRSS or VmHWM (its peak); 0 where the system has none.
uint64_t readProcessMemory(llvm::StringRef field);

/// Starts VmHWM anew from the present VmRSS.
void resetPeakMemory();

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_PROCESSMEMORY_H
