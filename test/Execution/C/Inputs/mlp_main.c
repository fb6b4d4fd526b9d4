/* Runs mlp.mlir for each batch size, serially and by a parallel_for, and compares with plain loops. */
#include "mlp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

LEAF_ALIGNAS(MLP_ARENA_ALIGN) static unsigned char arena[MLP_ARENA_BYTES];
static float x[24], logits[12], expected[12];

static void reference(int batch) {
  const float *w = (const float *)(const void *)mlp_weights;
  for (int n = 0; n < batch; ++n) {
    float hidden[16];
    for (int j = 0; j < 16; ++j) {
      float sum = w[96 + j];
      for (int k = 0; k < 6; ++k)
        sum += x[n * 6 + k] * w[j / 8 * 48 + k * 8 + j % 8];
      hidden[j] = sum > 0 ? sum : 0;
    }
    for (int j = 0; j < 3; ++j) {
      float sum = w[176 + j];
      for (int k = 0; k < 16; ++k)
        sum += hidden[k] * w[112 + k * 3 + j];
      expected[n * 3 + j] = sum;
    }
  }
}

/* Last tile first, one by one. */
static void backwards(void *user, leaf_task task, void *args, int64_t tiles) {
  ++*(int *)user;
  for (int64_t t = tiles - 1; t >= 0; --t)
    task(args, t, t + 1, (int32_t)(t % 2));
}

int main(void) {
  leaf_context ctx;
  mlp_inputs in = {x, 0};
  mlp_outputs out = {logits, 0};
  int calls = 0;
  double worst = 0;
  for (int i = 0; i < 24; ++i)
    x[i] = (float)(i * 7 % 11 - 5) * 0.25f;
  if (mlp_init(&ctx, arena, sizeof arena) != LEAF_OK)
    return 1;
  for (int round = 0; round < 2; ++round) {
    for (int batch = 0; batch <= 4; ++batch) {
      memset(logits, 0xff, sizeof logits);
      in.batch = batch;
      if (mlp_run(&ctx, &in, &out) != LEAF_OK || out.logits_batch != batch)
        return 2;
      reference(batch);
      for (int i = 0; i < batch * 3; ++i)
        worst = fmax(worst, fabs((double)logits[i] - (double)expected[i]));
    }
    ctx.parallel_for = backwards;
    ctx.parallel_user = &calls;
  }
  printf("%s, %d parallel calls\n", worst < 1e-5 ? "agrees" : "differs", calls);
  in.batch = 5;
  printf("above the bound: %d\n", (int)mlp_run(&ctx, &in, &out));
  in.batch = -1;
  printf("below zero: %d\n", (int)mlp_run(&ctx, &in, &out));
  in.batch = 1;
  out.logits = NULL;
  printf("null output: %d\n", (int)mlp_run(&ctx, &in, &out));
  printf("null arena: %d, small arena: %d, unaligned arena: %d\n", (int)mlp_init(&ctx, NULL, 0),
         (int)mlp_init(&ctx, arena, 64), (int)mlp_init(&ctx, arena + 4, sizeof arena));
  return 0;
}
