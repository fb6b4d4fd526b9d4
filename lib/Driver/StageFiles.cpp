//===- StageFiles.cpp - dumped stages and their weights ----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "StageFiles.h"

#include "Leaf/Leaf.h"
#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Support/AtomicFile.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace leaf {

//===----------------------------------------------------------------------===//
// The weight file: "LEAFWTS1", number of entries (u64), then per entry the name's length (u64), the name, zeros up to
// a multiple of 64, the number of bytes (u64), zeros up to a multiple of 64, the bytes. Little-endian.
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral weightMagic = "LEAFWTS1";
static constexpr unsigned weightAlign = 64;

namespace {

/// Appends with padding.
class WeightWriter {
public:
  explicit WeightWriter(llvm::raw_ostream &out) : out(out), start(out.tell()) {}
  void number(uint64_t value) { out.write(reinterpret_cast<const char *>(&value), sizeof value); }
  void text(StringRef bytes) { out << bytes; }
  void pad() { out.write_zeros(llvm::offsetToAlignment(out.tell() - start, llvm::Align(weightAlign))); }

private:
  llvm::raw_ostream &out;
  uint64_t start;
};

/// Reads with bounds checks; any failure leaves `ok` false.
class WeightReader {
public:
  explicit WeightReader(StringRef bytes) : bytes(bytes) {}
  StringRef take(uint64_t size) {
    if (!ok || size > bytes.size() - offset) {
      ok = false;
      return {};
    }
    offset += size;
    return bytes.substr(offset - size, size);
  }
  uint64_t number() {
    StringRef text = take(sizeof(uint64_t));
    return ok ? llvm::support::endian::read64le(text.data()) : 0;
  }
  void pad() { take(llvm::offsetToAlignment(offset, llvm::Align(weightAlign))); }

  bool ok = true;

private:
  StringRef bytes;
  uint64_t offset = 0;
};

} // namespace

static std::string weightPath(StringRef path) {
  SmallString<128> result(path);
  llvm::sys::path::replace_extension(result, "weights");
  return result.str().str();
}

