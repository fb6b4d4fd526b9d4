//===- ObjectFile.cpp - reading and writing of ELF objects -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Target/ObjectFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/TargetParser/Triple.h"
#include <set>

using namespace leaf;
namespace ELF = llvm::ELF;

using llvm::object::ObjectFile;
using llvm::object::RelocationRef;
using llvm::object::SectionRef;
using llvm::object::SymbolRef;

static bool isCompilerHelper(llvm::StringRef name) {
  static constexpr llvm::StringLiteral helpers[] = {"", "memcpy", "memmove", "memset", "_GLOBAL_OFFSET_TABLE_"};
  return llvm::is_contained(helpers, name) || name.starts_with("__aeabi_");
}

/// Names of the functions in `section`, for messages.
static std::string getFunctionNames(const ObjectFile &object, llvm::object::section_iterator section) {
  std::set<std::string> names;
  for (const SymbolRef &symbol : object.symbols()) {
    llvm::Expected<SymbolRef::Type> type = symbol.getType();
    llvm::Expected<llvm::object::section_iterator> at = symbol.getSection();
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (type && at && name && *type == SymbolRef::ST_Function && *at == section)
      names.insert(name->str());
    llvm::consumeError(type.takeError());
    llvm::consumeError(at.takeError());
    llvm::consumeError(name.takeError());
  }
  return llvm::join(names, ", ");
}

/// "floorf (in kernel_3)" for each use of the symbol.
static void addUsers(const ObjectFile &object, llvm::StringRef symbol, std::set<std::string> &uses) {
  uses.insert(symbol.str());
  for (const SectionRef &relocations : object.sections()) {
    llvm::Expected<llvm::object::section_iterator> section = relocations.getRelocatedSection();
    if (!section || *section == object.section_end()) {
      llvm::consumeError(section.takeError());
      continue;
    }
    for (const RelocationRef &relocation : relocations.relocations()) {
      if (relocation.getSymbol() == object.symbol_end())
        continue;
      llvm::Expected<llvm::StringRef> name = relocation.getSymbol()->getName();
      if (name && *name == symbol) {
        uses.erase(symbol.str());
        uses.insert((symbol + " (in " + getFunctionNames(object, *section) + ")").str());
      }
      llvm::consumeError(name.takeError());
    }
  }
}

llvm::Error leaf::checkUndefinedSymbols(llvm::MemoryBufferRef buffer, llvm::ArrayRef<std::string> allowed) {
  llvm::Expected<std::unique_ptr<ObjectFile>> object = ObjectFile::createObjectFile(buffer);
  if (!object)
    return object.takeError();
  std::set<std::string> uses;
  for (const SymbolRef &symbol : (*object)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    if (!(*flags & SymbolRef::SF_Undefined))
      continue;
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (!isCompilerHelper(*name) && !llvm::is_contained(allowed, *name))
      addUsers(**object, *name, uses);
  }
  if (uses.empty())
    return llvm::Error::success();
  return llvm::createStringError(
      "the code needs functions that only a run-time library has: " + llvm::join(uses, ", ") +
      "; codegen must expand these operations for a target without instructions for them");
}

namespace {

/// String table of an ELF file.
class StringTable {
public:
  uint32_t add(llvm::StringRef text) {
    uint32_t at = bytes.size();
    bytes += text.str();
    bytes += '\0';
    return at;
  }
  const std::string &get() const { return bytes; }

private:
  std::string bytes = std::string(1, '\0');
};

struct Section {
  uint32_t name = 0, type = ELF::SHT_NULL;
  uint64_t flags = 0, offset = 0, size = 0;
  uint32_t link = 0, info = 0;
  uint64_t alignment = 0, entrySize = 0;
};

/// Writes fields in the order of the ELF specification, with the word size of the class.
class Writer {
public:
  Writer(llvm::raw_ostream &out, bool is64) : out(out, llvm::endianness::little), is64(is64) {}

  void half(uint16_t value) { out.write(value); }
  void word(uint32_t value) { out.write(value); }
  void native(uint64_t value) { is64 ? out.write(value) : out.write(static_cast<uint32_t>(value)); }

  void header(uint16_t machine, uint32_t flags, uint64_t sections, uint16_t count, uint16_t names) {
    unsigned char elfClass = is64 ? ELF::ELFCLASS64 : ELF::ELFCLASS32;
    const unsigned char ident[ELF::EI_NIDENT] = {0x7f, 'E', 'L', 'F', elfClass, ELF::ELFDATA2LSB, ELF::EV_CURRENT};
    out.OS.write(reinterpret_cast<const char *>(ident), sizeof ident);
    half(ELF::ET_REL);
    half(machine);
    word(ELF::EV_CURRENT);
    native(0); // entry point
    native(0); // program headers
    native(sections);
    word(flags);
    half(headerBytes());
    half(0); // program header size and count
    half(0);
    half(sectionBytes());
    half(count);
    half(names);
  }

