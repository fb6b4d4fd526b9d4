//===- DriverTest.cpp - arguments, comparison, model runner ------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Driver/Compare.h"
#include "Driver/InterfaceJSON.h"
#include "leafcutter/Driver/Arguments.h"
#include "leafcutter/Driver/ModelRunner.h"

#include "llvm/Support/FormatVariadic.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>

using namespace leaf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

CommandSpec makeSpec() {
  return {"test", "file", "A test.", {{"--dim", "N", "a", true}, {"--json", "", "b"}, {"-o", "DIR", "c"}}, ""};
}

std::string parseError(llvm::ArrayRef<const char *> args) {
  llvm::Expected<Arguments> arguments = Arguments::parse(makeSpec(), args);
  return arguments ? "" : llvm::toString(arguments.takeError());
}

TEST(Arguments, Parses) {
  llvm::Expected<Arguments> arguments =
      Arguments::parse(makeSpec(), {"--dim=a<=3", "in", "--dim", "b=4", "-o", "out", "--", "--json"});
  ASSERT_TRUE(bool(arguments)) << llvm::toString(arguments.takeError());
  EXPECT_THAT(arguments->all("--dim"), ElementsAre("a<=3", "b=4"));
  EXPECT_EQ(arguments->get("-o"), "out");
  EXPECT_FALSE(arguments->has("--json"));
  EXPECT_THAT(arguments->positional, ElementsAre("in", "--json"));
}

TEST(Arguments, Rejects) {
  EXPECT_THAT(parseError({"--jsn"}), HasSubstr("unknown option '--jsn'; did you mean --json?"));
  EXPECT_THAT(parseError({"--json=1"}), HasSubstr("takes no value"));
  EXPECT_THAT(parseError({"-o"}), HasSubstr("needs a value"));
  EXPECT_THAT(parseError({"-o", "a", "-o", "b"}), HasSubstr("twice"));
}

