/* Runs MODEL's entry RUNS times on zeros, for instructions.py. */
#include MODEL_HEADER

LEAF_ALIGNAS(64) static unsigned char arena[MODEL(ARENA_BYTES)];
LEAF_ALIGNAS(64) static unsigned char memory[2][1 << 15];
static leaf_context ctx;
static void *buffers[2] = {memory[0], memory[1]};
static int64_t dims[8];

int main(void) {
  int32_t status = MODEL_INIT(&ctx, arena, sizeof arena);
  for (int i = 0; i < RUNS && status == 0; ++i)
    status = MODEL_ENTRY(&ctx, buffers, dims);
  return (int)status;
}
