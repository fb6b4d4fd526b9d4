//===- MachineDialect.cpp - dialect and verifiers of machine ops -------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Machine/Machine.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "Machine/MachineDialect.cpp.inc"

using namespace mlir;
using namespace leaf::machine;

void MachineDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "Machine/MachineOps.cpp.inc"
      >();
}

LogicalResult DotOp::verify() {
  auto lhs = dyn_cast<VectorType>(getLhs().getType()), rhs = dyn_cast<VectorType>(getRhs().getType());
  auto acc = dyn_cast<VectorType>(getAcc().getType());
  if (!lhs || !rhs)
    return lhs || rhs || acc ? emitOpError("needs two vectors, or words only") : success();
  if (!acc)
    return success();
  if (lhs.getNumElements() != rhs.getNumElements() || lhs.getNumElements() % acc.getNumElements() != 0)
    return emitOpError("needs operands of equal length, a multiple of that of the sums");
  return success();
}

// A cast of a buffer to a type without its size changes nothing.

OpFoldResult LoadWordOp::fold(FoldAdaptor) {
  return succeeded(memref::foldMemRefCast(*this)) ? OpFoldResult(getResult()) : OpFoldResult();
}

LogicalResult TileConfigOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &) { return memref::foldMemRefCast(*this); }

LogicalResult TileLoadOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &) { return memref::foldMemRefCast(*this); }

LogicalResult TileStoreOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &) { return memref::foldMemRefCast(*this); }

LogicalResult TileConfigOp::verify() {
  if (getRows().size() != getRowBytes().size() || getRows().size() > 8)
    return emitOpError("needs rows and row_bytes of at most 8 registers");
  for (auto [rows, bytes] : llvm::zip(getRows(), getRowBytes()))
    if (rows < 0 || rows > 16 || bytes < 0 || bytes > 64)
      return emitOpError("a register has at most 16 rows of 64 bytes");
  return success();
}

SmallVector<int8_t> TileConfigOp::getConfiguration() {
  SmallVector<int8_t> bytes(64, 0);
  bytes[0] = 1;
  for (auto [i, rows, rowBytes] : llvm::enumerate(getRows(), getRowBytes())) {
    bytes[16 + 2 * i] = static_cast<int8_t>(rowBytes);
    bytes[48 + i] = static_cast<int8_t>(rows);
  }
  return bytes;
}

#define GET_OP_CLASSES
#include "Machine/MachineOps.cpp.inc"
