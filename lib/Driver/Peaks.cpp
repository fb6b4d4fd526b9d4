//===- Peaks.cpp - what one core of this machine does at most ----------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Profile.h"
#include "leaf/leaf.h"
#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Target/Emit.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace leaf {

static constexpr int64_t accumulators = 12, steps = 1000, maxElements = 1 << 24;

/// A model of two kernels over native vectors, as codegen leaves them: a tile of @compute is `steps` multiply-adds of
/// each accumulator, a tile of @read sums up n elements.
static std::string writeModel(const TargetSpec &target, int64_t lanes) {
  std::string vector = lanes > 1 ? formatv("vector<{0}xf32>", lanes).str() : "f32";
  auto list = [](StringRef prefix, int64_t count) {
    std::string text;
    for (int64_t i = 0; i < count; ++i)
      text += (i ? ", " : "") + (prefix + Twine(i)).str();
    return text;
  };
  auto splat = [&](StringRef name, StringRef value) {
    return formatv("    {0} = arith.constant {1} : {2}\n", name, lanes > 1 ? "dense<" + value.str() + ">" : value.str(),
                   vector)
        .str();
  };
  auto load = [&](StringRef name, StringRef at) {
    return lanes > 1 ? formatv("{0} = vector.load %x[{1}] : memref<?xf32>, {2}\n", name, at, vector).str()
                     : formatv("{0} = memref.load %x[{1}] : memref<?xf32>\n", name, at).str();
  };
  auto loop = [&](int64_t count, StringRef range, StringRef body) {
    std::string inits, types;
    for (int64_t i = 0; i < count; ++i) {
      inits += formatv("{0}%s{1} = %zero", i ? ", " : "", i);
      types += (i ? ", " : "") + vector;
    }
    std::string text = formatv("    scf.for %t = %begin to %end step %c1 {{\n      %r:{0} = scf.for %i = {1} "
                               "iter_args({2}) -> ({3}) {{\n{4}        scf.yield {5} : {3}\n      }\n",
                               count, range, inits, types, body, list("%v", count));
    std::string sum = "%r#0";
    for (int64_t i = 1; i < count; ++i) {
      text += formatv("      %u{0} = arith.addf {1}, %r#{0} : {2}\n", i, sum, vector);
      sum = "%u" + std::to_string(i);
    }
    text += lanes > 1 ? formatv("      vector.store {0}, %y[%c0] : memref<?xf32>, {1}\n", sum, vector).str()
                      : formatv("      memref.store {0}, %y[%c0] : memref<?xf32>\n", sum).str();
    return text + "    }\n    return\n  }\n";
  };
  auto kernel = [&](StringRef name) {
    return formatv("  func.func private @{0}(%x: memref<?xf32>, %y: memref<?xf32> {{leaf.restrict}, %s: memref<?xi8>, "
                   "%n: index, %begin: index, %end: index) attributes {{leaf.kernel} {{\n"
                   "    %c0 = arith.constant 0 : index\n    %c1 = arith.constant 1 : index\n"
                   "    %steps = arith.constant {1} : index\n    %width = arith.constant {2} : index\n",
                   name, steps, 8 * lanes)
               .str() +
           splat("%zero", "0.0");
  };
  std::string compute, read;
  for (int64_t i = 0; i < accumulators; ++i)
    compute += target.fma ? formatv("        %v{0} = math.fma %s{0}, %a, %b : {1}\n", i, vector).str()
                          : formatv("        %m{0} = arith.mulf %s{0}, %a : {1}\n"
                                    "        %v{0} = arith.addf %m{0}, %b : {1}\n",
                                    i, vector)
                                .str();
  for (int64_t i = 0; i < 8; ++i)
    read +=
        formatv("        %o{0} = arith.constant {1} : index\n        %p{0} = arith.addi %i, %o{0} : index\n        ", i,
                i * lanes)
            .str() +
        load(formatv("%l{0}", i).str(), formatv("%p{0}", i).str()) +
        formatv("        %v{0} = arith.addf %s{0}, %l{0} : {1}\n", i, vector).str();
  return formatv(R"mlir(
module attributes {{leaf.model = "peaks", leaf.bounds = {{n = {0} : i64, f = 1048576 : i64, g = 1048576 : i64},
                   plan.arena_bytes = 0 : i64, plan.arena_align = 64 : i64, plan.weight_bytes = 0 : i64} {{
  func.func @main(%x: memref<{0}xf32> {{leaf.name = "x"}, %y: memref<64xf32> {{leaf.name = "y", plan.output},
                  %n: index {{leaf.dim = "n"}, %f: index {{leaf.dim = "f"}, %g: index {{leaf.dim = "g"}) {{
    plan.launch @compute(%x, %y : memref<{0}xf32>, memref<64xf32>) sizes(%n) tiles(%f)
    plan.launch @read(%x, %y : memref<{0}xf32>, memref<64xf32>) sizes(%n) tiles(%g)
    return
  }
)mlir",
                 maxElements)
             .str() +
         kernel("compute") + splat("%a", "0.5") + splat("%b", "1.0") +
         loop(accumulators, "%c0 to %steps step %c1", compute) + kernel("read") +
         loop(8, "%c0 to %n step %width", read) + "}\n";
}

namespace {

/// The compiled model with its buffers.
class Measurement {
public:
  explicit Measurement(CompiledModel &model) : model(model), x(maxElements + 64, 1.0f), y(64) {}

  /// Least nanoseconds of some calls with these sizes.
  double time(int64_t elements, int64_t computeTiles, int64_t readTiles) {
    double least = 0;
    leaf_context context = {y.data(), 0, model.weights(), nullptr, nullptr, 1, 0, nullptr};
    for (int call = 0; call < 6; ++call) {
      // Aligned: a load across two cache lines costs twice.
      void *buffers[] = {reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(x.data()) + 63) / 64 * 64), y.data()};
      int64_t dims[] = {elements, computeTiles, readTiles};
      auto start = std::chrono::steady_clock::now();
      if (model.run(&context, buffers, dims) != LEAF_OK)
        return 0;
      double now = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
      least = call == 0 ? now : std::min(least, now);
    }
    return least;
  }

private:
  CompiledModel &model;
  std::vector<float> x, y;
};

} // namespace

Expected<MachinePeaks> measurePeaks(const TargetSpec &target) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  int64_t lanes = std::max<int64_t>(1, target.vectorBytes / 4);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(writeModel(target, lanes), mlir::ParserConfig(&context));
  if (!module)
    return createStringError("the model that measures this machine does not parse");
  Expected<std::unique_ptr<CompiledModel>> model = CompiledModel::create(*module, target);
  if (!model)
    return model.takeError();
  Measurement measurement(**model);
  MachinePeaks peaks;
  constexpr int64_t computeTiles = 100;
  double nanoseconds = measurement.time(0, computeTiles, 0);
  if (nanoseconds <= 0)
    return createStringError("the model that measures this machine does not run");
  peaks.operationsPerNanosecond = double(2 * accumulators * steps * lanes * computeTiles) / nanoseconds;
  for (int64_t bytes : {int64_t(16) << 10, int64_t(256) << 10, int64_t(4) << 20, int64_t(64) << 20}) {
    int64_t tiles = std::max<int64_t>(1, (int64_t(16) << 20) / bytes);
    nanoseconds = measurement.time(bytes / 4, 0, tiles);
    peaks.bandwidths.push_back({bytes, double(bytes * tiles) / nanoseconds});
  }
  return peaks;
}

} // namespace leaf
