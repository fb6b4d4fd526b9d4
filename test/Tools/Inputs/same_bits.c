/* Runs any model on 1, 2 and 3 workers of a pool, each several times, and compares the outputs bit by bit.
 * -DMODEL=NAME_model, -include leaf/model.h -include NAME.h */
#include "leaf/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BUFFERS = 64, WORKERS = 3 };

/* Small values of both signs, the same each time; integers from 0 to 8. */
static void fill(const leaf_tensor *tensor, void *data) {
  for (int64_t i = 0; i < tensor->capacity; ++i) {
    int value = (int)(i * 7 % 17);
    if (tensor->dtype == LEAF_FLOAT32)
      ((float *)data)[i] = (float)(value - 8) / 8;
    else if (tensor->dtype == LEAF_INT64)
      ((int64_t *)data)[i] = value / 2;
  }
}

static void *allocate(size_t bytes, size_t align) {
  void *result = aligned_alloc(align, (bytes + align) / align * align);
  if (result == NULL)
    exit(2);
  memset(result, 0xff, bytes);
  return result;
}

static int32_t launches, most;

static void counting(void *pool, leaf_task task, void *args, int64_t tiles) {
  ++launches;
  most = tiles > most ? (int32_t)tiles : most;
  leaf_pool_parallel_for(pool, task, args, tiles);
}

int main(void) {
  const leaf_model *model = MODEL();
  static leaf_pool_worker workers[WORKERS];
  void *buffers[MAX_BUFFERS], *first[MAX_BUFFERS] = {NULL};
  int64_t dims[MAX_BUFFERS];
  int differences = 0;
  leaf_context ctx;
  leaf_model_init(model, &ctx, allocate(model->arena_bytes, model->arena_align), model->arena_bytes);
  for (int32_t i = 0; i < model->num_inputs; ++i)
    buffers[i] = allocate(leaf_tensor_bytes(&model->inputs[i]), 64);
  for (int32_t i = 0; i < model->num_outputs; ++i)
    buffers[model->num_inputs + i] = allocate(leaf_tensor_bytes(&model->outputs[i]), 64);
  for (int32_t run = 0; run < 12; ++run) {
    leaf_pool pool;
    if (leaf_pool_init(&pool, workers, 1 + run % model->max_workers) != LEAF_OK)
      return 3;
    ctx.parallel_for = counting;
    ctx.parallel_user = &pool;
    ctx.max_workers = pool.num_workers;
    for (int32_t i = 0; i < model->num_inputs; ++i)
      fill(&model->inputs[i], buffers[i]);
    for (int32_t i = 0; i < model->num_dims; ++i)
      dims[i] = model->dim_bounds[i];
    if (leaf_model_run(model, &ctx, buffers, dims) != LEAF_OK)
      return 4;
    for (int32_t i = 0; i < model->num_outputs; ++i) {
      size_t bytes = leaf_tensor_bytes(&model->outputs[i]);
      void *data = buffers[model->num_inputs + i];
      if (run == 0)
        memcpy(first[i] = allocate(bytes, 64), data, bytes);
      differences += memcmp(first[i], data, bytes) != 0;
    }
    leaf_pool_destroy(&pool);
  }
  printf("%s: %d workers, %s, %d outputs differ\n", model->name, (int)model->max_workers,
         launches > 12 && most > 1 ? "several kernels in parallel" : "nothing in parallel", differences);
  return 0;
}
