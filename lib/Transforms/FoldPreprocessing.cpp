//===- FoldPreprocessing.cpp - pre- and postprocessing as ops of the graph ----===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "leafcutter/Transforms/HostTensor.h"
#include "leafcutter/Transforms/Onnx.h"
#include "leafcutter/Transforms/Passes.h"
#include "leafcutter/Transforms/Preprocessing.h"
#include "leafcutter/Transforms/Shapes.h"

#include "Leaf/Leaf.h"
#include "ONNX/ONNX.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <cmath>

namespace leaf {
#define GEN_PASS_DEF_FOLDPREPROCESSING
#include "leafcutter/Transforms/Passes.h.inc"
} // namespace leaf

using namespace mlir;
using namespace leaf;

namespace {

/// Rewrites one argument: it takes the caller's type, and ops that make the model's input of it come first.
class InputFolder {
public:
  InputFolder(func::FuncOp main, unsigned index, DictionaryAttr request)
      : main(main), index(index), request(request), builder(main.getBody()) {
    auto text = main.getArgAttrOfType<StringAttr>(index, attrs::kName);
    name = text ? text.str() : std::to_string(index);
    loc = NameLoc::get(builder.getStringAttr(name + "/preprocessing"));
  }

  LogicalResult run();

private:
  LogicalResult readRequest();
  LogicalResult checkTypes();
  LogicalResult checkValues(StringRef option, ArrayRef<double> values);
  Value cast(Value value, Type element);
  Value channelConstant(ArrayRef<double> values, StringRef hint);
  void setArgument();
  InFlightDiagnostic fail() { return main.emitError() << "input '" << name << "': "; }

  func::FuncOp main;
  unsigned index;
  DictionaryAttr request;
  OpBuilder builder;
  std::string name;
  Location loc = builder.getUnknownLoc();
  RankedTensorType modelType, callerType;
  Permutation perm; ///< from the caller's axes to the model's; empty: equal
  int64_t channelAxis = 1;
  SmallVector<double> mean, deviation;
  Type arithmetic; ///< float type that mean and deviation are applied in
};

} // namespace

LogicalResult InputFolder::readRequest() {
  modelType = dyn_cast<RankedTensorType>(main.getArgumentTypes()[index]);
  if (!modelType)
    return fail() << "preprocessing needs a tensor whose rank is known";
  Type element = modelType.getElementType();
  SmallVector<int64_t> shape(modelType.getShape());
  if (auto axes = request.getAs<DenseI64ArrayAttr>(preprocessing::kPerm)) {
    perm.assign(axes.asArrayRef().begin(), axes.asArrayRef().end());
    if (static_cast<int64_t>(perm.size()) != modelType.getRank())
      return fail() << "--input-layout names " << perm.size() << " axes, but the input has " << modelType.getRank();
    Permutation sorted = perm;
    llvm::sort(sorted);
    if (!isIdentityPermutation(sorted))
      return fail() << "the layout is no permutation of the axes";
    shape = permute(shape, inversePermutation(perm));
  }
  if (auto type = request.getAs<TypeAttr>(preprocessing::kType))
    element = type.getValue();
  callerType = RankedTensorType::get(shape, element);
  if (auto axis = request.getAs<IntegerAttr>(preprocessing::kChannelAxis))
    channelAxis = axis.getInt();
  if (auto values = request.getAs<DenseF64ArrayAttr>(preprocessing::kMean))
    mean.assign(values.asArrayRef().begin(), values.asArrayRef().end());
  if (auto values = request.getAs<DenseF64ArrayAttr>(preprocessing::kStd))
    deviation.assign(values.asArrayRef().begin(), values.asArrayRef().end());
  arithmetic = modelType.getElementType().isF64() ? modelType.getElementType() : builder.getF32Type();
  return success();
}

