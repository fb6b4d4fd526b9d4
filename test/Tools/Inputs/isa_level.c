/* Prints what init and run say, and the ISA level. -DMODEL=NAME_model, with leaf/model.h and NAME.h included. */
#include <stdio.h>

LEAF_ALIGNAS(64) static unsigned char arena[1 << 20];
LEAF_ALIGNAS(64) static unsigned char buffers[8][1 << 14];

int main(void) {
  const leaf_model *model = MODEL();
  void *pointers[8];
  leaf_context context;
  leaf_status status = leaf_model_init(model, &context, arena, sizeof arena);
  int i;
  printf("init: %d", (int)status);
  if (status == LEAF_OK) {
    for (i = 0; i < 8; ++i)
      pointers[i] = buffers[i];
    printf(", level %d of %d", (int)context.isa_level, (int)model->num_isa_levels);
    printf(", run: %d", (int)leaf_model_run(model, &context, pointers, NULL));
    context.isa_level = model->num_isa_levels;
    printf(", no such level: %d", (int)leaf_model_run(model, &context, pointers, NULL));
  }
  printf("\n");
  return 0;
}
