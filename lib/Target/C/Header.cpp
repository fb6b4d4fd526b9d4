//===- Header.cpp - NAME.h ------------------------------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Descriptor.h"
#include "Fields.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Target/Emit.h"

#include "llvm/ADT/StringExtras.h"

namespace leaf {
namespace {

/// The guarded types of leaf.h, embedded at build time.
const char kLeafTypes[] =
#include "LeafTypes.inc"
    ;

class HeaderPrinter {
public:
  HeaderPrinter(const ModelInterface &model, llvm::raw_ostream &os)
      : model(model), fields(model), name(model.name), prefix(fields.prefix), os(os) {}

  void print() {
    printStart();
    printInputs();
    printOutputs();
    printDeclarations();
    printInit();
    printRun();
    printDescriptor(model, prefix, os);
    os << "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* LEAF_MODEL_" << prefix << "_H */\n";
  }

private:
  void printStart();
  void printLevels();
  void printInputs();
  void printOutputs();
  void printDeclarations();
  void printInit();
  void printRun();
  void printTensorComment(const TensorInterface &tensor, bool input);

  const ModelInterface &model;
  ModelFields fields;
  const std::string &name, &prefix;
  llvm::raw_ostream &os;
};

void HeaderPrinter::printStart() {
  os << "/* " << name << ".h: how to call the compiled neural network " << name << ". Made by leafc; C99 and C++.\n *\n"
     << " *     LEAF_ALIGNAS(" << prefix << "_ARENA_ALIGN) static unsigned char arena[" << prefix << "_ARENA_BYTES];\n"
     << " *     leaf_context ctx;\n *     " << name << "_init(&ctx, arena, sizeof arena);\n *     "
     << (model.hasWeightFile() ? "ctx.weights = file.weights; (see leaf_weights.h)\n *     " : "") << name
     << "_run(&ctx, &in, &out);\n *\n"
     << " * Nothing is allocated and no global is written: with one context each, threads may run at the same time. "
        "*/\n\n"
     << "#ifndef LEAF_MODEL_" << prefix << "_H\n#define LEAF_MODEL_" << prefix << "_H\n\n"
     << "#include <stddef.h>\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << kLeafTypes << "\n";
  os << "/** Bytes of the arena for intermediate values, and its alignment. */\n";
  os << "#define " << prefix << "_ARENA_BYTES " << model.arenaBytes << "\n";
  os << "#define " << prefix << "_ARENA_ALIGN " << model.arenaAlign << "\n";
  os << "/** Workers that a parallel_for may use at most (--max-threads). */\n#define " << prefix << "_MAX_WORKERS "
     << model.maxWorkers << "\n";
  os << "/** Bytes of the weights, which are constant. */\n#define " << prefix << "_WEIGHTS_BYTES " << model.weightBytes
     << "\n\n";
  if (model.hasWeightFile())
    os << "/** The weights are in " << name << ".weights: what leaf_weights_open and leaf_weights_map take, and the "
       << "file's size. */\n#define " << prefix << "_WEIGHTS_ID 0x"
       << llvm::utohexstr(model.weightsId, /*LowerCase=*/true) << "u\n#define " << prefix << "_WEIGHTS_FILE_BYTES "
       << model.weightFileBytes << "\n\n";
  printLevels();
  for (auto [dim, field] : llvm::zip_equal(model.dims, fields.dims))
    os << "/** Upper bound of dimension '" << escapeComment(dim.first) << "'. */\n#define " << prefix << "_MAX_"
       << field << " " << dim.second << "\n\n";
}

void HeaderPrinter::printLevels() {
  if (model.isaLevels.empty())
    return;
  os << "/** Instruction sets that the code is there for; " << name
     << "_init takes the highest that the machine has. */\n#define " << prefix << "_ISA_LEVELS "
     << model.isaLevels.size() << "\n";
  for (auto [l, level] : llvm::enumerate(model.isaLevels))
    os << "#define " << prefix << "_ISA_LEVEL_" << l << " \"" << escapeString(level) << "\"\n";
  os << "\n";
}

void HeaderPrinter::printTensorComment(const TensorInterface &tensor, bool input) {
  os << "  /** '" << escapeComment(tensor.name) << "': " << shapeText(tensor);
  if (tensor.strides.empty()) {
    os << ", dense row-major, room for " << tensor.capacity << " elements.";
  } else {
    os << ", element (i, j, ...) at i * " << tensor.strides[0];
    for (size_t i = 1; i < tensor.strides.size(); ++i)
      os << " + " << static_cast<char>('i' + i % 16) << " * " << tensor.strides[i];
    os << ", room for " << tensor.capacity << " elements.";
  }
  if (input && tensor.alias >= 0)
    os << " Is updated in place: holds output '" << escapeComment(model.outputs[tensor.alias].name) << "' afterwards.";
  os << " */\n";
}

void HeaderPrinter::printInputs() {
  os << "typedef struct " << name << "_inputs {\n";
  for (auto [tensor, field] : llvm::zip_equal(model.inputs, fields.inputs)) {
    printTensorComment(tensor, /*input=*/true);
    os << "  " << (tensor.alias < 0 ? "const " : "") << elementCType(tensor) << " *" << field << ";\n";
  }
  for (auto [dim, field] : llvm::zip_equal(model.dims, fields.dims))
    os << "  /** Size of dimension '" << escapeComment(dim.first) << "': 0 to " << dim.second << ". */\n  int64_t "
       << field << ";\n";
  if (model.inputs.empty() && model.dims.empty())
    os << "  int32_t unused; /**< the model has no inputs */\n";
  os << "} " << name << "_inputs;\n\n";
}

void HeaderPrinter::printOutputs() {
  bool empty = model.numDimResults == 0;
  os << "typedef struct " << name << "_outputs {\n";
  for (auto [tensor, field] : llvm::zip_equal(model.outputs, fields.outputs)) {
    if (tensor.alias >= 0)
      continue;
    printTensorComment(tensor, /*input=*/false);
    os << "  " << elementCType(tensor) << " *" << field << ";\n";
    empty = false;
  }
  for (const auto &[tensor, field] : llvm::zip_equal(model.outputs, fields.outputs))
    for (auto [axis, result] : llvm::enumerate(tensor.dimResults))
      if (result >= 0)
        os << "  /** Set by " << name << "_run: size of dimension " << axis << " of '" << escapeComment(tensor.name)
           << "'. */\n  int64_t " << fields.sizes[result] << ";\n";
  if (empty)
    os << "  int32_t unused; /**< all outputs are updated inputs */\n";
  os << "} " << name << "_outputs;\n\n";
}

void HeaderPrinter::printDeclarations() {
  os << "/** The compiled code; " << name << "_run calls it. `buffers`: ";
  os << model.inputs.size()
     << " inputs in the order of the struct, then the outputs that have a field. `dims`: " << model.dims.size()
     << " sizes in, then " << model.numDimResults << " sizes out. Returns a leaf_status. */\n";
  os << "int32_t " << name << "_entry(const leaf_context *ctx, void *const *buffers, int64_t *dims);\n\n";
  if (!model.isaLevels.empty())
    os << "/** The highest of the instruction sets that this machine can run, -1: none. */\nint32_t " << name
       << "_isa_level(void);\n\n";
  if (model.weightBytes > 0 && !model.hasWeightFile())
    os << "/** The weights. */\nextern const uint64_t " << name << "_weights[" << (model.weightBytes + 7) / 8
       << "];\n\n";
}

void HeaderPrinter::printInit() {
  os << "/** Fills `ctx` for one caller. `arena` (at least " << prefix << "_ARENA_BYTES bytes, aligned to " << prefix
     << "_ARENA_ALIGN) stays the\n *  caller's and must live as long as `ctx` is used. To run on several threads set "
        "parallel_for afterwards.";
  if (model.hasWeightFile())
    os << "\n *  Set ctx->weights afterwards to those of an opened weight file (leaf_weights.h).";
  if (!model.isaLevels.empty())
    os << "\n *  LEAF_ERROR_ISA: the machine has none of the instruction sets. ctx->isa_level may be lowered "
          "afterwards.";
  os << " */\n";
  os << "static inline leaf_status " << name << "_init(leaf_context *ctx, void *arena, size_t arena_bytes) {\n";
  os << "  if (ctx == NULL)\n    return LEAF_ERROR_ARGUMENT;\n";
  if (model.arenaBytes > 0) {
    os << "  if (arena == NULL)\n    return LEAF_ERROR_ARGUMENT;\n";
    os << "  if (arena_bytes < " << prefix << "_ARENA_BYTES || (uintptr_t)arena % " << prefix
       << "_ARENA_ALIGN != 0)\n    return LEAF_ERROR_ARENA;\n";
  }
  os << "  ctx->arena = arena;\n  ctx->arena_bytes = arena_bytes;\n  ctx->weights = "
     << (model.weightBytes > 0 && !model.hasWeightFile() ? name + "_weights" : "NULL") << ";\n";
  os << "  ctx->parallel_for = NULL;\n  ctx->parallel_user = NULL;\n  ctx->max_workers = 1;\n  ctx->isa_level = "
     << (model.isaLevels.empty() ? "0" : name + "_isa_level()") << ";\n  ctx->device = NULL;\n  return "
     << (model.isaLevels.empty() ? "" : "ctx->isa_level < 0 ? LEAF_ERROR_ISA : ") << "LEAF_OK;\n}\n\n";
}

void HeaderPrinter::printRun() {
  os << "/** Runs the model once. Pointers and sizes in `in` and pointers in `out` are the caller's; sizes of outputs "
        "come "
        "back\n *  in `out`. */\n";
  os << "static inline leaf_status " << name << "_run(const leaf_context *ctx, const " << name << "_inputs *in, "
     << name << "_outputs *out) {\n";
  unsigned numDims = model.dims.size() + model.numDimResults;
  os << "  void *buffers[" << std::max(1u, model.numBuffers()) << "];\n";
  os << "  int64_t dims[" << std::max(1u, numDims) << "];\n  int32_t status;\n";
  os << "  if (in == NULL || out == NULL)\n    return LEAF_ERROR_ARGUMENT;\n";
  unsigned next = 0;
  for (const std::string &field : fields.inputs)
    os << "  buffers[" << next++ << "] = (void *)in->" << field << ";\n";
  for (auto [tensor, field] : llvm::zip_equal(model.outputs, fields.outputs))
    if (tensor.alias < 0)
      os << "  buffers[" << next++ << "] = out->" << field << ";\n";
  if (next == 0)
    os << "  buffers[0] = NULL;\n";
  for (auto [i, field] : llvm::enumerate(fields.dims))
    os << "  dims[" << i << "] = in->" << field << ";\n";
  if (model.dims.empty())
    os << "  dims[0] = 0;\n";
  os << "  status = " << name << "_entry(ctx, buffers, dims);\n";
  for (auto [i, field] : llvm::enumerate(fields.sizes))
    os << "  out->" << field << " = status == LEAF_OK ? dims[" << model.dims.size() + i << "] : 0;\n";
  os << "  return (leaf_status)status;\n}\n\n";
}

} // namespace

llvm::Error emitHeader(mlir::ModuleOp module, llvm::raw_ostream &out) {
  ModelInterface model = getModelInterface(module);
  HeaderPrinter(model, out).print();
  return llvm::Error::success();
}

} // namespace leaf
