//===- KernelBench.cpp - our kernels beside those of ../shared/kernels -------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
// Each case is a model of one operator, compiled in this process for this machine; images are channels last and padded
// already, so that nothing but the kernel runs. KernelBench prints times, GFLOP/s and, at its end, the ratio of each
// case to the C kernel of the same size.
//
//===----------------------------------------------------------------------===//

#include "SharedKernels.h"
#include "leafcutter/Driver/Compiler.h"
#include "leafcutter/Driver/ModelRunner.h"
#include "leafcutter/Target/Emit.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include <benchmark/benchmark.h>
#include <map>

using namespace llvm;

namespace leaf::bench {
namespace {

struct Case {
  std::string name;
  double operations; ///< as the operator is defined; Winograd does fewer
  std::string input, output;
  std::string weights; ///< leaf.weight ops
  std::string body;    ///< from %x to %r
  std::optional<SharedKernel> shared;
  bool winograd = false;
};

//===----------------------------------------------------------------------===//
// The cases
//===----------------------------------------------------------------------===//

std::string weight(StringRef name, StringRef type) {
  return formatv("  leaf.weight @{0} = dense<0.01> : {1}\n", name, type);
}

std::string load(StringRef name, StringRef type) {
  return formatv("    %{0} = leaf.load_weight @{0} : {1}\n", name, type);
}

Case matmul(StringRef name, int64_t m, int64_t k, int64_t n) {
  std::string x = formatv("tensor<{0}x{1}xf32>", m, k), w = formatv("tensor<{0}x{1}xf32>", k, n);
  std::string r = formatv("tensor<{0}x{1}xf32>", m, n);
  std::vector<std::string> sizes = {formatv("M={0}", m), formatv("K={0}", k), formatv("N={0}", n)};
  // The last panel may be whole panels of the narrow or the wide kernel.
  size_t packed = size_t(k) * size_t((n + 47) / 48 * 48);
  return {name.str(),
          2.0 * double(m) * double(k) * double(n),
          x,
          r,
          weight("w", w),
          load("w", w) + formatv("    %r = onnx.MatMul(%x, %w) : ({0}, {1}) -> {2}\n", x, w, r).str(),
          SharedKernel{"mmg.c", "kern", sizes, sizes, {size_t(m * k), packed, size_t(m * n)}}};
}

/// A convolution without padding on a channels-last image of (out - 1) * stride + kernel pixels a side.
Case convolution(StringRef name, int64_t ci, int64_t co, int64_t out, int64_t kernel, int64_t stride, int64_t group) {
  int64_t in = (out - 1) * stride + kernel;
  std::string x = formatv("tensor<1x{0}x{0}x{1}xf32>", in, ci), r = formatv("tensor<1x{0}x{0}x{1}xf32>", out, co);
  std::string nchw = formatv("tensor<1x{1}x{0}x{0}xf32>", in, ci), y = formatv("tensor<1x{1}x{0}x{0}xf32>", out, co);
  std::string w = formatv("tensor<{0}x{1}x{2}x{2}xf32>", co, ci / group, kernel);
  std::string body = load("w", w);
  body += "    %none = onnx.NoValue : none\n";
  body += formatv("    %t = onnx.Transpose(%x) {{perm = array<i64: 0, 3, 1, 2>} : ({0}) -> {1}\n", x, nchw);
  body += formatv("    %y = onnx.Conv(%t, %w, %none) {{dilations = array<i64: 1, 1>, group = {0} : i64, kernel_shape = "
                  "array<i64: {1}, {1}>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: {2}, {2}>} : ({3}, {4}, "
                  "none) -> {5}\n",
                  group, kernel, stride, nchw, w, y);
  body += formatv("    %r = onnx.Transpose(%y) {{perm = array<i64: 0, 2, 3, 1>} : ({0}) -> {1}\n", y, r);
  double operations = 2.0 * double(ci / group * co) * double(out * out * kernel * kernel);
  return {name.str(), operations, x, r, weight("w", w), body, std::nullopt};
}

SharedKernel directConvolution(int64_t ci, int64_t co, int64_t out, int64_t kernel, int64_t stride) {
  std::vector<std::string> sizes = {formatv("CI={0}", ci),   formatv("CO={0}", co),     formatv("H={0}", out),
                                    formatv("W={0}", out),   formatv("KH={0}", kernel), formatv("KW={0}", kernel),
                                    formatv("S={0}", stride)};
  std::vector<std::string> wide = sizes, narrow = sizes;
  wide.insert(wide.end(), {"WB=8", "NB=2"});
  narrow.insert(narrow.end(), {"WB=4", "NB=2"});
  int64_t in = (out - 1) * stride + kernel;
  return {"conv_nhwc.c",
          "kern",
          wide,
          narrow,
          {size_t(in * in * ci), size_t(ci * co * kernel * kernel), size_t(out * out * co)}};
}

/// An operator with one input and perhaps weights of the last dimension.
Case rows(StringRef name, StringRef op, int64_t columns, double operationsPerElement, StringRef function) {
  std::string type = formatv("tensor<128x{0}xf32>", columns), vector = formatv("tensor<{0}xf32>", columns);
  Case result{name.str(), operationsPerElement * 128 * double(columns), type, type, "", "", std::nullopt};
  if (op == "onnx.LayerNormalization") {
    result.weights = weight("g", vector) + weight("b", vector);
    result.body = load("g", vector) + load("b", vector) +
                  formatv("    %r, %mean, %deviation = onnx.LayerNormalization(%x, %g, %b) : ({0}, {1}, {1}) -> ({0}, "
                          "none, none)\n",
                          type, vector)
                      .str();
  } else {
    result.body = formatv("    %r = {0}(%x) : ({1}) -> {1}\n", op, type);
  }
  if (!function.empty())
    result.shared = SharedKernel{"ew.c", function.str(), {}, {}, {size_t(128 * columns), size_t(128 * columns)}};
  return result;
}

std::vector<Case> makeCases() {
  std::vector<Case> cases;
  cases.push_back(matmul("matmul_128x768x3072", 128, 768, 3072));
  cases.push_back(convolution("conv3x3_64_64_at_56", 64, 64, 56, 3, 1, 1));
  cases.back().shared = directConvolution(64, 64, 56, 3, 1);
  cases.push_back(convolution("winograd3x3_64_64_at_56", 64, 64, 56, 3, 1, 1));
  cases.back().winograd = true;
  cases.back().shared = SharedKernel{"wino.c", "kern", {}, {}, {58 * 58 * 64, 36 * 64 * 64, 56 * 56 * 64}};
  cases.push_back(convolution("conv1x1_256_64_at_56", 256, 64, 56, 1, 1, 1));
  cases.back().shared = directConvolution(256, 64, 56, 1, 1);
  cases.push_back(convolution("stem7x7s2_3_64_at_112", 3, 64, 112, 7, 2, 1));
  cases.back().shared = directConvolution(3, 64, 112, 7, 2);
  cases.push_back(convolution("depthwise3x3_32_at_112", 32, 32, 112, 3, 1, 32));
  cases.back().shared = SharedKernel{
      "dw.c", "kern", {"NHWC", "HB=2", "WB=8"}, {"NHWC", "HB=2", "WB=4"}, {114 * 114 * 32, 9 * 32, 112 * 112 * 32}};
  cases.push_back(matmul("gemv_4096x4096", 1, 4096, 4096));
  cases.back().shared = SharedKernel{"gemv.c", "kern", {"NV=8"}, {"NV=8"}, {4096, 4096 * 4096, 4096}};
  cases.push_back(rows("layernorm_128x768", "onnx.LayerNormalization", 768, 8, ""));
  cases.push_back(rows("softmax_128x768", "onnx.Softmax", 768, 18, "softmax"));
  cases.push_back(rows("gelu_128x3072", "onnx.Gelu", 3072, 24, "gelu"));
  return cases;
}

//===----------------------------------------------------------------------===//
// Running them
//===----------------------------------------------------------------------===//

/// A compiled case.
struct Compiled {
  std::unique_ptr<Compiler> compiler;
  std::unique_ptr<CompiledModel> model;
  std::unique_ptr<ModelRunner> runner;
};

Expected<std::string> writeModel(const Case &test) {
  SmallString<128> path;
  int file;
  if (std::error_code code = sys::fs::createTemporaryFile("kernel", "mlir", file, path))
    return createStringError(code, "cannot make a temporary file");
  raw_fd_ostream(file, /*shouldClose=*/true)
      << "module attributes {leaf.model = \"kernel\"} {\n"
      << test.weights << "  func.func @main(%x: " << test.input << " {leaf.name = \"x\"}) -> (" << test.output
      << " {leaf.name = \"y\"}) {\n"
      << test.body << "    return %r : " << test.output << "\n  }\n}\n";
  return path.str().str();
}

Expected<Compiled> compileCase(const Case &test) {
  Expected<std::string> path = writeModel(test);
  if (!path)
    return path.takeError();
  CompilerOptions options;
  Expected<TargetSpec> target = lookupTarget("host");
  if (!target)
    return target.takeError();
  options.target = std::move(*target);
  options.startFrom = Stage::Normalize;
  // One operator's weights are all that there are: no budget for their growth.
  options.winogradTile = test.winograd ? options.winogradTile : 0;
  options.weightGrowth = 1000;
  Compiled result;
  result.compiler = std::make_unique<Compiler>(std::move(options));
  Error error = result.compiler->run(*path);
  (void)sys::fs::remove(*path);
  if (error)
    return std::move(error);
  mlir::ModuleOp module = result.compiler->getModule();
  Expected<std::unique_ptr<CompiledModel>> model = CompiledModel::create(module, result.compiler->getTarget());
  if (!model)
    return model.takeError();
  result.model = std::move(*model);
  CompiledModel *compiled = result.model.get();
  result.runner = std::make_unique<ModelRunner>(
      getModelInterface(module),
      [compiled](const leaf_context *context, void *const *buffers, int64_t *dims) {
        return compiled->run(context, buffers, dims);
      },
      compiled->weights());
  const TensorInterface &input = result.runner->getInterface().inputs.front();
  NpyArray array{input.elementType, input.shape, {}};
  array.bytes.resize(size_t(input.capacity) * sizeof(float));
  for (int64_t i = 0; i < input.capacity; ++i)
    reinterpret_cast<float *>(array.bytes.data())[i] = static_cast<float>(i % 17) / 16;
  NpzFile inputs;
  inputs.emplace_back(input.name, std::move(array));
  if (Error failed = result.runner->setInputs(inputs))
    return std::move(failed);
  return std::move(result);
}

void setRate(benchmark::State &state, double operations) {
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void runOurs(benchmark::State &state, const Case &test) {
  Expected<Compiled> compiled = compileCase(test);
  if (!compiled)
    return state.SkipWithError(toString(compiled.takeError()).c_str());
  for (auto _ : state)
    if (Error error = compiled->runner->run())
      return state.SkipWithError(toString(std::move(error)).c_str());
  setRate(state, test.operations);
}

void runShared(benchmark::State &state, const Case &test) {
  Expected<std::function<void()>> kernel = buildSharedKernel(*test.shared);
  if (!kernel)
    return state.SkipWithError(toString(kernel.takeError()).c_str());
  for (auto _ : state)
    (*kernel)();
  setRate(state, test.operations);
}

/// Keeps the times of the processor, for the ratios at the end: what else runs on the machine does not count.
class RatioReporter : public benchmark::ConsoleReporter {
public:
  void ReportRuns(const std::vector<Run> &runs) override {
    for (const Run &run : runs)
      if (!run.error_occurred && run.run_type == Run::RT_Iteration) {
        double time = run.GetAdjustedCPUTime();
        auto [found, isNew] = best.try_emplace(run.run_name.function_name, time);
        found->second = std::min(found->second, time);
      }
    ConsoleReporter::ReportRuns(runs);
  }

  void printRatios() {
    for (const auto &[name, time] : best) {
      StringRef rest = name;
      auto shared = best.find("shared/" + rest.str().substr(rest.find('/') + 1));
      if (rest.consume_front("leafc/") && shared != best.end())
        GetOutputStream()
            << formatv("{0}: {1:F2} of the speed of ../shared/kernels\n", rest, shared->second / time).str();
    }
  }

private:
  std::map<std::string, double> best;
};

} // namespace
} // namespace leaf::bench

int main(int argc, char **argv) {
  using namespace leaf::bench;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  std::vector<Case> cases = makeCases();
  for (const Case &test : cases) {
    benchmark::RegisterBenchmark(("leafc/" + test.name).c_str(), [&test](benchmark::State &s) {
      runOurs(s, test);
    })->Unit(benchmark::kMicrosecond);
    if (test.shared)
      benchmark::RegisterBenchmark(("shared/" + test.name).c_str(), [&test](benchmark::State &s) {
        runShared(s, test);
      })->Unit(benchmark::kMicrosecond);
  }
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.printRatios();
}
