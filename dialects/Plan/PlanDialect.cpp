//===- PlanDialect.cpp - the plan dialect -----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionImplementation.h"

#include "Plan/PlanDialect.cpp.inc"

using namespace mlir;
using namespace leaf::plan;

void PlanDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "Plan/PlanOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto build = [](Builder &b, ArrayRef<Type> args, ArrayRef<Type> results, function_interface_impl::VariadicFlag,
                  std::string &) { return b.getFunctionType(args, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                                  getFunctionTypeAttrName(result.name), build,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

unsigned KernelOp::getFirstOut() {
  unsigned shaped = llvm::count_if(getArgumentTypes(), [](Type type) { return isa<ShapedType>(type); });
  return shaped - getNumOuts();
}

LogicalResult KernelOp::verify() {
  // An attribute of another type than the declared one is dropped by the parser, its default included.
  if (!getInPlaceAttr() || !getSharedLoopsAttr())
    return emitOpError("in_place must be an array of i64, and shared_loops an i64");
  bool seenIndex = false;
  unsigned shaped = 0;
  for (Type type : getArgumentTypes()) {
    if (seenIndex && !type.isIndex())
      return emitOpError("sizes must follow all shaped arguments");
    seenIndex |= type.isIndex();
    shaped += isa<ShapedType>(type);
  }
  if (shaped < getNumOuts())
    return emitOpError("has ") << shaped << " shaped arguments for " << getNumOuts() << " destinations";
  if (!getInPlace().empty() && getInPlace().size() != getNumOuts())
    return emitOpError("in_place has ") << getInPlace().size() << " entries for " << getNumOuts() << " destinations";
  return success();
}

//===----------------------------------------------------------------------===//
// RequireOp, LaunchOp
//===----------------------------------------------------------------------===//

LogicalResult RequireOp::canonicalize(RequireOp op, PatternRewriter &rewriter) {
  if (!matchPattern(op.getCondition(), m_One()))
    return failure();
  rewriter.eraseOp(op);
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr()))
    return emitOpError("unknown kernel function ") << getCallee();
  return success();
}

#define GET_OP_CLASSES
#include "Plan/PlanOps.cpp.inc"
