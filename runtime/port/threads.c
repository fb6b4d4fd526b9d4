/*===- threads.c - a pool of threads for leaf_context.parallel_for ------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 * Each worker has a mailbox: its range of tiles and a state. The caller fills in
 * the range and sets the state to POSTED; the worker sets it to WORKING, runs the
 * tiles and sets it back to IDLE. Only workers that got tiles take part. When the
 * caller is done with its own tiles it takes back those that are still POSTED (the
 * worker sleeps, or has no core) and waits for the others, so that none ever
 * looks at the work of a later call.
 *
 * Who waits spins for a few microseconds, then lets other threads run between two
 * looks (so that two threads on one core make progress), then sleeps. The sleep
 * is a handshake: one side sets its flag and then looks at the state, the other
 * sets the state and then looks at the flag, all sequentially consistent, so that
 * one of the two sees the other.
 *===----------------------------------------------------------------------===*/

#if !defined(_POSIX_C_SOURCE) && !defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#endif

#include "leaf/threads.h"

#include <sched.h>
#include <time.h>

/*===----------------------------------------------------------------------===*
 * Atomics: C11's are not C99
 *===----------------------------------------------------------------------===*/

#if defined(__GNUC__) || defined(__clang__)
#define LEAF_LOAD(address) __atomic_load_n(address, __ATOMIC_SEQ_CST)
#define LEAF_STORE(address, value) __atomic_store_n(address, value, __ATOMIC_SEQ_CST)
#define LEAF_EXCHANGE(address, value) __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST)
#define LEAF_COMPARE_EXCHANGE(address, expected, value)                                                                \
  __atomic_compare_exchange_n(address, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#else
#error "threads.c needs the __atomic builtins of gcc or clang"
#endif

/** Tells the core that this is a loop which waits. */
static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__ARM_ARCH) && __ARM_ARCH >= 7)
  __asm__ volatile("yield");
#endif
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/*===----------------------------------------------------------------------===*
 * Waiting
 *===----------------------------------------------------------------------===*/

enum { IDLE = 0, POSTED = 1, WORKING = 2, STOPPING = 3 };

/** Nanoseconds for which a thread that has nothing to do looks for work before it sleeps: the kernels of a model follow
 *  each other within microseconds, while waking a thread takes tens of them. */
#ifndef LEAF_POOL_SPIN_NS
#define LEAF_POOL_SPIN_NS 100000
#endif

/** Looks before the clock is read and other threads may run: about 3 microseconds, the time between two kernels. */
#define QUICK_LOOKS 256

/** Waits until the state of a worker is (`idle`) or is no longer IDLE. False after LEAF_POOL_SPIN_NS of waiting in
 * vain. */
static int spin(const leaf_pool_worker *worker, int idle) {
  int64_t until;
  int i;
  for (i = 0; i < QUICK_LOOKS; ++i) {
    if ((LEAF_LOAD(&worker->state) == IDLE) == idle)
      return 1;
    relax();
  }
  until = now_ns() + LEAF_POOL_SPIN_NS;
  do {
    sched_yield();
    for (i = 0; i < 16; ++i) {
      if ((LEAF_LOAD(&worker->state) == IDLE) == idle)
        return 1;
      relax();
    }
  } while (now_ns() < until);
  return 0;
}

/** A worker that wakes too late for its tiles spins again: the next kernels of the model follow at once. */
static void await_work(leaf_pool_worker *worker) {
  while (!spin(worker, 0)) {
    pthread_mutex_lock(&worker->mutex);
    LEAF_STORE(&worker->sleeping, 1);
    if (LEAF_LOAD(&worker->state) == IDLE)
      pthread_cond_wait(&worker->awake, &worker->mutex);
    LEAF_STORE(&worker->sleeping, 0);
    pthread_mutex_unlock(&worker->mutex);
  }
}

static void post(leaf_pool_worker *worker, uint32_t state) {
  LEAF_STORE(&worker->state, state);
  if (LEAF_LOAD(&worker->sleeping)) {
    pthread_mutex_lock(&worker->mutex);
    pthread_cond_signal(&worker->awake);
    pthread_mutex_unlock(&worker->mutex);
  }
}

/** Makes the tiles of a mailbox the calling thread's; false where another thread has them, or there are none. */
static int take(leaf_pool_worker *worker, uint32_t state) {
  uint32_t expected = POSTED;
  return LEAF_COMPARE_EXCHANGE(&worker->state, &expected, state);
}

