//===- Launches.cpp - kernel calls and their launchers -----------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//
//
// A kernel that runs over more than one tile gets
//
//   typedef struct { leaf_f32 *p0; ... int8_t *scratch; ptrdiff_t n0; ... ptrdiff_t scratch_bytes; } K_args;
//   static void K_task(void *args, int64_t begin, int64_t end, int32_t worker);   a leaf_task
//   static void K_launch(const leaf_context *ctx, leaf_f32 *p0, ..., ptrdiff_t tiles, ptrdiff_t scratch_bytes);
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "Plan/Plan.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace leaf {
namespace {

/// Makes the text of one kernel's launcher.
class LauncherText {
public:
  LauncherText(func::FuncOp kernel, const CTypeConverter &types) : name(kernel.getName().str()) {
    for (Type type : kernel.getArgumentTypes().drop_back(2)) {
      bool buffer = isa<MemRefType>(type);
      std::string text = buffer ? typeText(types.convertType(type)) : "ptrdiff_t ";
      fields.push_back(
          {text, buffer ? "p" + std::to_string(buffers++) : "n" + std::to_string(fields.size() - buffers)});
    }
    fields[buffers - 1].name = "scratch";
  }

  std::string build() const {
    std::string parameters, values, arguments;
    std::string text = "typedef struct " + name + "_args {\n";
    for (const Field &field : fields) {
      text += "  " + field.type + field.name + ";\n";
      parameters += field.type + field.name + ", ";
      values += field.name + ", ";
      arguments += "a->" + field.name + (field.name == "scratch" ? " + worker * a->scratch_bytes, " : ", ");
    }
    text += "  ptrdiff_t scratch_bytes;\n} " + name + "_args;\n\n";
    text += "static void " + name + "_task(void *args, int64_t begin, int64_t end, int32_t worker) {\n";
    text += "  const " + name + "_args *a = (const " + name + "_args *)args;\n";
    text += "  " + name + "(" + arguments + "(ptrdiff_t)begin, (ptrdiff_t)end);\n}\n\n";
    text += "static void " + name + "_launch(const leaf_context *ctx, " + parameters;
    text += "ptrdiff_t tiles, ptrdiff_t scratch_bytes) {\n";
    text += "  if (ctx->parallel_for != NULL && tiles > 1) {\n";
    text += "    " + name + "_args args;\n";
    for (const Field &field : fields)
      text += "    args." + field.name + " = " + field.name + ";\n";
    text += "    args.scratch_bytes = scratch_bytes;\n";
    text += "    ctx->parallel_for(ctx->parallel_user, " + name + "_task, &args, tiles);\n";
    text += "  } else {\n    " + name + "(" + values + "0, tiles);\n  }\n}\n";
    return text;
  }

private:
  struct Field {
    std::string type, name;
  };
  std::string name;
  std::vector<Field> fields;
  unsigned buffers = 0;
};

/// The kernel's signature must be (buffers..., scratch, sizes..., begin, end) for this launch.
LogicalResult checkSignature(plan::LaunchOp launch, func::FuncOp kernel) {
  if (!kernel)
    return launch.emitOpError("unknown kernel @") << launch.getCallee();
  ArrayRef<Type> types = kernel.getArgumentTypes();
  size_t buffers = launch.getBuffers().size();
  if (types.size() != buffers + 1 + launch.getSizes().size() + 2 || kernel.getNumResults() != 0)
    return launch.emitOpError("does not fit the signature of @") << kernel.getName();
  for (auto [i, type] : llvm::enumerate(types))
    if (i <= buffers ? !isa<MemRefType>(type) : !type.isIndex())
      return launch.emitOpError("argument ") << i << " of @" << kernel.getName() << " has an unexpected type " << type;
  return success();
}

void lowerLaunch(plan::LaunchOp launch, Value context, bool direct, const CTypeConverter &types) {
  OpBuilder b(launch);
  Location loc = launch.getLoc();
  Type index = emitc::PtrDiffTType::get(b.getContext());
  SmallVector<Value> operands;
  if (!direct)
    operands.push_back(context);
  for (Value buffer : launch.getBuffers())
    operands.push_back(castToC(b, types, buffer));
  operands.push_back(launch.getScratch() ? castToC(b, types, launch.getScratch())
                                         : buildLiteral(b, loc, "NULL", opaqueType(b.getContext(), "int8_t *")));
  for (Value size : launch.getSizes())
    operands.push_back(castToC(b, types, size));
  if (direct)
    operands.push_back(buildLiteral(b, loc, "0", index));
  operands.push_back(castToC(b, types, launch.getTiles()));
  if (!direct)
    operands.push_back(buildLiteral(b, loc, Twine(launch.getScratchBytes()), index));
  std::string callee = launch.getCallee().str() + (direct ? "" : "_launch");
  emitc::CallOpaqueOp::create(b, loc, TypeRange{}, callee, operands);
  launch.erase();
}

} // namespace

LogicalResult buildLaunches(ModuleOp module, const CTypeConverter &types) {
  SymbolTable symbols(module);
  func::FuncOp entry = symbols.lookup<func::FuncOp>(flat::kMain);
  if (!entry)
    return module.emitOpError("has no entry function @main");
  // After the kernels, before the entry.
  entry->moveBefore(module.getBody(), module.getBody()->end());
  OpBuilder b(entry);
  entry.front().insertArgument(0u, opaqueType(b.getContext(), "const leaf_context *"), entry.getLoc());
  SmallVector<plan::LaunchOp> launches;
  entry.walk([&](plan::LaunchOp launch) { launches.push_back(launch); });
  llvm::StringSet<> launchers;
  for (plan::LaunchOp launch : launches) {
    func::FuncOp kernel = symbols.lookup<func::FuncOp>(launch.getCallee());
    if (failed(checkSignature(launch, kernel)))
      return failure();
    bool direct = launch->hasAttr("plan.serial") || matchPattern(launch.getTiles(), m_One());
    if (!direct && launchers.insert(kernel.getName()).second)
      emitc::VerbatimOp::create(b, launch.getLoc(), LauncherText(kernel, types).build());
    lowerLaunch(launch, entry.getArgument(0), direct, types);
  }
  return success();
}

} // namespace leaf
