//===- WeightFile.cpp - weights in a file of their own -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/WeightFile.h"

#include "Checksum.h"
#include "Detail.h"
#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "leafcutter/Target/Emit.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"
#include <weights_generated.h>

using namespace mlir;
using namespace leaf;

static constexpr uint32_t kVersion = 1;
static constexpr uint64_t kAlign = 64;

/// The same for equal names, layouts and contents, on all machines.
static uint64_t computeIdentity(StringRef model, ArrayRef<WeightBlob> blobs, uint64_t bytes, uint64_t checksum) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "leaf weights " << kVersion << '\0' << model << '\0' << bytes << ' ' << checksum;
  for (const WeightBlob &blob : blobs)
    stream << '\0' << blob.name << '\0' << blob.offset << ' ' << blob.bytes;
  uint64_t hash = llvm::xxHash64(text);
  return hash ? hash : 1;
}

static std::vector<char> buildIndex(StringRef model, ArrayRef<WeightBlob> blobs, uint64_t dataBytes, uint64_t checksum,
                                    uint64_t id, uint64_t dataOffset) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<weights::Blob> entries;
  std::vector<flatbuffers::Offset<flatbuffers::String>> names;
  for (const WeightBlob &blob : blobs) {
    entries.emplace_back(dataOffset + blob.offset, blob.bytes);
    names.push_back(builder.CreateString(blob.name));
  }
  auto nameVector = builder.CreateVector(names);
  auto blobVector = builder.CreateVectorOfStructs(entries);
  auto modelName = builder.CreateString(model.str());
  auto producer = builder.CreateString("leafc");
  // Defaults are written, too: then the index is as long whatever the numbers are.
  builder.ForceDefaults(true);
  weights::IndexBuilder index(builder);
  index.add_version(kVersion);
  index.add_id(id);
  index.add_file_bytes(dataOffset + dataBytes);
  index.add_data_offset(dataOffset);
  index.add_data_bytes(dataBytes);
  index.add_checksum(checksum);
  index.add_blobs(blobVector);
  index.add_model(modelName);
  index.add_names(nameVector);
  index.add_producer(producer);
  weights::FinishIndexBuffer(builder, index.Finish());
  const char *bytes = reinterpret_cast<const char *>(builder.GetBufferPointer());
  return std::vector<char>(bytes, bytes + builder.GetSize());
}

llvm::Expected<WeightFile> WeightFile::create(StringRef model, const std::vector<WeightBlob> &blobs,
                                              SectionWriter write) {
  object::ChecksumStream stream;
  if (llvm::Error error = write(stream))
    return std::move(error);
  uint64_t checksum = stream.checksum();
  WeightFile file;
  file.writeSection = std::move(write);
  file.dataBytes = stream.bytes();
  file.identity = computeIdentity(model, blobs, file.dataBytes, checksum);
  // The offset is part of the index, whose size does not depend on it.
  file.index = buildIndex(model, blobs, file.dataBytes, checksum, file.identity, 0);
  uint64_t offset = llvm::alignTo(file.index.size(), kAlign);
  file.index = buildIndex(model, blobs, file.dataBytes, checksum, file.identity, offset);
  assert(file.index.size() <= offset);
  file.index.resize(offset);
  return file;
}

llvm::Expected<WeightFile> WeightFile::create(ModuleOp module) {
  llvm::Expected<std::string> name = object::getModelName(module);
  if (!name)
    return name.takeError();
  std::vector<WeightBlob> blobs;
  for (WeightOp weight : module.getOps<WeightOp>())
    if (auto offset = weight->getAttrOfType<IntegerAttr>(plan::attrs::kOffset))
      blobs.push_back({weight.getSymName().str(), offset.getValue().getZExtValue(), 0});
  llvm::sort(blobs, [](const WeightBlob &a, const WeightBlob &b) { return a.offset < b.offset; });
  size_t next = 0;
  if (llvm::Error error =
          object::visitWeights(module, [&](uint64_t, ArrayRef<char> bytes) { blobs[next++].bytes = bytes.size(); }))
    return std::move(error);
  return create(*name, blobs, [module](llvm::raw_ostream &out) { return writeWeightSection(module, out); });
}

llvm::Error WeightFile::write(llvm::raw_ostream &out) const {
  out.write(index.data(), index.size());
  return writeSection(out);
}

llvm::Expected<WeightFileInfo> leaf::readWeightFile(StringRef bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(bytes.data()),
                                 std::min<size_t>(bytes.size(), FLATBUFFERS_MAX_BUFFER_SIZE - 1));
  if (bytes.size() < 8 || !weights::IndexBufferHasIdentifier(bytes.data()) || !weights::VerifyIndexBuffer(verifier))
    return llvm::createStringError("this is no weight file, or a damaged one");
  const weights::Index *index = weights::GetIndex(bytes.data());
  if (index->version() != kVersion)
    return llvm::createStringError("this weight file has format version " + llvm::Twine(index->version()) +
                                   "; known is " + llvm::Twine(kVersion));
  WeightFileInfo info;
  info.model = index->model() ? index->model()->str() : "";
  info.producer = index->producer() ? index->producer()->str() : "";
  info.id = index->id();
  info.fileBytes = index->file_bytes();
  info.dataOffset = index->data_offset();
  info.dataBytes = index->data_bytes();
  if (info.fileBytes > bytes.size() || info.dataOffset > info.fileBytes ||
      info.dataBytes > info.fileBytes - info.dataOffset)
    return llvm::createStringError("this weight file is cut short");
  info.intact = llvm::xxHash64(bytes.substr(info.dataOffset, info.dataBytes)) == index->checksum();
  if (const auto *blobs = index->blobs())
    for (flatbuffers::uoffset_t i = 0; i < blobs->size(); ++i) {
      bool named = index->names() && i < index->names()->size();
      info.blobs.push_back(
          {named ? index->names()->Get(i)->str() : "", blobs->Get(i)->offset(), blobs->Get(i)->bytes()});
    }
  return info;
}
