//===- ThreadsTest.cpp - the pool of threads -----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leaf/threads.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>
#include <sched.h>
#include <thread>
#include <tuple>
#include <vector>

namespace {

struct Pool {
  explicit Pool(int32_t workers) : storage(static_cast<size_t>(workers)) {
    EXPECT_EQ(leaf_pool_init(&pool, storage.data(), workers), LEAF_OK);
  }
  ~Pool() { leaf_pool_destroy(&pool); }
  void run(leaf_task task, void *args, int64_t tiles) { leaf_pool_parallel_for(&pool, task, args, tiles); }

  std::vector<leaf_pool_worker> storage;
  leaf_pool pool;
};

/// Ranges that a task was given, with their workers.
struct Ranges {
  std::mutex mutex;
  std::vector<std::tuple<int64_t, int64_t, int32_t>> list;
  static void task(void *args, int64_t begin, int64_t end, int32_t worker) {
    auto *ranges = static_cast<Ranges *>(args);
    std::lock_guard<std::mutex> lock(ranges->mutex);
    ranges->list.emplace_back(begin, end, worker);
  }
};

TEST(ThreadPool, EachWorkerGetsOneRange) {
  for (int32_t workers : {1, 2, 3, 8}) {
    Pool pool(workers);
    for (int64_t tiles : {0, 1, 2, 7, 8, 1000}) {
      Ranges ranges;
      pool.run(Ranges::task, &ranges, tiles);
      std::sort(ranges.list.begin(), ranges.list.end());
      ASSERT_EQ(static_cast<int64_t>(ranges.list.size()), std::min<int64_t>(tiles, workers));
      int64_t next = 0;
      for (size_t i = 0; i < ranges.list.size(); ++i) {
        auto [begin, end, worker] = ranges.list[i];
        EXPECT_EQ(begin, next);
        EXPECT_TRUE(worker == static_cast<int32_t>(i) || worker == 0); // 0 takes what others have not begun
        EXPECT_LE(end - begin - tiles / workers, 1);
        next = end;
      }
      EXPECT_EQ(next, tiles);
    }
  }
}

TEST(ThreadPool, TheCallerIsWorkerZero) {
  Pool pool(2);
  std::thread::id ids[2];
  // The caller is slow enough for the worker to begin.
  auto task = [](void *args, int64_t begin, int64_t, int32_t worker) {
    static_cast<std::thread::id *>(args)[worker] = std::this_thread::get_id();
    if (begin == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  for (int call = 0; call < 1000 && ids[1] == std::thread::id(); ++call)
    pool.run(task, ids, 2);
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[1], std::thread::id());
}

/// What workers wrote in one call is there in the next, whoever works on it.
TEST(ThreadPool, CallsSeeWhatEarlierOnesWrote) {
  Pool pool(3);
  std::vector<int> values(64);
  auto task = [](void *args, int64_t begin, int64_t end, int32_t) {
    std::vector<int> &v = *static_cast<std::vector<int> *>(args);
    for (int64_t i = begin; i < end; ++i)
      v[static_cast<size_t>(63 - i)] += 1;
  };
  auto back = [](void *args, int64_t begin, int64_t end, int32_t) {
    std::vector<int> &v = *static_cast<std::vector<int> *>(args);
    for (int64_t i = begin; i < end; ++i)
      v[static_cast<size_t>(i)] += 1;
  };
  for (int call = 0; call < 2000; ++call)
    pool.run(call % 2 ? task : back, &values, 64);
  for (int value : values)
    EXPECT_EQ(value, 2000);
}

TEST(ThreadPool, SleepsAndWakes) {
  Pool pool(2);
  std::atomic<int> tiles{0};
  auto task = [](void *args, int64_t begin, int64_t end, int32_t worker) {
    if (worker == 1)
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    *static_cast<std::atomic<int> *>(args) += static_cast<int>(end - begin);
  };
  for (int call = 0; call < 200; ++call) {
    pool.run(task, &tiles, 2);
    if (call % 4 == 0)
      std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  EXPECT_EQ(tiles, 400);
}

TEST(ThreadPool, ContextsShareAPool) {
  Pool pool(2);
  std::atomic<int64_t> tiles{0};
  auto task = [](void *args, int64_t begin, int64_t end, int32_t) {
    *static_cast<std::atomic<int64_t> *>(args) += end - begin;
  };
  auto calls = [&] {
    for (int call = 0; call < 5000; ++call)
      pool.run(task, &tiles, 3);
  };
  std::thread other(calls);
  calls();
  other.join();
  EXPECT_EQ(tiles, 30000);
}

TEST(ThreadPool, MoreThreadsThanCores) {
  cpu_set_t all, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &all))
      CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  {
    Pool pool(4); // its threads inherit the one core
    std::atomic<int64_t> tiles{0};
    auto task = [](void *args, int64_t begin, int64_t end, int32_t) {
      *static_cast<std::atomic<int64_t> *>(args) += end - begin;
    };
    auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < 500; ++call)
      pool.run(task, &tiles, 4);
    std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(tiles, 2000);
    // Three time slices of 4 ms for each call would be 6 seconds; usually it takes 20 ms.
    EXPECT_LT(time.count(), 5);
  }
  sched_setaffinity(0, sizeof all, &all);
}

TEST(ThreadPool, BadArguments) {
  leaf_pool pool;
  leaf_pool_worker worker;
  EXPECT_EQ(leaf_pool_init(nullptr, &worker, 1), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(leaf_pool_init(&pool, nullptr, 1), LEAF_ERROR_ARGUMENT);
  EXPECT_EQ(leaf_pool_init(&pool, &worker, 0), LEAF_ERROR_ARGUMENT);
}

} // namespace
