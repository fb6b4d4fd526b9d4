//===- Checksum.cpp - XXH64 of what is written --------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Checksum.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include <algorithm>
#include <cstring>

using llvm::support::endian::read32le;
using llvm::support::endian::read64le;

namespace leaf::object {

static constexpr uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu, prime3 = 0x165667B19E3779F9u,
                          prime4 = 0x85EBCA77C2B2AE63u, prime5 = 0x27D4EB2F165667C5u;

static uint64_t mix(uint64_t lane, uint64_t word) { return llvm::rotl(lane + word * prime2, 31) * prime1; }

ChecksumStream::ChecksumStream() : raw_ostream(/*unbuffered=*/true), lanes{prime1 + prime2, prime2, 0, 0 - prime1} {}

void ChecksumStream::mixStripe(const char *stripe) {
  for (size_t i = 0; i < lanes.size(); ++i)
    lanes[i] = mix(lanes[i], read64le(stripe + 8 * i));
}

void ChecksumStream::write_impl(const char *data, size_t size) {
  size_t held = total % stripeBytes;
  total += size;
  if (held > 0) {
    size_t count = std::min(size, stripeBytes - held);
    std::memcpy(rest.data() + held, data, count);
    data += count;
    size -= count;
    if (held + count < stripeBytes)
      return;
    mixStripe(rest.data());
  }
  for (; size >= stripeBytes; data += stripeBytes, size -= stripeBytes)
    mixStripe(data);
  std::memcpy(rest.data(), data, size);
}

uint64_t ChecksumStream::checksum() const {
  uint64_t hash = prime5;
  if (total >= stripeBytes) {
    hash = llvm::rotl(lanes[0], 1) + llvm::rotl(lanes[1], 7) + llvm::rotl(lanes[2], 12) + llvm::rotl(lanes[3], 18);
    for (uint64_t lane : lanes)
      hash = (hash ^ mix(0, lane)) * prime1 + prime4;
  }
  hash += total;
  const char *p = rest.data();
  size_t left = total % stripeBytes;
  for (; left >= 8; p += 8, left -= 8)
    hash = llvm::rotl(hash ^ mix(0, read64le(p)), 27) * prime1 + prime4;
  for (; left >= 4; p += 4, left -= 4)
    hash = llvm::rotl(hash ^ read32le(p) * prime1, 23) * prime2 + prime3;
  for (; left > 0; ++p, --left)
    hash = llvm::rotl(hash ^ uint8_t(*p) * prime5, 11) * prime1;
  hash = (hash ^ hash >> 33) * prime2;
  hash = (hash ^ hash >> 29) * prime3;
  return hash ^ hash >> 32;
}

} // namespace leaf::object
