//===- leaf-batch.cpp - many command lines of leafc in one process -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// For tests: starting leafc takes longer than a small model. Each line of standard input is a JSON array of strings,
// what would follow `leafc` on a command line. It runs in this process; what it prints is followed by a line of the
// character RS (0x1e), the exit code and the milliseconds that it took.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/Commands.h"

#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include <chrono>
#include <csignal>
#include <iostream>

static int runLine(const std::string &line) {
  std::vector<std::string> words;
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(line);
  llvm::json::Path::Root root;
  if (!parsed || !llvm::json::fromJSON(*parsed, words, root)) {
    llvm::consumeError(parsed.takeError());
    llvm::errs() << "leaf-batch: error: each line must be a JSON array of strings\n";
    return 2;
  }
  std::vector<const char *> pointers;
  for (const std::string &word : words)
    pointers.push_back(word.c_str());
  return leaf::runCommandLine(pointers);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  std::signal(SIGXFSZ, SIG_IGN);
  for (std::string line; std::getline(std::cin, line);) {
    auto start = std::chrono::steady_clock::now();
    int code = runLine(line);
    llvm::errs().flush();
    std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    llvm::outs() << '\x1e' << code << ' ' << llvm::format("%.1f", time.count()) << '\n';
    llvm::outs().flush();
  }
  return 0;
}
