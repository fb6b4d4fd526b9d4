//===- AtomicFile.h - files that appear only when complete -------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_ATOMICFILE_H
#define LEAFCUTTER_SUPPORT_ATOMICFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace leaf {

using FileWriter = llvm::function_ref<llvm::Error(llvm::raw_pwrite_stream &)>;

/// Writes one file under a temporary name in the same folder and renames it: a reader, a crash or a full disk never
/// sees half of it. Errors name the path.
llvm::Error writeFileAtomically(llvm::StringRef path, FileWriter writer);

/// Several files that appear together: all are written under temporary names first, then renamed. What was not
/// committed is removed by the destructor (and by LLVM's signal handlers).
class AtomicFiles {
public:
  AtomicFiles() = default;
  AtomicFiles(const AtomicFiles &) = delete;
  AtomicFiles &operator=(const AtomicFiles &) = delete;
  ~AtomicFiles();

  llvm::Error add(llvm::StringRef path, FileWriter writer);
  llvm::Error commit();
  /// Removes what was not committed.
  void discard();

private:
  std::vector<std::pair<llvm::sys::fs::TempFile, std::string>> files;
};

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_ATOMICFILE_H
