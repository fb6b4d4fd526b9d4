//===- AtomicFile.cpp - files that appear only when complete -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/AtomicFile.h"

#include "llvm/Support/Errc.h"

using namespace llvm;

namespace leaf {

static Error fileError(StringRef path, Error error) {
  return createStringError(errc::io_error, "cannot write '" + path + "': " + toString(std::move(error)));
}

Error AtomicFiles::add(StringRef path, FileWriter writer) {
  Expected<sys::fs::TempFile> temp = sys::fs::TempFile::create(path + ".tmp-%%%%%%%%");
  if (!temp)
    return fileError(path, temp.takeError());
  // The entry is in the list before the writer runs, so that a failing writer leaves nothing behind.
  files.emplace_back(std::move(*temp), path.str());
  raw_fd_ostream out(files.back().first.FD, /*shouldClose=*/false);
  if (Error error = writer(out))
    return error;
  out.flush();
  if (out.has_error()) {
    std::error_code code = out.error();
    out.clear_error();
    return fileError(path, errorCodeToError(code));
  }
  return Error::success();
}

Error AtomicFiles::commit() {
  // Renaming must not fail halfway where that can be foreseen.
  for (auto &[temp, path] : files)
    if (sys::fs::is_directory(path))
      return fileError(path, errorCodeToError(make_error_code(errc::is_a_directory)));
  Error result = Error::success();
  for (auto &[temp, path] : files) {
    if (Error error = temp.keep(path))
      result = joinErrors(std::move(result), fileError(path, std::move(error)));
  }
  files.clear();
  return result;
}

void AtomicFiles::discard() {
  for (auto &[temp, path] : files)
    consumeError(temp.discard());
  files.clear();
}

AtomicFiles::~AtomicFiles() { discard(); }

Error writeFileAtomically(StringRef path, FileWriter writer) {
  AtomicFiles files;
  if (Error error = files.add(path, writer))
    return error;
  return files.commit();
}

} // namespace leaf
