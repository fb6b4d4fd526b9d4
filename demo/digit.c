/* Reads a 28x28 picture (PGM) and says which digit it shows, with a network compiled by leafc: no runtime, no heap. */
#include "mnist_cnn.h"

#include <stdio.h>

LEAF_ALIGNAS(MNIST_CNN_ARENA_ALIGN) static unsigned char arena[MNIST_CNN_ARENA_BYTES];
static float pixels[28 * 28], scores[10];

/* Reads the next number of a text PGM; lines with # are comments. */
static int read_number(FILE *file) {
  int number, c = fgetc(file);
  while (c == '#' || c == ' ' || c == '\n' || c == '\t' || c == '\r') {
    if (c == '#')
      while (c != '\n' && c != EOF)
        c = fgetc(file);
    c = fgetc(file);
  }
  ungetc(c, file);
  return fscanf(file, "%d", &number) == 1 ? number : -1;
}

static int read_picture(const char *path) {
  FILE *file = fopen(path, "r");
  int i, max, good;
  if (file == NULL)
    return 0;
  good = fgetc(file) == 'P' && fgetc(file) == '2' && read_number(file) == 28 && read_number(file) == 28;
  max = good ? read_number(file) : 0;
  for (i = 0; i < 28 * 28 && max > 0; ++i) {
    pixels[i] = (float)read_number(file) / (float)max;
    if (i % 28 == 0)
      putchar('\n');
    putchar(" .:*#@"[pixels[i] <= 0 ? 0 : pixels[i] >= 1 ? 5 : (int)(pixels[i] * 6)]);
  }
  fclose(file);
  return max > 0;
}

int main(int argc, char **argv) {
  leaf_context context;
  mnist_cnn_inputs in;
  mnist_cnn_outputs out;
  int i, best = 0;
  if (argc != 2 || !read_picture(argv[1])) {
    fprintf(stderr, "usage: digit PICTURE.pgm (text PGM, 28x28)\n");
    return 1;
  }
  in.image = pixels;
  out.logits = scores;
  if (mnist_cnn_init(&context, arena, sizeof arena) != LEAF_OK || mnist_cnn_run(&context, &in, &out) != LEAF_OK)
    return 1;
  for (i = 1; i < 10; ++i)
    if (scores[i] > scores[best])
      best = i;
  printf("\n\n%s shows a %d\n", argv[1], best);
  return 0;
}
