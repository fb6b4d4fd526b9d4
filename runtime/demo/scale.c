/*===- scale.c - a compiled model, written by hand ---------------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 * Shows all that a model does at run time: the checks of its entry, weights, a
 * slot of the arena, and a kernel whose tiles may be split between workers.
 *===----------------------------------------------------------------------===*/

#include "scale.h"

#include <string.h>

enum { ROWS = 8, COLUMNS = 4 };

LEAF_ALIGNAS(64) const uint64_t scale_weights[1] = {0x3f80000040000000u}; /* the floats 2 and 1 */

/* One row of `out` = a * row + b. */
static void multiply_add(const float *in, const float *ab, float *out, int64_t begin, int64_t end) {
  for (int64_t i = begin * COLUMNS; i < end * COLUMNS; ++i)
    out[i] = ab[0] * in[i] + ab[1];
}

typedef struct multiply_add_args {
  const float *in;
  const float *ab;
  float *out;
} multiply_add_args;

static void multiply_add_task(void *args, int64_t begin, int64_t end, int32_t worker) {
  const multiply_add_args *a = (const multiply_add_args *)args;
  (void)worker;
  multiply_add(a->in, a->ab, a->out, begin, end);
}

int32_t scale_entry(const leaf_context *ctx, void *const *buffers, int64_t *dims) {
  float ab[2];
  multiply_add_args args;
  int64_t rows;
  if (ctx == NULL || buffers == NULL || dims == NULL)
    return LEAF_ERROR_ARGUMENT;
  if (ctx->arena == NULL || ctx->weights == NULL || buffers[0] == NULL || buffers[1] == NULL)
    return LEAF_ERROR_ARGUMENT;
  rows = dims[0];
  if (rows < 0 || rows > ROWS)
    return LEAF_ERROR_BOUND;
  memcpy(ab, ctx->weights, sizeof ab);
  args.in = (const float *)buffers[0];
  args.ab = ab;
  args.out = (float *)ctx->arena;
  if (ctx->parallel_for != NULL && rows > 1)
    ctx->parallel_for(ctx->parallel_user, multiply_add_task, &args, rows);
  else
    multiply_add_task(&args, 0, rows, 0);
  memcpy(buffers[1], ctx->arena, (size_t)rows * COLUMNS * sizeof(float));
  dims[1] = rows;
  return LEAF_OK;
}

const leaf_model *scale_model(void) {
  static const int64_t shape[] = {ROWS, COLUMNS};
  static const int32_t open[] = {0, -1};
  static const char *const names[] = {"n"};
  static const int64_t bounds[] = {ROWS};
  static const leaf_tensor input = {"x", LEAF_FLOAT32, 2, shape, open, NULL, ROWS * COLUMNS, -1};
  static const leaf_tensor output = {"y", LEAF_FLOAT32, 2, shape, open, NULL, ROWS * COLUMNS, -1};
  static const leaf_model model = {"scale",
                                   &input,
                                   &output,
                                   1,
                                   1,
                                   names,
                                   bounds,
                                   1,
                                   1,
                                   SCALE_ARENA_BYTES,
                                   SCALE_ARENA_ALIGN,
                                   scale_weights,
                                   SCALE_WEIGHTS_BYTES,
                                   scale_entry,
                                   0,
                                   SCALE_MAX_WORKERS,
                                   NULL,
                                   NULL,
                                   0};
  return &model;
}
