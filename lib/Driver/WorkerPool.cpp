//===- WorkerPool.cpp - leaf_parallel_for on threads -------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "WorkerPool.h"

#include <algorithm>

namespace leaf {

/// Turns of busy waiting before a thread sleeps: kernels of one model follow each other within microseconds.
static constexpr unsigned spins = 4000;

static void waitWhile(std::atomic<uint32_t> &value, uint32_t old) {
  for (unsigned i = 0; i < spins; ++i)
    if (value.load(std::memory_order_acquire) != old)
      return;
  value.wait(old, std::memory_order_acquire);
}

WorkerPool::WorkerPool(unsigned workers) {
  for (unsigned worker = 1; worker < workers; ++worker)
    threads.emplace_back([this, worker] { serve(int32_t(worker)); });
}

WorkerPool::~WorkerPool() {
  stop = true;
  ++generation;
  generation.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

void WorkerPool::work(int32_t worker) {
  for (;;) {
    int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
    if (begin >= tiles)
      return;
    task(args, begin, std::min(begin + chunk, tiles), worker);
  }
}

void WorkerPool::serve(int32_t worker) {
  uint32_t seen = 0;
  for (;;) {
    waitWhile(generation, seen);
    seen = generation.load(std::memory_order_acquire);
    if (stop)
      return;
    work(worker);
    if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1)
      busy.notify_one();
  }
}

void WorkerPool::parallelFor(void *user, leaf_task task, void *args, int64_t tiles) {
  auto &pool = *static_cast<WorkerPool *>(user);
  if (tiles <= 1 || pool.threads.empty())
    return task(args, 0, tiles, 0);
  pool.task = task;
  pool.args = args;
  pool.tiles = tiles;
  // A few chunks for each worker level out cores of different speed.
  pool.chunk = std::max<int64_t>(1, tiles / int64_t(4 * (pool.threads.size() + 1)));
  pool.next.store(0, std::memory_order_relaxed);
  pool.busy.store(uint32_t(pool.threads.size()), std::memory_order_relaxed);
  pool.generation.fetch_add(1, std::memory_order_release);
  pool.generation.notify_all();
  pool.work(0);
  while (uint32_t left = pool.busy.load(std::memory_order_acquire))
    waitWhile(pool.busy, left);
}

} // namespace leaf
