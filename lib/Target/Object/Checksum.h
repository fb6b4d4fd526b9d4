//===- Checksum.h - XXH64 of what is written ---------------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_TARGET_OBJECT_CHECKSUM_H
#define LEAFCUTTER_LIB_TARGET_OBJECT_CHECKSUM_H

#include "llvm/Support/raw_ostream.h"
#include <array>

namespace leaf::object {

/// Keeps the XXH64 (seed 0) of all bytes instead of them: llvm::xxHash64 wants the whole in memory.
class ChecksumStream : public llvm::raw_ostream {
public:
  ChecksumStream();

  /// Of what was written so far.
  uint64_t checksum() const;
  uint64_t bytes() const { return total; }

private:
  void write_impl(const char *data, size_t size) override;
  uint64_t current_pos() const override { return total; }
  void mixStripe(const char *stripe);

  static constexpr size_t stripeBytes = 32;
  std::array<uint64_t, 4> lanes;
  std::array<char, stripeBytes> rest; ///< the last total % stripeBytes bytes
  uint64_t total = 0;
};

} // namespace leaf::object

#endif // LEAFCUTTER_LIB_TARGET_OBJECT_CHECKSUM_H
