//===- Advise.cpp - which kind of compression to take ---------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Advise.h"

#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Support/CText.h"

#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace leaf {

/// Times closer than this are the same.
static constexpr double kSameTime = 1.05;

Expected<CompressReport> adviseCompression(CompressSession &session, const CompressionSettings &settings) {
  CompressReport report;
  report.layers = collectLayers(session.getModel()).size();
  Expected<Evaluated> first = session.evaluateModule(getKindName(Quantization::None), session.getModel());
  if (!first)
    return first.takeError();
  report.rows.push_back(*first);
  for (Quantization kind : {Quantization::Int8, Quantization::Int8Dynamic, Quantization::Int8Weights,
                            Quantization::F16Weights, Quantization::BF16Weights}) {
    if (kind == Quantization::Int8 && !session.getCalibration())
      continue;
    CompressionSettings own = settings;
    own.stage.quantization = kind;
    Expected<OwnedModule> module = session.compress(own);
    Expected<Evaluated> row =
        module ? session.evaluateModule(getKindName(kind), **module) : Expected<Evaluated>(module.takeError());
    if (row)
      report.rows.push_back(*row);
    else
      errs() << "note: " << getKindName(kind) << " is left out: " << escapeMessage(toString(row.takeError())) << '\n';
  }
  return report;
}

static double lossOf(const Evaluated &row, const Evaluated &first) {
  return row.accuracy && first.accuracy ? row.accuracy->dropFrom(*first.accuracy) : 0;
}

Advice chooseRow(const CompressReport &report, double maxDrop) {
  const Evaluated &first = report.rows.front();
  auto timeOf = [](const Evaluated &row) { return row.nanoseconds.value_or(0); };
  size_t fastest = 0;
  for (auto [i, row] : enumerate(report.rows))
    if (lossOf(row, first) <= maxDrop && timeOf(row) < timeOf(report.rows[fastest]))
      fastest = i;
  size_t chosen = fastest;
  for (auto [i, row] : enumerate(report.rows))
    if (lossOf(row, first) <= maxDrop && timeOf(row) <= timeOf(report.rows[fastest]) * kSameTime &&
        row.weightBytes < report.rows[chosen].weightBytes)
      chosen = i;
  const Evaluated &row = report.rows[chosen];
  if (chosen == 0)
    return {0, "nothing smaller is as fast and loses at most " + formatv("{0}", maxDrop).str() + " %"};
  std::string time =
      first.nanoseconds.value_or(0) > 0
          ? formatv(", {0:f2} of its time{1}", timeOf(row) / timeOf(first), row.estimated ? " (estimated)" : "").str()
          : "";
  return {chosen, formatv("{0:f2} of float32's weights{1}, and it loses {2:f3} % (at most {3} % is allowed)",
                          double(row.weightBytes) / double(std::max<uint64_t>(first.weightBytes, 1)), time,
                          lossOf(row, first), maxDrop)
                      .str()};
}

} // namespace leaf
