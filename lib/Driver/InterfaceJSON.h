//===- InterfaceJSON.h - a model's interface between processes ---*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_INTERFACEJSON_H
#define LEAFCUTTER_LIB_DRIVER_INTERFACEJSON_H

#include "leafcutter/Plan/ModelInterface.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace leaf {

llvm::json::Value toJSON(const ModelInterface &model);
llvm::Expected<ModelInterface> interfaceFromJSON(const llvm::json::Value &value);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_INTERFACEJSON_H
