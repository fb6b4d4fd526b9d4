/*===- weights.c - reads and checks weight files ------------------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 * A weight file is a FlatBuffer (schema/weights.fbs) and, behind it, the weights.
 * Nothing of the file is trusted: each read is checked against the bytes that are
 * there, and sums are formed so that they can't wrap around.
 *===----------------------------------------------------------------------===*/

#if (defined(__unix__) || defined(__APPLE__)) && !defined(LEAF_NO_MMAP)
#define LEAF_HAS_MMAP 1
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#endif

#include "leaf/weights.h"

#include <string.h>

#ifdef LEAF_HAS_MMAP
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

/*===----------------------------------------------------------------------===*
 * Little-endian numbers at any address
 *===----------------------------------------------------------------------===*/

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static uint32_t load16(const unsigned char *p) {
  uint16_t value;
  memcpy(&value, p, sizeof value);
  return value;
}
static uint32_t load32(const unsigned char *p) {
  uint32_t value;
  memcpy(&value, p, sizeof value);
  return value;
}
static uint64_t load64(const unsigned char *p) {
  uint64_t value;
  memcpy(&value, p, sizeof value);
  return value;
}
#else
static uint32_t load16(const unsigned char *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t load32(const unsigned char *p) { return load16(p) | load16(p + 2) << 16; }
static uint64_t load64(const unsigned char *p) { return load32(p) | (uint64_t)load32(p + 4) << 32; }
#endif

/*===----------------------------------------------------------------------===*
 * XXH64
 *===----------------------------------------------------------------------===*/

static const uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu, prime3 = 0x165667B19E3779F9u,
                      prime4 = 0x85EBCA77C2B2AE63u, prime5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }
static uint64_t mix(uint64_t lane, uint64_t word) { return rotate(lane + word * prime2, 31) * prime1; }
static uint64_t merge(uint64_t hash, uint64_t lane) { return (hash ^ mix(0, lane)) * prime1 + prime4; }

