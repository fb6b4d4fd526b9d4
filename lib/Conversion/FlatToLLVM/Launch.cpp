//===- Launch.cpp - kernel launches, on one thread or many -------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// A launch with one tile, or marked plan.serial, is a call. Otherwise it calls the kernel's launcher, which either runs
// all tiles or packs the kernel's arguments and hands a task to leaf_context.parallel_for:
//
//   void K.launch(ctx, buffers…, scratch, sizes…, tiles, scratch_bytes);
//   void K.task(void *args, int64_t begin, int64_t end, int32_t worker);   // a leaf_task
//
//===----------------------------------------------------------------------===//

#include "Detail.h"
#include "Leaf/Leaf.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace leaf;

namespace {

/// Makes the launcher and the task of one kernel.
class LauncherBuilder {
public:
  LauncherBuilder(ModuleOp module, func::FuncOp kernel, const LLVMTypeConverter &converter)
      : module(module), kernel(kernel), converter(converter), b(kernel.getContext()), loc(kernel.getLoc()),
        pointer(LLVM::LLVMPointerType::get(kernel.getContext())), index(converter.getIndexType()) {
    // All but the tile range.
    for (Type type : kernel.getArgumentTypes().drop_back(2))
      fields.push_back(converter.convertType(type));
    scratch = llvm::count_if(kernel.getArgumentTypes(), llvm::IsaPred<MemRefType>) - 1;
    fields.push_back(index); // scratch bytes of one worker
  }

  func::FuncOp build() {
    func::FuncOp task = buildTask();
    return buildLauncher(task);
  }

private:
  func::FuncOp createFunction(StringRef suffix, TypeRange types) {
    b.setInsertionPointAfter(kernel);
    std::string name = (kernel.getName() + suffix).str();
    auto function = func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
    function.setPrivate();
    b.setInsertionPointToEnd(function.addEntryBlock());
    return function;
  }

  LLVM::LLVMStructType getArgsType() { return LLVM::LLVMStructType::getLiteral(b.getContext(), fields); }

  Value getField(Value args, unsigned field) {
    return LLVM::GEPOp::create(b, loc, pointer, getArgsType(), args,
                               ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(field)});
  }

  Value resize(Value value, Type type) {
    unsigned from = value.getType().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
    if (from == to)
      return value;
    if (from > to)
      return LLVM::TruncOp::create(b, loc, type, value);
    return LLVM::SExtOp::create(b, loc, type, value);
  }

  void callKernel(SmallVector<Value> operands, Value begin, Value end) {
    operands.append({begin, end});
    LLVM::CallOp::create(b, loc, TypeRange(), kernel.getName(), operands);
  }

