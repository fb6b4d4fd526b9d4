//===- CompiledModelTest.cpp - models run in this process --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "ModelFixture.h"
#include "TargetModels.h"
#include "leaf/leaf.h"
#include "leafcutter/Target/Emit.h"
#include "gmock/gmock.h"

using namespace leaf;
using testing::HasSubstr;

namespace {

/// One model in the process and a context with an arena for it.
class CompiledModelTest : public test::ModelFixture {
protected:
  void compile(const char *text, const char *targetName = "host") {
    ASSERT_TRUE(parseModel(text));
    llvm::Expected<TargetSpec> target = lookupTarget(targetName);
    ASSERT_TRUE(bool(target)) << llvm::toString(target.takeError());
    llvm::Expected<std::unique_ptr<CompiledModel>> compiled = CompiledModel::create(*module, *target);
    ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
    model = std::move(*compiled);
    state.arena = arena;
    state.arena_bytes = sizeof arena;
    state.weights = model->weights();
  }

  int run(int64_t n) {
    dims[0] = n;
    for (int i = 0; i < 48; ++i)
      x[i] = static_cast<float>(i);
    std::fill(std::begin(y), std::end(y), -1.0f);
    return model->run(&state, buffers, dims);
  }

  void expectScaled(int n) {
    for (int i = 0; i < 48; ++i)
      EXPECT_EQ(y[i], i % 16 < n ? 2.0f * static_cast<float>(i) + 0.5f : -1.0f) << "element " << i;
  }

  std::unique_ptr<CompiledModel> model;
  alignas(64) unsigned char arena[4096] = {};
  leaf_context state = {};
  float x[64] = {}, y[64] = {};
  void *buffers[3] = {x, y, nullptr};
  int64_t dims[2] = {0, 0};
};

/// A parallel_for that gives each tile to another worker, last tile first.
struct Workers {
  int calls = 0, tiles = 0;
  static void run(void *user, leaf_task task, void *args, int64_t tiles) {
    auto *self = static_cast<Workers *>(user);
    ++self->calls;
    for (int64_t tile = tiles; tile-- > 0; ++self->tiles)
      task(args, tile, tile + 1, static_cast<int32_t>(tile % 4));
  }
};

} // namespace

TEST_F(CompiledModelTest, RunsOnTheCallingThread) {
  compile(test::kScale);
  EXPECT_EQ(run(16), LEAF_OK);
  expectScaled(16);
  EXPECT_EQ(dims[1], 17);
  EXPECT_GT(model->codeBytes(), 0u);
}

TEST_F(CompiledModelTest, ComputesOnlyTheActualSize) {
  compile(test::kScale);
  EXPECT_EQ(run(6), LEAF_OK);
  expectScaled(6);
}

TEST_F(CompiledModelTest, RunsScalarCode) {
  compile(test::kScale, "generic");
  EXPECT_EQ(run(16), LEAF_OK);
  expectScaled(16);
}

TEST_F(CompiledModelTest, HandsTilesToWorkers) {
  compile(test::kScale);
  Workers workers;
  state.parallel_for = Workers::run;
  state.parallel_user = &workers;
  EXPECT_EQ(run(16), LEAF_OK);
  expectScaled(16);
  EXPECT_EQ(workers.calls, 2);
  EXPECT_EQ(workers.tiles, 6);
}

TEST_F(CompiledModelTest, RejectsSizesOutOfBounds) {
  compile(test::kScale);
  EXPECT_EQ(run(17), LEAF_ERROR_BOUND);
  EXPECT_EQ(run(-1), LEAF_ERROR_BOUND);
  EXPECT_EQ(run(int64_t(1) << 40), LEAF_ERROR_BOUND);
}

TEST_F(CompiledModelTest, RejectsWhatTheModelRequires) {
  compile(test::kScale);
  EXPECT_EQ(run(5), LEAF_ERROR_SHAPE);
}

TEST_F(CompiledModelTest, RejectsNullPointers) {
  compile(test::kScale);
  EXPECT_EQ(model->run(nullptr, buffers, dims), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(model->run(&state, nullptr, dims), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(model->run(&state, buffers, nullptr), LEAF_ERROR_ARGUMENT);
  buffers[1] = nullptr;
  EXPECT_EQ(run(4), LEAF_ERROR_ARGUMENT);
  buffers[1] = y;
  state.arena = nullptr;
  EXPECT_EQ(run(4), LEAF_ERROR_ARGUMENT);
}

TEST_F(CompiledModelTest, RejectsForeignTargets) {
  ASSERT_TRUE(parseModel(test::kScale));
  llvm::Expected<std::unique_ptr<CompiledModel>> compiled =
      CompiledModel::create(*module, llvm::cantFail(lookupTarget("cortex-m4")));
  ASSERT_FALSE(bool(compiled));
  EXPECT_THAT(llvm::toString(compiled.takeError()), HasSubstr("cortex-m4"));
}
