//===- NpzTest.cpp -----------------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Support/Npz.h"
#include "leafcutter/Support/StringArrays.h"

#include "TestFiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace leaf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// A .npy with the header dictionary `dict` and `data`.
std::string makeNpy(std::string dict, const std::string &data, unsigned version = 1) {
  dict += '\n';
  std::string npy = "\x93NUMPY";
  npy += char(version);
  npy += '\0';
  for (unsigned i = 0; i < (version == 1 ? 2u : 4u); ++i)
    npy += char(dict.size() >> (8 * i));
  return npy + dict + data;
}

template <typename T> std::vector<T> values(const NpyArray &array) {
  std::vector<T> result(array.bytes.size() / sizeof(T));
  std::memcpy(result.data(), array.bytes.data(), array.bytes.size());
  return result;
}

llvm::Expected<NpyArray> parse(const std::string &bytes) {
  TestFolder folder;
  return readNpy(folder.write("a.npy", bytes));
}

std::string errorOf(const std::string &bytes) {
  llvm::Expected<NpyArray> array = parse(bytes);
  return array ? "no error" : llvm::toString(array.takeError());
}

NpzFile twoArrays() {
  NpyArray floats{"float32", {2, 3}, std::vector<char>(24)};
  for (int i = 0; i < 6; ++i) {
    float value = i + 0.5f;
    std::memcpy(&floats.bytes[4 * i], &value, 4);
  }
  return {{"in:x", floats}, {"scalar", NpyArray{"int64", {}, std::vector<char>(8, 1)}}};
}

TEST(Npy, ReadsCOrder) {
  llvm::Expected<NpyArray> array =
      parse(makeNpy("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2), }", std::string("\1\0\2\0\3\0\4\0", 8)));
  ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
  EXPECT_EQ(array->elementType, "int16");
  EXPECT_THAT(array->shape, ElementsAre(2, 2));
  EXPECT_THAT(values<int16_t>(*array), ElementsAre(1, 2, 3, 4));
}