static llvm::Expected<llvm::StringMap<StringRef>> indexWeights(StringRef bytes) {
  WeightReader reader(bytes);
  llvm::StringMap<StringRef> index;
  bool magic = reader.take(weightMagic.size()) == weightMagic;
  uint64_t count = reader.number();
  for (uint64_t i = 0; i < count && reader.ok; ++i) {
    StringRef name = reader.take(reader.number());
    reader.pad();
    uint64_t size = reader.number();
    reader.pad();
    StringRef data = reader.take(size);
    reader.pad();
    index[name] = data;
  }
  if (!magic || !reader.ok)
    return llvm::createStringError("the file is damaged or no weight file");
  return index;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void printHeader(llvm::raw_ostream &out, Stage stage, const TargetSpec &target) {
  out << "// leafc-stage " << getStageName(stage) << " target " << target.name << " triple " << target.triple << " cpu "
      << target.cpu << " features " << target.features << '\n';
}

/// Bytes that go to the weight file: resources, and dense attributes that are no splat and not short.
static ArrayRef<char> bytesToElide(WeightOp weight) {
  ArrayRef<char> bytes = weight.getRawBytes();
  return isa<DenseResourceElementsAttr>(weight.getValue()) || bytes.size() > 256 ? bytes : ArrayRef<char>();
}

/// The one resource without bytes that stands for all weights in a dump.
static DenseResourceElementsHandle getElidedHandle(MLIRContext *context) {
  constexpr StringLiteral key = "elided";
  auto &manager = DenseResourceElementsHandle::getManagerInterface(context);
  if (DialectResourceBlobManager::BlobEntry *entry = manager.getBlobManager().lookup(key))
    return DenseResourceElementsHandle(entry, context->getLoadedDialect<BuiltinDialect>());
  return manager.insert(key);
}

llvm::Error writeStage(ModuleOp module, Stage stage, const TargetSpec &target, StringRef dir) {
  if (std::error_code code = llvm::sys::fs::create_directories(dir))
    return llvm::createStringError("cannot make the folder '" + dir + "': " + code.message());
  std::string path = (dir + "/0" + llvm::Twine(unsigned(stage) + 1) + "." + getStageName(stage) + ".mlir").str();
  SmallVector<std::pair<WeightOp, ArrayRef<char>>> weights;
  for (WeightOp weight : module.getOps<WeightOp>())
    if (ArrayRef<char> bytes = bytesToElide(weight); !bytes.empty())
      weights.emplace_back(weight, bytes);

  AtomicFiles files;
  if (llvm::Error error = files.add(weightPath(path), [&](llvm::raw_pwrite_stream &out) {
        WeightWriter writer(out);
        writer.text(weightMagic);
        writer.number(weights.size());
        for (auto [weight, bytes] : weights) {
          writer.number(weight.getSymName().size());
          writer.text(weight.getSymName());
          writer.pad();
          writer.number(bytes.size());
          writer.pad();
          writer.text(StringRef(bytes.data(), bytes.size()));
          writer.pad();
        }
        return llvm::Error::success();
      }))
    return error;

  // All weights share one handle without a blob while the text is printed: eliding by printing flags would still
  // build the hexadecimal text of every weight.
  DenseResourceElementsHandle elided = getElidedHandle(module.getContext());
  SmallVector<ElementsAttr> values;
  for (auto [weight, bytes] : weights) {
    values.push_back(weight.getValue());
    weight.setValueAttr(DenseResourceElementsAttr::get(weight.getWeightType(), elided));
  }
  llvm::Error error = files.add(path, [&](llvm::raw_pwrite_stream &out) {
    printHeader(out, stage, target);
    // Locations name the ONNX nodes; from form on the kernels' `nodes` do, and the text stays readable.
    module.print(out, OpPrintingFlags().enableDebugInfo(stage < Stage::Form));
    out << '\n';
    return llvm::Error::success();
  });
  for (auto [weight, value] : llvm::zip_equal(weights, values))
    weight.first.setValueAttr(value);
  if (error)
    return error;
  return files.commit();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static llvm::Expected<StageHeader> parseHeader(StringRef line) {
  StageHeader header;
  if (!line.consume_front("// leafc-stage "))
    return header;
  SmallVector<StringRef> words;
  line.rtrim().split(words, ' ');
  // stage, then pairs; the features are last and may be empty.
  llvm::StringMap<StringRef> fields;
  for (size_t i = 1; i + 1 < words.size(); i += 2)
    fields[words[i]] = words[i + 1];
  llvm::Expected<Stage> stage = parseStage(words.front());
  if (!stage)
    return stage.takeError();
  header.stage = *stage;
  StringRef name = fields.lookup("target");
  llvm::Expected<TargetSpec> target =
      name.empty() || name == "host" || name == "custom"
          ? makeTarget(fields.lookup("triple"), fields.lookup("cpu"), fields.lookup("features"))
          : lookupTarget(name);
  if (!target)
    return target.takeError();
  header.target = *target;
  return header;
}

/// Gives `weight` the bytes `data`, which live in `file`.
static llvm::Error attach(WeightOp weight, StringRef data, std::shared_ptr<llvm::MemoryBuffer> file) {
  RankedTensorType type = weight.getWeightType();
  unsigned bits = type.getElementType().isInteger(1) ? 8 : type.getElementTypeBitWidth();
  if (data.size() != uint64_t(type.getNumElements()) * bits / 8)
    return llvm::createStringError("weight @" + weight.getSymName() + " has " + llvm::Twine(data.size()) +
                                   " bytes in the weight file, which do not fit its type");
  auto keepMapped = [file = std::move(file)](void *, size_t, size_t) {};
  AsmResourceBlob blob(ArrayRef<char>(data.data(), data.size()), weightAlign, keepMapped, /*dataIsMutable=*/false);
  weight.setValueAttr(DenseResourceElementsAttr::get(type, weight.getSymName(), std::move(blob)));
  return llvm::Error::success();
}

static llvm::Error attachWeights(ModuleOp module, StringRef path) {
  SmallVector<WeightOp> bare;
  for (WeightOp weight : module.getOps<WeightOp>())
    if (isa<DenseResourceElementsAttr>(weight.getValue()) && weight.getRawBytes().empty() &&
        weight.getWeightType().getNumElements() > 0)
      bare.push_back(weight);
  if (bare.empty())
    return llvm::Error::success();
  std::string sidecar = weightPath(path);
  auto buffer = llvm::MemoryBuffer::getFile(sidecar, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError("weights are not in '" + path + "', and '" + sidecar +
                                   "' cannot be read: " + buffer.getError().message());
  std::shared_ptr<llvm::MemoryBuffer> file = std::move(*buffer);
  llvm::Expected<llvm::StringMap<StringRef>> index = indexWeights(file->getBuffer());
  if (!index)
    return llvm::createStringError("'" + sidecar + "': " + llvm::toString(index.takeError()));
  for (WeightOp weight : bare) {
    auto it = index->find(weight.getSymName());
    if (it == index->end())
      return llvm::createStringError("'" + sidecar + "': weight @" + weight.getSymName() + " is missing");
    if (llvm::Error error = attach(weight, it->second, file))
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<OwningOpRef<ModuleOp>> readStage(MLIRContext *context, StringRef path, StageHeader &header) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError("cannot read '" + path + "': " + buffer.getError().message());
  llvm::Expected<StageHeader> parsed = parseHeader((*buffer)->getBuffer().split('\n').first);
  if (!parsed)
    return llvm::createStringError("'" + path + "': " + llvm::toString(parsed.takeError()));
  header = *parsed;
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>((*buffer)->getBuffer(), ParserConfig(context), path);
  if (!module)
    return llvm::createStringError("'" + path + "' is no valid module");
  if (llvm::Error error = attachWeights(*module, path))
    return error;
  return module;
}

} // namespace leaf
