//===- SupportTest.cpp - identifiers and atomic files ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Support/Identifier.h"
#include "leafcutter/Support/Progress.h"

#include "TestFiles.h"
#include "gtest/gtest.h"

using namespace leaf;

namespace {

TEST(Identifier, MakesCNames) {
  EXPECT_EQ(makeIdentifier("mnist_mlp"), "mnist_mlp");
  EXPECT_EQ(makeIdentifier("mobilenet-v2.1"), "mobilenet_v2_1");
  EXPECT_EQ(makeIdentifier("3d"), "m_3d");
  EXPECT_EQ(makeIdentifier("_Private"), "m_Private");
  EXPECT_EQ(makeIdentifier("double"), "double_");
  EXPECT_EQ(makeIdentifier(""), "model");
  EXPECT_EQ(makeIdentifier("na\xc3\xafve"), "na__ve");
}

TEST(Identifier, KnowsValidOnes) {
  EXPECT_TRUE(isIdentifier("a1_b"));
  for (const char *text : {"", "1a", "_a", "a-b", "while", "class"})
    EXPECT_FALSE(isIdentifier(text)) << text;
}

TEST(AtomicFile, AppearsWhenComplete) {
  TestFolder folder;
  std::string path = folder.path("a");
  llvm::Error error = writeFileAtomically(path, [&](llvm::raw_pwrite_stream &out) {
    out << "text";
    EXPECT_FALSE(llvm::sys::fs::exists(path));
    return llvm::Error::success();
  });
  EXPECT_FALSE(bool(error));
  EXPECT_EQ(folder.read("a"), "text");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, FailedWriterLeavesTheOldFile) {
  TestFolder folder;
  folder.write("a", "old");
  llvm::Error error = writeFileAtomically(folder.path("a"), [](llvm::raw_pwrite_stream &out) {
    out << "new";
    return llvm::createStringError("no");
  });
  EXPECT_EQ(llvm::toString(std::move(error)), "no");
  EXPECT_EQ(folder.read("a"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, SeveralAppearTogether) {
  TestFolder folder;
  auto write = [](llvm::raw_pwrite_stream &out) {
    out << "x";
    return llvm::Error::success();
  };
  {
    AtomicFiles files;
    EXPECT_FALSE(bool(files.add(folder.path("a"), write)));
    EXPECT_FALSE(bool(files.add(folder.path("b"), write)));
    // Not committed: nothing stays.
  }
  EXPECT_EQ(folder.count(), 0u);
}

TEST(AtomicFile, UnwritablePathIsNamed) {
  llvm::Error error =
      writeFileAtomically("/nonexistent/a", [](llvm::raw_pwrite_stream &) { return llvm::Error::success(); });
  EXPECT_NE(llvm::toString(std::move(error)).find("cannot write '/nonexistent/a'"), std::string::npos);
}

TEST(Progress, SilentOutsideATerminal) {
  std::string text;
  llvm::raw_string_ostream out(text);
  Progress(out).update(1, 2, "form");
  EXPECT_EQ(text, "");
}

} // namespace
