//===- CompressReport.cpp - what compression did -------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CompressReport.h"

#include "ModelOptions.h"
#include "leafcutter/Compress/Layers.h"
#include "leafcutter/Support/AtomicFile.h"
#include "leafcutter/Support/CText.h"
#include "leafcutter/Transforms/Onnx.h"

#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace leaf {

/// Seconds that the latency of a row may take.
static constexpr double kMeasureSeconds = 0.3;

/// Why a layer of a compressed module computes in float; "" where it does not.
static std::string whyFloat(mlir::Operation *op, mlir::ModuleOp module, Quantization kind) {
  if (auto reason = op->getAttrOfType<mlir::StringAttr>(attrs::kFloat))
    return reason.str();
  std::optional<Layer> layer = isOnnx(op) ? matchLayer(op) : std::nullopt;
  if (!layer)
    return "";
  auto isMadeBy = [](mlir::Value value, StringRef name) {
    return value.getDefiningOp() && isOnnx(value.getDefiningOp(), name);
  };
  bool isInner = op->getParentOp() != getEntry(module);
  if (!layer->hasWeight())
    return kind != Quantization::Int8 || isMadeBy(op->getOperand(0), "DequantizeLinear") ? ""
           : isInner ? "it is in a branch or loop, where calibration sees nothing"
                     : "its inputs have no range";
  // A Cast from half precision is how such weights are stored.
  bool isHalf = kind == Quantization::F16Weights || kind == Quantization::BF16Weights;
  if (isHalf && isMadeBy(layer->weight(), "Cast"))
    return "";
  return isInner && kind == Quantization::Int8 ? "it is in a branch or loop, where calibration sees nothing"
                                               : "its weight is too small to be worth it";
}

std::vector<FloatLayer> collectFloatLayers(mlir::ModuleOp compressed, Quantization kind) {
  std::vector<FloatLayer> floats;
  if (kind != Quantization::None)
    compressed.walk([&](mlir::Operation *op) {
      if (std::string reason = whyFloat(op, compressed, kind); !reason.empty())
        floats.push_back({nodeName(op), reason});
    });
  return floats;
}

Expected<Evaluated> evaluateRow(StringRef kind, CompiledGraph &graph, CompiledGraph &reference, const Dataset *data) {
  Evaluated row;
  row.kind = kind.str();
  row.weightBytes = graph.getInterface().weightBytes;
  row.arenaBytes = graph.getInterface().arenaBytes;
  if (!data)
    return row;
  Expected<Accuracy> accuracy = evaluate(graph, reference, *data);
  if (!accuracy)
    return accuracy.takeError();
  row.accuracy = *accuracy;
  Expected<double> time = graph.measure(kMeasureSeconds);
  if (!time)
    return time.takeError();
  row.nanoseconds = *time;
  return row;
}

static std::string percent(const std::optional<double> &share) {
  return share ? formatv("{0:f2}", *share * 100).str() : "-";
}

static std::string ratio(double value, double of) { return of > 0 ? formatv("{0:f2}", value / of).str() : "-"; }

/// Cells of one row; the first row is what ratios are over.
static std::vector<std::string> cells(const Evaluated &row, const Evaluated &first) {
  const std::optional<Accuracy> &a = row.accuracy;
  auto number = [](const char *format, double value) { return formatv(format, value).str(); };
  return {row.kind,
          std::to_string(row.weightBytes),
          ratio(row.weightBytes, first.weightBytes),
          a ? percent(a->top1) : "-",
          a ? percent(a->top5) : "-",
          a && a->perplexity ? number("{0:f3}", *a->perplexity) : "-",
          a ? number("{0:f5}", a->cosine) : "-",
          a ? number("{0:e2}", a->maxError) : "-",
          a ? number("{0:e2}", a->meanError) : "-",
          row.nanoseconds ? number("{0:f1}", *row.nanoseconds / 1e3) + (row.estimated ? "~" : "") : "-",
          row.nanoseconds && first.nanoseconds ? ratio(*row.nanoseconds, *first.nanoseconds) : "-",
          std::to_string(row.arenaBytes)};
}

static const char *const header[] = {"kind",   "weights",   "ratio",      "top1", "top5",  "perplexity",
                                     "cosine", "max_error", "mean_error", "us",   "ratio", "arena"};

/// Layers with their shares of zeros, those that lose most first.
static void printPruned(raw_ostream &out, std::vector<PrunedLayer> layers) {
  if (layers.empty())
    return;
  stable_sort(layers, [](const PrunedLayer &a, const PrunedLayer &b) { return a.loss > b.loss; });
  out << "  pruned: " << layers.size() << " layers, by their loss\n";
  for (const PrunedLayer &layer : layers)
    out << "    " << escapeMessage(layer.node)
        << formatv(": {0:f1} % zeros, {1:e1} of the squared result is lost\n", layer.zeros * 100, layer.loss).str();
}

void printReport(raw_ostream &out, const CompressReport &report) {
  std::vector<std::vector<std::string>> table = {{std::begin(header), std::end(header)}};
  for (const Evaluated &row : report.rows)
    table.push_back(cells(row, report.rows.front()));
  std::vector<size_t> widths(std::size(header), 0);
  for (const auto &row : table)
    for (auto [i, cell] : enumerate(row))
      widths[i] = std::max(widths[i], cell.size());
  for (const auto &row : table) {
    for (auto [i, cell] : enumerate(row))
      out << "  " << (i == 0 ? left_justify(cell, widths[i]) : right_justify(cell, widths[i]));
    out << '\n';
  }
  for (const Evaluated &row : report.rows)
    if (row.accuracy && !row.accuracy->finite)
      out << "  " << row.kind << " gives NaN or infinities where float32 does not\n";
  printPruned(out, report.pruned);
  if (!report.floats.empty())
    out << "  left in float32: " << report.floats.size() << " of " << report.layers << " layers\n";
  for (const FloatLayer &layer : report.floats)
    out << "    " << escapeMessage(layer.node) << ": " << escapeMessage(layer.reason) << '\n';
}

static std::string cleanCell(StringRef text) {
  std::string clean = escapeMessage(text.str());
  llvm::replace(clean, '\t', ' ');
  llvm::replace(clean, '\n', ' ');
  return clean;
}

Error writeReport(StringRef path, const CompressReport &report) {
  return writeFileAtomically(path, [&](raw_pwrite_stream &out) {
    const char *separator = "";
    for (auto [i, name] : enumerate(header)) {
      // Two columns are ratios: of the weights, and of the latency.
      out << separator << (i == 2 ? "weights_ratio" : i == 10 ? "us_ratio" : name);
      separator = "\t";
    }
    out << '\n';
    for (const Evaluated &row : report.rows)
      out << join(cells(row, report.rows.front()), "\t") << '\n';
    for (const PrunedLayer &layer : report.pruned)
      out << "pruned\t" << cleanCell(layer.node) << formatv("\t{0:f4}\t{1:e4}\n", layer.zeros, layer.loss).str();
    for (const FloatLayer &layer : report.floats)
      out << "float\t" << cleanCell(layer.node) << '\t' << cleanCell(layer.reason) << '\n';
    return Error::success();
  });
}

} // namespace leaf
