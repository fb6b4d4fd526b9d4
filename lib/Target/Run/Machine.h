//===- Machine.h - how programs for a target are built and run ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_RUN_MACHINE_H
#define LEAFCUTTER_LIB_TARGET_RUN_MACHINE_H

#include "leafcutter/Target/TargetSpec.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace leaf {

/// The compiler and emulator of a target.
struct Machine {
  std::string compiler;           ///< command name
  std::string compilerPackage;    ///< Debian package that has it
  std::vector<std::string> flags; ///< CPU, linking
  std::string emulator;           ///< command name; empty: programs run as they are
  std::string emulatorPackage;
  std::vector<std::string> emulatorFlags; ///< before the program's name
  std::string linkerScript;               ///< of the board; empty where there is an operating system
};

/// Fails for a target that no emulator is known for.
llvm::Expected<Machine> findMachine(const TargetSpec &target);

/// A file of the boards' support code, by name; aborts on an unknown one.
llvm::StringRef boardFile(llvm::StringRef name);
/// All names, start code first.
std::vector<llvm::StringRef> boardFileNames();

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_RUN_MACHINE_H
