//===- ModelInfo.h - what an ONNX file says about itself ---------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_MODELINFO_H
#define LEAFCUTTER_LIB_DRIVER_MODELINFO_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace leaf {

struct TensorInfo {
  std::string name, elementType;
  std::vector<std::string> dims; ///< a number, or the name that --dim takes
  std::vector<bool> open;        ///< per dimension: no number
  bool hasShape = false;
};

struct ModelInfo {
  std::string producer;
  int64_t opset = 0; ///< of the default domain
  std::vector<TensorInfo> inputs, outputs;
  std::map<std::string, int64_t> operators; ///< subgraphs and local functions included; other domains as "domain.Op"
  int64_t parameters = 0, weightBytes = 0;  ///< of initializers and Constant nodes, as stored
};

/// Reads the file without checking the graph.
llvm::Expected<ModelInfo> readModelInfo(llvm::StringRef path);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_MODELINFO_H
