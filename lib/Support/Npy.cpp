//===- Npy.cpp - numpy's .npy format -----------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "NpyFormat.h"

#include "leafcutter/Support/ElementTypes.h"
#include "leafcutter/Support/InputFile.h"
#include "leafcutter/Support/StringArrays.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstring>
#include <optional>

using namespace llvm;

namespace leaf {

namespace {

/// The dictionary at the start of a .npy.
struct NpyHeader {
  std::string descr;
  std::string field; ///< name of the only field, where the elements are records; otherwise empty
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

Error malformed(const Twine &what) { return createStringError("malformed .npy: " + what); }

/// Reads the Python dict literal that numpy writes, and nothing more general.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  Expected<NpyHeader> parse() {
    NpyHeader header;
    bool haveDescr = false, haveOrder = false, haveShape = false;
    if (!accept("{"))
      return malformed("the header is no dictionary");
    while (!accept("}")) {
      std::optional<StringRef> key = string();
      if (!key || !accept(":"))
        return malformed("a key is expected in the header");
      bool known = false;
      if (*key == "descr") {
        if (!descr(header))
          return malformed("only plain element types are supported, no records but of one field");
        known = haveDescr = true;
      } else if (*key == "fortran_order") {
        header.fortranOrder = accept("True");
        known = haveOrder = header.fortranOrder || accept("False");
      } else if (*key == "shape") {
        known = haveShape = tuple(header.shape);
      }
      if (!known)
        return malformed("bad header entry '" + *key + "'");
      if (!accept(",") && !rest.ltrim().starts_with("}"))
        return malformed("',' or '}' expected in the header");
    }
    if (!haveDescr || !haveOrder || !haveShape || !rest.trim().empty())
      return malformed("incomplete header");
    return header;
  }

private:
  bool accept(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  std::optional<StringRef> string() {
    rest = rest.ltrim();
    if (rest.empty() || (rest.front() != '\'' && rest.front() != '"'))
      return std::nullopt;
    size_t end = rest.find(rest.front(), 1);
    if (end == StringRef::npos)
      return std::nullopt;
    StringRef text = rest.substr(1, end - 1);
    rest = rest.substr(end + 1);
    return text;
  }

  /// 'CODE' or [('FIELD', 'CODE')].
  bool descr(NpyHeader &header) {
    bool record = accept("[");
    std::optional<StringRef> field;
    if (record && (!accept("(") || !(field = string()) || !accept(",")))
      return false;
    std::optional<StringRef> code = string();
    if (!code || (record && !(accept(")") && (accept(","), accept("]")))))
      return false;
    header.descr = code->str();
    header.field = field.value_or("").str();
    return true;
  }

  bool tuple(std::vector<int64_t> &values) {
    if (!accept("("))
      return false;
    while (!accept(")")) {
      int64_t value;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, value) || value < 0 || values.size() == 64)
        return false;
      values.push_back(value);
      if (!accept(",") && !rest.ltrim().starts_with(")"))
        return false;
    }
    return true;
  }

  StringRef rest;
};

/// Number of elements, or nothing where the product with `elementBytes` exceeds 63 bits.
std::optional<uint64_t> countElements(ArrayRef<int64_t> shape, unsigned elementBytes) {
  uint64_t count = 1;
  bool overflow = false, empty = is_contained(shape, 0);
  for (int64_t size : shape)
    if (!empty) {
      count = SaturatingMultiply(count, uint64_t(size), &overflow);
      if (overflow || count > uint64_t(INT64_MAX) / elementBytes)
        return std::nullopt;
    }
  return empty ? 0 : count;
}

void swapBytes(std::vector<char> &bytes, unsigned elementBytes) {
  for (size_t i = 0; i + elementBytes <= bytes.size(); i += elementBytes)
    std::reverse(bytes.begin() + i, bytes.begin() + i + elementBytes);
}

