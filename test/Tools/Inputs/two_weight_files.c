/* Two models, each with a weight file of its own, through their descriptors. */
#include "leaf/model.h"
#include "leaf/weights.h"

#include "mnist_cnn.h"
#include "mnist_mlp.h"

#include <stdio.h>

LEAF_ALIGNAS(64) static unsigned char arena[1 << 20];
static float picture[28 * 28], scores[10];

/* Runs `model` with the weights at `path`; the first context is not the one that runs. */
static void run(const leaf_model *model, const char *path) {
  leaf_weight_file file;
  leaf_context first, second;
  void *buffers[2];
  leaf_status opened = leaf_weights_map(&file, path, model->weights_id, model->weight_bytes), without, with;
  buffers[0] = picture;
  buffers[1] = scores;
  leaf_model_init(model, &first, arena, sizeof arena);
  leaf_model_init(model, &second, arena, sizeof arena);
  without = leaf_model_run(model, &first, buffers, NULL);
  second.weights = file.weights;
  with = leaf_model_run(model, &second, buffers, NULL);
  printf("%s: opened: %s; without weights: %s; with: %s\n", model->name, leaf_status_string(opened),
         leaf_status_string(without), leaf_status_string(with));
  leaf_weights_close(&file);
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  run(mnist_cnn_model(), argv[1]);
  run(mnist_mlp_model(), argv[2]);
  run(mnist_mlp_model(), argv[1]);
  return 0;
}
