//===- PreprocessingOptions.h - options for inputs and outputs ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_PREPROCESSINGOPTIONS_H
#define LEAFCUTTER_LIB_DRIVER_PREPROCESSINGOPTIONS_H

#include "leafcutter/Driver/Arguments.h"
#include "leafcutter/Import/Import.h"

namespace leaf {

/// --input-layout, --input-type, --mean, --std, --output-argmax; docs/Preprocessing.md describes them.
llvm::ArrayRef<OptionSpec> getPreprocessingOptions();

/// Reads them. Fails with a usage error on a malformed value; names are looked up by the importer.
llvm::Error readPreprocessing(const Arguments &arguments, ImportOptions &options);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_PREPROCESSINGOPTIONS_H
