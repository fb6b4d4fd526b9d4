//===- RuntimeTest.cpp - the runtime and a model written by hand --------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "../demo/scale.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

struct Runtime : testing::Test {
  alignas(64) unsigned char arena[SCALE_ARENA_BYTES + 64] = {};
  std::array<float, 32> x = {}, y = {};
  std::array<void *, 2> buffers = {x.data(), y.data()};
  std::array<int64_t, 2> dims = {8, -1};
  leaf_context ctx = {};
  const leaf_model *model = scale_model();

  void SetUp() override {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(i);
    ASSERT_EQ(leaf_model_init(model, &ctx, arena, SCALE_ARENA_BYTES), LEAF_OK);
  }
  leaf_status run() { return leaf_model_run(model, &ctx, buffers.data(), dims.data()); }
};

TEST_F(Runtime, EachStatusHasItsText) {
  std::vector<std::string> texts;
  for (int32_t status = LEAF_OK; status <= LEAF_ERROR_THREADS; ++status)
    texts.push_back(leaf_status_string(status));
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(std::unique(texts.begin(), texts.end()), texts.end());
  EXPECT_STREQ(leaf_status_string(-7), "unknown status");
}

TEST_F(Runtime, ElementSizes) {
  EXPECT_EQ(leaf_dtype_bytes(LEAF_BOOL), 1u);
  EXPECT_EQ(leaf_dtype_bytes(LEAF_BFLOAT16), 2u);
  EXPECT_EQ(leaf_dtype_bytes(LEAF_FLOAT32), 4u);
  EXPECT_EQ(leaf_dtype_bytes(LEAF_UINT64), 8u);
  EXPECT_EQ(leaf_dtype_bytes(static_cast<leaf_dtype>(99)), 0u);
  EXPECT_EQ(leaf_tensor_bytes(&model->inputs[0]), 128u);
}

TEST_F(Runtime, ArenaMustBeLargeEnoughAndAligned) {
  EXPECT_EQ(leaf_model_init(model, &ctx, arena, SCALE_ARENA_BYTES - 1), LEAF_ERROR_ARENA);
  EXPECT_EQ(leaf_model_init(model, &ctx, arena + 4, SCALE_ARENA_BYTES), LEAF_ERROR_ARENA);
}

TEST_F(Runtime, NullPointersAreErrors) {
  EXPECT_EQ(leaf_model_init(model, nullptr, arena, SCALE_ARENA_BYTES), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(leaf_model_init(model, &ctx, nullptr, SCALE_ARENA_BYTES), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(leaf_model_run(nullptr, &ctx, buffers.data(), dims.data()), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(leaf_model_run(model, nullptr, buffers.data(), dims.data()), LEAF_ERROR_ARGUMENT);
  buffers[1] = nullptr;
  EXPECT_EQ(run(), LEAF_ERROR_ARGUMENT);
}

TEST_F(Runtime, SizesAreChecked) {
  dims[0] = 9;
  EXPECT_EQ(run(), LEAF_ERROR_BOUND);
  dims[0] = -1;
  EXPECT_EQ(run(), LEAF_ERROR_BOUND);
}

TEST_F(Runtime, RunsAndReturnsSizes) {
  dims[0] = 3;
  y.fill(-5);
  ASSERT_EQ(run(), LEAF_OK);
  EXPECT_EQ(dims[1], 3);
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], i < 12 ? 2 * x[i] + 1 : -5) << i;
}

/// One thread per worker, tiles in equal parts.
void threads(void *user, leaf_task task, void *args, int64_t tiles) {
  int32_t workers = *static_cast<int32_t *>(user);
  std::vector<std::thread> pool;
  for (int32_t w = 0; w < workers; ++w)
    pool.emplace_back([=] { task(args, tiles * w / workers, tiles * (w + 1) / workers, w); });
  for (std::thread &thread : pool)
    thread.join();
}

TEST_F(Runtime, ParallelForSplitsTheTiles) {
  int32_t workers = 3;
  ctx.parallel_for = threads;
  ctx.parallel_user = &workers;
  ctx.max_workers = workers;
  ASSERT_EQ(run(), LEAF_OK);
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], 2 * x[i] + 1) << i;
}

TEST_F(Runtime, ContextsAreIndependent) {
  alignas(64) unsigned char other[SCALE_ARENA_BYTES];
  leaf_context second;
  std::array<float, 32> z = {};
  std::array<void *, 2> others = {x.data(), z.data()};
  std::array<int64_t, 2> sizes = {8, 0};
  ASSERT_EQ(leaf_model_init(model, &second, other, sizeof other), LEAF_OK);
  std::thread thread([&] {
    for (int i = 0; i < 1000; ++i)
      ASSERT_EQ(leaf_model_run(model, &second, others.data(), sizes.data()), LEAF_OK);
  });
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(run(), LEAF_OK);
  thread.join();
  EXPECT_EQ(y, z);
}

} // namespace
