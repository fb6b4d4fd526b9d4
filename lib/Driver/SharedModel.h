//===- SharedModel.h - a model compiled by another process -------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_SHAREDMODEL_H
#define LEAFCUTTER_LIB_DRIVER_SHAREDMODEL_H

#include "Profile.h"
#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Driver/ModelRunner.h"
#include "llvm/Support/DynamicLibrary.h"

namespace leaf {

/// A shared object in a temporary folder that goes with this. The compiler runs in a child process, so that this one
/// stays as small as a program that only uses the model.
class SharedModel {
public:
  /// Fails with the child's message. Nothing of the model is in memory yet. With `profile` the code tells of each
  /// kernel that it runs.
  static llvm::Expected<std::unique_ptr<SharedModel>> compile(llvm::StringRef path, CompilerOptions options,
                                                              bool profile = false);
  ~SharedModel();

  /// Maps the object.
  llvm::Error load();
  std::unique_ptr<ModelRunner> makeRunner(unsigned threads);

  const ModelInterface &getInterface() const { return interface; }
  /// Of a model that was compiled with `profile`; where its hook is, after load().
  const ProfileInfo &getProfile() const { return profile; }
  ProfileRecorder::Hook *getProfileHook();
  uint64_t getCodeBytes() const { return codeBytes; }
  uint64_t getCompileNanoseconds() const { return compileNanoseconds; }

private:
  std::string folder;
  ModelInterface interface;
  ProfileInfo profile;
  uint64_t codeBytes = 0, compileNanoseconds = 0;
  llvm::sys::DynamicLibrary library;
};

/// Inputs at their upper bounds, for measurements without a file: small numbers, as zeros would make some kernels
/// faster than real data.
NpzFile makeSampleInputs(const ModelInterface &model);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_SHAREDMODEL_H
