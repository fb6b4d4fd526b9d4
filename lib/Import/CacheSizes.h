//===- CacheSizes.h - caches that keep their size ----------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_IMPORT_CACHESIZES_H
#define LEAF_LIB_IMPORT_CACHESIZES_H

#include "SourceModel.h"

namespace leaf::importer {

/// Attribute of a node whose present is as large as its past.
inline constexpr char kKeepsCacheSize[] = "leaf_keeps_cache_size";

/// Marks each GroupQueryAttention whose present_key the model declares to be as long as its past_key, by number or by
/// the dimension's name: it writes into a cache of full capacity. Others grow. Both are inputs and outputs of the
/// model; to be called before their dimensions change.
void markCacheSizes(SourceModel &model);

} // namespace leaf::importer

#endif // LEAF_LIB_IMPORT_CACHESIZES_H
