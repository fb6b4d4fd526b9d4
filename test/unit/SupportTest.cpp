//===- SupportTest.cpp - identifiers and atomic files ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Support/Identifier.h"
#include "leafcutter/Support/InputFile.h"
#include "leafcutter/Support/Progress.h"
#include "leafcutter/Support/RegexAutomaton.h"

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

TEST(Identifier, KeepsMacrosAndTypesOut) {
  for (const char *text : {"NULL", "EOF", "INT8_MAX", "int64_t", "uint8_t", "LEAF_OK", "linux"})
    EXPECT_EQ(makeIdentifier(text), std::string(text) + "_");
}

TEST(Identifier, KeepsModelsApartFromLibraries) {
  EXPECT_EQ(makeModelName("math"), "math_net");
  EXPECT_EQ(makeModelName("example"), "example_net");
  EXPECT_EQ(makeModelName("leaf"), "m_leaf");
  EXPECT_EQ(makeModelName("leaf_run"), "m_leaf_run");
  EXPECT_EQ(makeModelName("leaflet"), "leaflet");
}

TEST(CText, ShowsBytesThatAreNoText) {
  EXPECT_EQ(escapeMessage("a\nb \xc3\xa9"), "a\nb \xc3\xa9");
  EXPECT_EQ(escapeMessage("\x1b[2J\r"), "\\x1B[2J\\x0D");
  EXPECT_EQ(escapeMessage("\xff\xc3("), "\\xFF\\xC3(");
  EXPECT_EQ(escapeMessage("\xc2\x9b"), "\\xC2\\x9B");
}

/// Whether all of `text` matches, by the table; nothing where the pattern cannot be compiled.
static std::optional<bool> matches(llvm::StringRef pattern, llvm::StringRef text) {
  llvm::Expected<RegexAutomaton> automaton = compileRegex(pattern);
  if (!automaton) {
    consumeError(automaton.takeError());
    return std::nullopt;
  }
  unsigned state = 0;
  for (char byte : text)
    state = automaton->next[state * 256 + uint8_t(byte)];
  return automaton->accepts[state];
}

TEST(RegexAutomaton, MatchesTheWholeText) {
  EXPECT_EQ(matches("a+b?", "aab"), true);
  EXPECT_EQ(matches("a+b?", "aabb"), false);
  EXPECT_EQ(matches("^abc$", "abc"), true);
  EXPECT_EQ(matches("", ""), true);
  EXPECT_EQ(matches("(cat|dog)s?", "dogs"), true);
  EXPECT_EQ(matches("(cat|dog)s?", "cat dog"), false);
  EXPECT_EQ(matches("(?:x|(?P<name>yz)){2,3}", "xyzx"), true);
  EXPECT_EQ(matches("(?:x|(?P<name>yz)){2,3}", "x"), false);
  EXPECT_EQ(matches("x{2}", "xx"), true);
  EXPECT_EQ(matches("x{2,}y*?", "xxxxyy"), true);
  EXPECT_EQ(matches("a{b}", "a{b}"), true);
}

TEST(RegexAutomaton, KnowsClassesAndCharacters) {
  EXPECT_EQ(matches("[a-c\\d_-]+", "b7_-"), true);
  EXPECT_EQ(matches("[^a-c]", "b"), false);
  EXPECT_EQ(matches("[]x]+", "x]"), true);
  EXPECT_EQ(matches("[[:alpha:]]+\\s\\W", "ab \t."), false);
  EXPECT_EQ(matches("[[:alpha:]]+\\s\\W", "ab."), false);
  EXPECT_EQ(matches("[[:alpha:]]+\\s\\W", "ab ."), true);
  EXPECT_EQ(matches(".", "\n"), false);
  EXPECT_EQ(matches("..", "\xC3\xA9\xE2\x82\xAC"), true);      // two characters of two and three bytes
  EXPECT_EQ(matches("[\xC3\xA0-\xC3\xBF]", "\xC3\xA9"), true); // a range beyond ASCII
  EXPECT_EQ(matches("[^x]", "\xF0\x9F\x98\x80"), true);
  EXPECT_EQ(matches(".", "\xFF"), false);
  EXPECT_EQ(matches("\\x41\\x{20AC}", "A\xE2\x82\xAC"), true);
}

TEST(RegexAutomaton, KnowsAssertions) {
  EXPECT_EQ(matches("(^a|b$)", "a"), true);
  EXPECT_EQ(matches("x*(^a|b$)", "xxb"), true);
  EXPECT_EQ(matches("x*(^a|b$)", "xxa"), false);
  EXPECT_EQ(matches("a^b", "ab"), false);
  EXPECT_EQ(matches("a\\Ab", "ab"), false);
  EXPECT_EQ(matches("a\\zb?", "a"), true);
  EXPECT_EQ(matches("(^$)*", ""), true);
  EXPECT_EQ(matches(".*\\bcat\\b.*", "a cat, here"), true);
  EXPECT_EQ(matches(".*\\bcat\\b.*", "cat"), true);
  EXPECT_EQ(matches(".*\\bcat\\b.*", "concat"), false);
  EXPECT_EQ(matches("(\\w+\\b.)+", "ab cd."), true);
  EXPECT_EQ(matches("a\\Bb\\B,\\b", "ab,"), false);
  EXPECT_EQ(matches("a\\Bb\\b,\\B", "ab,"), true);
  EXPECT_EQ(matches("\\b\xC3\xA9", "\xC3\xA9"), false); // words are ASCII
}

TEST(RegexAutomaton, RefusesWhatItCannotCompile) {
  for (const char *pattern : {"(a", "a)", "[a", "*a", "\\pL", "(?i)a", "(?=a)", "a\\", "[b-a]", "(a)\\1", "x{2000}",
                              "\xFF", "(a|b)*a(a|b){14}"})
    EXPECT_EQ(matches(pattern, ""), std::nullopt) << pattern;
}

TEST(InputFile, RejectsFoldersAndDevices) {
  TestFolder folder;
  EXPECT_EQ((*openInputFile(folder.write("a", "text")))->getBuffer(), "text");
  for (auto [path, message] : {std::pair<std::string, std::string>{"/dev/zero", "it is no regular file"},
                               {folder.path("."), "it is a folder"},
                               {folder.path("none"), "No such file or directory"},
                               {std::string("a\0b", 3), "the name holds a zero byte"}})
    EXPECT_EQ(llvm::toString(openInputFile(path).takeError()), message);
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

TEST(AtomicFile, NothingIsRenamedWhereOneCannotBe) {
  TestFolder folder;
  ASSERT_FALSE(llvm::sys::fs::create_directory(folder.path("b")));
  auto write = [](llvm::raw_pwrite_stream &out) {
    out << "x";
    return llvm::Error::success();
  };
  {
    AtomicFiles files;
    EXPECT_FALSE(bool(files.add(folder.path("a"), write)));
    EXPECT_FALSE(bool(files.add(folder.path("b"), write)));
    EXPECT_NE(llvm::toString(files.commit()).find("/b': Is a directory"), std::string::npos);
  }
  EXPECT_EQ(folder.count(), 1u);
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
