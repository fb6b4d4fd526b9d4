//===- WorkerPool.h - leaf_parallel_for on threads ---------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_LIB_DRIVER_WORKERPOOL_H
#define LEAFCUTTER_LIB_DRIVER_WORKERPOOL_H

#include "leaf/leaf.h"
#include <atomic>
#include <thread>
#include <vector>

namespace leaf {

/// Threads that share the tiles of a kernel; the calling thread is worker 0. One caller at a time.
class WorkerPool {
public:
  explicit WorkerPool(unsigned workers);
  ~WorkerPool();

  /// A leaf_parallel_for; `user` is the pool.
  static void parallelFor(void *user, leaf_task task, void *args, int64_t tiles);

private:
  void serve(int32_t worker);
  void work(int32_t worker);

  // Written by the caller before `generation` changes, read by the workers after.
  leaf_task task = nullptr;
  void *args = nullptr;
  int64_t tiles = 0, chunk = 1;
  std::atomic<int64_t> next{0};
  std::atomic<uint32_t> generation{0}, busy{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
};

} // namespace leaf

#endif // LEAFCUTTER_LIB_DRIVER_WORKERPOOL_H
