/*===- scale.h - a model written by hand ----------------------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 *===----------------------------------------------------------------------===*/

/* scale.h: a model written by hand against the ABI, as leafc would write it: y = 2 x + 1 for n <= 8 rows of 4. */
#ifndef LEAF_MODEL_SCALE_H
#define LEAF_MODEL_SCALE_H

#include "leaf/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SCALE_ARENA_BYTES 128
#define SCALE_ARENA_ALIGN 64
#define SCALE_MAX_WORKERS 4
#define SCALE_WEIGHTS_BYTES 8

int32_t scale_entry(const leaf_context *ctx, void *const *buffers, int64_t *dims);
extern const uint64_t scale_weights[1];

/** Its descriptor. */
const leaf_model *scale_model(void);

#ifdef __cplusplus
}
#endif

#endif /* LEAF_MODEL_SCALE_H */