LogicalResult InputFolder::checkTypes() {
  Type from = callerType.getElementType(), to = modelType.getElementType();
  if (main.getArgAttr(index, attrs::kAlias))
    return fail() << "it shares a buffer with an output (--alias) and can't be preprocessed";
  if (!mean.empty() || !deviation.empty()) {
    if (!isa<FloatType>(to))
      return fail() << "--mean and --std need an input of floats; the model takes " << to;
    if (from.isInteger(1))
      return fail() << "--mean and --std need an array of numbers, not of bools";
  }
  if (from == to)
    return success();
  if (from.isInteger(1) || to.isInteger(1) || (isa<FloatType>(from) && isa<IntegerType>(to)))
    return fail() << "--input-type gives " << from << " where the model takes " << to
                  << ", which it can't be converted to";
  return success();
}

LogicalResult InputFolder::checkValues(StringRef option, ArrayRef<double> values) {
  bool isDeviation = option == "--std";
  if (llvm::any_of(values, [&](double v) { return !std::isfinite(v) || (isDeviation && v == 0); }))
    return fail() << option << " takes finite numbers" << (isDeviation ? " other than 0" : "");
  if (values.size() <= 1)
    return success();
  if (channelAxis < 0 || channelAxis >= callerType.getRank())
    return fail() << option << " gives " << values.size() << " values, but an input of rank " << callerType.getRank()
                  << " has no channels; give one";
  int64_t channels = callerType.getDimSize(channelAxis);
  if (channels == static_cast<int64_t>(values.size()))
    return success();
  InFlightDiagnostic error = fail() << option << " gives " << values.size() << " values, but axis " << channelAxis
                                    << " of the caller's array";
  if (ShapedType::isDynamic(channels))
    return error << " has no fixed size";
  return error << " has " << channels << " channels; give as many, or one for all, or say with --input-layout which "
               << "axis they are";
}

Value InputFolder::cast(Value value, Type element) {
  auto type = ::mlir::cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  return createOnnx(builder, loc, "Cast", type.clone(element), value,
                    {{"to", builder.getI64IntegerAttr(onnxElementType(element))}})
      ->getResult(0);
}

/// The values so that they broadcast along the channels of the caller's array.
Value InputFolder::channelConstant(ArrayRef<double> values, StringRef hint) {
  SmallVector<int64_t> shape;
  if (values.size() > 1) {
    shape.assign(callerType.getRank() - channelAxis, 1);
    shape.front() = values.size();
  }
  HostTensor tensor = HostTensor::make(RankedTensorType::get(shape, arithmetic));
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setFloat(i, value);
  return createConstant(builder, loc, tensor, name + "_" + hint.str());
}

/// The argument with the caller's type and the attributes that describe it.
void InputFolder::setArgument() {
  main.getArgument(index).setType(callerType);
  main.setType(builder.getFunctionType(main.getBody().front().getArgumentTypes(), main.getResultTypes()));
  main.removeArgAttr(index, builder.getStringAttr(preprocessing::kRequest));
  if (auto dims = main.getArgAttrOfType<ArrayAttr>(index, attrs::kDims); dims && dims.size() == perm.size()) {
    SmallVector<Attribute> moved;
    for (int64_t axis : inversePermutation(perm))
      moved.push_back(dims[axis]);
    main.setArgAttr(index, attrs::kDims, builder.getArrayAttr(moved));
  }
  Type element = callerType.getElementType();
  if (element.isUnsignedInteger())
    main.setArgAttr(index, attrs::kElementType, builder.getStringAttr("uint" + Twine(element.getIntOrFloatBitWidth())));
  else if (!element.isInteger(1))
    main.removeArgAttr(index, builder.getStringAttr(attrs::kElementType));
}

LogicalResult InputFolder::run() {
  if (failed(readRequest()) || failed(checkTypes()) || failed(checkValues("--mean", mean)) ||
      failed(checkValues("--std", deviation)))
    return failure();
  BlockArgument argument = main.getArgument(index);
  setArgument();
  // All that uses the argument so far is the model; what is made below uses it, too.
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : argument.getUses())
    uses.push_back(&use);
  bool centers = llvm::any_of(mean, [](double v) { return v != 0; });
  bool scales = llvm::any_of(deviation, [](double v) { return v != 1; });
  Value value = argument;
  if (centers || scales)
    value = cast(value, arithmetic);
  if (centers)
    value = createOnnx(builder, loc, "Sub", value.getType(), {value, channelConstant(mean, "mean")})->getResult(0);
  if (scales)
    value = createOnnx(builder, loc, "Div", value.getType(), {value, channelConstant(deviation, "std")})->getResult(0);
  value = cast(value, modelType.getElementType());
  if (!perm.empty() && !isIdentityPermutation(perm))
    value = createTranspose(builder, loc, value, perm);
  for (OpOperand *use : uses)
    use->set(value);
  return success();
}