/// Column-major `bytes` of `shape` in row-major order.
std::vector<char> transposeFromFortran(ArrayRef<char> bytes, ArrayRef<int64_t> shape, unsigned elementBytes) {
  std::vector<char> result(bytes.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (size_t out = 0; out < bytes.size(); out += elementBytes) {
    uint64_t offset = 0, stride = 1;
    for (size_t d = 0; d < shape.size(); ++d) {
      offset += index[d] * stride;
      stride *= shape[d];
    }
    std::memcpy(&result[out], &bytes[offset * elementBytes], elementBytes);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
  return result;
}

} // namespace

/// Characters of a string; more would be no text.
static constexpr unsigned maxStringLength = 1 << 26;

unsigned getElementBytes(StringRef elementType) {
  if (const ElementType *type = findElementType(elementType))
    return type->bytes;
  unsigned count;
  if (elementType.consume_front("U"))
    return elementType.getAsInteger(10, count) || count > maxStringLength ? 0 : 4 * count;
  if (elementType.consume_front("S") && !elementType.starts_with("t"))
    return elementType.getAsInteger(10, count) || count > maxStringLength ? 0 : count;
  return elementType == kUnknownByte ? 1 : elementType == kUnknownWord ? 2 : elementType == kStringElement ? 8 : 0;
}

/// Name and bytes of the elements that a header describes; nothing where we have no such type. Void elements are of a
/// type that numpy does not know.
static std::optional<std::pair<std::string, unsigned>> resolveType(const NpyHeader &header, StringRef code) {
  if (!header.field.empty()) {
    const ElementType *type =
        find_if(getElementTypes(), [&](const ElementType &entry) { return entry.array == header.field; });
    if (type == getElementTypes().end() || (code != "V" + std::to_string(type->bytes) && code != type->numpy))
      return std::nullopt;
    return std::pair(type->name.str(), type->bytes);
  }
  for (const ElementType &type : getElementTypes())
    if (!type.numpy.empty() && code == type.numpy)
      return std::pair(type.name.str(), type.bytes);
  if (code == "V1" || code == "V2")
    return std::pair((code == "V1" ? kUnknownByte : kUnknownWord).str(), code == "V1" ? 1u : 2u);
  // Strings of a fixed number of characters or bytes.
  if (code.starts_with("U") || code.starts_with("S"))
    if (unsigned bytes = getElementBytes(code))
      return std::pair(code.str(), bytes);
  return std::nullopt;
}

Expected<uint64_t> getNpyDataOffset(StringRef prefix) {
  if (!prefix.starts_with("\x93NUMPY"))
    return malformed("the magic bytes are missing");
  if (prefix.size() < npyPrefixBytes)
    return malformed("truncated");
  unsigned major = uint8_t(prefix[6]);
  if (major < 1 || major > 3)
    return malformed("format version " + Twine(major) + " is unknown");
  return major == 1 ? 10 + support::endian::read16le(prefix.data() + 8)
                    : 12 + uint64_t(support::endian::read32le(prefix.data() + 8));
}

Expected<NpyLayout> decodeNpyHeader(StringRef header, uint64_t fileBytes) {
  StringRef text = header.drop_front(header[6] == 1 ? 10 : 12);
  Expected<NpyHeader> fields = HeaderParser(text).parse();
  if (!fields)
    return fields.takeError();
  NpyLayout layout;
  StringRef descr = fields->descr;
  layout.bigEndian = descr.consume_front(">");
  if (!layout.bigEndian && !descr.consume_front("<") && !descr.consume_front("|"))
    descr.consume_front("=");
  std::optional<std::pair<std::string, unsigned>> type = resolveType(*fields, descr);
  if (!type && !fields->field.empty())
    return createStringError("only plain element types and those of ml_dtypes are supported, no records of '" +
                             fields->field + "'");
  if (!type)
    return createStringError("element type '" + fields->descr + "' is not supported");
  std::tie(layout.elementType, layout.elementBytes) = *type;
  layout.fortranOrder = fields->fortranOrder;

  uint64_t available = fileBytes - header.size();
  std::optional<uint64_t> count = countElements(fields->shape, layout.elementBytes);
  if (!count || *count * layout.elementBytes != available)
    return malformed("the shape needs " + (count ? Twine(*count * layout.elementBytes) : Twine("too many")) +
                     " bytes, the file has " + Twine(available));
  layout.dataBytes = available;
  layout.shape = std::move(fields->shape);
  return layout;
}

NpyArray makeNpyArray(NpyLayout layout, std::vector<char> data) {
  NpyArray array{std::move(layout.elementType), std::move(layout.shape), std::move(data)};
  bool isText = isStringArray(array);
  if (layout.bigEndian)
    swapBytes(array.bytes, !isText ? layout.elementBytes : array.elementType.front() == 'U' ? 4 : 1);
  if (layout.fortranOrder)
    array.bytes = transposeFromFortran(array.bytes, array.shape, layout.elementBytes);
  if (array.elementType == "bool")
    for (char &byte : array.bytes)
      byte = byte != 0;
  if (const ElementType *type = findElementType(array.elementType);
      type && type->bits < 8 && array.elementType != "bool")
    maskElements(array.bytes, *type);
  return array;
}

/// Decodes a whole .npy.
static Expected<NpyArray> decodeNpy(StringRef bytes) {
  Expected<uint64_t> offset = getNpyDataOffset(bytes.take_front(npyPrefixBytes));
  if (!offset)
    return offset.takeError();
  if (*offset > bytes.size())
    return malformed("truncated");
  Expected<NpyLayout> layout = decodeNpyHeader(bytes.take_front(*offset), bytes.size());
  if (!layout)
    return layout.takeError();
  StringRef data = bytes.drop_front(*offset);
  return makeNpyArray(std::move(*layout), std::vector<char>(data.begin(), data.end()));
}

std::string encodeNpyHeader(const NpyArray &array) {
  const ElementType *type = findElementType(array.elementType);
  unsigned bytes = getElementBytes(array.elementType);
  bool plain = type && type->isOfNumpy();
  std::string code = (bytes == 1 ? "|" : "<") + (plain ? type->numpy.str() : "V" + std::to_string(bytes));
  std::string dict = "{'descr': '" + code + "'";
  if (isStringArray(array))
    dict = "{'descr': '" + std::string(array.elementType.front() == 'U' ? "<" : "|") + array.elementType + "'";
  if (!plain && type)
    dict = "{'descr': [('" + type->array.str() + "', '" + code + "')]";
  dict += ", 'fortran_order': False, 'shape': (";
  for (int64_t size : array.shape)
    dict += std::to_string(size) + (array.shape.size() == 1 ? "," : ", ");
  if (array.shape.size() > 1)
    dict.resize(dict.size() - 2);
  dict += "), }";
  // numpy aligns the data to 64 bytes: magic, version and length take 10, a newline ends the header.
  size_t length = alignTo(10 + dict.size() + 1, 64) - 10;
  dict.resize(length - 1, ' ');
  dict += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += char(length & 255);
  header += char(length >> 8);
  return header + dict;
}

Expected<NpyArray> readNpy(StringRef path) {
  Expected<std::unique_ptr<MemoryBuffer>> file = openInputFile(path);
  if (!file)
    return createStringError("cannot read '" + path + "': " + toString(file.takeError()));
  Expected<NpyArray> array = decodeNpy((*file)->getBuffer());
  if (!array)
    return createStringError("'" + path + "': " + toString(array.takeError()));
  return array;
}

} // namespace leaf
