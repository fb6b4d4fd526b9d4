/*===- main.c - runs any model through its descriptor ---------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 *===----------------------------------------------------------------------===*/

/* Runs any model through its descriptor: here, the one written by hand. */
#include "scale.h"

#include <stdio.h>

LEAF_ALIGNAS(SCALE_ARENA_ALIGN) static unsigned char arena[SCALE_ARENA_BYTES];

int main(void) {
  const leaf_model *model = scale_model();
  float x[32], y[32];
  void *buffers[2];
  int64_t dims[2] = {2, 0};
  leaf_context ctx;
  leaf_status status = leaf_model_init(model, &ctx, arena, sizeof arena);
  for (int i = 0; i < 32; ++i)
    x[i] = (float)i;
  buffers[0] = x;
  buffers[1] = y;
  if (status == LEAF_OK)
    status = leaf_model_run(model, &ctx, buffers, dims);
  printf("%s: %s, %d rows, last value %g\n", model->name, leaf_status_string(status), (int)dims[1], (double)y[7]);
  return status == LEAF_OK ? 0 : 1;
}
