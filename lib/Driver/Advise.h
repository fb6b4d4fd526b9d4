//===- Advise.h - which kind of compression to take --------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_ADVISE_H
#define LEAFCUTTER_LIB_DRIVER_ADVISE_H

#include "CompressSession.h"

namespace leaf {

/// Compresses the model in every way that its data allow, and measures each. A kind that fails is left out, with its
/// error on stderr.
llvm::Expected<CompressReport> adviseCompression(CompressSession &session, const CompressionSettings &settings);

/// The row to take, and why: the fastest of those that lose at most `maxDrop` percent; the smallest of those that are
/// within 5 % of its time.
struct Advice {
  size_t row;
  std::string reason;
};
Advice chooseRow(const CompressReport &report, double maxDrop);

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_ADVISE_H
