//===- Commands.h - the subcommands of leafc ---------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_DRIVER_COMMANDS_H
#define LEAFCUTTER_DRIVER_COMMANDS_H

#include "leafcutter/Driver/Arguments.h"

namespace leaf {

struct Command {
  CommandSpec spec;
  /// The exit code, or an error to print (exit code 1; 2 for a UsageError).
  llvm::Expected<int> (*run)(const Arguments &);
};

Command makeCompileCommand();
Command makeCompressCommand();
Command makeRunCommand();
Command makeBenchCommand();
Command makeVerifyCommand();
Command makeInspectCommand();

/// Runs what follows `leafc` on a command line; its exit code. May be called again and again.
int runCommandLine(llvm::ArrayRef<const char *> words);

} // namespace leaf

#endif // LEAFCUTTER_DRIVER_COMMANDS_H
