//===- TestFiles.h - a temporary folder ---------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TEST_UNIT_TESTFILES_H
#define LEAFCUTTER_TEST_UNIT_TESTFILES_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

/// A folder of its own that goes with the object.
class TestFolder {
public:
  TestFolder() { (void)llvm::sys::fs::createUniqueDirectory("leaf-test", root); }
  ~TestFolder() { (void)llvm::sys::fs::remove_directories(root); }

  std::string path(llvm::StringRef name) const { return (root + "/" + name).str(); }
  std::string write(llvm::StringRef name, llvm::StringRef bytes) const {
    std::error_code code;
    llvm::raw_fd_ostream(path(name), code) << bytes;
    return path(name);
  }
  std::string read(llvm::StringRef name) const {
    auto buffer = llvm::MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "";
  }
  /// Entries in the folder.
  unsigned count() const {
    std::error_code code;
    unsigned entries = 0;
    for (llvm::sys::fs::directory_iterator it(root, code), end; it != end && !code; it.increment(code))
      ++entries;
    return entries;
  }

private:
  llvm::SmallString<128> root;
};

#endif // LEAFCUTTER_TEST_UNIT_TESTFILES_H