  func::FuncOp buildTask() {
    func::FuncOp task = createFunction(".task", {pointer, b.getI64Type(), b.getI64Type(), b.getI32Type()});
    Value args = task.getArgument(0);
    SmallVector<Value> operands;
    for (auto [i, type] : llvm::enumerate(fields))
      operands.push_back(LLVM::LoadOp::create(b, loc, type, getField(args, i)));
    Value bytes = operands.pop_back_val();
    Value offset = LLVM::MulOp::create(b, loc, resize(task.getArgument(3), index), bytes);
    operands[scratch] =
        LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), operands[scratch], ArrayRef<LLVM::GEPArg>{offset});
    callKernel(operands, resize(task.getArgument(1), index), resize(task.getArgument(2), index));
    func::ReturnOp::create(b, loc);
    return task;
  }

  func::FuncOp buildLauncher(func::FuncOp task) {
    SmallVector<Type> types{pointer};
    llvm::append_range(types, ArrayRef(fields).drop_back());
    types.append({index, index});
    func::FuncOp launcher = createFunction(".launch", types);
    Value context = launcher.getArgument(0);
    SmallVector<Value> operands(launcher.getArguments().drop_front().drop_back(2));
    Value tiles = launcher.getArgument(launcher.getNumArguments() - 2);
    Value bytes = launcher.getArguments().back();

    Value run = flat::loadContextField(b, loc, converter, context, flat::ParallelFor);
    Value none = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, run, LLVM::ZeroOp::create(b, loc, pointer));
    Value one = LLVM::ConstantOp::create(b, loc, index, b.getIntegerAttr(index, 1));
    Value few = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::sle, tiles, one);
    Value serial = LLVM::OrOp::create(b, loc, none, few);
    Value args = LLVM::AllocaOp::create(b, loc, pointer, getArgsType(), one);
    Block *first = b.getInsertionBlock();
    Block *direct = b.createBlock(&launcher.getBody(), launcher.end());
    Block *parallel = b.createBlock(&launcher.getBody(), launcher.end());
    b.setInsertionPointToEnd(first);
    LLVM::CondBrOp::create(b, loc, serial, direct, parallel);

    b.setInsertionPointToEnd(direct);
    callKernel(operands, LLVM::ZeroOp::create(b, loc, index), tiles);
    func::ReturnOp::create(b, loc);

    b.setInsertionPointToEnd(parallel);
    operands.push_back(bytes);
    for (auto [i, operand] : llvm::enumerate(operands))
      LLVM::StoreOp::create(b, loc, operand, getField(args, i));
    Value user = flat::loadContextField(b, loc, converter, context, flat::ParallelUser);
    Value taskAddress = LLVM::AddressOfOp::create(b, loc, pointer, task.getName());
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                            {pointer, pointer, pointer, b.getI64Type()});
    LLVM::CallOp::create(b, loc, type, ValueRange{run, user, taskAddress, args, resize(tiles, b.getI64Type())});
    func::ReturnOp::create(b, loc);
    return launcher;
  }

  ModuleOp module;
  func::FuncOp kernel;
  const LLVMTypeConverter &converter;
  OpBuilder b;
  Location loc;
  Type pointer, index;
  SmallVector<Type> fields;
  unsigned scratch = 0;
};

} // namespace

/// Makes, once, what a profiled launch calls before and after it:
///   void leaf.profile(int32_t launch, int32_t end);    // *NAME_profile_hook with the same arguments, where it is set
static func::FuncOp buildProfileHook(ModuleOp module) {
  MLIRContext *context = module.getContext();
  Location loc = module.getLoc();
  OpBuilder b(context);
  b.setInsertionPointToStart(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(context), i32 = b.getI32Type();
  std::string name = (module->getAttrOfType<StringAttr>(attrs::kModel).getValue() + "_profile_hook").str();
  auto global =
      LLVM::GlobalOp::create(b, loc, pointer, /*isConstant=*/false, LLVM::Linkage::External, name, Attribute());
  b.createBlock(&global.getInitializerRegion());
  LLVM::ReturnOp::create(b, loc, LLVM::ZeroOp::create(b, loc, pointer));
  b.setInsertionPointAfter(global);
  auto function = func::FuncOp::create(b, loc, "leaf.profile", b.getFunctionType({i32, i32}, {}));
  function.setPrivate();
  Block *entry = function.addEntryBlock();
  Block *call = b.createBlock(&function.getBody(), function.end());
  Block *done = b.createBlock(&function.getBody(), function.end());
  b.setInsertionPointToEnd(entry);
  Value hook = LLVM::LoadOp::create(b, loc, pointer, LLVM::AddressOfOp::create(b, loc, pointer, name));
  Value none = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, hook, LLVM::ZeroOp::create(b, loc, pointer));
  LLVM::CondBrOp::create(b, loc, none, done, call);
  b.setInsertionPointToEnd(call);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), {i32, i32});
  LLVM::CallOp::create(b, loc, type, ValueRange{hook, entry->getArgument(0), entry->getArgument(1)});
  LLVM::BrOp::create(b, loc, done);
  b.setInsertionPointToEnd(done);
  func::ReturnOp::create(b, loc);
  return function;
}

