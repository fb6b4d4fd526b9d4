/* Runs two models through their descriptors and compares them. */
#include "leaf/model.h"

#include "mlp.h"
#include "second.h"

#include <stdio.h>
#include <string.h>

LEAF_ALIGNAS(64) static unsigned char arenas[2][MLP_ARENA_BYTES];
static float x[24], y[2][12];

static int run(const leaf_model *model, unsigned char *arena, float *out) {
  leaf_context ctx;
  void *buffers[2];
  int64_t dims[2] = {3, 0};
  buffers[0] = x;
  buffers[1] = out;
  ctx.weights = NULL;
  if (model->entry == NULL || model->inputs[0].dims[0] != 0 || model->dim_bounds[0] != 4)
    return 0;
  /* What leaf_model_init does. */
  ctx.arena = arena;
  ctx.arena_bytes = MLP_ARENA_BYTES;
  ctx.weights = model->weights;
  ctx.parallel_for = NULL;
  ctx.parallel_user = NULL;
  ctx.max_workers = 1;
  ctx.isa_level = 0;
  ctx.device = NULL;
  return model->entry(&ctx, buffers, dims) == LEAF_OK && dims[1] == 3;
}

int main(void) {
  const leaf_model *a = mlp_model(), *b = second_model();
  double worst = 0;
  for (int i = 0; i < 24; ++i)
    x[i] = (float)(i % 7) - 3;
  if (!run(a, arenas[0], y[0]) || !run(b, arenas[1], y[1]))
    return 1;
  for (int i = 0; i < 12; ++i) {
    double d = (double)y[0][i] - (double)y[1][i];
    worst = d > worst ? d : -d > worst ? -d : worst;
  }
  printf("%s and %s: %d inputs, %d outputs, %s results\n", a->name, b->name, (int)a->num_inputs, (int)b->num_outputs,
         worst < 1e-5 ? "same" : "different");
  return 0;
}
