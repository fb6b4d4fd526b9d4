//===- ImportTest.cpp - imports of small and of broken models ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Import/Import.h"

#include "leafcutter/Support/Npz.h"
#include "onnx/defs/parser.h"
#include "onnx/onnx_pb.h"

#include "TestFiles.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <random>

using namespace leaf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

class Import : public ::testing::Test {
protected:
  /// The file of a model in ONNX's text form.
  ::onnx::ModelProto parse(const char *text) {
    ::onnx::ModelProto model;
    auto status = ::onnx::OnnxParser::Parse(model, text);
    EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
    return model;
  }
  std::string save(const ::onnx::ModelProto &model) { return folder.write("model.onnx", model.SerializeAsString()); }

  /// The printed module, or "error: " and the message.
  std::string importFile(const std::string &path) {
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
      remarks += diagnostic.str() + "\n";
      return mlir::success();
    });
    llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> module = importONNX(&context, path, options);
    if (!module)
      return "error: " + llvm::toString(module.takeError());
    std::string text;
    llvm::raw_string_ostream stream(text);
    (*module)->print(stream, mlir::OpPrintingFlags().elideLargeElementsAttrs(64).elideLargeResourceString(64));
    return text;
  }
  std::string importModel(const ::onnx::ModelProto &model) { return importFile(save(model)); }
  std::string importText(const char *text) { return importModel(parse(text)); }

  TestFolder folder;
  ImportOptions options;
  std::string remarks;
};

constexpr const char *kGemm = R"(<ir_version: 8, opset_import: ["" : 13]>
  agraph (float[batch,2] x) => (float[batch,3] y)
  <float[2,3] w = {1, 2, 3, 4, 5, 6}> { [fc1] y = Gemm(x, w) })";

TEST_F(Import, FillsAbsentOperandsAndFixesDimensions) {
  options.fixedDims["batch"] = 4;
  std::string text = importText(kGemm);
  EXPECT_THAT(text, HasSubstr("leaf.model = \"model\""));
  EXPECT_THAT(text, HasSubstr("%arg0: tensor<4x2xf32> {leaf.dims = [\"\", \"\"], leaf.name = \"x\"}"));
  EXPECT_THAT(text, HasSubstr("= onnx.NoValue : none"));
  EXPECT_THAT(text, HasSubstr("(tensor<4x2xf32>, tensor<2x3xf32>, none) -> tensor<4x3xf32>"));
}

TEST_F(Import, TakesLeadingDimensionAsBatch) {
  options.defaultBatchToOne = true;
  EXPECT_THAT(importText(kGemm), HasSubstr("tensor<1x2xf32>"));
  EXPECT_THAT(remarks, HasSubstr("dimension 'batch'"));
}

TEST_F(Import, PrintsFlagsOfOpenDimensions) {
  std::string text = importText(kGemm);
  EXPECT_THAT(text, HasSubstr("--dim 'batch=N' or --dim 'batch<=N'"));
  EXPECT_THAT(text, HasSubstr("dimension 0 of input 'x'"));
}

TEST_F(Import, KeepsBoundedDimensionsDynamic) {
  options.bounds["batch"] = 8;
  std::string text = importText(kGemm);
  EXPECT_THAT(text, HasSubstr("leaf.bounds = {batch = 8 : i64}"));
  EXPECT_THAT(text, HasSubstr("tensor<?x2xf32> {leaf.dims = [\"batch\", \"\"]"));
  EXPECT_THAT(text, HasSubstr("-> (tensor<?x3xf32> {leaf.dims = [\"batch\", \"\"], leaf.name = \"y\"})"));
}

TEST_F(Import, TakesShapesOfGivenArrays) {
  options.inputShapes["x"] = {5, 2};
  EXPECT_THAT(importText(kGemm), HasSubstr("tensor<5x2xf32>"));
  options.inputShapes["x"] = {5, 3};
  EXPECT_THAT(importText(kGemm), HasSubstr("has 3 in dimension 1, the model's input has 2"));
  options.inputShapes["x"] = {5};
  EXPECT_THAT(importText(kGemm), HasSubstr("has rank 1, the model's input has rank 2"));
  options.inputShapes = {{"z", {1}}};
  EXPECT_THAT(importText(kGemm), HasSubstr("there is no input 'z' (inputs: x)"));
}