  void section(const Section &s) {
    word(s.name);
    word(s.type);
    native(s.flags);
    native(0); // address
    native(s.offset);
    native(s.size);
    word(s.link);
    word(s.info);
    native(s.alignment);
    native(s.entrySize);
  }

  void symbol(uint32_t name, uint64_t size, uint8_t info, uint16_t section) {
    word(name);
    if (!is64) {
      native(0); // value
      native(size);
    }
    out.write(info);
    out.write(static_cast<uint8_t>(ELF::STV_DEFAULT));
    half(section);
    if (is64) {
      native(0); // value
      native(size);
    }
  }

  void zeros(uint64_t count) { out.OS.write_zeros(count); }
  uint16_t headerBytes() const { return is64 ? 64 : 52; }
  uint16_t sectionBytes() const { return is64 ? 64 : 40; }
  uint16_t symbolBytes() const { return is64 ? 24 : 16; }

private:
  llvm::support::endian::Writer out;
  bool is64;
};

} // namespace

static llvm::Expected<uint16_t> getMachine(const TargetSpec &target) {
  llvm::Triple triple(target.triple);
  if (triple.getArch() == llvm::Triple::x86_64)
    return ELF::EM_X86_64;
  if (triple.getArch() == llvm::Triple::aarch64)
    return ELF::EM_AARCH64;
  if (triple.isARM() || triple.isThumb())
    return ELF::EM_ARM;
  return llvm::createStringError("no ELF objects are written for '" + target.triple + "'");
}

llvm::Error leaf::writeDataObject(const DataObject &data, const TargetSpec &target, llvm::raw_ostream &out,
                                  llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write) {
  llvm::Expected<uint16_t> machine = getMachine(target);
  if (!machine)
    return machine.takeError();
  bool is64 = target.pointerBits == 64;
  if (!is64 && data.bytes >= (uint64_t(1) << 31))
    return llvm::createStringError("weights of " + llvm::Twine(data.bytes) + " bytes do not fit a 32-bit target");

  Writer writer(out, is64);
  StringTable sectionNames, symbolNames;
  enum { Null, Data, Symbols, Strings, Names, Stack, Count };
  Section sections[Count];
  uint64_t align = is64 ? 8 : 4;
  uint32_t symbol = symbolNames.add(data.symbol);
  sections[Data] = {
      sectionNames.add(data.section), ELF::SHT_PROGBITS, ELF::SHF_ALLOC, 0, data.bytes, 0, 0, data.alignment, 0};
  // sh_info: index of the first symbol that is not local.
  sections[Symbols] = {sectionNames.add(".symtab"), ELF::SHT_SYMTAB, 0, 0,
                       2ull * writer.symbolBytes(), Strings,         1, align,
                       writer.symbolBytes()};
  sections[Strings] = {sectionNames.add(".strtab"), ELF::SHT_STRTAB, 0, 0, symbolNames.get().size(), 0, 0, 1, 0};
  uint32_t stackName = sectionNames.add(".note.GNU-stack"), namesName = sectionNames.add(".shstrtab");
  sections[Names] = {namesName, ELF::SHT_STRTAB, 0, 0, sectionNames.get().size(), 0, 0, 1, 0};
  sections[Stack] = {stackName, ELF::SHT_PROGBITS, 0, 0, 0, 0, 0, 1, 0};
  uint64_t end = writer.headerBytes();
  for (Section &section : llvm::MutableArrayRef(sections).drop_front()) {
    section.offset = llvm::alignTo(end, section.alignment);
    end = section.offset + section.size;
  }
  uint64_t table = llvm::alignTo(end, align);

  uint32_t flags = *machine == ELF::EM_ARM ? ELF::EF_ARM_EABI_VER5 : 0;
  writer.header(*machine, flags, table, Count, Names);
  writer.zeros(sections[Data].offset - writer.headerBytes());
  if (llvm::Error error = write(out))
    return error;
  writer.zeros(sections[Symbols].offset - sections[Data].offset - data.bytes);
  writer.symbol(0, 0, 0, ELF::SHN_UNDEF);
  writer.symbol(symbol, data.bytes, (ELF::STB_GLOBAL << 4) | ELF::STT_OBJECT, Data);
  out << symbolNames.get() << sectionNames.get();
  writer.zeros(table - end);
  for (const Section &section : sections)
    writer.section(section);
  return llvm::Error::success();
}
