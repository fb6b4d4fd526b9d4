//===- CommandLine.cpp - leafc's command line --------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Driver/Commands.h"
#include "leafcutter/Support/CText.h"

namespace leaf {

static void printUsage(llvm::raw_ostream &out, const std::vector<Command> &commands) {
  out << "leafc compiles neural networks (ONNX) to C and object code that needs no runtime.\n\n"
         "usage: leafc COMMAND model.onnx [options]\n\nCommands:\n";
  for (const Command &command : commands)
    out << "  " << llvm::left_justify(command.spec.name, 10) << command.spec.summary.split('\n').first << '\n';
  out << "\n'leafc COMMAND --help' tells a command's options, with examples; 'leafc --version' the version.\n\n"
         "Examples:\n"
         "  leafc inspect model.onnx\n"
         "  leafc compile model.onnx -o out\n"
         "  leafc run model.onnx --input in.npz --output out.npz\n";
}

static int runCommand(const Command &command, llvm::ArrayRef<const char *> args) {
  for (llvm::StringRef arg : args) {
    if (arg == "--")
      break;
    if (arg == "--help" || arg == "-h") {
      command.spec.printHelp(llvm::outs());
      return 0;
    }
  }
  llvm::Expected<Arguments> arguments = Arguments::parse(command.spec, args);
  llvm::Expected<int> code = arguments ? command.run(*arguments) : llvm::Expected<int>(arguments.takeError());
  if (code)
    return *code;
  bool usage = code.errorIsA<UsageError>();
  llvm::outs().flush();
  llvm::errs() << "leafc " << command.spec.name << ": error: " << escapeMessage(llvm::toString(code.takeError()))
               << '\n';
  if (usage)
    llvm::errs() << "'leafc " << command.spec.name << " --help' tells the options\n";
  return usage ? 2 : 1;
}

int runCommandLine(llvm::ArrayRef<const char *> words) {
  const std::vector<Command> commands = {makeCompileCommand(), makeRunCommand(),     makeVerifyCommand(),
                                         makeBenchCommand(),   makeInspectCommand(), makeCompressCommand()};
  llvm::StringRef name = words.empty() ? "" : words.front();
  if (name.empty() || name == "--help" || name == "-h" || name == "help") {
    printUsage(name.empty() ? llvm::errs() : llvm::outs(), commands);
    return name.empty() ? 2 : 0;
  }
  if (name == "--version") {
    llvm::outs() << "leafc " LEAF_VERSION " (LLVM " LEAF_LLVM_VERSION ")\n";
    return 0;
  }
  for (const Command &command : commands)
    if (command.spec.name == name)
      return runCommand(command, words.drop_front());
  llvm::errs() << "leafc: error: there is no command '" << name << "'\n";
  printUsage(llvm::errs(), commands);
  return 2;
}

} // namespace leaf
