//===- Progress.h - one line on a terminal, silence elsewhere ----*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_SUPPORT_PROGRESS_H
#define LEAFCUTTER_SUPPORT_PROGRESS_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

namespace leaf {

/// A status line that is rewritten in place on stderr, only where that is a terminal. The destructor erases it.
class Progress {
public:
  explicit Progress(llvm::raw_ostream &out = llvm::errs());
  ~Progress() { clear(); }

  /// Replaces the line. `step` of `steps` is shown in front.
  void update(unsigned step, unsigned steps, const llvm::Twine &text);
  /// Erases the line; call before anything else is printed.
  void clear();

private:
  llvm::raw_ostream &out;
  bool enabled, shown = false;
};

} // namespace leaf

#endif // LEAFCUTTER_SUPPORT_PROGRESS_H
