//===- ObjectTest.cpp - objects, weights and archives ------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ModelFixture.h"
#include "TargetModels.h"
#include "TestFiles.h"
#include "leafcutter/Plan/ModelInterface.h"
#include "leafcutter/Target/Emit.h"
#include "leafcutter/Target/ObjectFile.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ELFObjectFile.h"
#include "gmock/gmock.h"

using namespace leaf;
using llvm::object::ELFObjectFileBase;
using llvm::object::ObjectFile;
using testing::HasSubstr;

namespace {

/// All targets, one test each.
class EachTarget : public test::ModelFixture, public testing::WithParamInterface<llvm::StringRef> {
protected:
  TargetSpec target = llvm::cantFail(lookupTarget(GetParam()));
};

using Object = test::ModelFixture;

std::unique_ptr<ObjectFile> parse(llvm::StringRef bytes) {
  return llvm::cantFail(ObjectFile::createObjectFile(llvm::MemoryBufferRef(bytes, "test.o")));
}

llvm::Expected<llvm::object::SymbolRef> find(const ObjectFile &object, llvm::StringRef name) {
  for (const llvm::object::SymbolRef &symbol : object.symbols())
    if (llvm::cantFail(symbol.getName()) == name)
      return symbol;
  return llvm::createStringError("no symbol " + name);
}

bool hasSection(const ObjectFile &object, llvm::StringRef name) {
  for (const llvm::object::SectionRef &section : object.sections())
    if (llvm::cantFail(section.getName()) == name)
      return true;
  return false;
}

} // namespace

TEST_P(EachTarget, ObjectHasOnlyTheEntry) {
  ASSERT_TRUE(parseModel(test::kScale));
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  ObjectStats stats;
  llvm::Error error = emitObject(*module, target, stream, &stats);
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  std::unique_ptr<ObjectFile> object = parse(bytes);
  for (const llvm::object::SymbolRef &symbol : object->symbols()) {
    uint32_t flags = llvm::cantFail(symbol.getFlags());
    if ((flags & llvm::object::SymbolRef::SF_Global) && !(flags & llvm::object::SymbolRef::SF_Undefined))
      EXPECT_EQ(llvm::cantFail(symbol.getName()), "scale_entry");
  }
  EXPECT_FALSE(hasSection(*object, ".stack_sizes"));
  EXPECT_GT(stats.codeBytes, 64u);
  EXPECT_LT(stats.codeBytes, 8192u);
  EXPECT_GT(stats.stackBytes, 0u);
  EXPECT_LT(stats.stackBytes, 1024u);
}

TEST_P(EachTarget, WeightsObjectIsAlignedAndNamed) {
  ASSERT_TRUE(parseModel(test::kScale));
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  (*module)->setAttr(kWeightSection, mlir::StringAttr::get(&context, ".rodata.mine"));
  llvm::Error error = emitWeightsObject(*module, target, stream);
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  std::unique_ptr<ObjectFile> object = parse(bytes);
  llvm::Expected<llvm::object::SymbolRef> symbol = find(*object, "scale_weights");
  ASSERT_TRUE(bool(symbol)) << llvm::toString(symbol.takeError());
  llvm::object::SectionRef section = *llvm::cantFail(symbol->getSection());
  EXPECT_EQ(llvm::cantFail(section.getName()), ".rodata.mine");
  EXPECT_EQ(section.getAlignment().value(), 64u);
  llvm::StringRef contents = llvm::cantFail(section.getContents());
  ASSERT_EQ(contents.size(), 256u);
  EXPECT_EQ(contents.take_front(64), llvm::StringRef(std::string(64, '\0')));
  EXPECT_EQ(contents.substr(64, 4), llvm::StringRef("\0\0\0\x3f", 4));
  EXPECT_TRUE(hasSection(*object, ".note.GNU-stack"));
  if (auto *elf = llvm::dyn_cast<ELFObjectFileBase>(object.get()); elf->getEMachine() == llvm::ELF::EM_ARM)
    EXPECT_EQ(elf->getPlatformFlags() & llvm::ELF::EF_ARM_EABIMASK, unsigned(llvm::ELF::EF_ARM_EABI_VER5));
}

INSTANTIATE_TEST_SUITE_P(Targets, EachTarget, testing::ValuesIn(getTargetNames()),
                         [](const testing::TestParamInfo<llvm::StringRef> &info) {
                           std::string name = info.param.str();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_F(Object, ArchivesAreTheSameBytesTwice) {
  ASSERT_TRUE(parseModel(test::kScale));
  TargetSpec target = llvm::cantFail(lookupTarget("rpi4"));
  TestFolder folder;
  std::string images[2];
  for (std::string &image : images) {
    std::string path = folder.path("libscale.a");
    llvm::Error error = emitArchive(*module, target, path);
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
    image = folder.read("libscale.a");
  }
  EXPECT_EQ(images[0], images[1]);
  auto archive = llvm::cantFail(llvm::object::Archive::create(llvm::MemoryBufferRef(images[0], "libscale.a")));
  std::vector<std::string> members;
  llvm::Error error = llvm::Error::success();
  for (const llvm::object::Archive::Child &child : archive->children(error))
    members.push_back(llvm::cantFail(child.getName()).str());
  EXPECT_FALSE(bool(error));
  EXPECT_THAT(members, testing::ElementsAre("scale.o", "scale_weights.o"));
  EXPECT_TRUE(bool(llvm::cantFail(archive->findSym("scale_weights"))));
}

TEST_F(Object, NamesUndefinedLibraryFunctions) {
  ASSERT_TRUE(parseModel(R"mlir(
    module attributes {leaf.model = "net"} {
      func.func @main(%x: memref<1xf32>) {
        %c1 = arith.constant 1 : index
        plan.launch @k(%x : memref<1xf32>) tiles(%c1)
        return
      }
      func.func private @k(%x: memref<?xf32>, %s: memref<?xi8>, %b: index, %e: index) attributes {leaf.kernel} {
        %c0 = arith.constant 0 : index
        %v = memref.load %x[%c0] : memref<?xf32>
        %r = math.floor %v : f32
        memref.store %r, %x[%c0] : memref<?xf32>
        return
      }
    })mlir"));
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::Error error = emitObject(*module, llvm::cantFail(lookupTarget("cortex-m4")), stream);
  EXPECT_THAT(llvm::toString(std::move(error)), HasSubstr("floorf (in k)"));
  EXPECT_TRUE(bytes.empty());
}

TEST_F(Object, RefusesWeightsWithoutData) {
  ASSERT_TRUE(parseModel(R"mlir(
    module attributes {leaf.model = "net", plan.weight_bytes = 64 : i64} {
      leaf.weight @w = dense_resource<gone> : tensor<4xf32> {plan.offset = 0 : i64}
    })mlir"));
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::Error error = emitWeightsObject(*module, llvm::cantFail(lookupTarget("rpi4")), stream);
  EXPECT_THAT(llvm::toString(std::move(error)), HasSubstr("weight 'w' has 0 bytes of data, not 16"));
}

TEST_F(Object, BuildsTheWeightSection) {
  ASSERT_TRUE(parseModel(test::kScale));
  std::vector<char> section = buildWeightSection(*module);
  ASSERT_EQ(section.size(), 256u);
  float value = 0;
  std::memcpy(&value, section.data() + 64 + 47 * 4, 4);
  EXPECT_EQ(value, 0.5f);
}
