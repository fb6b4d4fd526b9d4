/*===- weights.h - weights in a file of their own ---------------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 * For models that were compiled with --weights=file. docs/RuntimeABI.md, "Weight
 * files", says what such a file holds. `leafc compile` writes this header and its
 * source beside the model, as leaf_weights.h and leaf_weights.c.
 *===----------------------------------------------------------------------===*/

#ifndef LEAF_WEIGHTS_H
#define LEAF_WEIGHTS_H

#include "leaf.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Alignment of a weight file in memory, and of the weights in it. */
#define LEAF_WEIGHTS_ALIGN 64

/** A weight file that was checked. Any number of contexts of the model may use it at the same time. */
typedef struct leaf_weight_file {
  const void *weights;  /**< what leaf_context.weights takes; NULL where opening failed */
  size_t weight_bytes;  /**< bytes there */
  void *mapping;        /**< of leaf_weights_map; NULL otherwise */
  size_t mapping_bytes; /**< bytes mapped */
} leaf_weight_file;

/** Checks a weight file in memory: its format and version, that it belongs to the model, that all sizes and offsets
 *  lie within `bytes`, and the checksum over all weights (which reads them once).
 *  @param opened filled in; its `weights` is NULL unless the result is LEAF_OK
 *  @param file the file's content, aligned to LEAF_WEIGHTS_ALIGN; it stays the caller's and must stay as long as a
 *         context uses the weights. May be memory that cannot be written (flash).
 *  @param bytes bytes at `file`; more than the file has is fine
 *  @param id NAME_WEIGHTS_ID of the model
 *  @param weight_bytes NAME_WEIGHTS_BYTES of the model
 *  @return LEAF_OK; LEAF_ERROR_ARGUMENT (a null or misaligned pointer); LEAF_ERROR_WEIGHTS (no weight file, cut short
 *          or damaged); LEAF_ERROR_VERSION (of a format that this code does not know); LEAF_ERROR_MODEL (of another
 *          model) */
leaf_status leaf_weights_open(leaf_weight_file *opened, const void *file, size_t bytes, uint64_t id,
                              uint64_t weight_bytes);

/** Maps the file at `path`, read only, and checks it as leaf_weights_open does. Processes that map one file share its
 *  memory. The file must not become shorter while it is mapped. Not on bare metal: there, take leaf_weights_open.
 *  @return as leaf_weights_open; LEAF_ERROR_FILE where the file cannot be opened or mapped */
leaf_status leaf_weights_map(leaf_weight_file *opened, const char *path, uint64_t id, uint64_t weight_bytes);

/** Ends the use of a file that leaf_weights_open or leaf_weights_map filled in, unmaps it where it was mapped, and
 * clears `opened`. Does nothing for one that was not opened (or NULL). */
void leaf_weights_close(leaf_weight_file *opened);

/** XXH64 with seed 0 of `bytes` bytes: the checksum of weight files. */
uint64_t leaf_weights_checksum(const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* LEAF_WEIGHTS_H */
