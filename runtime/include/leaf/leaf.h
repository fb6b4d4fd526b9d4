/*===- leaf.h - types that every compiled model shares ---------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 * The same text is written, guarded, into each generated NAME.h: a program that
 * uses a compiled model needs no file of the runtime.
 *===----------------------------------------------------------------------===*/

#ifndef LEAF_LEAF_H
#define LEAF_LEAF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef LEAF_TYPES_DEFINED
#define LEAF_TYPES_DEFINED

/** Result of every call. Zero is success; values are stable. */
typedef enum leaf_status {
  LEAF_OK = 0,
  LEAF_ERROR_ARGUMENT = 1, /**< a required pointer is null */
  LEAF_ERROR_ARENA = 2,    /**< the arena is smaller than NAME_ARENA_BYTES, or not aligned to NAME_ARENA_ALIGN */
  LEAF_ERROR_BOUND = 3,    /**< a size is negative or above the bound it was compiled for */
  LEAF_ERROR_SHAPE = 4,    /**< sizes that must agree do not */
  LEAF_ERROR_WEIGHTS = 5,  /**< no weight file, or one that is cut short or damaged */
  LEAF_ERROR_VERSION = 6,  /**< a weight file of a format that this code does not know */
  LEAF_ERROR_MODEL = 7,    /**< a weight file of another model */
  LEAF_ERROR_FILE = 8,     /**< a file cannot be opened or mapped */
  LEAF_ERROR_THREADS = 9,  /**< the system gives no more threads */
  LEAF_ERROR_ISA = 10      /**< the machine has none of the instruction sets that the model was compiled for */
} leaf_status;

/** Work of one kernel: computes tiles [begin, end). `worker` is below leaf_context.max_workers; two calls that run at
 *  the same time get different workers. `args` stays valid until leaf_parallel_for returns. */
typedef void (*leaf_task)(void *args, int64_t begin, int64_t end, int32_t worker);

/** Runs task over the tiles [0, tiles), split as it likes, and returns when all are done. */
typedef void (*leaf_parallel_for)(void *user, leaf_task task, void *args, int64_t tiles);

/** State of one caller. Filled by NAME_init; the caller owns all it points to. Not shared between threads that run at
 *  the same time; two contexts of one model are independent. Layout is part of the ABI of compiled objects. */
typedef struct leaf_context {
  void *arena;                    /**< intermediate values; aligned to NAME_ARENA_ALIGN bytes */
  size_t arena_bytes;             /**< bytes at arena */
  const void *weights;            /**< weights, aligned to 64 bytes; set by NAME_init to the embedded ones, or NULL */
  leaf_parallel_for parallel_for; /**< NULL: kernels run on the calling thread */
  void *parallel_user;            /**< first argument of parallel_for */
  int32_t max_workers;            /**< workers parallel_for uses; at most what the model was compiled for */
  int32_t isa_level;              /**< instruction set of the kernels, where there are several; 0: the lowest */
  void *device;                   /**< state of an accelerator; NULL on CPUs */
} leaf_context;

/** Aligns a variable, e.g. an arena: LEAF_ALIGNAS(64) static unsigned char arena[BYTES]; */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define LEAF_ALIGNAS(bytes) alignas(bytes)
#elif defined(__GNUC__)
#define LEAF_ALIGNAS(bytes) __attribute__((aligned(bytes)))
#elif defined(_MSC_VER)
#define LEAF_ALIGNAS(bytes) __declspec(align(bytes))
#else
#define LEAF_ALIGNAS(bytes) _Alignas(bytes)
#endif

#endif /* LEAF_TYPES_DEFINED */

#ifdef __cplusplus
}
#endif

#endif /* LEAF_LEAF_H */
