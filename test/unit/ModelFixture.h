//===- ModelFixture.h - a context and a parsed module ------------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAFCUTTER_TEST_UNIT_MODELFIXTURE_H
#define LEAFCUTTER_TEST_UNIT_MODELFIXTURE_H

#include "Leaf/Leaf.h"
#include "Plan/Plan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

namespace leaf::test {

/// A context with the dialects of codegen's output.
class ModelFixture : public testing::Test {
protected:
  ModelFixture() {
    context.loadDialect<LeafDialect, plan::PlanDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect,
                        mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                        mlir::vector::VectorDialect>();
  }

  bool parseModel(const char *text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    return bool(module);
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace leaf::test

#endif // LEAFCUTTER_TEST_UNIT_MODELFIXTURE_H