/// Replaces result `index` by the position of its maximum along `axis`.
static LogicalResult foldArgMax(func::FuncOp main, unsigned index, int64_t axis) {
  Operation *terminator = main.front().getTerminator();
  Value value = terminator->getOperand(index);
  auto name = main.getResultAttrOfType<StringAttr>(index, attrs::kName);
  auto fail = [&] { return main.emitError() << "--output-argmax: output '" << (name ? name.getValue() : "") << "' "; };
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (auto alias = main.getArgAttrOfType<StringAttr>(i, attrs::kAlias); alias && name && alias == name)
      return fail() << "shares a buffer with an input (--alias)";
  auto tensor = dyn_cast<TensorType>(value.getType());
  if (!tensor || tensor.getElementType().isInteger(1))
    return fail() << "has no maximum: it is no tensor of numbers";
  OpBuilder builder(terminator);
  Type type = UnrankedTensorType::get(builder.getI64Type());
  if (tensor.hasRank()) {
    std::optional<int64_t> at = normalizeAxis(axis, tensor.getRank());
    if (!at)
      return fail() << "has rank " << tensor.getRank() << ", and so no axis " << axis;
    SmallVector<int64_t> shape(tensor.getShape());
    shape.erase(shape.begin() + *at);
    type = RankedTensorType::get(shape, builder.getI64Type());
    if (auto dims = main.getResultAttrOfType<ArrayAttr>(index, attrs::kDims);
        dims && static_cast<int64_t>(dims.size()) == tensor.getRank()) {
      SmallVector<Attribute> rest(dims.begin(), dims.end());
      rest.erase(rest.begin() + *at);
      main.setResultAttr(index, attrs::kDims, builder.getArrayAttr(rest));
    }
  }
  Location loc = NameLoc::get(builder.getStringAttr((name ? name.getValue() : "") + "/argmax"));
  Operation *argmax = createOnnx(builder, loc, "ArgMax", type, value,
                                 {{"axis", builder.getI64IntegerAttr(axis)},
                                  {"keepdims", builder.getI64IntegerAttr(0)},
                                  {"select_last_index", builder.getI64IntegerAttr(0)}});
  terminator->setOperand(index, argmax->getResult(0));
  main.removeResultAttr(index, builder.getStringAttr(preprocessing::kArgMax));
  main.removeResultAttr(index, builder.getStringAttr(attrs::kElementType));
  main.setType(builder.getFunctionType(main.getArgumentTypes(), terminator->getOperandTypes()));
  return success();
}

namespace {
struct FoldPreprocessing : leaf::impl::FoldPreprocessingBase<FoldPreprocessing> {
  using FoldPreprocessingBase::FoldPreprocessingBase;

  LogicalResult fold(func::FuncOp main) {
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      if (auto request = main.getArgAttrOfType<DictionaryAttr>(i, preprocessing::kRequest)) {
        if (failed(InputFolder(main, i, request).run()))
          return failure();
        ++numInputs;
      }
    for (unsigned i = 0; i < main.getNumResults(); ++i)
      if (auto axis = main.getResultAttrOfType<IntegerAttr>(i, preprocessing::kArgMax)) {
        if (failed(foldArgMax(main, i, axis.getInt())))
          return failure();
        ++numOutputs;
      }
    return success();
  }

  void runOnOperation() override {
    for (func::FuncOp main : getOperation().getOps<func::FuncOp>())
      if (!main.isExternal() && failed(fold(main)))
        return signalPassFailure();
  }
};
} // namespace
