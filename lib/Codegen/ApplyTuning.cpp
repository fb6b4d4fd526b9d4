//===- ApplyTuning.cpp - measured choices onto contractions --------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Codegen/Passes.h"
#include "leafcutter/Codegen/Tuning.h"

#include "llvm/ADT/StringExtras.h"

namespace leaf {
#define GEN_PASS_DEF_APPLYTUNING
#include "leafcutter/Codegen/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

std::string leaf::getTuningKey(ContractOp contract) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "loops";
  for (unsigned loop = 0; loop < contract.getNumLoops(); ++loop) {
    int64_t extent = contract.getStaticLoopExtent(loop);
    os << (contract.isReduction(loop) ? " sum " : " ")
       << (ShapedType::isDynamic(extent) ? "?" : std::to_string(extent));
  }
  auto operand = [&](StringRef name, Value value, AffineMap map) {
    os << "; " << name << ' ' << getElementTypeOrSelf(value.getType()) << ' ';
    llvm::interleave(map.getResults(), os, [&](AffineExpr expr) { expr.print(os); }, ",");
  };
  operand("lhs", contract.getLhs(), contract.getLhsMap());
  operand("rhs", contract.getRhs(), contract.getRhsMap());
  operand("out", contract.getOut(), contract.getOutMap());
  os << "; then";
  for (Operation &op : contract.getEpilogue().front().without_terminator())
    os << ' ' << op.getName().stripDialect();
  return text;
}

TuningChoice leaf::getTuning(Operation *op) {
  TuningChoice choice;
  auto fields = op->getAttrOfType<DictionaryAttr>(kTuning);
  if (!fields)
    return choice;
  auto read = [&](StringRef name, std::optional<int64_t> &field) {
    if (auto value = fields.getAs<IntegerAttr>(name))
      field = value.getInt();
  };
  read("winograd", choice.winograd);
  read("rows", choice.rows);
  read("vectors", choice.vectors);
  read("block_bytes", choice.blockBytes);
  if (auto value = fields.getAs<BoolAttr>("serial"))
    choice.serial = value.getValue();
  return choice;
}

void leaf::setTuning(Operation *op, const TuningChoice &choice) {
  Builder b(op->getContext());
  NamedAttrList fields;
  auto write = [&](StringRef name, std::optional<int64_t> field) {
    if (field)
      fields.append(name, b.getI64IntegerAttr(*field));
  };
  write("winograd", choice.winograd);
  write("rows", choice.rows);
  write("vectors", choice.vectors);
  write("block_bytes", choice.blockBytes);
  if (choice.serial)
    fields.append("serial", b.getBoolAttr(*choice.serial));
  op->setAttr(kTuning, fields.getDictionary(op->getContext()));
}

namespace {
struct ApplyTuning : leaf::impl::ApplyTuningBase<ApplyTuning> {
  using Base::Base;

  void runOnOperation() override {
    TuningTable table;
    if (!file.empty()) {
      llvm::Expected<TuningTable> loaded = TuningTable::load(file);
      if (!loaded) {
        getOperation().emitError(llvm::toString(loaded.takeError()));
        return signalPassFailure();
      }
      table = std::move(*loaded);
    }
    StringAttr name = StringAttr::get(&getContext(), kTuningKey);
    getOperation().walk([&](ContractOp contract) {
      auto key = contract->getAttrOfType<StringAttr>(name);
      if (!key) {
        key = StringAttr::get(&getContext(), getTuningKey(contract));
        contract->setAttr(name, key);
      }
      if (const TuningChoice *choice = table.find(target, key.getValue())) {
        setTuning(contract, *choice);
        ++numTuned;
      } else {
        contract->removeAttr(kTuning);
      }
    });
  }
};
} // namespace