TEST_F(Import, RejectsUnknownDimension) {
  options.fixedDims["bach"] = 1;
  EXPECT_THAT(importText(kGemm), HasSubstr("--dim bach=1: no input has an open dimension of that name (open: batch)"));
}

TEST_F(Import, NamesUnnamedDimensions) {
  EXPECT_THAT(importText(R"(<ir_version: 8, opset_import: ["" : 13]>
    agraph (float[N,?,4] x) => (float[N,?,4] y) { y = Relu(x) })"),
              HasSubstr("--dim 'x.1=N'"));
}

TEST_F(Import, ConvertsOldOpsets) {
  std::string text = importText(R"(<ir_version: 4, opset_import: ["" : 9]>
    agraph (float[2,3] x) => (float[2,3] y) { t = Softmax <axis = 1> (x)  y = Clip <min = 0.0, max = 6.0> (t) })");
  EXPECT_THAT(text, HasSubstr("onnx.Softmax"));
  EXPECT_THAT(text, HasSubstr("onnx.Clip(%"));
  EXPECT_THAT(text, HasSubstr("dense<6.000000e+00> : tensor<f32>"));
}

TEST_F(Import, RejectsOpsetsOutsideTheRange) {
  EXPECT_THAT(importText(R"(<ir_version: 10, opset_import: ["" : 99]>
    agraph (float[2] x) => (float[2] y) { y = Relu(x) })"),
              HasSubstr("uses opset 99; opsets 1 to"));
}

TEST_F(Import, SlopesOfOldPReluAreThoseOfChannels) {
  std::string text = importText(R"(<ir_version: 3, opset_import: ["" : 6]>
    agraph (float[2,3,4,4] x) => (float[2,3,4,4] y) <float[3] s = {0.1, 0.2, 0.3}> { y = PRelu(x, s) })");
  EXPECT_THAT(text, HasSubstr("-> tensor<3x1x1xf32>"));
}

TEST_F(Import, UnpacksElementsOfFourBits) {
  ::onnx::ModelProto model = parse(R"(<ir_version: 10, opset_import: ["" : 23]>
    agraph (float[3] x) => (float[3] y) { v = Cast<to = 1>(w) y = Add(x, v) })");
  ::onnx::TensorProto &weight = *model.mutable_graph()->add_initializer();
  weight.set_name("w");
  weight.set_data_type(::onnx::TensorProto::INT4);
  weight.add_dims(3);
  weight.set_raw_data(std::string("\x2f\x08", 2));
  EXPECT_THAT(importModel(model), HasSubstr("dense<[-1, 2, -8]> : tensor<3xi4>"));
  weight.set_raw_data("\x2f");
  EXPECT_THAT(importModel(model), HasSubstr("holds 1 bytes, but its shape and type need 2"));
}

TEST_F(Import, DifferentiatesKnownOperatorsOnly) {
  constexpr const char *text = R"(<ir_version: 8, opset_import: ["" : 17, "ai.onnx.preview.training" : 1]>
    agraph (float[2,3] a, float[3] b) => (float[2,3] da, float[3] db) {
      c = OP(a, b)
      da, db = ai.onnx.preview.training.Gradient<xs = ["a", "b"], y = "c">(a, b) })";
  std::string product = text;
  product.replace(product.find("OP"), 2, "Mul");
  // b is repeated along the first dimension.
  EXPECT_THAT(importText(product.c_str()), HasSubstr("onnx.ReduceSum"));
  std::string power = text;
  power.replace(power.find("OP"), 2, "Pow");
  EXPECT_THAT(importText(power.c_str()), HasSubstr("goes through operator Pow, whose derivative is not known"));
}

TEST_F(Import, InlinesLocalFunctions) {
  std::string text = importText(R"(<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
    agraph (float[2] x) => (float[2] y) { y = local.twice(x) }
    <domain: "local", opset_import: ["" : 17]> twice (a) => (b) { b = Add(a, a) })");
  EXPECT_THAT(text, HasSubstr("onnx.Add"));
}

