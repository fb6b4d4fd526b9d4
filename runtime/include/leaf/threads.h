/*===- threads.h - a pool of threads for leaf_context.parallel_for ----------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 * For models that were compiled with --max-threads. `leafc compile` writes this
 * header and its source beside such a model, as leaf_threads.h and
 * leaf_threads.c. Needs POSIX threads, and gcc or clang.
 *===----------------------------------------------------------------------===*/

#ifndef LEAF_THREADS_H
#define LEAF_THREADS_H

#include "leaf.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leaf_pool;

/** One worker of a pool. All fields belong to the pool. */
typedef struct leaf_pool_worker {
  struct leaf_pool *pool;
  pthread_t thread;
  pthread_mutex_t mutex; /**< guards the sleep of the worker */
  pthread_cond_t awake;
  int64_t begin, end;     /**< its tiles; written while `state` says that it is idle */
  int32_t index;          /**< its number: leaf_task's last argument */
  uint32_t state;         /**< idle, posted, working or stopping */
  uint32_t sleeping;      /**< nonzero: a change of `state` needs a signal */
  unsigned char pad[128]; /**< no two workers on one cache line */
} leaf_pool_worker;

/** Threads that share the tiles of a kernel; the calling thread is worker 0. */
typedef struct leaf_pool {
  leaf_pool_worker *workers; /**< the caller's storage */
  int32_t num_workers;       /**< the calling thread included */
  leaf_task task;            /**< work at hand; all fields belong to the pool */
  void *args;
  pthread_mutex_t mutex; /**< guards the sleep of the caller */
  pthread_cond_t done;
  uint32_t waiting; /**< nonzero: the caller sleeps until all workers are idle */
  uint32_t in_use;  /**< nonzero: a parallel_for is running */
} leaf_pool;

/** Starts the threads: num_workers - 1 of them. Nothing is allocated later, in leaf_pool_parallel_for.
 *  @param pool, workers storage of the caller, the second of num_workers elements; neither may move or go before
 *         leaf_pool_destroy
 *  @param num_workers threads that share the work, the caller's among them: at most NAME_MAX_WORKERS of each model that
 *         runs on the pool, and best not more than the processor has cores
 *  @return LEAF_OK; LEAF_ERROR_ARGUMENT (a null pointer or num_workers < 1); LEAF_ERROR_THREADS where the system gives
 *          no more threads (none is left behind, and leaf_pool_destroy must not be called) */
leaf_status leaf_pool_init(leaf_pool *pool, leaf_pool_worker *workers, int32_t num_workers);

/** Ends the threads. No run may use the pool any more. */
void leaf_pool_destroy(leaf_pool *pool);

/** A leaf_parallel_for: goes into leaf_context.parallel_for, and the pool into parallel_user. Each worker gets one
 * range of neighbouring tiles, the calling thread the first, and then those of workers that have not begun. Contexts of
 * several threads may share a pool: while one of them uses it, tiles of the others run on their own threads. */
void leaf_pool_parallel_for(void *pool, leaf_task task, void *args, int64_t tiles);

#ifdef __cplusplus
}
#endif

#endif /* LEAF_THREADS_H */
