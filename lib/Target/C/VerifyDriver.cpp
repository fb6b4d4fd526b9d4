//===- VerifyDriver.cpp - a program that runs a model on files ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Fields.h"
#include "leafcutter/Target/Verify.h"

namespace leaf {

static const char kReadWrite[] = R"(
static int read_all(FILE *file, void *data, size_t bytes) { return bytes == 0 || fread(data, bytes, 1, file) == 1; }
static int write_all(FILE *file, const void *data, size_t bytes) {
  return bytes == 0 || fwrite(data, bytes, 1, file) == 1;
}

static int fail(const char *what) {
  fprintf(stderr, "verify: %s\n", what);
  return 2;
}

)";

static void printBuffers(const ModelInterface &model, llvm::raw_ostream &os) {
  auto print = [&](const char *kind, size_t i, const TensorInterface &tensor) {
    os << "LEAF_ALIGNAS(64) static unsigned char " << kind << i << "[" << std::max<int64_t>(1, bufferBytes(tensor))
       << "];\n";
  };
  for (auto [i, tensor] : llvm::enumerate(model.inputs))
    print("in", i, tensor);
  for (auto [i, tensor] : llvm::enumerate(model.outputs))
    if (tensor.alias < 0)
      print("out", i, tensor);
}

/// On an operating system the file is mapped; on bare metal it is read to where flash would be.
static void printOpenWeights(const ModelInterface &model, const ModelFields &fields, llvm::raw_ostream &os) {
  std::string arguments = fields.prefix + "_WEIGHTS_ID, " + fields.prefix + "_WEIGHTS_BYTES";
  os << "static leaf_status open_weights(leaf_weight_file *opened) {\n#if defined(__unix__) || defined(__APPLE__)\n"
     << "  return leaf_weights_map(opened, \"" << model.name << ".weights\", " << arguments << ");\n#else\n"
     << "  LEAF_ALIGNAS(64) static unsigned char content[" << fields.prefix << "_WEIGHTS_FILE_BYTES];\n"
     << "  FILE *file = fopen(\"" << model.name << ".weights\", \"rb\");\n  int good;\n"
     << "  opened->weights = NULL;\n  if (file == NULL)\n    return LEAF_ERROR_FILE;\n"
     << "  good = read_all(file, content, sizeof content);\n  fclose(file);\n"
     << "  return good ? leaf_weights_open(opened, content, sizeof content, " << arguments
     << ") : LEAF_ERROR_FILE;\n#endif\n}\n\n";
}

static void printCalls(const ModelInterface &model, const ModelFields &fields, bool threadPool,
                       std::optional<unsigned> level, llvm::raw_ostream &os) {
  const std::string &name = model.name;
  for (auto [i, field] : llvm::enumerate(fields.dims))
    os << "  in." << field << " = dims[" << i << "];\n";
  for (auto [i, tensor] : llvm::enumerate(model.inputs))
    os << "  in." << fields.inputs[i] << " = (" << (tensor.alias < 0 ? "const " : "") << elementCType(tensor)
       << " *)(void *)in" << i << ";\n";
  for (auto [i, tensor] : llvm::enumerate(model.outputs))
    if (tensor.alias < 0)
      os << "  out." << fields.outputs[i] << " = (" << elementCType(tensor) << " *)(void *)out" << i << ";\n";
  if (model.inputs.empty() && model.dims.empty())
    os << "  in.unused = 0;\n";
  os << "  status = " << name << "_init(&ctx, " << (model.arenaBytes > 0 ? "arena, sizeof arena" : "NULL, 0") << ");\n";
  if (level)
    os << "  ctx.isa_level = " << *level << ";\n";
  if (model.hasWeightFile())
    os << "  if (status == LEAF_OK)\n    status = open_weights(&weights);\n  ctx.weights = weights.weights;\n";
  if (threadPool)
    os << "  if (status == LEAF_OK)\n    status = leaf_pool_init(&pool, workers, " << fields.prefix
       << "_MAX_WORKERS);\n  ctx.parallel_for = leaf_pool_parallel_for;\n  ctx.parallel_user = &pool;\n"
       << "  ctx.max_workers = " << fields.prefix << "_MAX_WORKERS;\n";
  os << "  if (status == LEAF_OK)\n    status = " << name << "_run(&ctx, &in, &out);\n";
  os << (threadPool ? "  if (pool.num_workers > 0)\n    leaf_pool_destroy(&pool);\n" : "");
}

