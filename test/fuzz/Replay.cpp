//===- Replay.cpp - a fuzz target without a fuzzer ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// Runs a target on each file of a corpus, then for a while on variations of them, always the same ones:
//
//     ImportReplay FOLDER SECONDS
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <vector>

using Bytes = std::vector<uint8_t>;

static std::vector<Bytes> readCorpus(const char *folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> corpus;
  for (const auto &path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

/// One of the usual tricks: flipped bits, interesting numbers, parts left out, doubled or taken from elsewhere.
static void mutate(Bytes &bytes, const std::vector<Bytes> &corpus, std::mt19937 &random) {
  auto below = [&](size_t limit) { return limit ? random() % limit : 0; };
  size_t at = below(bytes.size()), length = std::min<size_t>(1 + below(32), bytes.size() - at);
  auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at), end = begin + static_cast<std::ptrdiff_t>(length);
  const Bytes &other = corpus[below(corpus.size())];
  switch (random() % 5) {
  case 0:
    if (!bytes.empty())
      bytes[at] ^= uint8_t(1u << (random() % 8));
    break;
  case 1:
    if (!bytes.empty())
      bytes[at] = std::array<uint8_t, 6>{0, 1, 0x7F, 0x80, 0xFE, 0xFF}[random() % 6];
    break;
  case 2:
    bytes.erase(begin, end);
    break;
  case 3: {
    Bytes part(begin, end);
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1)), part.begin(), part.end());
    break;
  }
  default: {
    size_t from = below(other.size()), count = std::min<size_t>(1 + below(64), other.size() - from);
    auto part = other.begin() + static_cast<std::ptrdiff_t>(from);
    bytes.insert(begin, part, part + static_cast<std::ptrdiff_t>(count));
  }
  }
}

int main(int argc, char **argv) {
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " FOLDER SECONDS\n";
    return 2;
  }
  std::vector<Bytes> corpus = readCorpus(argv[1]);
  if (corpus.empty()) {
    std::cerr << argv[1] << " is empty\n";
    return 1;
  }
  for (const Bytes &bytes : corpus)
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  std::mt19937 random(1);
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(std::atof(argv[2]));
  size_t runs = corpus.size();
  for (; std::chrono::steady_clock::now() < end; ++runs) {
    Bytes bytes = corpus[random() % corpus.size()];
    for (unsigned count = 1 + random() % 4; count > 0; --count)
      mutate(bytes, corpus, random);
    // A crash leaves it for whoever looks.
    std::ofstream("last-input", std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::cout << runs << " inputs\n";
  return 0;
}