static void await_done(leaf_pool *pool, leaf_pool_worker *worker) {
  if (spin(worker, 1))
    return;
  pthread_mutex_lock(&pool->mutex);
  LEAF_STORE(&pool->waiting, 1);
  while (LEAF_LOAD(&worker->state) != IDLE)
    pthread_cond_wait(&pool->done, &pool->mutex);
  LEAF_STORE(&pool->waiting, 0);
  pthread_mutex_unlock(&pool->mutex);
}

static void finish(leaf_pool_worker *worker) {
  leaf_pool *pool = worker->pool;
  LEAF_STORE(&worker->state, IDLE);
  if (LEAF_LOAD(&pool->waiting)) {
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->mutex);
  }
}

/*===----------------------------------------------------------------------===*
 * The pool
 *===----------------------------------------------------------------------===*/

static void *serve(void *argument) {
  leaf_pool_worker *worker = (leaf_pool_worker *)argument;
  for (;;) {
    await_work(worker);
    if (take(worker, WORKING)) {
      worker->pool->task(worker->pool->args, worker->begin, worker->end, worker->index);
      finish(worker);
    } else if (LEAF_LOAD(&worker->state) == STOPPING) {
      return NULL;
    }
  }
}

static leaf_status start_worker(leaf_pool *pool, int32_t index) {
  leaf_pool_worker *worker = &pool->workers[index];
  worker->pool = pool;
  worker->begin = worker->end = 0;
  worker->index = index;
  worker->state = IDLE;
  worker->sleeping = 0;
  if (pthread_mutex_init(&worker->mutex, NULL) != 0)
    return LEAF_ERROR_THREADS;
  if (pthread_cond_init(&worker->awake, NULL) == 0) {
    if (pthread_create(&worker->thread, NULL, serve, worker) == 0)
      return LEAF_OK;
    pthread_cond_destroy(&worker->awake);
  }
  pthread_mutex_destroy(&worker->mutex);
  return LEAF_ERROR_THREADS;
}

leaf_status leaf_pool_init(leaf_pool *pool, leaf_pool_worker *workers, int32_t num_workers) {
  leaf_status status = LEAF_OK;
  if (pool == NULL || workers == NULL || num_workers < 1)
    return LEAF_ERROR_ARGUMENT;
  pool->workers = workers;
  pool->num_workers = 1;
  pool->task = NULL;
  pool->args = NULL;
  pool->waiting = 0;
  pool->in_use = 0;
  if (pthread_mutex_init(&pool->mutex, NULL) != 0)
    return LEAF_ERROR_THREADS;
  if (pthread_cond_init(&pool->done, NULL) != 0) {
    pthread_mutex_destroy(&pool->mutex);
    return LEAF_ERROR_THREADS;
  }
  while (status == LEAF_OK && pool->num_workers < num_workers) {
    status = start_worker(pool, pool->num_workers);
    if (status == LEAF_OK)
      ++pool->num_workers;
  }
  if (status != LEAF_OK)
    leaf_pool_destroy(pool);
  return status;
}

void leaf_pool_destroy(leaf_pool *pool) {
  int32_t w;
  for (w = 1; w < pool->num_workers; ++w)
    post(&pool->workers[w], STOPPING);
  for (w = 1; w < pool->num_workers; ++w) {
    pthread_join(pool->workers[w].thread, NULL);
    pthread_cond_destroy(&pool->workers[w].awake);
    pthread_mutex_destroy(&pool->workers[w].mutex);
  }
  pthread_cond_destroy(&pool->done);
  pthread_mutex_destroy(&pool->mutex);
  pool->num_workers = 0;
}

void leaf_pool_parallel_for(void *user, leaf_task task, void *args, int64_t tiles) {
  leaf_pool *pool = (leaf_pool *)user;
  int32_t parts = tiles < pool->num_workers ? (int32_t)tiles : pool->num_workers, w;
  int64_t share, rest, begin;
  if (tiles <= 0)
    return;
  if (parts == 1 || LEAF_EXCHANGE(&pool->in_use, 1)) {
    task(args, 0, tiles, 0);
    return;
  }
  share = tiles / parts;
  rest = tiles % parts;
  pool->task = task;
  pool->args = args;
  begin = share + (rest > 0);
  for (w = 1; w < parts; ++w) {
    leaf_pool_worker *worker = &pool->workers[w];
    worker->begin = begin;
    begin += share + (w < rest);
    worker->end = begin;
    post(worker, POSTED);
  }
  task(args, 0, share + (rest > 0), 0);
  for (w = parts - 1; w > 0; --w)
    if (take(&pool->workers[w], IDLE))
      task(args, pool->workers[w].begin, pool->workers[w].end, 0);
  for (w = 1; w < parts; ++w)
    await_done(pool, &pool->workers[w]);
  LEAF_STORE(&pool->in_use, 0);
}