uint64_t leaf_weights_checksum(const void *data, size_t bytes) {
  const unsigned char *p = (const unsigned char *)data;
  size_t left = bytes;
  uint64_t hash = prime5;
  if (left >= 32) {
    uint64_t a = prime1 + prime2, b = prime2, c = 0, d = 0 - prime1;
    for (; left >= 32; p += 32, left -= 32) {
      a = mix(a, load64(p));
      b = mix(b, load64(p + 8));
      c = mix(c, load64(p + 16));
      d = mix(d, load64(p + 24));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  hash += bytes;
  for (; left >= 8; p += 8, left -= 8)
    hash = rotate(hash ^ mix(0, load64(p)), 27) * prime1 + prime4;
  for (; left >= 4; p += 4, left -= 4)
    hash = rotate(hash ^ load32(p) * prime1, 23) * prime2 + prime3;
  for (; left > 0; ++p, --left)
    hash = rotate(hash ^ *p * prime5, 11) * prime1;
  hash = (hash ^ hash >> 33) * prime2;
  hash = (hash ^ hash >> 29) * prime3;
  return hash ^ hash >> 32;
}

/*===----------------------------------------------------------------------===*
 * The index: a FlatBuffer
 *===----------------------------------------------------------------------===*/

/* Fields of the table Index, in the order of schema/weights.fbs. */
enum { FIELD_VERSION, FIELD_ID, FIELD_FILE_BYTES, FIELD_DATA_OFFSET, FIELD_DATA_BYTES, FIELD_CHECKSUM, FIELD_BLOBS };

enum { FORMAT_VERSION = 1, BLOB_BYTES = 16 };

/* A table within the bytes [0, end) of a file. */
typedef struct table {
  const unsigned char *file;
  uint64_t end;
  uint64_t at, bytes;         /* the table */
  uint64_t fields, num_bytes; /* its vtable */
} table;

/* Whether `bytes` bytes at `offset` lie before `end`. */
static int fits(uint64_t offset, uint64_t bytes, uint64_t end) { return offset <= end && bytes <= end - offset; }

/* The root table. Its vtable may stand before or behind it, by a signed distance. */
static int open_root(table *t, const unsigned char *file, uint64_t end) {
  uint32_t distance;
  t->file = file;
  t->end = end;
  t->at = load32(file);
  if (!fits(t->at, 4, end))
    return 0;
  distance = load32(file + t->at);
  if (distance < 0x80000000u) {
    if (distance > t->at)
      return 0;
    t->fields = t->at - distance;
  } else {
    t->fields = t->at + (0x100000000u - (uint64_t)distance);
  }
  if (!fits(t->fields, 4, end))
    return 0;
  t->num_bytes = load16(file + t->fields);
  t->bytes = load16(file + t->fields + 2);
  return t->num_bytes >= 4 && fits(t->fields, t->num_bytes, end) && fits(t->at, t->bytes, end);
}

/* Position of a field of `bytes` bytes: 0 where the file leaves it out. Clears `good` where it lies outside. */
static uint64_t find_field(const table *t, unsigned field, uint64_t bytes, int *good) {
  uint64_t entry = 4 + 2 * (uint64_t)field, offset;
  if (!fits(entry, 2, t->num_bytes))
    return 0;
  offset = load16(t->file + t->fields + entry);
  if (offset == 0)
    return 0;
  if (!fits(offset, bytes, t->bytes)) {
    *good = 0;
    return 0;
  }
  return t->at + offset;
}

static uint64_t get_number(const table *t, unsigned field, int *good) {
  uint64_t at = find_field(t, field, 8, good);
  return at == 0 ? 0 : load64(t->file + at);
}

/* Whether the blobs lie one behind the other within the weights, aligned. */
static int check_blobs(const table *t, uint64_t begin, uint64_t bytes) {
  int good = 1;
  uint64_t at = find_field(t, FIELD_BLOBS, 4, &good), start, count, next = begin, i;
  if (!good || at == 0)
    return good;
  start = at + load32(t->file + at);
  if (!fits(start, 4, t->end))
    return 0;
  count = load32(t->file + start);
  start += 4;
  if (!fits(start, count * BLOB_BYTES, t->end))
    return 0;
  for (i = 0; i < count; ++i) {
    const unsigned char *blob = t->file + start + i * BLOB_BYTES;
    uint64_t offset = load64(blob), size = load64(blob + 8);
    if (offset % LEAF_WEIGHTS_ALIGN != 0 || offset < next || !fits(offset, size, begin + bytes))
      return 0;
    next = offset + size;
  }
  return 1;
}

static leaf_status check_file(const unsigned char *file, uint64_t bytes, uint64_t id, uint64_t weight_bytes,
                              uint64_t *data_offset) {
  table index;
  int good = 1;
  uint64_t at, file_bytes, offset, data_bytes, found;
  if (bytes < 8 || memcmp(file + 4, "LFWT", 4) != 0)
    return LEAF_ERROR_WEIGHTS;
  /* Offsets of a FlatBuffer have 32 bits. */
  if (!open_root(&index, file, bytes < 0xffffffffu ? bytes : 0xffffffffu))
    return LEAF_ERROR_WEIGHTS;
  at = find_field(&index, FIELD_VERSION, 4, &good);
  if (!good)
    return LEAF_ERROR_WEIGHTS;
  if (at == 0 || load32(file + at) != FORMAT_VERSION)
    return LEAF_ERROR_VERSION;
  found = get_number(&index, FIELD_ID, &good);
  file_bytes = get_number(&index, FIELD_FILE_BYTES, &good);
  offset = get_number(&index, FIELD_DATA_OFFSET, &good);
  data_bytes = get_number(&index, FIELD_DATA_BYTES, &good);
  if (!good || file_bytes > bytes || offset % LEAF_WEIGHTS_ALIGN != 0 || !fits(offset, data_bytes, file_bytes))
    return LEAF_ERROR_WEIGHTS;
  if (found != id || data_bytes != weight_bytes)
    return LEAF_ERROR_MODEL;
  /* The index ends where the weights begin. */
  if (offset < index.end)
    index.end = offset;
  if (!fits(index.at, index.bytes, index.end) || !fits(index.fields, index.num_bytes, index.end) ||
      !check_blobs(&index, offset, data_bytes))
    return LEAF_ERROR_WEIGHTS;
  found = get_number(&index, FIELD_CHECKSUM, &good);
  if (!good || leaf_weights_checksum(file + offset, (size_t)data_bytes) != found)
    return LEAF_ERROR_WEIGHTS;
  *data_offset = offset;
  return LEAF_OK;
}

/*===----------------------------------------------------------------------===*
 * Opening
 *===----------------------------------------------------------------------===*/

static void clear(leaf_weight_file *opened) {
  opened->weights = NULL;
  opened->weight_bytes = 0;
  opened->mapping = NULL;
  opened->mapping_bytes = 0;
}

leaf_status leaf_weights_open(leaf_weight_file *opened, const void *file, size_t bytes, uint64_t id,
                              uint64_t weight_bytes) {
  uint64_t offset = 0;
  leaf_status status;
  if (opened == NULL)
    return LEAF_ERROR_ARGUMENT;
  clear(opened);
  if (file == NULL || (uintptr_t)file % LEAF_WEIGHTS_ALIGN != 0)
    return LEAF_ERROR_ARGUMENT;
  status = check_file((const unsigned char *)file, bytes, id, weight_bytes, &offset);
  if (status != LEAF_OK)
    return status;
  opened->weights = (const unsigned char *)file + offset;
  opened->weight_bytes = (size_t)weight_bytes;
  return LEAF_OK;
}

#ifdef LEAF_HAS_MMAP

leaf_status leaf_weights_map(leaf_weight_file *opened, const char *path, uint64_t id, uint64_t weight_bytes) {
  struct stat info;
  void *mapping = MAP_FAILED;
  size_t bytes = 0;
  leaf_status status;
  int file;
  if (opened == NULL)
    return LEAF_ERROR_ARGUMENT;
  clear(opened);
  if (path == NULL)
    return LEAF_ERROR_ARGUMENT;
  file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return LEAF_ERROR_FILE;
  if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size <= SIZE_MAX) {
    bytes = (size_t)info.st_size;
    /* An empty file can't be mapped; that it is none of ours is found below. */
    mapping = bytes == 0 ? NULL : mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
  }
  close(file);
  if (mapping == MAP_FAILED)
    return LEAF_ERROR_FILE;
  if (mapping == NULL)
    return LEAF_ERROR_WEIGHTS;
  status = leaf_weights_open(opened, mapping, bytes, id, weight_bytes);
  if (status != LEAF_OK) {
    munmap(mapping, bytes);
    return status;
  }
  opened->mapping = mapping;
  opened->mapping_bytes = bytes;
  return LEAF_OK;
}

#endif

void leaf_weights_close(leaf_weight_file *opened) {
  if (opened == NULL)
    return;
#ifdef LEAF_HAS_MMAP
  if (opened->mapping != NULL)
    munmap(opened->mapping, opened->mapping_bytes);
#endif
  clear(opened);
}
