//===- Buffers.h - who writes a buffer of the plan -------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_PLAN_BUFFERS_H
#define LEAF_LIB_PLAN_BUFFERS_H

#include "Plan/Plan.h"

namespace leaf {

/// The one call that writes `buffer`; null where none or several do, or where anything but calls and loads uses it.
/// Such a buffer may become a view of another one.
plan::CallOp getOnlyWriter(mlir::Value buffer);

} // namespace leaf

#endif // LEAF_LIB_PLAN_BUFFERS_H