static void printMain(const ModelInterface &model, const ModelFields &fields, bool threadPool,
                      std::optional<unsigned> level, llvm::raw_ostream &os) {
  const std::string &name = model.name;
  os << "int main(void) {\n  leaf_context ctx;\n" << (model.hasWeightFile() ? "  leaf_weight_file weights;\n" : "");
  os << "  " << name << "_inputs in;\n  " << name << "_outputs out;\n";
  os << "  int64_t dims[" << std::max<size_t>(1, model.dims.size()) << "] = {0}, sizes["
     << std::max(1u, model.numDimResults) << "] = {0}, status;\n  int good = 1;\n  FILE *file;\n";
  os << "  file = fopen(\"in.bin\", \"rb\");\n  if (file == NULL)\n    return fail(\"cannot open in.bin\");\n";
  os << "  good &= read_all(file, dims, " << model.dims.size() << " * sizeof dims[0]);\n";
  for (auto [i, tensor] : llvm::enumerate(model.inputs))
    os << "  good &= read_all(file, in" << i << ", " << bufferBytes(tensor) << ");\n";
  os << "  fclose(file);\n  if (!good)\n    return fail(\"in.bin is too short\");\n";
  printCalls(model, fields, threadPool, level, os);
  for (auto [i, field] : llvm::enumerate(fields.sizes))
    os << "  sizes[" << i << "] = out." << field << ";\n";
  os << "  file = fopen(\"out.bin\", \"wb\");\n  if (file == NULL)\n    return fail(\"cannot open out.bin\");\n";
  os << "  good &= write_all(file, &status, sizeof status);\n";
  os << "  good &= write_all(file, sizes, " << model.numDimResults << " * sizeof sizes[0]);\n";
  for (auto [i, tensor] : llvm::enumerate(model.outputs))
    if (tensor.alias < 0)
      os << "  good &= write_all(file, out" << i << ", " << bufferBytes(tensor) << ");\n";
  for (auto [i, tensor] : llvm::enumerate(model.inputs))
    if (tensor.alias >= 0)
      os << "  good &= write_all(file, in" << i << ", " << bufferBytes(tensor) << ");\n";
  os << "  good &= fclose(file) == 0;\n  return good ? 0 : fail(\"cannot write out.bin\");\n}\n";
}

llvm::Error emitVerifyDriver(mlir::ModuleOp module, llvm::raw_ostream &out, bool threadPool,
                             std::optional<unsigned> level) {
  ModelInterface model = getModelInterface(module);
  ModelFields fields(model);
  out << "/* Runs " << model.name << " on in.bin and writes out.bin; made by leafc verify. */\n\n#include \""
      << model.name << ".h\"\n"
      << (model.hasWeightFile() ? "#include \"leaf_weights.h\"\n" : "")
      << (threadPool ? "#include \"leaf_threads.h\"\n" : "") << "\n#include <stdio.h>\n\n";
  if (model.arenaBytes > 0)
    out << "LEAF_ALIGNAS(" << fields.prefix << "_ARENA_ALIGN) static unsigned char arena[" << fields.prefix
        << "_ARENA_BYTES];\n";
  if (threadPool)
    out << "static leaf_pool_worker workers[" << fields.prefix << "_MAX_WORKERS];\nstatic leaf_pool pool;\n";
  printBuffers(model, out);
  out << kReadWrite;
  if (model.hasWeightFile())
    printOpenWeights(model, fields, out);
  printMain(model, fields, threadPool, level, out);
  return llvm::Error::success();
}

} // namespace leaf
