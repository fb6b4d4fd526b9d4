//===- CrashReproducer.cpp - what is left when a pass fails or crashes -------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CrashReproducer.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/PrettyStackTrace.h"

using namespace mlir;

namespace leaf {

namespace {

/// A file that MLIR writes a reproducer to.
class ReproducerFile : public ReproducerStream {
public:
  explicit ReproducerFile(StringRef path) : path(path.str()), out(path, code) {}

  StringRef description() override { return path; }
  raw_ostream &os() override { return out; }
  std::error_code getError() const { return code; }

private:
  std::string path;
  std::error_code code;
  llvm::raw_fd_ostream out;
};

/// What LLVM says last when a signal ends the process: a crash that cannot be recovered from, such as a full stack.
class BugReport {
public:
  explicit BugReport(StringRef path) {
    // LLVM keeps the pointer.
    static std::string text;
    text = ("leafc crashed: this is a bug. Please report it with the command line and " + path +
            "\n(where it is missing: with the model)\n")
               .str();
    llvm::setBugReportMsg(text.c_str());
  }
  ~BugReport() {
    llvm::setBugReportMsg("leafc crashed: this is a bug. Please report it with the command line and the model\n");
  }
};

} // namespace

llvm::Expected<std::string> CrashReproducer::choosePath(StringRef name) const {
  if (!folder.empty()) {
    if (std::error_code code = llvm::sys::fs::create_directories(folder))
      return llvm::createStringError("--crash-reproducer=" + folder + ": " + code.message());
    return folder + "/" + name.str() + ".reproducer.mlir";
  }
  SmallString<128> model, path;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, model);
  llvm::sys::path::append(model, "leafc-%%%%%%%%." + name + ".reproducer.mlir");
  llvm::sys::fs::createUniquePath(model, path, /*MakeAbsolute=*/true);
  return path.str().str();
}

llvm::Error CrashReproducer::run(PassManager &pm, ModuleOp module, StringRef name,
                                 const DiagnosticCollector &diagnostics) {
  llvm::Expected<std::string> path = choosePath(name);
  if (!path)
    return path.takeError();
  pm.enableCrashReproducerGeneration([&](std::string &error) -> std::unique_ptr<ReproducerStream> {
    auto file = std::make_unique<ReproducerFile>(*path);
    if (!file->getError())
      return file;
    error = file->getError().message();
    return nullptr;
  });
  size_t before = diagnostics.getNumErrors();
  LogicalResult result = failure();
  {
    BugReport report(*path);
    result = pm.run(module);
  }
  if (succeeded(result))
    return llvm::Error::success();
  // A pass that fails says why.
  bool crashed = diagnostics.getNumErrors() == before, written = llvm::sys::fs::exists(*path);
  std::string repeat = written ? "; 'leaf-opt --run-reproducer " + *path + "' repeats it" : "";
  if (crashed)
    return llvm::createStringError("stage " + name + " crashed: this is a bug of leafc, please report it with " +
                                   (written ? "the file " + *path : "the model") + repeat);
  if (!folder.empty())
    return llvm::createStringError("stage " + name + " failed" + repeat);
  (void)llvm::sys::fs::remove(*path);
  return llvm::createStringError("stage " + name + " failed");
}

} // namespace leaf
