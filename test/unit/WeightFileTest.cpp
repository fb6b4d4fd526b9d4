//===- WeightFileTest.cpp - weight files, written and read back ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/WeightFile.h"

#include "TestFiles.h"
#include "leaf/weights.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/xxhash.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <cstring>
#include <random>

using namespace leaf;

namespace {

/// A file's content at an address of its own, ended by memory that the sanitizer watches.
class Content {
public:
  explicit Content(const std::string &bytes, size_t shift = 0)
      : size(bytes.size()),
        memory(static_cast<char *>(std::aligned_alloc(64, (bytes.size() + shift + 63) / 64 * 64 + 64)), std::free),
        start(memory.get() + shift) {
    std::memcpy(start, bytes.data(), bytes.size());
  }
  const void *data() const { return start; }

  size_t size;

private:
  std::unique_ptr<char, void (*)(void *)> memory;
  char *start;
};

std::vector<char> someData() {
  std::vector<char> data(500);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<char>(i * 37);
  return data;
}

/// Written in parts of 7 bytes.
WeightFile makeFile(llvm::StringRef model, const std::vector<WeightBlob> &blobs, const std::vector<char> &data) {
  return llvm::cantFail(WeightFile::create(model, blobs, [data](llvm::raw_ostream &out) {
    for (size_t i = 0; i < data.size(); i += 7)
      out.write(&data[i], std::min<size_t>(7, data.size() - i));
    return llvm::Error::success();
  }));
}

WeightFile someFile(llvm::StringRef model = "net") {
  return makeFile(model, {{"first", 0, 100}, {"second", 128, 240}, {"last", 384, 4}}, someData());
}

std::string write(const WeightFile &file) {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::cantFail(file.write(out));
  return text;
}

leaf_status open(const std::string &bytes, uint64_t id, uint64_t weightBytes = 500, size_t shift = 0) {
  Content content(bytes, shift);
  leaf_weight_file opened;
  leaf_status status = leaf_weights_open(&opened, content.data(), content.size, id, weightBytes);
  EXPECT_EQ(opened.weights != nullptr, status == LEAF_OK);
  return status;
}

void put64(std::string &bytes, size_t at, uint64_t value) { llvm::support::endian::write64le(&bytes[at], value); }

/// Where the index holds `value` as 64 bits; it must stand there once.
size_t find64(const std::string &bytes, uint64_t value) {
  char pattern[8];
  llvm::support::endian::write64le(pattern, value);
  size_t at = bytes.find(std::string(pattern, 8));
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(bytes.find(std::string(pattern, 8), at + 1), std::string::npos);
  return at;
}

} // namespace

TEST(WeightFile, IsReadBack) {
  WeightFile file = someFile();
  std::string bytes = write(file);
  ASSERT_EQ(bytes.size(), file.bytes());
  Content content(bytes);
  leaf_weight_file opened;
  ASSERT_EQ(leaf_weights_open(&opened, content.data(), content.size, file.id(), 500), LEAF_OK);
  EXPECT_EQ(opened.weight_bytes, 500u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(opened.weights) % 64, 0u);
  EXPECT_EQ(std::memcmp(opened.weights, someData().data(), 500), 0);
  leaf_weights_close(&opened);
  EXPECT_EQ(opened.weights, nullptr);
  leaf_weights_close(&opened);
  leaf_weights_close(nullptr);
}

TEST(WeightFile, ChecksumIsXXH64) {
  std::string data;
  for (unsigned i = 0; i < 200; ++i) {
    EXPECT_EQ(leaf_weights_checksum(data.data(), data.size()), llvm::xxHash64(data)) << i;
    data += static_cast<char>(i * 101);
  }
}

TEST(WeightFile, ChecksumOfPartsIsThatOfTheWhole) {
  std::vector<char> data;
  for (unsigned i = 0; i < 200; ++i) {
    std::string bytes = write(makeFile("net", {}, data));
    llvm::Expected<WeightFileInfo> info = readWeightFile(bytes);
    ASSERT_TRUE(bool(info));
    EXPECT_TRUE(info->intact) << i;
    data.push_back(static_cast<char>(i * 101));
  }
}

