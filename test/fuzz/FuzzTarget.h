//===- FuzzTarget.h - what fuzz targets share ---------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_TEST_FUZZ_FUZZTARGET_H
#define LEAF_TEST_FUZZ_FUZZTARGET_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <cstdlib>
#include <string>

/// libFuzzer's entry, and Replay.cpp's.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace leaf::fuzz {

/// A folder of its own, for readers that want files. It goes at the end of the process.
class Folder {
public:
  Folder() {
    if (llvm::sys::fs::createUniqueDirectory("leaf-fuzz", root))
      std::abort();
  }
  ~Folder() { (void)llvm::sys::fs::remove_directories(root); }

  std::string write(llvm::StringRef name, llvm::StringRef bytes) const {
    std::string path = (root + "/" + name).str();
    std::error_code code;
    llvm::raw_fd_ostream(path, code) << bytes;
    if (code)
      std::abort();
    return path;
  }

private:
  llvm::SmallString<128> root;
};

inline llvm::StringRef toText(const uint8_t *data, size_t size) {
  return llvm::StringRef(reinterpret_cast<const char *>(data), size);
}

} // namespace leaf::fuzz

#endif // LEAF_TEST_FUZZ_FUZZTARGET_H
