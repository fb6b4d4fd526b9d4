/* Draws a bar into a 28x28 picture and prints which digit the network takes it for. */
#include "digits.h"

#include <stdio.h>

LEAF_ALIGNAS(DIGITS_ARENA_ALIGN) static unsigned char arena[DIGITS_ARENA_BYTES];
static float picture[28][28], scores[10];

int main(void) {
  leaf_context context;
  digits_inputs in;
  digits_outputs out;
  int i, best = 0;
  for (i = 5; i < 23; ++i)
    picture[i][13] = picture[i][14] = 1;
  in.image = &picture[0][0];
  out.logits = scores;
  if (digits_init(&context, arena, sizeof arena) != LEAF_OK || digits_run(&context, &in, &out) != LEAF_OK)
    return 1;
  for (i = 1; i < 10; ++i)
    if (scores[i] > scores[best])
      best = i;
  printf("a bar is a %d\n", best);
  return 0;
}
