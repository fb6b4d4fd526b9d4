//===- SharedModel.cpp - a model compiled by another process -----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SharedModel.h"

#include "InterfaceJSON.h"
#include "JitSession.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Target/Emit.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include <chrono>
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;

namespace leaf {

//===----------------------------------------------------------------------===//
// The child
//===----------------------------------------------------------------------===//

/// Links objects to a shared object; symbols of libc stay open, the process has them.
static Error linkShared(ArrayRef<std::string> objects, StringRef path) {
  for (StringRef name : {"ld.lld-22", "ld.lld", "ld"}) {
    ErrorOr<std::string> linker = sys::findProgramByName(name);
    if (!linker)
      continue;
    std::vector<StringRef> args = {*linker, "-shared", "-z", "noexecstack", "-o", path};
    args.insert(args.end(), objects.begin(), objects.end());
    std::string message;
    if (sys::ExecuteAndWait(*linker, args, std::nullopt, {}, 0, 0, &message) != 0)
      return createStringError("linking with " + *linker + " failed" + (message.empty() ? "" : ": ") + message);
    return Error::success();
  }
  return createStringError("no linker was found; install lld or binutils");
}

/// Writes model.so and model.json to `folder`.
static Error compileInto(StringRef folder, StringRef path, CompilerOptions options, bool profile) {
  auto start = std::chrono::steady_clock::now();
  Compiler compiler(std::move(options));
  if (Error error = compileWithProgress(compiler, path))
    return error;
  ProfileInfo info;
  if (profile)
    info.launches = numberLaunches(compiler.getModule());
  ObjectStats stats;
  std::vector<std::string> objects = {(folder + "/model.o").str(), (folder + "/weights.o").str()};
  if (Error error = writeFileAtomically(objects[0], [&](raw_pwrite_stream &out) {
        return emitObject(compiler.getModule(), compiler.getTarget(), out, &stats);
      }))
    return error;
  if (Error error = writeFileAtomically(objects[1], [&](raw_pwrite_stream &out) {
        return emitWeightsObject(compiler.getModule(), compiler.getTarget(), out);
      }))
    return error;
  if (Error error = linkShared(objects, (folder + "/model.so").str()))
    return error;
  for (const std::string &object : objects)
    (void)sys::fs::remove(object);
  std::chrono::nanoseconds time = std::chrono::steady_clock::now() - start;
  if (profile) {
    Expected<MachinePeaks> peaks = measurePeaks(compiler.getTarget());
    if (!peaks)
      return peaks.takeError();
    info.peaks = std::move(*peaks);
  }
  return writeFileAtomically((folder + "/model.json").str(), [&](raw_pwrite_stream &out) {
    out << json::Value(json::Object{{"interface", toJSON(getModelInterface(compiler.getModule()))},
                                    {"profile", toJSON(info)},
                                    {"codeBytes", int64_t(stats.codeBytes)},
                                    {"compileNanoseconds", int64_t(time.count())}});
    return Error::success();
  });
}

//===----------------------------------------------------------------------===//
// The parent
//===----------------------------------------------------------------------===//

static Expected<std::string> readText(const Twine &path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return createStringError("cannot read '" + path + "': " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

/// Runs `compileInto` in a child; its error message comes back in a file.
static Error compileInChild(StringRef folder, StringRef path, CompilerOptions options, bool profile) {
  outs().flush();
  errs().flush();
  pid_t child = fork();
  if (child < 0)
    return createStringError("cannot start a process for the compiler");
  if (child == 0) {
    Error error = compileInto(folder, path, std::move(options), profile);
    bool failed = bool(error);
    std::string message = toString(std::move(error));
    if (failed)
      consumeError(writeFileAtomically((folder + "/error.txt").str(), [&](raw_pwrite_stream &out) {
        out << message;
        return Error::success();
      }));
    _exit(failed ? 1 : 0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return Error::success();
  Expected<std::string> message = readText(folder + "/error.txt");
  if (message)
    return createStringError(*message);
  consumeError(message.takeError());
  return createStringError("the compiler crashed");
}

Expected<std::unique_ptr<SharedModel>> SharedModel::compile(StringRef path, CompilerOptions options, bool profile) {
  auto model = std::make_unique<SharedModel>();
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("leafc", folder))
    return createStringError("cannot make a temporary folder: " + code.message());
  model->folder = folder.str().str();
  if (Error error = compileInChild(folder, path, std::move(options), profile))
    return error;
  Expected<std::string> text = readText(folder + "/model.json");
  if (!text)
    return text.takeError();
  Expected<json::Value> value = json::parse(*text);
  if (!value)
    return value.takeError();
  const json::Object &object = *value->getAsObject();
  Expected<ModelInterface> interface = interfaceFromJSON(*object.get("interface"));
  if (!interface)
    return interface.takeError();
  model->interface = std::move(*interface);
  Expected<ProfileInfo> info = profileInfoFromJSON(*object.get("profile"));
  if (!info)
    return info.takeError();
  model->profile = std::move(*info);
  if (Error error = checkMemory(model->interface))
    return error;
  model->codeBytes = object.getInteger("codeBytes").value_or(0);
  model->compileNanoseconds = object.getInteger("compileNanoseconds").value_or(0);
  return model;
}

SharedModel::~SharedModel() {
  if (!folder.empty())
    (void)sys::fs::remove_directories(folder);
}

Error SharedModel::load() {
  std::string message;
  library = sys::DynamicLibrary::getPermanentLibrary((folder + "/model.so").c_str(), &message);
  if (!library.isValid())
    return createStringError("cannot load the compiled model: " + message);
  if (!library.getAddressOfSymbol((interface.name + "_entry").c_str()))
    return createStringError("the compiled model has no symbol " + interface.name + "_entry");
  return Error::success();
}

ProfileRecorder::Hook *SharedModel::getProfileHook() {
  return static_cast<ProfileRecorder::Hook *>(library.getAddressOfSymbol((interface.name + "_profile_hook").c_str()));
}

std::unique_ptr<ModelRunner> SharedModel::makeRunner(unsigned threads) {
  using EntryFunction = int32_t (*)(const leaf_context *, void *const *, int64_t *);
  auto entry = reinterpret_cast<EntryFunction>(library.getAddressOfSymbol((interface.name + "_entry").c_str()));
  const void *weights = library.getAddressOfSymbol((interface.name + "_weights").c_str());
  return std::make_unique<ModelRunner>(interface, entry, weights, threads);
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

NpzFile makeSampleInputs(const ModelInterface &model) {
  NpzFile inputs;
  for (const TensorInterface &input : model.inputs) {
    NpyArray array{input.elementType, input.upperBounds, {}};
    uint64_t count = 1;
    for (int64_t size : array.shape)
      count *= size;
    array.bytes.assign(count * input.elementBytes, 0);
    if (input.elementType == "float32")
      for (uint64_t i = 0; i < count; ++i) {
        float value = float(i % 17) / 16;
        std::copy_n(reinterpret_cast<const char *>(&value), sizeof value, &array.bytes[i * sizeof value]);
      }
    inputs.emplace_back(input.name, std::move(array));
  }
  return inputs;
}

} // namespace leaf
