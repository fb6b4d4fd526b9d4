//===- Functions.cpp - functions, their comments and qualifiers ---------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "Plan/Plan.h"
#include "leafcutter/Support/CText.h"

#include "mlir/Dialect/EmitC/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace leaf {
namespace {

struct FunctionPattern : OpConversionPattern<func::FuncOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(func::FuncOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    TypeConverter::SignatureConversion signature(op.getNumArguments());
    for (auto [i, type] : llvm::enumerate(op.getArgumentTypes())) {
      Type converted = getTypeConverter()->convertType(type);
      if (!converted)
        return op.emitOpError("argument ") << i << " has no type in C: " << type;
      signature.addInputs(i, converted);
    }
    FunctionType type = rewriter.getFunctionType(signature.getConvertedTypes(), op.getResultTypes());
    emitc::FuncOp result = emitc::FuncOp::create(rewriter, op.getLoc(), op.getName(), type);
    // The entry too: it computes sizes, for which helpers may use instructions.
    SmallVector<StringRef, 2> specifiers{"static", "LEAF_TARGET"};
    result.setSpecifiersAttr(rewriter.getStrArrayAttr(ArrayRef(specifiers).drop_front(op.isPublic() ? 1 : 0)));
    result.setAllArgAttrs(op.getAllArgAttrs());
    if (Attribute comment = op->getAttr(flat::kComment))
      result->setAttr(flat::kComment, comment);
    rewriter.inlineRegionBefore(op.getBody(), result.getBody(), result.end());
    if (failed(rewriter.convertRegionTypes(&result.getBody(), *getTypeConverter(), &signature)))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }
};

struct ReturnPattern : OpConversionPattern<func::ReturnOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(func::ReturnOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getNumOperands() > 1)
      return rewriter.notifyMatchFailure(op, "a C function has one result");
    rewriter.replaceOpWithNewOp<emitc::ReturnOp>(op, op.getNumOperands() ? adaptor.getOperands()[0] : Value());
    return success();
  }
};

/// "1x784xf32"
std::string shapeText(Type type) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  MemRefType memref = cast<MemRefType>(type);
  for (int64_t size : memref.getShape())
    (ShapedType::isDynamic(size) ? stream << '?' : stream << size) << 'x';
  stream << memref.getElementType();
  return text;
}

/// Whether the pointer is only read through.
bool isReadOnly(BlockArgument pointer) {
  return llvm::all_of(pointer.getUsers(), [](Operation *user) {
    if (emitc::CallOpaqueOp call = dyn_cast<emitc::CallOpaqueOp>(user))
      return call.getCallee().starts_with("leaf_load_") || call.getCallee().starts_with("leaf_prefetch_");
    return isa<emitc::SubscriptOp>(user) && llvm::all_of(user->getUsers(), llvm::IsaPred<emitc::LoadOp>);
  });
}

/// Nothing that the conversion makes has an effect, but for calls without result, assignments and what they go to.
void eraseUnused(emitc::FuncOp function) {
  function.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (op->getNumResults() == 1 && op->use_empty() && op->getNumRegions() == 0)
      op->erase();
  });
}

/// A variable that is only assigned to makes compilers warn.
void eraseUnreadVariables(emitc::FuncOp function) {
  SmallVector<emitc::VariableOp> unread;
  function.walk([&](emitc::VariableOp variable) {
    if (llvm::all_of(variable->getUsers(), llvm::IsaPred<emitc::AssignOp>))
      unread.push_back(variable);
  });
  for (emitc::VariableOp variable : unread) {
    for (Operation *user : llvm::make_early_inc_range(variable->getUsers()))
      user->erase();
    variable->erase();
  }
}

/// Whether one operation uses the value twice.
bool isUsedTwiceByOne(Value value) {
  llvm::SmallPtrSet<Operation *, 4> users;
  return llvm::any_of(value.getUsers(), [&](Operation *user) { return !users.insert(user).second; });
}

/// form-expressions takes `x * x` for one use of x and would print x's expression twice: 2^n times in a chain of n.
/// Such an x becomes a variable.
void keepRepeatedOperands(emitc::FuncOp function) {
  SmallVector<Operation *> repeated;
  function.walk([&](Operation *op) {
    // What has side effects is never printed inside another expression.
    emitc::CExpressionInterface expression = dyn_cast<emitc::CExpressionInterface>(op);
    if (expression && !expression.hasSideEffects() && !isa<emitc::LiteralOp>(op) && isUsedTwiceByOne(op->getResult(0)))
      repeated.push_back(op);
  });
  OpBuilder b(function.getContext());
  for (Operation *op : repeated)
    emitc::createExpression(op, b).setDoNotInline(true);
}

void qualifyPointers(emitc::FuncOp kernel) {
  SmallVector<Type> types;
  for (BlockArgument argument : kernel.getArguments()) {
    if (isa<emitc::OpaqueType>(argument.getType())) {
      std::string text = typeText(argument.getType());
      if (isReadOnly(argument))
        text = "const " + text;
      if (kernel.getArgAttr(argument.getArgNumber(), flat::kRestrict))
        text += "LEAF_RESTRICT";
      argument.setType(opaqueType(kernel.getContext(), text));
    }
    types.push_back(argument.getType());
  }
  kernel.setFunctionType(FunctionType::get(kernel.getContext(), types, kernel.getResultTypes()));
  kernel.setAllArgAttrs(ArrayRef<DictionaryAttr>());
}

} // namespace

void describeKernels(ModuleOp module) {
  SymbolTable symbols(module);
  module.walk([&](plan::LaunchOp launch) {
    func::FuncOp kernel = symbols.lookup<func::FuncOp>(launch.getCallee());
    if (!kernel || kernel->hasAttr(flat::kComment))
      return;
    std::string text = kernel.getName().str() + ":";
    if (ArrayAttr nodes = kernel->getAttrOfType<ArrayAttr>(flat::kNodes))
      for (auto [i, node] : llvm::enumerate(nodes.getAsRange<StringAttr>()))
        text += (i ? ", " : " ") + escapeComment(node.getValue());
    text += "\n *   ";
    for (auto [i, buffer] : llvm::enumerate(launch.getBuffers()))
      text += (i ? ", v" : "v") + std::to_string(i + 1) + " " + shapeText(buffer.getType());
    kernel->setAttr(flat::kComment, StringAttr::get(kernel.getContext(), text));
  });
}

void finishFunction(emitc::FuncOp function) {
  eraseUnused(function);
  eraseUnreadVariables(function);
  eraseUnused(function);
  keepRepeatedOperands(function);
  OpBuilder b(function);
  if (StringAttr comment = dyn_cast_or_null<StringAttr>(function->removeAttr(flat::kComment)))
    emitc::VerbatimOp::create(b, function.getLoc(), "\n/* " + comment.getValue().str() + " */");
  if (!function.getSpecifiersAttr())
    return;
  qualifyPointers(function);
  b.setInsertionPointToStart(&function.front());
  for (BlockArgument argument : function.getArguments())
    if (argument.use_empty())
      emitc::VerbatimOp::create(b, function.getLoc(), b.getStringAttr("(void){};"), argument);
}

void populateFunctionPatterns(const CTypeConverter &types, RewritePatternSet &patterns) {
  patterns.add<FunctionPattern, ReturnPattern>(types, patterns.getContext());
}

} // namespace leaf