TEST(Arguments, Numbers) {
  CommandSpec spec{"test", "", "", {{"--runs", "N", ""}}, ""};
  for (const char *text : {"0", "-1", "x", "1.5", "99999999999999999999", "101"}) {
    llvm::Expected<Arguments> arguments = Arguments::parse(spec, {"--runs", text});
    ASSERT_TRUE(bool(arguments));
    llvm::Expected<uint64_t> number = arguments->getNumber("--runs", 1, 1, 100);
    EXPECT_FALSE(bool(number)) << text;
    llvm::consumeError(number.takeError());
  }
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

NpyArray floats(std::vector<float> values) {
  NpyArray array{"float32", {int64_t(values.size())}, std::vector<char>(values.size() * 4)};
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

bool agree(const NpyArray &actual, const NpyArray &expected, double tolerance = 1e-4) {
  llvm::Expected<Comparison> comparison = compareArrays(actual, expected, tolerance);
  return comparison && comparison->agrees;
}

TEST(Compare, Floats) {
  EXPECT_TRUE(agree(floats({1, 2}), floats({1, 2.0001f})));
  EXPECT_FALSE(agree(floats({1, 2}), floats({1, 2.001f})));
  llvm::Expected<Comparison> comparison = compareArrays(floats({0, 4}), floats({1, 4}), 0.3);
  ASSERT_TRUE(bool(comparison));
  EXPECT_EQ(comparison->maxAbs, 1);
  EXPECT_EQ(comparison->maxRel, 0.25);
  EXPECT_TRUE(comparison->agrees);
}

TEST(Compare, NaNAndInfinity) {
  EXPECT_TRUE(agree(floats({NAN, INFINITY}), floats({NAN, INFINITY})));
  EXPECT_FALSE(agree(floats({NAN, 1}), floats({1, 1}), 1e30));
  EXPECT_FALSE(agree(floats({1, 1}), floats({NAN, 1}), 1e30));
  EXPECT_FALSE(agree(floats({INFINITY}), floats({-INFINITY}), 1e30));
  EXPECT_FALSE(agree(floats({1e30f}), floats({INFINITY}), 1e30));
}

TEST(Compare, IntegersExactly) {
  NpyArray a{"int64", {1}, std::vector<char>(8, 0)}, b = a;
  EXPECT_TRUE(agree(a, b));
  b.bytes[0] = 1;
  EXPECT_FALSE(agree(a, b, 1e9));
}

TEST(Compare, ShapesAndTypesMustMatch) {
  llvm::Expected<Comparison> comparison = compareArrays(floats({1}), floats({1, 2}), 1);
  ASSERT_FALSE(bool(comparison));
  EXPECT_THAT(llvm::toString(comparison.takeError()), HasSubstr("is float32[1], the reference is float32[2]"));
}

//===----------------------------------------------------------------------===//
// ModelRunner
//===----------------------------------------------------------------------===//

/// past[n, 2] with n <= 3, present[n + 1, 2]; aliased: head of 2 at capacity strides [8, 2, 1] of [2, n, 2].
ModelInterface makeModel(bool alias) {
  ModelInterface model;
  model.name = "m";
  TensorInterface past{"past", "float32", 4, {2, -1, 2}, {"", "n", ""}, {2, 3, 2}, {}, 16, -1, {}};
  TensorInterface present{"present", "float32", 4, {2, -1, 2}, {"", "n + 1", ""}, {2, 4, 2}, {}, 16, -1, {-1, 0, -1}};
  if (alias) {
    past.strides = present.strides = {8, 2, 1};
    past.alias = present.alias = 0;
  }
  model.inputs = {past};
  model.outputs = {present};
  model.dims = {{"n", 3}};
  model.numDimResults = 1;
  model.arenaBytes = 64;
  return model;
}

NpzFile pastOf(int64_t n) {
  NpyArray array{"float32", {2, n, 2}, std::vector<char>(16 * n)};
  for (int64_t i = 0; i < 4 * n; ++i) {
    float value = float(i);
    std::memcpy(&array.bytes[4 * i], &value, 4);
  }
  return {{"past", array}};
}

std::vector<float> valuesOf(const NpyArray &array) {
  std::vector<float> values(array.bytes.size() / 4);
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

TEST(ModelRunner, AliasedTensorsAreAtCapacityStrides) {
  auto append = [](const leaf_context *, void *const *buffers, int64_t *dims) {
    float *cache = static_cast<float *>(buffers[0]);
    EXPECT_EQ(cache[8], 2.0f);
    for (int head = 0; head < 2; ++head)
      for (int i = 0; i < 2; ++i)
        cache[head * 8 + dims[0] * 2 + i] = 100;
    dims[1] = dims[0] + 1;
    return 0;
  };
  ModelRunner runner(makeModel(true), append, nullptr);
  llvm::Expected<NpzFile> outputs = runner.run(pastOf(1));
  ASSERT_TRUE(bool(outputs)) << llvm::toString(outputs.takeError());
  EXPECT_THAT(outputs->front().second.shape, ElementsAre(2, 2, 2));
  EXPECT_THAT(valuesOf(outputs->front().second), ElementsAre(0, 1, 100, 100, 2, 3, 100, 100));
}

TEST(ModelRunner, DynamicSizesComeBack) {
  auto entry = [](const leaf_context *context, void *const *buffers, int64_t *dims) {
    EXPECT_EQ(context->arena_bytes, 64u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(context->arena) % 64, 0u);
    std::memset(buffers[1], 0, 16 * (dims[0] + 1));
    dims[1] = dims[0] + 1;
    return 0;
  };
  ModelRunner runner(makeModel(false), entry, nullptr);
  llvm::Expected<NpzFile> outputs = runner.run(pastOf(0));
  ASSERT_TRUE(bool(outputs)) << llvm::toString(outputs.takeError());
  EXPECT_THAT(valuesOf(outputs->front().second), ElementsAre(0, 0, 0, 0));
}

std::string runError(ModelRunner::Entry entry, const NpzFile &inputs) {
  ModelRunner runner(makeModel(false), std::move(entry), nullptr);
  llvm::Expected<NpzFile> outputs = runner.run(inputs);
  return outputs ? "" : llvm::toString(outputs.takeError());
}

int32_t doNothing(const leaf_context *, void *const *, int64_t *) { return 0; }

TEST(ModelRunner, SaysWhatIsWrongWithInputs) {
  EXPECT_THAT(runError(doNothing, {}), HasSubstr("input 'past' float32[2,n<=3,2] is missing"));
  NpzFile inputs = pastOf(4);
  EXPECT_THAT(runError(doNothing, inputs), HasSubstr("has shape [2,4,2]; the model takes 'past' float32[2,n<=3,2]"));
  inputs = pastOf(1);
  inputs.front().second.elementType = "float64";
  EXPECT_THAT(runError(doNothing, inputs), HasSubstr("is float64"));
  inputs.front().first = "other";
  EXPECT_THAT(runError(doNothing, inputs), HasSubstr("'other' is no input of the model"));
}

TEST(ModelRunner, NamesTheStatus) {
  auto entry = [](const leaf_context *, void *const *, int64_t *) { return int32_t(LEAF_ERROR_BOUND); };
  EXPECT_THAT(runError(entry, pastOf(1)), HasSubstr("status 3: a size is above the bound"));
}

TEST(ModelRunner, NoticesWritesPastTheEnd) {
  auto arena = [](const leaf_context *context, void *const *, int64_t *) {
    static_cast<char *>(context->arena)[context->arena_bytes] = 1;
    return 0;
  };
  EXPECT_THAT(runError(arena, pastOf(1)), HasSubstr("wrote past its arena of 64 bytes"));
  auto output = [](const leaf_context *, void *const *buffers, int64_t *) {
    static_cast<char *>(buffers[1])[64] = 1;
    return 0;
  };
  EXPECT_THAT(runError(output, pastOf(1)), HasSubstr("wrote past buffer 1"));
}

TEST(InterfaceJSON, RoundTrip) {
  ModelInterface model = makeModel(true);
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(llvm::formatv("{0}", toJSON(model)).str());
  ASSERT_TRUE(bool(value));
  llvm::Expected<ModelInterface> read = interfaceFromJSON(*value);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->dims, model.dims);
  EXPECT_EQ(read->inputs[0].strides, model.inputs[0].strides);
  EXPECT_EQ(read->outputs[0].dimResults, model.outputs[0].dimResults);
  EXPECT_EQ(read->arenaBytes, 64);
}

} // namespace
