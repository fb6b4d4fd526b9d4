//===- Weights.cpp - the weight section as a C array ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Weights.h"
#include "leafcutter/Target/Emit.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

namespace leaf {

void printWeights(mlir::ModuleOp module, const ModelInterface &model, llvm::raw_ostream &out) {
  std::vector<char> bytes = buildWeightSection(module);
  bytes.resize((bytes.size() + 7) / 8 * 8);
  size_t words = bytes.size() / 8;
  std::string macro = llvm::StringRef(model.name).upper() + "_WEIGHTS_SECTION";
  if (!model.weightSection.empty())
    out << "#ifndef " << macro << "\n#define " << macro << " \"" << model.weightSection << "\"\n#endif\n";
  out << "LEAF_ALIGNAS(64) const uint64_t " << model.name << "_weights[" << words << "]\n#ifdef " << macro << " /* -D"
      << macro << "='\".qspi\"' puts the weights there */\n    __attribute__((section(" << macro
      << ")))\n#endif\n    = {";
  for (size_t i = 0; i < words; ++i) {
    uint64_t word = llvm::support::endian::read64le(bytes.data() + 8 * i);
    out << (i % 8 ? "," : i ? ",\n" : "\n");
    if (word < 10)
      out << word;
    else
      out << "0x" << llvm::utohexstr(word, /*LowerCase=*/true);
  }
  out << "};\n";
}

} // namespace leaf
