/* Prints what a compiled model takes and gives, and runs it once on zeros. Nothing here but the two includes and the
   name of the descriptor knows the model. */
#include "leaf/model.h"

#include "digits.h"

#include <stdio.h>
#include <stdlib.h>

static void print_tensor(const char *label, const leaf_tensor *tensor) {
  int32_t i;
  printf("%s %s:", label, tensor->name);
  for (i = 0; i < tensor->rank; ++i)
    printf("%s%s%ld", i ? " x " : " ", tensor->dims[i] < 0 ? "" : "up to ", (long)tensor->shape[i]);
  printf(", %lu bytes\n", (unsigned long)leaf_tensor_bytes(tensor));
}

/* Memory of `bytes` bytes, zero; the program ends where there is none. */
static void *allocate(size_t align, size_t bytes) {
  char *memory = (char *)calloc(1, bytes + align);
  if (memory == NULL)
    exit(1);
  return memory + (align - (uintptr_t)memory % align) % align;
}

int main(void) {
  const leaf_model *model = digits_model();
  int32_t i, next = 0;
  void **buffers = (void **)allocate(sizeof(void *), sizeof(void *) * (size_t)(model->num_inputs + model->num_outputs));
  int64_t *dims = (int64_t *)allocate(8, sizeof(int64_t) * (size_t)(model->num_dims + model->num_sizes + 1));
  leaf_context context;
  leaf_status status;

  printf("%s: %lu bytes of weights, %lu of arena\n", model->name, (unsigned long)model->weight_bytes,
         (unsigned long)model->arena_bytes);
  for (i = 0; i < model->num_dims; ++i)
    dims[i] = model->dim_bounds[i];
  for (i = 0; i < model->num_inputs; ++i) {
    print_tensor("input", &model->inputs[i]);
    buffers[next++] = allocate(8, leaf_tensor_bytes(&model->inputs[i]));
  }
  for (i = 0; i < model->num_outputs; ++i) {
    print_tensor("output", &model->outputs[i]);
    if (model->outputs[i].alias < 0)
      buffers[next++] = allocate(8, leaf_tensor_bytes(&model->outputs[i]));
  }
  status = leaf_model_init(model, &context, allocate(model->arena_align, model->arena_bytes), model->arena_bytes);
  if (status == LEAF_OK)
    status = leaf_model_run(model, &context, buffers, dims);
  printf("run: %s\n", leaf_status_string(status));
  return status == LEAF_OK ? 0 : 1;
}
