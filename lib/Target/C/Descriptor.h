//===- Descriptor.h - NAME_model() in NAME.h ---------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_C_DESCRIPTOR_H
#define LEAFCUTTER_LIB_TARGET_C_DESCRIPTOR_H

#include "leafcutter/Plan/ModelInterface.h"
#include "llvm/Support/raw_ostream.h"

namespace leaf {

/// Prints NAME_model(), which returns the model as a leaf_model of leaf/model.h; for programs that included that header
/// before. `prefix` is that of the macros.
void printDescriptor(const ModelInterface &model, const std::string &prefix, llvm::raw_ostream &os);

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_C_DESCRIPTOR_H
