//===- InputFile.h - files that a user names ---------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_INPUTFILE_H
#define LEAFCUTTER_SUPPORT_INPUTFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace leaf {

/// The file's bytes, mapped where it is large. Folders and devices (which may never end) are an error; pipes are read
/// to their end. The message is only the reason ("No such file or directory"): callers name the file.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> openInputFile(llvm::StringRef path);

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_INPUTFILE_H
