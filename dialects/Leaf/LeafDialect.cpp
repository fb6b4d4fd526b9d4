//===- LeafDialect.cpp - the leaf dialect -----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/Leaf.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "Leaf/LeafDialect.cpp.inc"

using namespace mlir;
using namespace leaf;

void LeafDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "Leaf/LeafOps.cpp.inc"
      >();
}

WeightOp leaf::createWeight(ModuleOp module, Location loc, StringRef hint, RankedTensorType type,
                            ArrayRef<char> bytes) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  SymbolTable symbols(module);
  std::string name;
  for (char c : hint)
    name += llvm::isAlnum(c) || c == '_' ? c : '_';
  if (name.empty() || llvm::isDigit(name.front()))
    name.insert(0, "w_");
  auto blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, /*align=*/64, /*dataIsMutable=*/false);
  auto value = DenseResourceElementsAttr::get(type, name, std::move(blob));
  auto weight = WeightOp::create(builder, loc, builder.getStringAttr(name), value, StringAttr());
  symbols.insert(weight);
  return weight;
}

#define GET_OP_CLASSES
#include "Leaf/LeafOps.cpp.inc"
