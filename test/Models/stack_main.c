/* Calls MODEL's entry on a stack of its own, painted before, and prints how many bytes of it were written. */
#include MODEL_HEADER

#include <stdio.h>
#include <string.h>

enum { STACK_BYTES = 1 << 16, PAINT = 0xA5 };

LEAF_ALIGNAS(64) static unsigned char arena[MODEL(ARENA_BYTES)], stack[STACK_BYTES];
LEAF_ALIGNAS(64) static unsigned char memory[2][1 << 16];
static leaf_context ctx;
static void *buffers[2] = {memory[0], memory[1]};
static int64_t dims[4];

/* `entry` with its three arguments on the stack that ends at `top`. Returns its result. */
static int32_t call_on(void *top, int32_t (*entry)(const leaf_context *, void *const *, int64_t *)) {
#if defined(__x86_64__)
  register void *a __asm("rdi") = &ctx;
  register void *b __asm("rsi") = buffers;
  register void *c __asm("rdx") = dims;
  register void *function __asm("rax") = (void *)entry;
  register void *old __asm("r12") = top;
  __asm volatile("xchgq %%rsp, %%r12\n\tcallq *%%rax\n\txchgq %%rsp, %%r12\n"
                 : "+r"(a), "+r"(b), "+r"(c), "+r"(function), "+r"(old)::"rcx", "r8", "r9", "r10", "r11", "memory",
                   "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                   "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  return (int32_t)(intptr_t)function;
#elif defined(__aarch64__)
  register void *a __asm("x0") = &ctx;
  register void *b __asm("x1") = buffers;
  register void *c __asm("x2") = dims;
  register void *function __asm("x20") = (void *)entry;
  register void *old __asm("x21") = top;
  __asm volatile("mov x22, sp\n\tmov sp, x21\n\tblr x20\n\tmov sp, x22\n"
                 : "+r"(a), "+r"(b), "+r"(c), "+r"(function), "+r"(old)::"x3", "x4", "x5", "x6", "x7", "x8", "x9",
                   "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x22", "x30", "memory", "cc", "v0", "v1",
                   "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",
                   "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",
                   "v31");
  return (int32_t)(intptr_t)a;
#else
  register void *a __asm("r0") = &ctx;
  register void *b __asm("r1") = buffers;
  register void *c __asm("r2") = dims;
  register void *old __asm("r3") = top;
  register void *function __asm("r5") = (void *)entry;
  __asm volatile("mov r4, sp\n\tmov sp, r3\n\tblx r5\n\tmov sp, r4\n"
                 : "+r"(a), "+r"(b), "+r"(c), "+r"(old)
                 : "r"(function)
                 : "r4", "r12", "lr", "memory", "cc"
#if defined(__ARM_FP)
                   ,
                   "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"
#endif
  );
  return (int32_t)(intptr_t)a;
#endif
}

int main(void) {
  int32_t status = MODEL_INIT(&ctx, arena, sizeof arena);
  size_t unused = 0;
  memset(stack, PAINT, sizeof stack);
  if (status == 0)
    status = call_on(stack + STACK_BYTES, MODEL_ENTRY);
  while (unused < STACK_BYTES && stack[unused] == PAINT)
    ++unused;
  printf("status %d stack %d\n", (int)status, (int)(STACK_BYTES - unused));
  return 0;
}
