//===- Progress.cpp - one line on a terminal, silence elsewhere --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/Progress.h"

namespace leaf {

Progress::Progress(llvm::raw_ostream &out) : out(out), enabled(out.is_displayed()) {}

void Progress::update(unsigned step, unsigned steps, const llvm::Twine &text) {
  if (!enabled)
    return;
  out << "\r\x1b[K[" << step << '/' << steps << "] " << text;
  out.flush();
  shown = true;
}

void Progress::clear() {
  if (!shown)
    return;
  out << "\r\x1b[K";
  out.flush();
  shown = false;
}

} // namespace leaf