TEST_F(Import, ExpandsOnlyFunctionsWithoutLowering) {
  std::string text = importText(R"(<ir_version: 8, opset_import: ["" : 17]>
    agraph (float[2,3,4,4] x) => (float[2,3,4,4] y) {
      t = MeanVarianceNormalization(x)  y = Softplus(t) })");
  EXPECT_THAT(text, HasSubstr("onnx.ReduceMean"));
  EXPECT_THAT(text, HasSubstr("onnx.Softplus"));
  EXPECT_THAT(text, Not(HasSubstr("onnx.MeanVarianceNormalization")));
}

TEST_F(Import, WritesContributedOperatorsInStandardOnes) {
  std::string text = importText(R"(<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
    agraph (float[2, 4] x, float[4] b) => (float[2, 4] y) { y = com.microsoft.BiasGelu(x, b) })");
  EXPECT_THAT(text, HasSubstr("onnx.Add"));
  EXPECT_THAT(text, HasSubstr("onnx.Gelu"));
  EXPECT_THAT(text, Not(HasSubstr("ms.BiasGelu")));
}

TEST_F(Import, NamesTheNodeWhoseBodyCannotBeWritten) {
  EXPECT_THAT(importText(R"(<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
    agraph (float[2, 4] x, float[4, 3] w) => (float[2, 3] y) {
      [dense] y = com.microsoft.FusedGemm<activation = "Cosine">(x, w) })"),
              HasSubstr("node 'dense' (com.microsoft.FusedGemm) has the unknown activation 'Cosine'"));
  EXPECT_THAT(importText(R"(<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
    agraph (float[2, 4] x) => (float[2, 3] y) { [gone] y = com.microsoft.NoSuchOperator(x) })"),
              HasSubstr("node 'gone' (com.microsoft.NoSuchOperator) is no operator of"));
}

TEST_F(Import, ImportsSubgraphs) {
  std::string text = importText(R"(<ir_version: 8, opset_import: ["" : 17]>
    agraph (bool c, float[2] x) => (float[2] y) {
      y = If (c) <then_branch = g1 () => (float[2] a) { a = Relu(x) },
                  else_branch = g2 () => (float[2] b) { b = Neg(x) }> })");
  EXPECT_THAT(text, HasSubstr("leaf.element_type = \"bool\""));
  EXPECT_THAT(text, HasSubstr("onnx.If(%arg0) {"));
  EXPECT_THAT(text, HasSubstr("onnx.Yield"));
}

TEST_F(Import, ExpandsFunctionsInSubgraphs) {
  std::string text = importText(R"(<ir_version: 8, opset_import: ["" : 18]>
    agraph (bool c, float[2,3,4,4] x) => (float[2,3,4,4] y) {
      y = If (c) <then_branch = g1 () => (float[2,3,4,4] a) { a = MeanVarianceNormalization(x) },
                  else_branch = g2 () => (float[2,3,4,4] b) { b = Neg(x) }> })");
  EXPECT_THAT(text, HasSubstr("onnx.ReduceMean(%arg1"));
  EXPECT_THAT(text, Not(HasSubstr("onnx.MeanVarianceNormalization")));
}

TEST_F(Import, ReportsAllUnsupportedNodes) {
  std::string text = importText(R"(<ir_version: 8, opset_import: ["" : 17, "com.acme" : 1]>
    agraph (float[2] x) => (float[2] y) { [a] t = com.acme.Foo(x)  [b] y = com.acme.Bar(t) })");
  EXPECT_THAT(text, HasSubstr("node 'a' (com.acme.Foo) is no operator of ai.onnx, ai.onnx.ml or com.microsoft"));
  EXPECT_THAT(text, HasSubstr("node 'b' (com.acme.Bar)"));
}

