//===- EmittedModel.cpp - runs what leafc compile writes ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "EmittedModel.h"

using namespace llvm;

namespace leaf {

Expected<NpzFile> runEmitted(StringRef path, CompilerOptions options, Emission emission, StringRef compiler,
                             const NpzFile &inputs) {
  return createStringError("--emit=lib and --emit=c are not linked into this build of leafc");
}

} // namespace leaf