/// Calls the hook before and after `call`, a launch with the number `leaf.profile`.
static void profileLaunch(func::FuncOp &hook, LLVM::CallOp call, IntegerAttr number) {
  if (!hook)
    hook = buildProfileHook(call->getParentOfType<ModuleOp>());
  OpBuilder b(call);
  Location loc = call.getLoc();
  Value launch = LLVM::ConstantOp::create(b, loc, b.getI32Type(), number);
  for (int end : {0, 1}) {
    Value flag = LLVM::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(end));
    LLVM::CallOp::create(b, loc, TypeRange(), hook.getName(), ValueRange{launch, flag});
    b.setInsertionPointAfter(call);
  }
}

/// The kernel's signature must be (buffers…, scratch, sizes…, begin, end) for this launch.
static LogicalResult checkSignature(plan::LaunchOp launch, func::FuncOp kernel) {
  ArrayRef<Type> types = kernel.getArgumentTypes();
  size_t buffers = launch.getBuffers().size();
  if (types.size() != buffers + 1 + launch.getSizes().size() + 2 || kernel.getNumResults() != 0)
    return launch.emitOpError("does not fit the signature of @") << kernel.getName();
  for (auto [i, type] : llvm::enumerate(types))
    if (i <= buffers ? !isa<MemRefType>(type) : !type.isIndex())
      return launch.emitOpError("argument ") << i << " of @" << kernel.getName() << " has an unexpected type " << type;
  return success();
}

FailureOr<flat::LaunchCounts> flat::lowerLaunches(ModuleOp module, func::FuncOp entry,
                                                  const LLVMTypeConverter &converter) {
  SymbolTable symbols(module);
  llvm::StringMap<func::FuncOp> launchers;
  func::FuncOp hook;
  LaunchCounts counts;
  SmallVector<plan::LaunchOp> launches;
  entry.walk([&](plan::LaunchOp launch) { launches.push_back(launch); });
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  Value context = entry.getArgument(0);
  for (plan::LaunchOp launch : launches) {
    auto kernel = symbols.lookup<func::FuncOp>(launch.getCallee());
    if (!kernel)
      return launch.emitOpError("unknown kernel @") << launch.getCallee();
    if (failed(checkSignature(launch, kernel)))
      return failure();
    OpBuilder b(launch);
    Location loc = launch.getLoc();
    SmallVector<Value> operands;
    for (Value buffer : launch.getBuffers())
      operands.push_back(castToLLVM(b, converter, buffer));
    Value scratch = launch.getScratch();
    operands.push_back(scratch ? castToLLVM(b, converter, scratch) : LLVM::ZeroOp::create(b, loc, pointer).getResult());
    for (Value size : launch.getSizes())
      operands.push_back(castToLLVM(b, converter, size));
    Value tiles = castToLLVM(b, converter, launch.getTiles());

    StringRef callee = kernel.getName();
    if (launch->hasAttr("plan.serial") || matchPattern(launch.getTiles(), m_One())) {
      operands.append({LLVM::ZeroOp::create(b, loc, converter.getIndexType()), tiles});
    } else {
      func::FuncOp &launcher = launchers[callee];
      if (!launcher) {
        launcher = LauncherBuilder(module, kernel, converter).build();
        ++counts.launchers;
      }
      callee = launcher.getName();
      operands.insert(operands.begin(), context);
      Type index = converter.getIndexType();
      operands.append(
          {tiles, LLVM::ConstantOp::create(b, loc, index, b.getIntegerAttr(index, launch.getScratchBytes()))});
    }
    auto call = LLVM::CallOp::create(b, loc, TypeRange(), callee, operands);
    if (auto number = launch->getAttrOfType<IntegerAttr>("leaf.profile"))
      profileLaunch(hook, call, number);
    launch.erase();
    ++counts.launches;
  }
  return counts;
}
