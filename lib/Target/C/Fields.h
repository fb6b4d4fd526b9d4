//===- Fields.h - names of a model in C --------------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_C_FIELDS_H
#define LEAFCUTTER_LIB_TARGET_C_FIELDS_H

#include "leafcutter/Plan/ModelInterface.h"
#include <string>
#include <vector>

namespace leaf {

/// How the generated header calls things; all are unique C identifiers.
struct ModelFields {
  explicit ModelFields(const ModelInterface &model);

  std::string prefix;               ///< of macros: the name in upper case
  std::vector<std::string> inputs;  ///< field of NAME_inputs per input
  std::vector<std::string> dims;    ///< field of NAME_inputs per dynamic dimension
  std::vector<std::string> outputs; ///< field of NAME_outputs per output; no field where the output is an alias
  std::vector<std::string> sizes;   ///< field of NAME_outputs per size that the entry returns
};

/// The C type of an element: "float", "uint16_t" (float16, bfloat16), "uint8_t" (bool).
std::string elementCType(const TensorInterface &tensor);

/// "float32 [1, 28, batch <= 8]", ready for a comment.
std::string shapeText(const TensorInterface &tensor);

/// Bytes that the caller's buffer must hold.
inline int64_t bufferBytes(const TensorInterface &tensor) { return tensor.capacity * tensor.elementBytes; }

} // namespace leaf

#endif // LEAFCUTTER_LIB_TARGET_C_FIELDS_H
