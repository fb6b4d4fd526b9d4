//===- leafc.cpp - the compiler driver ---------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/Commands.h"

#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/PrettyStackTrace.h"
#include <csignal>

int main(int argc, char **argv) {
  llvm::setBugReportMsg("leafc crashed: this is a bug. Please report it with the command line and the model\n");
  llvm::InitLLVM init(argc, argv);
  // A file that grows past the limit is a failed write, which is reported, and no reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  return leaf::runCommandLine(llvm::ArrayRef<const char *>(argv, argc).drop_front(argc > 0));
}
