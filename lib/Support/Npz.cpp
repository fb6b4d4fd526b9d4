//===- Npz.cpp - numpy's .npz archives ---------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "NpyFormat.h"

#include "leafcutter/Support/AtomicFile.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include <zip.h>

using namespace llvm;

namespace leaf {

/// Deflate cannot do better than this; a larger declared size is a lie.
static constexpr uint64_t maxDeflateRatio = 1032;

/// Address space that is taken ahead of an array; larger ones grow as they arrive.
static constexpr uint64_t maxReserve = uint64_t(1) << 30;

/// A dictionary of the plain types that we read takes a hundred bytes.
static constexpr uint64_t maxHeaderBytes = uint64_t(1) << 20;

static Error npzError(StringRef path, const Twine &what) { return createStringError("'" + path + "': " + what); }

static std::string describeZipError(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

/// Whether the declared sizes of a member can be true. `budget` is what all members together may take compressed (the
/// file's size); overlapping members, which make zip bombs, exceed it.
static Error checkMember(const zip_stat_t &stat, uint64_t &budget) {
  constexpr uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((stat.valid & needed) != needed)
    return createStringError("incomplete directory entry");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
    return createStringError("compression method " + Twine(unsigned(stat.comp_method)) +
                             " is not supported; use numpy.savez or numpy.savez_compressed");
  if (stat.comp_size > budget || stat.size / maxDeflateRatio > stat.comp_size)
    return createStringError("the declared sizes are larger than the file can hold");
  budget -= stat.comp_size;
  return Error::success();
}

/// Appends `size` bytes of a member. Memory is touched as they arrive: a lie about the size costs none.
template <typename Bytes> static Error readBytes(zip_file_t *file, uint64_t size, Bytes &bytes) {
  constexpr uint64_t step = 1 << 20;
  size_t end = bytes.size() + size;
  bytes.reserve(std::min<uint64_t>(end, maxReserve));
  while (bytes.size() < end) {
    size_t done = bytes.size();
    bytes.resize(std::min<uint64_t>(end, done + step));
    zip_int64_t count = zip_fread(file, bytes.data() + done, bytes.size() - done);
    if (count <= 0)
      return createStringError(count < 0 ? zip_file_strerror(file) : "truncated");
    bytes.resize(done + count);
  }
  return Error::success();
}

/// The array of a member, inflated once and where it stays. Its header is looked at before anything of its size is
/// done.
static Expected<NpyArray> readMember(zip_t *archive, const zip_stat_t &stat, uint64_t &budget) {
  if (Error error = checkMember(stat, budget))
    return std::move(error);
  zip_file_t *file = zip_fopen_index(archive, stat.index, 0);
  if (!file)
    return createStringError(zip_strerror(archive));
  scope_exit close([&] { zip_fclose(file); });
  std::string header;
  if (Error error = readBytes(file, std::min<uint64_t>(stat.size, npyPrefixBytes), header))
    return std::move(error);
  Expected<uint64_t> offset = getNpyDataOffset(header);
  if (!offset)
    return offset.takeError();
  if (*offset > stat.size)
    return createStringError("malformed .npy: truncated");
  if (*offset > maxHeaderBytes)
    return createStringError("malformed .npy: a header of " + Twine(*offset) + " bytes");
  if (Error error = readBytes(file, *offset - header.size(), header))
    return std::move(error);
  Expected<NpyLayout> layout = decodeNpyHeader(header, stat.size);
  if (!layout)
    return layout.takeError();
  std::vector<char> data;
  if (Error error = readBytes(file, layout->dataBytes, data))
    return std::move(error);
  // libzip compares the CRC when it meets the end.
  char extra;
  zip_int64_t count = zip_fread(file, &extra, 1);
  if (count != 0)
    return createStringError(count < 0 ? zip_file_strerror(file) : "longer than declared");
  return makeNpyArray(std::move(*layout), std::move(data));
}

Expected<NpzFile> readNpz(StringRef path) {
  uint64_t budget = 0;
  if (std::error_code code = sys::fs::file_size(path, budget))
    return createStringError("cannot read '" + path + "': " + code.message());
  int code = 0;
  zip_t *archive = zip_open(path.str().c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (!archive)
    return npzError(path, "no readable .npz: " + Twine(describeZipError(code)));
  scope_exit discard([&] { zip_discard(archive); });

  NpzFile arrays;
  StringSet<> names;
  for (zip_int64_t i = 0, e = zip_get_num_entries(archive, 0); i < e; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive, i, ZIP_FL_ENC_RAW, &stat) != 0)
      return npzError(path, "member " + Twine(i) + ": " + zip_strerror(archive));
    StringRef name = stat.valid & ZIP_STAT_NAME ? stat.name : "";
    if (!name.consume_back(".npy"))
      return npzError(path, "member '" + name + "' is no .npy");
    if (!names.insert(name).second)
      return npzError(path, "array '" + name + "' is there twice");
    Expected<NpyArray> array = readMember(archive, stat, budget);
    if (!array)
      return npzError(path, "array '" + name + "': " + toString(array.takeError()));
    arrays.emplace_back(name.str(), std::move(*array));
  }
  return arrays;
}

Error writeNpz(StringRef path, const NpzFile &arrays) {
  int code = 0;
  // libzip writes a temporary file next to `path` and renames it in zip_close.
  zip_t *archive = zip_open(path.str().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (!archive)
    return createStringError("cannot write '" + path + "': " + describeZipError(code));
  std::vector<std::string> members;
  members.reserve(arrays.size());
  for (const auto &[name, array] : arrays) {
    if (StringRef(name).contains('\0')) {
      zip_discard(archive);
      return createStringError("cannot write '" + path + "': a name with a zero byte cannot stand in a .npz");
    }
    members.push_back(encodeNpyHeader(array));
    members.back().append(array.bytes.begin(), array.bytes.end());
    zip_source_t *source = zip_source_buffer(archive, members.back().data(), members.back().size(), 0);
    zip_int64_t index = source ? zip_file_add(archive, (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0 || zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive, index, 0, /*1980-01-01=*/0x21, 0) != 0) {
      if (source && index < 0)
        zip_source_free(source);
      Error error = createStringError("cannot write '" + path + "': " + zip_strerror(archive));
      zip_discard(archive);
      return error;
    }
  }
  if (arrays.empty()) {
    // libzip deletes an archive without members; an empty .npz is just the end record.
    zip_discard(archive);
    static constexpr char empty[22] = {'P', 'K', 5, 6};
    return writeFileAtomically(path, [&](raw_pwrite_stream &out) {
      out.write(empty, sizeof empty);
      return Error::success();
    });
  }
  if (zip_close(archive) != 0) {
    Error error = createStringError("cannot write '" + path + "': " + zip_strerror(archive));
    zip_discard(archive);
    return error;
  }
  return Error::success();
}

} // namespace leaf
