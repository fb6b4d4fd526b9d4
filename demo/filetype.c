/* Tells what kind of file its arguments are, with Google's magika compiled by leafc: no runtime, no heap. */
#include "labels.h" /* MAGIKA_LABELS: the names of the classes, made from the model's configuration */
#include "magika.h"

#include <stdio.h>

/* The network sees 1024 bytes of the start and 1024 of the end, white space stripped, padded with 256. */
enum { BLOCK = 4096, PART = 1024, PADDING = 256 };

LEAF_ALIGNAS(MAGIKA_ARENA_ALIGN) static unsigned char arena[MAGIKA_ARENA_BYTES];
static int32_t features[2 * PART];
static float scores[sizeof MAGIKA_LABELS / sizeof MAGIKA_LABELS[0]];

static int is_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static int read_features(const char *path) {
  static unsigned char block[BLOCK];
  FILE *file = fopen(path, "rb");
  long size, begin, end, i;
  if (file == NULL || fseek(file, 0, SEEK_END) != 0)
    return 0;
  size = ftell(file);
  for (i = 0; i < 2 * PART; ++i)
    features[i] = PADDING;
  end = size < BLOCK ? size : BLOCK;
  rewind(file);
  if (fread(block, 1, (size_t)end, file) != (size_t)end)
    return 0;
  for (begin = 0; begin < end && is_space(block[begin]); ++begin) {
  }
  for (i = 0; i < PART && begin + i < end; ++i)
    features[i] = block[begin + i];
  if (fseek(file, size - end, SEEK_SET) != 0 || fread(block, 1, (size_t)end, file) != (size_t)end)
    return 0;
  fclose(file);
  while (end > 0 && is_space(block[end - 1]))
    --end;
  for (i = 0; i < PART && i < end; ++i)
    features[2 * PART - 1 - i] = block[end - 1 - i];
  return 1;
}

int main(int argc, char **argv) {
  leaf_context context;
  magika_inputs in;
  magika_outputs out;
  size_t i, best;
  int file;
  in.bytes = features;
  out.target_label = scores;
  if (magika_init(&context, arena, sizeof arena) != LEAF_OK)
    return 1;
  for (file = 1; file < argc; ++file) {
    if (!read_features(argv[file])) {
      fprintf(stderr, "cannot read %s\n", argv[file]);
      return 1;
    }
    if (magika_run(&context, &in, &out) != LEAF_OK)
      return 1;
    for (best = 0, i = 1; i < sizeof scores / sizeof scores[0]; ++i)
      if (scores[i] > scores[best])
        best = i;
    printf("%s: %s (%.1f %%)\n", argv[file], MAGIKA_LABELS[best], 100.0 * scores[best]);
  }
  return 0;
}
