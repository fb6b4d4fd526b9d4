//===- Size.h - symbolic sizes and strides of a kernel -----------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_LIB_CODEGEN_SIZE_H
#define LEAF_LIB_CODEGEN_SIZE_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace leaf::codegen {

/// A size, stride or coefficient in elements: a constant times a product of symbols. A symbol is the number of an index
/// value of the function being emitted (KernelBuilder keeps the table). Equal products compare equal.
class Size {
public:
  Size(int64_t constant = 0) : factor(constant) {}
  static Size symbol(unsigned id) {
    Size size(1);
    size.ids.push_back(id);
    return size;
  }

  bool isStatic() const { return ids.empty(); }
  bool isZero() const { return factor == 0; }
  bool is(int64_t value) const { return isStatic() && factor == value; }
  int64_t constant() const { return factor; }
  llvm::ArrayRef<unsigned> symbols() const { return ids; }

  Size operator*(const Size &other) const {
    Size product(factor * other.factor);
    if (product.factor == 0)
      return product;
    product.ids.append(ids.begin(), ids.end());
    product.ids.append(other.ids.begin(), other.ids.end());
    llvm::sort(product.ids);
    return product;
  }
  bool operator==(const Size &other) const { return factor == other.factor && ids == other.ids; }
  bool operator!=(const Size &other) const { return !(*this == other); }

private:
  int64_t factor;
  llvm::SmallVector<unsigned, 2> ids;
};

} // namespace leaf::codegen

#endif // LEAF_LIB_CODEGEN_SIZE_H
