/* Calls the model of TargetModels.h on one thread and through parallel_for; returns the number of failed checks. */
#include "leaf/leaf.h"

extern const unsigned char scale_weights[];
int32_t scale_entry(const leaf_context *ctx, void *const *buffers, int64_t *dims);

static float x[48], y[48];
static union {
  unsigned char bytes[512 + 64];
  double align;
} memory;

static void run_tiles(void *user, leaf_task task, void *args, int64_t tiles) {
  int64_t i;
  ++*(int *)user;
  for (i = tiles; i-- > 0;)
    task(args, i, i + 1, (int32_t)i);
}

static int run(leaf_context *ctx, float *in, int64_t n, int64_t *result) {
  void *buffers[2];
  int64_t dims[2];
  int status;
  buffers[0] = in;
  buffers[1] = y;
  dims[0] = n;
  dims[1] = 0;
  status = (int)scale_entry(ctx, buffers, dims);
  *result = dims[1];
  return status;
}

static int check(leaf_context *ctx) {
  int64_t result;
  int i, failed = 0;
  for (i = 0; i < 48; ++i) {
    x[i] = (float)i;
    y[i] = -1.0f;
  }
  failed += run(ctx, x, 16, &result) != LEAF_OK;
  failed += result != 17;
  for (i = 0; i < 48; ++i)
    failed += y[i] != 2.0f * (float)i + 0.5f;
  failed += run(ctx, x, 17, &result) != LEAF_ERROR_BOUND;
  failed += run(ctx, x, -1, &result) != LEAF_ERROR_BOUND;
  failed += run(ctx, x, 5, &result) != LEAF_ERROR_SHAPE;
  failed += run(ctx, NULL, 4, &result) != LEAF_ERROR_ARGUMENT;
  return failed;
}

int main(void) {
  static leaf_context ctx;
  int calls = 0, failed;
  ctx.arena = (void *)(((uintptr_t)memory.bytes + 63) & ~(uintptr_t)63);
  ctx.arena_bytes = 512;
  ctx.weights = scale_weights;
  failed = check(&ctx);
  ctx.parallel_for = run_tiles;
  ctx.parallel_user = &calls;
  ctx.max_workers = 4;
  failed += check(&ctx);
  failed += calls != 2;
  failed += ((uintptr_t)scale_weights & 63) != 0;
  return failed;
}