TEST(WeightFile, IdentityFollowsNameLayoutAndContent) {
  uint64_t id = someFile().id();
  EXPECT_EQ(id, someFile().id());
  EXPECT_NE(id, someFile("net2").id());
  std::vector<char> data = someData();
  EXPECT_NE(id, makeFile("net", {{"first", 0, 100}, {"second", 128, 240}, {"last", 384, 8}}, data).id());
  data.back() ^= 1;
  EXPECT_NE(id, makeFile("net", {{"first", 0, 100}, {"second", 128, 240}, {"last", 384, 4}}, data).id());
}

TEST(WeightFile, NullAndMisalignedPointers) {
  WeightFile file = someFile();
  leaf_weight_file opened;
  EXPECT_EQ(leaf_weights_open(nullptr, nullptr, 0, 0, 0), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(leaf_weights_open(&opened, nullptr, 0, 0, 0), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(open(write(file), file.id(), 500, 0), LEAF_OK);
  for (size_t shift : {1, 8, 32})
    EXPECT_EQ(open(write(file), file.id(), 500, shift), LEAF_ERROR_ARGUMENT);
}

TEST(WeightFile, TruncatedAnywhere) {
  WeightFile file = someFile();
  std::string bytes = write(file);
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(open(bytes.substr(0, size), file.id()), LEAF_ERROR_WEIGHTS) << size;
  EXPECT_EQ(open(bytes + std::string(100, 'x'), file.id()), LEAF_OK);
}

TEST(WeightFile, OfAnotherModel) {
  WeightFile file = someFile();
  EXPECT_EQ(open(write(file), file.id() + 1), LEAF_ERROR_MODEL);
  EXPECT_EQ(open(write(file), file.id(), 501), LEAF_ERROR_MODEL);
}

TEST(WeightFile, EachFlippedByteOfTheDataIsFound) {
  WeightFile file = someFile();
  std::string bytes = write(file);
  for (size_t at = bytes.size() - 500; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] ^= 0x10;
    EXPECT_EQ(open(damaged, file.id()), LEAF_ERROR_WEIGHTS) << at;
  }
}

/// Damage in the index is found or does no harm; never is anything outside of the file read.
TEST(WeightFile, DamagedIndex) {
  WeightFile file = someFile();
  std::string bytes = write(file);
  std::mt19937 random(3);
  size_t indexBytes = bytes.size() - 500;
  for (size_t at = 0; at < indexBytes; ++at)
    for (unsigned value : {0x00u, 0x01u, 0x7fu, 0x80u, 0xffu}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      open(damaged, file.id());
    }
  for (unsigned i = 0; i < 20000; ++i) {
    std::string damaged = bytes;
    for (unsigned k = 0; k < 1 + i % 4; ++k)
      damaged[random() % indexBytes] = static_cast<char>(random());
    open(damaged.substr(0, random() % 8 ? damaged.size() : random() % damaged.size()), file.id());
  }
}

TEST(WeightFile, OffsetsAndSizesOutOfRange) {
  WeightFile file = someFile();
  const std::string bytes = write(file);
  uint64_t dataOffset = bytes.size() - 500;
  auto replace = [&](uint64_t old, uint64_t value) {
    std::string changed = bytes;
    put64(changed, find64(bytes, old), value);
    return open(changed, file.id());
  };
  // The whole file.
  EXPECT_EQ(replace(bytes.size(), bytes.size() + 1), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(replace(bytes.size(), ~uint64_t(0)), LEAF_ERROR_WEIGHTS);
  // The second blob: beyond the end, a sum that wraps around, misaligned, over the first.
  EXPECT_EQ(replace(dataOffset + 128, bytes.size()), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(replace(dataOffset + 128, ~uint64_t(63)), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(replace(dataOffset + 128, dataOffset + 129), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(replace(dataOffset + 128, dataOffset + 64), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(replace(240, ~uint64_t(0)), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(replace(240, 257), LEAF_ERROR_WEIGHTS);
  // The data.
  EXPECT_EQ(replace(500, 499), LEAF_ERROR_MODEL);
  EXPECT_EQ(replace(500, 501), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(replace(500, ~uint64_t(0) - 63), LEAF_ERROR_WEIGHTS);
}

TEST(WeightFile, OtherFilesAndVersions) {
  WeightFile file = someFile();
  std::string bytes = write(file);
  std::string other = bytes;
  other[4] = 'X';
  EXPECT_EQ(open(other, file.id()), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(open(std::string(4096, '\0'), file.id()), LEAF_ERROR_WEIGHTS);
  EXPECT_EQ(open(std::string(4096, '\xff'), file.id()), LEAF_ERROR_WEIGHTS);
  // The root table has its fields by falling size; the version is the only one of four bytes that says 1.
  for (size_t at = 8; at + 4 <= bytes.size() - 500; at += 4)
    if (llvm::support::endian::read32le(&bytes[at]) == 1) {
      std::string newer = bytes;
      newer[at] = 2;
      EXPECT_EQ(open(newer, file.id()), LEAF_ERROR_VERSION);
      EXPECT_FALSE(bool(llvm::expectedToOptional(readWeightFile(newer))));
    }
}

TEST(WeightFile, IsMapped) {
  TestFolder folder;
  WeightFile file = someFile();
  std::string path = folder.path("net.weights");
  folder.write("net.weights", write(file));
  leaf_weight_file opened;
  ASSERT_EQ(leaf_weights_map(&opened, path.c_str(), file.id(), 500), LEAF_OK);
  EXPECT_EQ(std::memcmp(opened.weights, someData().data(), 500), 0);
  EXPECT_EQ(opened.mapping_bytes, file.bytes());
  leaf_weights_close(&opened);
  EXPECT_EQ(opened.mapping, nullptr);

  EXPECT_EQ(leaf_weights_map(&opened, path.c_str(), 1, 500), LEAF_ERROR_MODEL);
  EXPECT_EQ(opened.mapping, nullptr);
  EXPECT_EQ(leaf_weights_map(&opened, folder.path("none").c_str(), 1, 500), LEAF_ERROR_FILE);
  EXPECT_EQ(leaf_weights_map(&opened, folder.path("").c_str(), 1, 500), LEAF_ERROR_FILE);
  EXPECT_EQ(leaf_weights_map(&opened, nullptr, 1, 500), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(leaf_weights_map(nullptr, path.c_str(), 1, 500), LEAF_ERROR_ARGUMENT);
  folder.write("empty", "");
  EXPECT_EQ(leaf_weights_map(&opened, folder.path("empty").c_str(), 1, 500), LEAF_ERROR_WEIGHTS);
}

TEST(WeightFile, InfoListsTheBlobs) {
  WeightFile file = someFile();
  std::string bytes = write(file);
  llvm::Expected<WeightFileInfo> info = readWeightFile(bytes);
  ASSERT_TRUE(bool(info));
  EXPECT_EQ(info->model, "net");
  EXPECT_EQ(info->id, file.id());
  EXPECT_TRUE(info->intact);
  ASSERT_EQ(info->blobs.size(), 3u);
  EXPECT_EQ(info->blobs[1].name, "second");
  EXPECT_EQ(info->blobs[1].bytes, 240u);
  bytes.back() ^= 1;
  info = readWeightFile(bytes);
  ASSERT_TRUE(bool(info));
  EXPECT_FALSE(info->intact);
}

TEST(WeightFile, WithoutBlobs) {
  WeightFile file = makeFile("empty", {}, {});
  EXPECT_EQ(open(write(file), file.id(), 0), LEAF_OK);
}
