//===- InputFile.cpp - files that a user names -------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/InputFile.h"

#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace leaf {

Expected<std::unique_ptr<MemoryBuffer>> openInputFile(StringRef path) {
  // A name with a zero byte would be cut there.
  if (path.contains('\0'))
    return createStringError("the name holds a zero byte");
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return createStringError(code.message());
  if (status.type() != sys::fs::file_type::regular_file && status.type() != sys::fs::file_type::fifo_file)
    return createStringError(status.type() == sys::fs::file_type::directory_file ? "it is a folder"
                                                                                 : "it is no regular file");
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(file.getError().message());
  return std::move(*file);
}

} // namespace leaf
