//===- RunProgram.cpp - builds and runs programs of any target ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "leafcutter/Target/Verify.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

namespace leaf {
namespace {

llvm::Expected<std::string> findTool(llvm::StringRef name, llvm::StringRef package) {
  llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(name);
  if (!path && name.starts_with("qemu-") && !name.starts_with("qemu-system"))
    path = llvm::sys::findProgramByName((name + "-static").str());
  if (path)
    return *path;
  std::string hint = package.empty() ? "" : ": apt-get install " + package.str();
  return llvm::createStringError("'" + name + "' is not installed" + hint);
}

/// Runs `command` in `directory`; its output goes to LOG there, and into the error.
llvm::Error execute(llvm::ArrayRef<std::string> command, llvm::StringRef directory, llvm::StringRef what,
                    unsigned timeoutSeconds) {
  // sh changes the directory: programs read and write their files in it.
  std::vector<std::string> whole{"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", directory.str()};
  llvm::append_range(whole, command);
  std::vector<llvm::StringRef> refs(whole.begin(), whole.end());
  std::string log = (directory + "/log.txt").str(), message;
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), llvm::StringRef(log), llvm::StringRef(log)};
  int rc = llvm::sys::ExecuteAndWait(whole[0], refs, std::nullopt, redirects, timeoutSeconds, 0, &message);
  if (rc == 0)
    return llvm::Error::success();
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> text = llvm::MemoryBuffer::getFile(log);
  std::string shown = text ? (*text)->getBuffer().take_front(4000).str() : std::string();
  return llvm::createStringError(what + " failed with code " + llvm::Twine(rc) +
                                 (message.empty() ? "" : ": " + message) + (shown.empty() ? "" : "\n" + shown));
}

llvm::Error writeFile(llvm::StringRef path, llvm::StringRef text) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (code)
    return llvm::createStringError(code, "cannot write '" + path + "'");
  out << text;
  out.close();
  return out.has_error() ? llvm::createStringError(out.error(), "cannot write '" + path + "'") : llvm::Error::success();
}

llvm::Error writeInput(llvm::StringRef path, llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<std::vector<char>> inputs) {
  std::string bytes;
  for (int64_t dim : dims) {
    char word[8];
    llvm::support::endian::write64le(word, dim);
    bytes.append(word, 8);
  }
  for (const std::vector<char> &input : inputs)
    bytes.append(input.begin(), input.end());
  return writeFile(path, bytes);
}

llvm::Expected<RunResult> readOutput(llvm::StringRef path, const ModelInterface &model) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file = llvm::MemoryBuffer::getFile(path, false, false);
  if (!file)
    return llvm::createStringError("the program wrote no out.bin");
  llvm::StringRef bytes = (*file)->getBuffer();
  auto bufferBytes = [](const TensorInterface &tensor) { return size_t(tensor.capacity) * tensor.elementBytes; };
  size_t expected = 8 + 8 * size_t(model.numDimResults);
  for (const TensorInterface &output : model.outputs)
    expected += bufferBytes(output.alias < 0 ? output : model.inputs[output.alias]);
  if (bytes.size() != expected)
    return llvm::createStringError("out.bin has " + llvm::Twine(bytes.size()) + " bytes instead of " +
                                   llvm::Twine(expected));
  auto take = [&](size_t count) {
    llvm::StringRef part = bytes.take_front(count);
    bytes = bytes.drop_front(count);
    return part;
  };
  RunResult result;
  result.status = static_cast<int64_t>(llvm::support::endian::read64le(take(8).data()));
  for (unsigned i = 0; i < model.numDimResults; ++i)
    result.sizes.push_back(static_cast<int64_t>(llvm::support::endian::read64le(take(8).data())));
  result.outputs.resize(model.outputs.size());
  auto store = [&](int output, const TensorInterface &tensor) {
    llvm::StringRef part = take(bufferBytes(tensor));
    result.outputs[output].assign(part.begin(), part.end());
  };
  for (auto [i, output] : llvm::enumerate(model.outputs))
    if (output.alias < 0)
      store(i, output);
  for (const TensorInterface &input : model.inputs)
    if (input.alias >= 0)
      store(input.alias, input);
  return result;
}

llvm::Expected<std::vector<std::string>> buildCommand(const Machine &machine, const TargetSpec &target,
                                                      llvm::StringRef directory, llvm::ArrayRef<std::string> files,
                                                      const RunOptions &options) {
  llvm::StringRef name = options.compiler.empty() ? llvm::StringRef(machine.compiler) : options.compiler;
  llvm::Expected<std::string> compiler = findTool(name, options.compiler.empty() ? machine.compilerPackage : "");
  if (!compiler)
    return compiler.takeError();
  std::vector<std::string> command{*compiler, "-O2"};
  llvm::append_range(command, machine.flags);
  llvm::append_range(command, options.flags);
  if (!machine.linkerScript.empty()) {
    for (llvm::StringRef file : boardFileNames())
      if (llvm::Error error = writeFile((directory + "/" + file).str(), boardFile(file)))
        return std::move(error);
    llvm::append_range(command, std::vector<std::string>{"-L.", "-T", machine.linkerScript, "start.c"});
  }
  llvm::append_range(command, files);
  if (!target.bareMetal)
    command.push_back("-pthread");
  llvm::append_range(command, std::vector<std::string>{"-lm", "-o", "verify"});
  return command;
}

} // namespace

llvm::Expected<RunResult> runProgram(const ModelInterface &model, const TargetSpec &target, llvm::StringRef directory,
                                     llvm::ArrayRef<std::string> files, llvm::ArrayRef<int64_t> dims,
                                     llvm::ArrayRef<std::vector<char>> inputs, const RunOptions &options) {
  llvm::Expected<Machine> machine = findMachine(target);
  if (!machine)
    return machine.takeError();
  llvm::Expected<std::vector<std::string>> build = buildCommand(*machine, target, directory, files, options);
  if (!build)
    return build.takeError();
  std::vector<std::string> run;
  if (!machine->emulator.empty()) {
    llvm::Expected<std::string> emulator = findTool(machine->emulator, machine->emulatorPackage);
    if (!emulator)
      return emulator.takeError();
    run.push_back(*emulator);
    llvm::append_range(run, machine->emulatorFlags);
  }
  run.push_back("./verify");
  if (llvm::Error error = writeInput((directory + "/in.bin").str(), dims, inputs))
    return std::move(error);
  std::string output = (directory + "/out.bin").str();
  llvm::sys::fs::remove(output);
  if (llvm::Error error = execute(*build, directory, "'" + (*build)[0] + "'", options.timeoutSeconds))
    return std::move(error);
  if (llvm::Error error = execute(run, directory, "the program", options.timeoutSeconds))
    return std::move(error);
  return readOutput(output, model);
}

} // namespace leaf
