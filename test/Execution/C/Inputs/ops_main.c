/* Compares ops.mlir's scalar results with C and its vector results with the scalar ones. */
#include "ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 16, FLOATS = 22, INTS = 36 };

static float f[FLOATS * N], vf[FLOATS * N];
static int32_t g[INTS * N], vg[INTS * N];

static int32_t bits(float x) {
  int32_t r;
  memcpy(&r, &x, sizeof r);
  return r;
}

static float from_bits(int32_t x) {
  float r;
  memcpy(&r, &x, sizeof r);
  return r;
}

static float half(uint16_t h) {
  int exponent = h >> 10 & 31, fraction = h & 1023;
  float x = exponent == 31 ? (fraction ? NAN : INFINITY)
            : exponent     ? ldexpf((float)(fraction + 1024), exponent - 25)
                           : ldexpf((float)fraction, -24);
  return h & 0x8000 ? -x : x;
}

static int errors = 0;

static void check_float(int op, int n, float expected) {
  float actual = f[op * N + n];
  if (bits(actual) != bits(expected) && !(actual != actual && expected != expected) && ++errors < 20)
    printf("float operation %d of element %d differs: %.9g, not %.9g\n", op, n, (double)actual, (double)expected);
}

static void check_int(int op, int n, int32_t expected) {
  if (g[op * N + n] != expected && ++errors < 20)
    printf("integer operation %d of element %d differs: %ld, not %ld\n", op, n, (long)g[op * N + n], (long)expected);
}

static float even(float x) {
  float r = floorf(x), d = x - r;
  return copysignf(d < 0.5f || (d == 0.5f && fmodf(r, 2) == 0) ? r : r + (d == d && d != 0), x);
}

static void check(const float *a, const float *b, const int32_t *i, const int32_t *j, const uint16_t *h, int n) {
  float x = a[n], y = b[n];
  int32_t p = i[n], q = j[n];
  uint32_t up = (uint32_t)p, uq = (uint32_t)q;
  int lt = x<y, gt = x> y, eq = x == y, un = x != x || y != y, k = 0;
  const float floats[] = {x + y,
                          x - y,
                          x * y,
                          x / y,
                          -x,
                          fabsf(x),
                          copysignf(x, y),
                          sqrtf(x),
                          floorf(x),
                          ceilf(x),
                          isfinite(x) ? even(x) : x,
                          truncf(x),
                          fmaf(x, y, x),
                          un   ? NAN
                          : gt ? x
                               : y,
                          x != x   ? y
                          : y != y ? x
                          : lt     ? x
                                   : y,
                          gt ? x : y,
                          x != y ? y : x,
                          (float)p,
                          (float)up,
                          half(h[n])};
  const int32_t ints[] = {(int32_t)(up + uq),
                          (int32_t)(up - uq),
                          (int32_t)(up * uq),
                          p / q,
                          p % q,
                          (int32_t)(up / uq),
                          (int32_t)(up % uq),
                          (int32_t)(up << 3),
                          p >> 3,
                          (int32_t)(up >> 3),
                          p & q,
                          p | q,
                          p ^ q,
                          p > q ? p : q,
                          p < q ? p : q,
                          (int32_t)(up > uq ? up : uq),
                          (int32_t)(up < uq ? up : uq),
                          p<q, up>
                              uq,
                          (int8_t)p,
                          (uint8_t)p,
                          bits(x),
                          eq,
                          gt,
                          gt || eq,
                          lt,
                          lt || eq,
                          lt || gt,
                          !un,
                          eq || un,
                          gt || un,
                          gt || eq || un,
                          lt || un,
                          lt || eq || un,
                          !eq,
                          un};
  for (k = 0; k < 20; ++k)
    if (k != 12 || bits(f[k * N + n]) != bits(x * y + x)) /* machines without fma multiply and add */
      check_float(k, n, floats[k]);
  check_float(21, n, from_bits(p));
  for (k = 0; k < INTS; ++k)
    check_int(k, n, ints[k]);
  /* f16: nearest, ties to even; never further away than half a step */
  if (isfinite(x) && fabsf(x) < 65504 &&
      fabs((double)f[20 * N + n] - (double)x) > fmax(fabs((double)x) / 2048, 1.0 / 33554432) && ++errors < 20)
    printf("f16 of element %d differs: %.9g, not %.9g\n", n, (double)f[20 * N + n], (double)x);
}

int main(void) {
  static const float a[N] = {0.5f,  1.5f, -2.5f, 3.25f,     -0.0f, NAN,       1.0f, INFINITY,
                             1e-7f, 7.0f, -7.5f, 65519.99f, 1e-5f, -INFINITY, 2.0f, 0.333333343f};
  static const float b[N] = {0.25f, 1.5f, 2.5f, -3.5f, 0.0f,   1.0f, NAN,  1.0f,
                             3.0f,  0.5f, 7.5f, 2.0f,  1e-30f, 5.0f, 2.0f, -3.0f};
  static const int32_t i[N] = {0,    1,  -1,      2147483647, -2147483647 - 1, 100,    -100, 255,
                               -256, 77, 1000000, -1000000,   12345,           -12345, 3,    16777217};
  static const int32_t j[N] = {1, -1, 2, -3, 7, 100, 3, -255, 256, -2147483647 - 1, 2147483647, 5, -5, 9, 4, 65537};
  static const uint16_t h[N] = {0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400,
                                0x7c00, 0xfc00, 0x7e00, 0x3555, 0x8001, 0x4248, 0x5640, 0xd640};
  leaf_context ctx;
  ops_inputs in;
  ops_outputs out;
  in.a = a;
  in.b = b;
  in.i = i;
  in.j = j;
  in.h = h;
  out.f = f;
  out.g = g;
  out.vf = vf;
  out.vg = vg;
  if (ops_init(&ctx, NULL, 0) != LEAF_OK || ops_run(&ctx, &in, &out) != LEAF_OK)
    return 1;
  for (int n = 0; n < N; ++n)
    check(a, b, i, j, h, n);
  for (int k = 0; k < FLOATS * N; ++k)
    if (bits(f[k]) != bits(vf[k]) && !(f[k] != f[k] && vf[k] != vf[k]) && ++errors < 20)
      printf("vector float operation %d of element %d differs: %.9g, not %.9g\n", k / N, k % N, (double)vf[k],
             (double)f[k]);
  for (int k = 0; k < INTS * N; ++k)
    if (g[k] != vg[k] && ++errors < 20)
      printf("vector integer operation %d of element %d differs: %ld, not %ld\n", k / N, k % N, (long)vg[k],
             (long)g[k]);
  printf("%d float and %d integer operations\n", FLOATS, INTS);
  return errors != 0;
}
