/*===- model.h - any compiled model, described at run time ------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 * A program that knows its model at compile time needs only NAME.h. This header
 * is for programs that take any model: include it before NAME.h, and NAME.h
 * also defines NAME_model(), which gives the model's descriptor.
 *===----------------------------------------------------------------------===*/

#ifndef LEAF_MODEL_H
#define LEAF_MODEL_H

#include "leaf/leaf.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Element types; the numbers are those of ONNX. */
typedef enum leaf_dtype {
  LEAF_FLOAT32 = 1,
  LEAF_UINT8 = 2,
  LEAF_INT8 = 3,
  LEAF_UINT16 = 4,
  LEAF_INT16 = 5,
  LEAF_INT32 = 6,
  LEAF_INT64 = 7,
  LEAF_STRING = 8,   /**< int64: offset << 32 | length in the bytes, which are the next input or output */
  LEAF_BOOL = 9,     /**< one byte, 0 or 1 */
  LEAF_FLOAT16 = 10, /**< bits of an IEEE half */
  LEAF_FLOAT64 = 11,
  LEAF_UINT32 = 12,
  LEAF_UINT64 = 13,
  LEAF_BFLOAT16 = 16 /**< upper half of a float32 */
} leaf_dtype;

/** An input or output. All pointers are to constants of the model. */
typedef struct leaf_tensor {
  const char *name; /**< ONNX name, UTF-8 */
  leaf_dtype dtype;
  int32_t rank;
  const int64_t *shape; /**< per dimension: its size, or its upper bound where it is dynamic */
  const int32_t *dims;  /**< per dimension: -1 where fixed; else, input: index into leaf_model.dim_names, output: index
                             into the sizes that a run returns */
  const int64_t *strides; /**< elements per dimension; NULL: dense row-major at the actual size */
  int64_t capacity;       /**< elements that the caller's buffer must hold */
  int32_t alias; /**< -1, or the index of the output (of an input) or input (of an output) in the same buffer */
} leaf_tensor;

/** NAME_entry: see docs/RuntimeABI.md. Returns a leaf_status. */
typedef int32_t (*leaf_entry)(const leaf_context *ctx, void *const *buffers, int64_t *dims);

/** A compiled model. */
typedef struct leaf_model {
  const char *name;
  const leaf_tensor *inputs;
  const leaf_tensor *outputs;
  int32_t num_inputs;
  int32_t num_outputs;
  const char *const *dim_names; /**< dynamic dimensions, in the order of the sizes that a run takes */
  const int64_t *dim_bounds;    /**< their upper bounds */
  int32_t num_dims;
  int32_t num_sizes; /**< sizes that a run returns */
  size_t arena_bytes;
  size_t arena_align;
  const void *weights; /**< NULL where there are none, or where they are in a file */
  size_t weight_bytes;
  leaf_entry entry;
  uint64_t weights_id;           /**< 0: embedded, or none; else what leaf_weights_open (leaf/weights.h) takes, and
                                      leaf_context.weights is the caller's to set after leaf_model_init */
  int32_t max_workers;           /**< workers that a parallel_for may use at most */
  int32_t (*isa_level)(void);    /**< the highest instruction set that this machine has, -1: none; NULL: there is one */
  const char *const *isa_levels; /**< names of the instruction sets, lowest first */
  int32_t num_isa_levels;        /**< 0: there is one */
} leaf_model;

/** A constant English text for a leaf_status; never NULL. */
const char *leaf_status_string(int32_t status);

/** Bytes of one element, 0 for a number that is no leaf_dtype. */
size_t leaf_dtype_bytes(leaf_dtype dtype);

/** Bytes that the caller's buffer for `tensor` must hold. */
size_t leaf_tensor_bytes(const leaf_tensor *tensor);

/** Fills `ctx` as NAME_init does. The arena stays the caller's.
 *  @return LEAF_OK, LEAF_ERROR_ARGUMENT (a null pointer) or LEAF_ERROR_ARENA (too small or not aligned) */
leaf_status leaf_model_init(const leaf_model *model, leaf_context *ctx, void *arena, size_t arena_bytes);

/** Runs the model once.
 *  @param buffers num_inputs input buffers, then one for each output whose alias is -1, in order; inputs without alias
 *         are only read
 *  @param dims num_dims sizes in; then num_sizes sizes out
 *  @return LEAF_OK or what the model found wrong */
leaf_status leaf_model_run(const leaf_model *model, const leaf_context *ctx, void *const *buffers, int64_t *dims);

#ifdef __cplusplus
}
#endif

#endif /* LEAF_MODEL_H */