TEST_F(Import, LargeInitializersAreWeightsWithUniqueNames) {
  ::onnx::ModelProto model = parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    agraph (float[400] x) => (float[400] y) { t = Add(x, w)  y = Add(t, v) })");
  for (const char *name : {"a.b", "a/b"}) {
    ::onnx::TensorProto *tensor = model.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(::onnx::TensorProto::FLOAT);
    tensor->add_dims(400);
    tensor->set_raw_data(std::string(1600, 'x'));
  }
  model.mutable_graph()->mutable_node(0)->set_input(1, "a.b");
  model.mutable_graph()->mutable_node(1)->set_input(1, "a/b");
  std::string text = importModel(model);
  EXPECT_THAT(text, HasSubstr("leaf.weight @a_b = dense_resource<a_b> : tensor<400xf32> {onnx_name = \"a.b\"}"));
  EXPECT_THAT(text, HasSubstr("leaf.weight @a_b_1 = dense_resource<a_b_1> : tensor<400xf32> {onnx_name = \"a/b\"}"));
}

TEST_F(Import, PinsInputs) {
  NpyArray array{"float32", {4, 2}, std::vector<char>(32)};
  ASSERT_FALSE(static_cast<bool>(writeNpz(folder.path("x.npz"), {{"x", array}})));
  options.pins["x"] = folder.write("x.npy", std::string("\x93NUMPY\x01\0\x76\0", 10) +
                                                "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }" +
                                                std::string(58, ' ') + "\n" + std::string(32, '\0'));
  std::string text = importText(kGemm);
  EXPECT_THAT(text, HasSubstr("func.func @main() -> (tensor<4x3xf32>"));
  options.pins = {{"q", options.pins["x"]}};
  EXPECT_THAT(importText(kGemm), HasSubstr("there is no such input (inputs: x)"));
  options.pins = {{"x", folder.path("none.npy")}};
  EXPECT_THAT(importText(kGemm), HasSubstr("--pin x="));
}

TEST_F(Import, ChecksAliases) {
  const char *text = R"(<ir_version: 8, opset_import: ["" : 17]>
    agraph (float[1,past] p, float[1,1] x) => (float[1,total] q) { q = Concat <axis = 1> (p, x) })";
  options.bounds["past"] = 7;
  options.aliases["p"] = "q";
  std::string out = importText(text);
  EXPECT_THAT(out, HasSubstr("leaf.alias = \"q\""));
  EXPECT_THAT(out, HasSubstr("leaf.dims = [\"\", \"total\"]"));
  options.aliases = {{"p", "r"}};
  EXPECT_THAT(importText(text), HasSubstr("--alias p=r: there is no output 'r'"));
  options.aliases = {{"s", "q"}};
  EXPECT_THAT(importText(text), HasSubstr("--alias s=q: there is no input 's'"));
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

class ExternalData : public Import {
protected:
  ::onnx::ModelProto model(const std::string &location, const std::string &offset = "0",
                           const std::string &length = "1600") {
    ::onnx::ModelProto model = parse(R"(<ir_version: 8, opset_import: ["" : 17]>
      agraph (float[400] x) => (float[400] y) { y = Add(x, w) })");
    ::onnx::TensorProto *tensor = model.mutable_graph()->add_initializer();
    tensor->set_name("w");
    tensor->set_data_type(::onnx::TensorProto::FLOAT);
    tensor->add_dims(400);
    tensor->set_data_location(::onnx::TensorProto::EXTERNAL);
    for (auto [key, value] : {std::pair("location", location), {"offset", offset}, {"length", length}}) {
      auto *entry = tensor->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    return model;
  }
};

TEST_F(ExternalData, IsMapped) {
  folder.write("weights.bin", std::string(2000, 'a'));
  EXPECT_THAT(importModel(model("weights.bin", "256")), HasSubstr("leaf.weight @w"));
}

TEST_F(ExternalData, MustBeThereAndLongEnough) {
  EXPECT_THAT(importModel(model("weights.bin")), HasSubstr("'weights.bin' cannot be read"));
  folder.write("weights.bin", std::string(1600, 'a'));
  EXPECT_THAT(importModel(model("weights.bin", "4")), HasSubstr("beyond the 1600 bytes"));
  EXPECT_THAT(importModel(model("weights.bin", "18446744073709551615")), HasSubstr("beyond the 1600 bytes"));
  EXPECT_THAT(importModel(model("weights.bin", "0", "12")), HasSubstr("external data has 12 bytes"));
  EXPECT_THAT(importModel(model("weights.bin", "-1")), HasSubstr("malformed offset '-1'"));
}

TEST_F(ExternalData, StaysInTheFolder) {
  EXPECT_THAT(importModel(model("../weights.bin")), HasSubstr("must be a relative path inside"));
  EXPECT_THAT(importModel(model("/etc/passwd")), HasSubstr("must be a relative path inside"));
  EXPECT_THAT(importModel(model("")), HasSubstr("must be a relative path inside"));
  std::filesystem::create_symlink("/etc/passwd", folder.path("link.bin"));
  EXPECT_THAT(importModel(model("link.bin")), HasSubstr("leads out of the model's folder"));
  std::filesystem::create_hard_link(folder.write("other.bin", std::string(1600, 'a')), folder.path("hard.bin"));
  EXPECT_THAT(importModel(model("hard.bin")), HasSubstr("has several hard links"));
}

//===----------------------------------------------------------------------===//
// Broken files
//===----------------------------------------------------------------------===//

TEST_F(Import, RejectsTruncatedFilesAtEveryLength) {
  options.defaultBatchToOne = true;
  std::string bytes = parse(kGemm).SerializeAsString();
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THAT(importFile(folder.write("cut.onnx", bytes.substr(0, length))), HasSubstr("error: ")) << length;
}

TEST_F(Import, SurvivesFlippedBytes) {
  options.defaultBatchToOne = true;
  const std::string bytes = parse(kGemm).SerializeAsString();
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string broken = bytes;
    broken[random() % broken.size()] = static_cast<char>(random());
    broken[random() % broken.size()] = static_cast<char>(random());
    (void)importFile(folder.write("flipped.onnx", broken));
  }
}

