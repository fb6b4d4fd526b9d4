//===- ObjectFile.h - reading and writing of ELF objects ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TARGET_OBJECTFILE_H
#define LEAFCUTTER_TARGET_OBJECTFILE_H

#include "leafcutter/Target/TargetSpec.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/raw_ostream.h"

namespace leaf {

/// Fails where `object` needs symbols that a program without our runtime does not have, and names them with the
/// functions that use them. Allowed are memcpy, memmove, memset, the helpers `__aeabi_*` of ARM compilers, and those in
/// `allowed`.
llvm::Error checkUndefinedSymbols(llvm::MemoryBufferRef object, llvm::ArrayRef<std::string> allowed = {});

/// One read-only section with one global symbol at its start.
struct DataObject {
  llvm::StringRef section; ///< name of the section
  llvm::StringRef symbol;  ///< name of the symbol
  uint64_t bytes = 0;      ///< size of both
  unsigned alignment = 64; ///< bytes, a power of two
};

/// Writes a relocatable little-endian ELF object for the target's machine. `write` must write exactly `data.bytes`
/// bytes; it is called once, so large data need not be in memory as a whole.
llvm::Error writeDataObject(const DataObject &data, const TargetSpec &target, llvm::raw_ostream &out,
                            llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace leaf

#endif // LEAFCUTTER_TARGET_OBJECTFILE_H
