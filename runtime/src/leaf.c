/*===- leaf.c - status texts and the generic descriptor ----------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *===----------------------------------------------------------------------===*/

#include "leaf/model.h"

const char *leaf_status_string(int32_t status) {
  switch (status) {
  case LEAF_OK:
    return "success";
  case LEAF_ERROR_ARGUMENT:
    return "a required pointer is null";
  case LEAF_ERROR_ARENA:
    return "the arena is too small or not aligned";
  case LEAF_ERROR_BOUND:
    return "a size is negative or above its bound";
  case LEAF_ERROR_SHAPE:
    return "sizes that must agree do not";
  case LEAF_ERROR_WEIGHTS:
    return "no weight file, or a damaged one";
  case LEAF_ERROR_VERSION:
    return "a weight file of an unknown format version";
  case LEAF_ERROR_MODEL:
    return "a weight file of another model";
  case LEAF_ERROR_FILE:
    return "the file cannot be opened or mapped";
  case LEAF_ERROR_THREADS:
    return "the system gives no more threads";
  case LEAF_ERROR_ISA:
    return "the machine has none of the instruction sets of the model";
  default:
    return "unknown status";
  }
}

size_t leaf_dtype_bytes(leaf_dtype dtype) {
  switch (dtype) {
  case LEAF_UINT8:
  case LEAF_INT8:
  case LEAF_BOOL:
    return 1;
  case LEAF_UINT16:
  case LEAF_INT16:
  case LEAF_FLOAT16:
  case LEAF_BFLOAT16:
    return 2;
  case LEAF_FLOAT32:
  case LEAF_INT32:
  case LEAF_UINT32:
    return 4;
  case LEAF_FLOAT64:
  case LEAF_INT64:
  case LEAF_STRING:
  case LEAF_UINT64:
    return 8;
  }
  return 0;
}

size_t leaf_tensor_bytes(const leaf_tensor *tensor) {
  return (size_t)tensor->capacity * leaf_dtype_bytes(tensor->dtype);
}

leaf_status leaf_model_init(const leaf_model *model, leaf_context *ctx, void *arena, size_t arena_bytes) {
  if (model == NULL || ctx == NULL || (arena == NULL && model->arena_bytes > 0))
    return LEAF_ERROR_ARGUMENT;
  if (arena_bytes < model->arena_bytes || (model->arena_bytes > 0 && (uintptr_t)arena % model->arena_align != 0))
    return LEAF_ERROR_ARENA;
  ctx->arena = arena;
  ctx->arena_bytes = arena_bytes;
  ctx->weights = model->weights;
  ctx->parallel_for = NULL;
  ctx->parallel_user = NULL;
  ctx->max_workers = 1;
  ctx->isa_level = model->isa_level != NULL ? model->isa_level() : 0;
  ctx->device = NULL;
  return ctx->isa_level < 0 ? LEAF_ERROR_ISA : LEAF_OK;
}

leaf_status leaf_model_run(const leaf_model *model, const leaf_context *ctx, void *const *buffers, int64_t *dims) {
  if (model == NULL)
    return LEAF_ERROR_ARGUMENT;
  return (leaf_status)model->entry(ctx, buffers, dims);
}