TEST_F(Import, RejectsGarbageAndMissingFiles) {
  std::mt19937 random(2);
  for (int i = 0; i < 50; ++i) {
    std::string garbage(1 + random() % 300, '\0');
    for (char &c : garbage)
      c = static_cast<char>(random());
    EXPECT_THAT(importFile(folder.write("garbage.onnx", garbage)), HasSubstr("is no ONNX model"));
  }
  EXPECT_THAT(importFile(folder.path("none.onnx")), HasSubstr("none.onnx: cannot be read"));
}

TEST_F(Import, RejectsCyclesAndDuplicates) {
  EXPECT_THAT(importText(R"(<ir_version: 8, opset_import: ["" : 17]>
    agraph (float[2] x) => (float[2] y) { y = Add(x, t)  t = Relu(y) })"),
              HasSubstr("is no valid model"));
  EXPECT_THAT(importText(R"(<ir_version: 8, opset_import: ["" : 17]>
    agraph (float[2] x) => (float[2] y) { y = Relu(x)  y = Neg(x) })"),
              HasSubstr("is no valid model"));
  ::onnx::ModelProto model = parse(kGemm);
  *model.mutable_graph()->add_initializer() = model.graph().initializer(0);
  EXPECT_THAT(importModel(model), HasSubstr("two initializers are named 'w'"));
}

TEST_F(Import, RejectsTensorsWithTheWrongSize) {
  options.defaultBatchToOne = true;
  ::onnx::ModelProto model = parse(kGemm);
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, 3);
  EXPECT_THAT(importModel(model), HasSubstr("initializer 'w' holds 24 bytes, but its shape and type need 36"));
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, -2);
  EXPECT_THAT(importModel(model), HasSubstr("impossible shape"));
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, INT64_MAX);
  EXPECT_THAT(importModel(model), HasSubstr("impossible shape"));
  ::onnx::TensorProto &strings = *model.mutable_graph()->mutable_initializer(0);
  strings.Clear();
  strings.set_name("w");
  strings.set_data_type(::onnx::TensorProto::STRING);
  strings.add_string_data("one");
  strings.add_string_data("two");
  strings.add_dims(INT64_MAX);
  EXPECT_THAT(importModel(model), HasSubstr("string_data size (2) is too small"));
  strings.set_dims(0, 1);
  EXPECT_THAT(importModel(model),
              HasSubstr("initializer 'w' holds 2 strings of 6 bytes, which does not fit its shape"));
}

} // namespace