TEST(Npy, TransposesFortranOrder) {
  llvm::Expected<NpyArray> array =
      parse(makeNpy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", std::string("\1\4\2\5\3\6", 6), 2));
  ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
  EXPECT_THAT(values<uint8_t>(*array), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Npy, SwapsBigEndian) {
  llvm::Expected<NpyArray> array =
      parse(makeNpy("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", std::string("\0\0\1\2", 4)));
  ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
  EXPECT_THAT(values<int32_t>(*array), ElementsAre(258));
}

TEST(Npy, ReadsScalarsAndEmptyArrays) {
  EXPECT_EQ(errorOf(makeNpy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", std::string(4, 0))), "no error");
  EXPECT_EQ(errorOf(makeNpy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7), }", "")), "no error");
}

TEST(Npy, RejectsWhatItCannotHold) {
  EXPECT_THAT(errorOf("nothing"), HasSubstr("magic bytes"));
  EXPECT_THAT(errorOf(makeNpy("{'descr': '<c8', 'fortran_order': False, 'shape': (), }", std::string(8, 0))),
              HasSubstr("element type '<c8' is not supported"));
  EXPECT_THAT(errorOf(makeNpy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", std::string(4, 0))),
              HasSubstr("needs 8 bytes, the file has 4"));
  EXPECT_THAT(errorOf(makeNpy("{'descr': '<f4', 'fortran_order': False, "
                              "'shape': (4611686018427387904, 4611686018427387904), }",
                              "")),
              HasSubstr("too many bytes"));
  EXPECT_THAT(errorOf(makeNpy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "")), HasSubstr("shape"));
  EXPECT_THAT(errorOf(makeNpy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }", "")),
              HasSubstr("no records"));
}

TEST(Npy, ReadsTypesOfMlDtypes) {
  llvm::Expected<NpyArray> named =
      parse(makeNpy("{'descr': [('bfloat16', '<V2')], 'fortran_order': False, 'shape': (1,), }", "\x80\x3f"));
  ASSERT_TRUE(bool(named)) << llvm::toString(named.takeError());
  EXPECT_EQ(named->elementType, "bfloat16");
  // Other bits than the lowest four mean nothing.
  llvm::Expected<NpyArray> narrow =
      parse(makeNpy("{'descr': [('int4', '|V1')], 'fortran_order': False, 'shape': (2,), }", "\xf8\x07"));
  ASSERT_TRUE(bool(narrow)) << llvm::toString(narrow.takeError());
  EXPECT_THAT(values<uint8_t>(*narrow), ElementsAre(8, 7));
  llvm::Expected<NpyArray> unknown = parse(makeNpy("{'descr': '<V1', 'fortran_order': False, 'shape': (2,), }", "ab"));
  ASSERT_TRUE(bool(unknown)) << llvm::toString(unknown.takeError());
  EXPECT_EQ(unknown->elementType, kUnknownByte);
}

TEST(Npz, WritesTypesOfMlDtypesAsRecords) {
  TestFolder folder;
  std::string path = folder.write("a.npz", "");
  ASSERT_FALSE(bool(writeNpz(path, {{"x", NpyArray{"float8e4m3fn", {2}, {'\x38', '\x7f'}}}})));
  llvm::Expected<NpzFile> read = readNpz(path);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->front().second.elementType, "float8e4m3fn");
  EXPECT_THAT(values<uint8_t>(read->front().second), ElementsAre(0x38, 0x7f));
}

TEST(Npz, StringsAreSplitAndJoined) {
  NpzFile file = {{"x", makeStringArray({2, 2}, {"ab", "", "\xC3\xA9\xE2\x82\xAC", "c"})}};
  EXPECT_EQ(file[0].second.elementType, "U2");
  EXPECT_TRUE(isStringArray(file[0].second));
  EXPECT_EQ(getStrings(file[0].second), (std::vector<std::string>{"ab", "", "\xC3\xA9\xE2\x82\xAC", "c"}));
  NpzFile split = splitStrings(file);
  ASSERT_EQ(split.size(), 2u);
  EXPECT_EQ(split[1].first, "x.bytes");
  EXPECT_EQ(llvm::StringRef(split[1].second.bytes.data(), split[1].second.bytes.size()), "ab\xC3\xA9\xE2\x82\xAC"
                                                                                         "c");
  NpzFile joined = joinStrings(split);
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined[0].second.bytes, file[0].second.bytes);
  EXPECT_EQ(joined[0].second.shape, file[0].second.shape);
}

TEST(Npz, RoundTrip) {
  TestFolder folder;
  std::string path = folder.path("a.npz");
  ASSERT_FALSE(bool(writeNpz(path, twoArrays())));
  llvm::Expected<NpzFile> arrays = readNpz(path);
  ASSERT_TRUE(bool(arrays)) << llvm::toString(arrays.takeError());
  ASSERT_EQ(arrays->size(), 2u);
  EXPECT_EQ((*arrays)[0].first, "in:x");
  EXPECT_EQ((*arrays)[0].second.bytes, twoArrays()[0].second.bytes);
  EXPECT_THAT((*arrays)[0].second.shape, ElementsAre(2, 3));
  EXPECT_EQ((*arrays)[1].second.elementType, "int64");
  EXPECT_TRUE((*arrays)[1].second.shape.empty());
}

TEST(Npz, EqualInputGivesEqualBytes) {
  TestFolder folder;
  ASSERT_FALSE(bool(writeNpz(folder.path("a.npz"), twoArrays())));
  ASSERT_FALSE(bool(writeNpz(folder.path("b.npz"), twoArrays())));
  EXPECT_EQ(folder.read("a.npz"), folder.read("b.npz"));
}

TEST(Npz, NoArrays) {
  TestFolder folder;
  ASSERT_FALSE(bool(writeNpz(folder.path("a.npz"), {})));
  llvm::Expected<NpzFile> arrays = readNpz(folder.path("a.npz"));
  ASSERT_TRUE(bool(arrays)) << llvm::toString(arrays.takeError());
  EXPECT_TRUE(arrays->empty());
}

TEST(Npz, MissingFileIsNamed) {
  llvm::Expected<NpzFile> arrays = readNpz("/nonexistent/x.npz");
  ASSERT_FALSE(bool(arrays));
  EXPECT_THAT(llvm::toString(arrays.takeError()), HasSubstr("cannot read '/nonexistent/x.npz'"));
}

TEST(Npz, TruncatedAtEveryByteIsAnError) {
  TestFolder folder;
  ASSERT_FALSE(bool(writeNpz(folder.path("a.npz"), twoArrays())));
  std::string whole = folder.read("a.npz");
  for (size_t size = 0; size < whole.size(); ++size) {
    llvm::Expected<NpzFile> arrays = readNpz(folder.write("b.npz", whole.substr(0, size)));
    EXPECT_FALSE(bool(arrays)) << "cut at " << size;
    llvm::consumeError(arrays.takeError());
  }
}

/// Every byte of `whole` inverted, and each of its bits flipped: an error, or arrays that hold together.
void flipEveryByte(const std::string &whole) {
  TestFolder folder;
  for (size_t i = 0; i < whole.size(); ++i)
    for (unsigned mask : {0x01u, 0x80u, 0xffu}) {
      std::string bytes = whole;
      bytes[i] ^= mask;
      llvm::Expected<NpzFile> arrays = readNpz(folder.write("b.npz", bytes));
      if (!arrays) {
        llvm::consumeError(arrays.takeError());
        continue;
      }
      for (const auto &[name, array] : *arrays) {
        int64_t count = 1;
        for (int64_t size : array.shape)
          count *= size;
        EXPECT_EQ(array.bytes.size(), size_t(count) * getElementBytes(array.elementType));
      }
    }
}

TEST(Npz, FlippedBytesNeverCrash) {
  TestFolder folder;
  ASSERT_FALSE(bool(writeNpz(folder.path("a.npz"), twoArrays())));
  flipEveryByte(folder.read("a.npz"));
}

// numpy.savez_compressed(f, x=numpy.zeros(1000, 'f4')), whose local headers are zip64.
constexpr unsigned char deflated[] = {
#include "Deflated.npz.inc"
};

TEST(Npz, ReadsDeflatedMembers) {
  TestFolder folder;
  std::string bytes(reinterpret_cast<const char *>(deflated), sizeof deflated);
  llvm::Expected<NpzFile> arrays = readNpz(folder.write("a.npz", bytes));
  ASSERT_TRUE(bool(arrays)) << llvm::toString(arrays.takeError());
  ASSERT_EQ(arrays->size(), 1u);
  EXPECT_EQ(arrays->front().first, "x");
  EXPECT_THAT(arrays->front().second.shape, ElementsAre(1000));
  EXPECT_EQ(arrays->front().second.bytes, std::vector<char>(4000, 0));
  flipEveryByte(bytes);
}

} // namespace
