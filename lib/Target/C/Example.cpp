//===- Example.cpp - example.c and NAME.cmake ----------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Fields.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Target/Emit.h"

namespace leaf {

/// `static float in_image[784];` for each buffer that the caller owns.
static void printBuffers(const ModelInterface &model, const ModelFields &fields, llvm::raw_ostream &os) {
  for (auto [tensor, field] : llvm::zip_equal(model.inputs, fields.inputs))
    os << "static " << elementCType(tensor) << " in_" << field << "[" << std::max<int64_t>(1, tensor.capacity)
       << "]; /* " << shapeText(tensor) << " */\n";
  for (auto [tensor, field] : llvm::zip_equal(model.outputs, fields.outputs))
    if (tensor.alias < 0)
      os << "static " << elementCType(tensor) << " out_" << field << "[" << std::max<int64_t>(1, tensor.capacity)
         << "]; /* " << shapeText(tensor) << " */\n";
}

static void printMain(const ModelInterface &model, const ModelFields &fields, bool threadPool, llvm::raw_ostream &os) {
  const std::string &name = model.name;
  bool file = model.hasWeightFile();
  os << "int main(" << (file ? "int argc, char **argv" : "void") << ") {\n  leaf_context ctx;\n";
  os << (file ? "  leaf_weight_file file;\n  leaf_status opened;\n" : "");
  os << "  " << name << "_inputs in;\n  " << name << "_outputs out;\n";
  os << "  leaf_status status = " << name << "_init(&ctx, "
     << (model.arenaBytes > 0 ? "arena, sizeof arena" : "NULL, 0") << ");\n\n";
  if (file)
    os << "  /* Once for all contexts. Without files (bare metal): leaf_weights_open takes an address. */\n"
       << "  opened = leaf_weights_map(&file, argc > 1 ? argv[1] : \"" << name << ".weights\", " << fields.prefix
       << "_WEIGHTS_ID, " << fields.prefix << "_WEIGHTS_BYTES);\n  if (status == LEAF_OK)\n    status = opened;\n"
       << "  ctx.weights = file.weights;\n\n";
  if (threadPool)
    os << "  /* Once for all contexts and models that were compiled for as many threads. */\n"
       << "  if (status == LEAF_OK)\n    status = leaf_pool_init(&pool, workers, " << fields.prefix
       << "_MAX_WORKERS);\n  if (status != LEAF_OK) {\n    fprintf(stderr, \"" << name
       << ": error %d\\n\", (int)status);\n    return 1;\n  }\n"
       << "  ctx.parallel_for = leaf_pool_parallel_for;\n  ctx.parallel_user = &pool;\n"
       << "  ctx.max_workers = pool.num_workers;\n\n";
  os << "  /* Put your data into the in_ arrays here. */\n";
  if (model.inputs.empty() && model.dims.empty())
    os << "  in.unused = 0;\n";
  for (const std::string &field : fields.inputs)
    os << "  in." << field << " = in_" << field << ";\n";
  for (const std::string &field : fields.dims)
    os << "  in." << field << " = " << fields.prefix << "_MAX_" << field << ";\n";
  for (auto [tensor, field] : llvm::zip_equal(model.outputs, fields.outputs))
    if (tensor.alias < 0)
      os << "  out." << field << " = out_" << field << ";\n";
  os << "\n  if (status == LEAF_OK)\n    status = " << name << "_run(&ctx, &in, &out);\n";
  os << "  if (status != LEAF_OK) {\n    fprintf(stderr, \"" << name
     << ": error %d\\n\", (int)status);\n    return 1;\n  }\n";
  for (auto [tensor, field] : llvm::zip_equal(model.outputs, fields.outputs))
    if (tensor.alias < 0 && tensor.capacity > 0)
      os << "  printf(\"%s[0] = %g\\n\", \"" << escapeString(tensor.name) << "\", (double)out_" << field << "[0]);\n";
  os << (threadPool ? "  leaf_pool_destroy(&pool);\n" : "") << (file ? "  leaf_weights_close(&file);\n" : "")
     << "  return 0;\n}\n";
}

llvm::Error emitExample(mlir::ModuleOp module, llvm::raw_ostream &out, bool threadPool) {
  ModelInterface model = getModelInterface(module);
  ModelFields fields(model);
  std::string cc = threadPool ? "cc -O2 -pthread example.c leaf_threads.c " : "cc -O2 example.c ";
  cc += model.hasWeightFile() ? "leaf_weights.c " : "";
  out << "/* example.c: calls the compiled model " << model.name << " once, on zeros.\n *\n *     " << cc << model.name
      << ".c -o example        (or: " << cc << "lib" << model.name << ".a -o example) */\n\n";
  out << "#include \"" << model.name << ".h\"\n"
      << (model.hasWeightFile() ? "#include \"leaf_weights.h\"\n" : "")
      << (threadPool ? "#include \"leaf_threads.h\"\n" : "") << "\n#include <stdio.h>\n\n";
  if (model.arenaBytes > 0)
    out << "LEAF_ALIGNAS(" << fields.prefix << "_ARENA_ALIGN) static unsigned char arena[" << fields.prefix
        << "_ARENA_BYTES]\n#ifdef " << fields.prefix << "_ARENA_SECTION /* the linker section of fast RAM, say */\n"
        << "    __attribute__((section(" << fields.prefix << "_ARENA_SECTION)))\n#endif\n    ;\n";
  if (threadPool)
    out << "static leaf_pool_worker workers[" << fields.prefix << "_MAX_WORKERS];\nstatic leaf_pool pool;\n";
  printBuffers(model, fields, out);
  out << "\n";
  printMain(model, fields, threadPool, out);
  return llvm::Error::success();
}

/// A target that all models of a project share, linked to `name`.
static void printSharedTarget(llvm::raw_ostream &out, const std::string &name, const char *target,
                              const char *libraries) {
  out << "if(NOT TARGET " << target << ")\n  add_library(" << target << " STATIC ${CMAKE_CURRENT_LIST_DIR}/" << target
      << ".c)\n  target_include_directories(" << target << " PUBLIC ${CMAKE_CURRENT_LIST_DIR})\n"
      << libraries << "endif()\ntarget_link_libraries(" << name << " INTERFACE " << target << ")\n";
}

llvm::Error emitCMakeSnippet(mlir::ModuleOp module, llvm::raw_ostream &out, bool threadPool) {
  ModelInterface model = getModelInterface(module);
  const std::string &name = model.name;
  out << "# Target " << name << ", a compiled neural network:\n#   include(<this folder>/" << name
      << ".cmake)\n#   target_link_libraries(app PRIVATE " << name << ")\n";
  out << "if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/lib" << name << ".a)\n  add_library(" << name
      << " STATIC IMPORTED GLOBAL)\n  set_target_properties(" << name
      << " PROPERTIES IMPORTED_LOCATION ${CMAKE_CURRENT_LIST_DIR}/lib" << name
      << ".a\n    INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_LIST_DIR})\nelse()\n  add_library(" << name
      << " STATIC ${CMAKE_CURRENT_LIST_DIR}/" << name << ".c)\n  target_include_directories(" << name
      << " PUBLIC ${CMAKE_CURRENT_LIST_DIR})\nendif()\n";
  if (model.hasWeightFile()) {
    out << "# " << name << ".weights is opened with leaf_weights.h.\n";
    printSharedTarget(out, name, "leaf_weights", "");
  }
  if (threadPool) {
    out << "# leaf_threads.h has threads for it.\n";
    printSharedTarget(
        out, name, "leaf_threads",
        "  find_package(Threads REQUIRED)\n  target_link_libraries(leaf_threads PUBLIC Threads::Threads)\n");
  }
  return llvm::Error::success();
}

} // namespace leaf
