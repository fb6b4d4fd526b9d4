//===- Lowering.h - state and tools of the walk over @main -------*- C++ -*-===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef LEAF_CONVERSION_ONNXTOLINALG_LOWERING_H
#define LEAF_CONVERSION_ONNXTOLINALG_LOWERING_H

#include "Leaf/Leaf.h"
#include "Sizes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"
#include <functional>

namespace leaf::onnxtolinalg {

/// A view of one ONNX operator: operands, attributes and types by schema position and name. Types keep the ONNX
/// signedness (ui8), which the lowered tensors no longer have.
class Node {
public:
  Node(mlir::Operation *op, llvm::DenseMap<mlir::Value, mlir::RankedTensorType> &signedTypes)
      : op(op), signedTypes(signedTypes) {}

  mlir::Operation *getOperation() const { return op; }
  mlir::Location getLoc() const { return op->getLoc(); }
  /// Operator name without the dialect: "Conv".
  llvm::StringRef getName() const { return op->getName().stripDialect(); }

  unsigned getNumInputs() const { return op->getNumOperands(); }
  bool hasInput(unsigned i) const;
  /// The ONNX value of input `i`, or null where absent.
  mlir::Value getInput(unsigned i) const { return hasInput(i) ? op->getOperand(i) : mlir::Value(); }
  bool hasResult(unsigned i) const;
  mlir::RankedTensorType getInputType(unsigned i) const { return typeOf(op->getOperand(i)); }
  mlir::RankedTensorType getResultType(unsigned i = 0) const { return typeOf(op->getResult(i)); }
  mlir::Type getInputElement(unsigned i) const { return getInputType(i).getElementType(); }
  mlir::Type getResultElement(unsigned i = 0) const { return getResultType(i).getElementType(); }
  mlir::RankedTensorType typeOf(mlir::Value value) const;

  bool hasAttr(llvm::StringRef name) const { return static_cast<bool>(op->getAttr(name)); }
  int64_t getInt(llvm::StringRef name, int64_t fallback) const;
  double getFloat(llvm::StringRef name, double fallback) const;
  llvm::StringRef getString(llvm::StringRef name, llvm::StringRef fallback) const;
  /// Empty when absent.
  llvm::SmallVector<int64_t> getInts(llvm::StringRef name) const;
  /// An axis attribute normalized to [0, rank).
  int64_t getAxis(llvm::StringRef name, int64_t fallback, int64_t rank) const;

  /// What --bound says on the open dimensions of result `i`.
  std::optional<int64_t> getBound(unsigned i) const;
  /// "--bound NODE.OUTPUT=N" for result `i`, for messages.
  std::string getBoundOption(unsigned i) const;

  mlir::InFlightDiagnostic emitError() const;

private:
  mlir::Operation *op;
  llvm::DenseMap<mlir::Value, mlir::RankedTensorType> &signedTypes;
};

/// The elements of a small integer tensor known as scalars: index sizes, or i1 where the tensor is bool.
struct ShapeValue {
  Sizes elements;
  bool isScalar = false; ///< rank 0; otherwise rank 1
};

/// A tensor to read in a body, and how an element of it becomes an element of the ONNX value: identity, or the Cast or
/// DequantizeLinear that was folded into its reader.
struct Operand {
  mlir::Value tensor;
  mlir::Type element; ///< ONNX element type of the value, after `load`
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::Value)> load;
};

using BodyBuilder =
    llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

class Lowering;
using LowerFn = mlir::LogicalResult (*)(Lowering &, Node &);

/// Rewrites the ops of @main in order. Holds for each ONNX value what it became: a tensor, known scalars, a constant,
/// or nothing yet (a Cast or DequantizeLinear of a weight, lowered only when a reader cannot take it in).
class Lowering {
public:
  Lowering(mlir::ModuleOp module, mlir::func::FuncOp main);

  /// Lowers everything; false after the first error, which was reported.
  mlir::LogicalResult run();

  mlir::OpBuilder &b() { return builder; }
  mlir::Location loc() const { return currentLoc; }
  mlir::ModuleOp getModule() { return module; }
  SizeArithmetic &sizes() { return arithmetic; }

  //===--- values ---------------------------------------------------------===//

  /// The lowered tensor of an ONNX value, materializing constants, scalars and deferred ops.
  mlir::Value getTensor(mlir::Value onnx);
  /// As getTensor, with a deferred Cast or per-tensor DequantizeLinear left for the reader to do.
  Operand getOperand(mlir::Value onnx);
  /// Known scalars of an integer or bool value of rank <= 1; constants included. Null where not known.
  const ShapeValue *getShapeValue(mlir::Value onnx);
  /// As getShapeValue, reading a run-time tensor of static small size by tensor.extract if need be.
  mlir::FailureOr<ShapeValue> readShapeValue(Node &node, unsigned input);
  /// True if the value is known scalars that depend on sizes, not merely a constant.
  bool isRuntimeShapeValue(mlir::Value onnx);
  /// The constant behind an ONNX value (onnx.Constant or a weight), or null.
  mlir::ElementsAttr getConstant(mlir::Value onnx);
  /// One number if the value is a constant with all elements equal and of small size.
  std::optional<mlir::Attribute> getSplat(mlir::Value onnx);
  /// The constant integers of an input (axes and the like).
  std::optional<llvm::SmallVector<int64_t>> getConstantInts(mlir::Value onnx);
  /// The op whose lowering waits for its reader, or null.
  mlir::Operation *getDeferred(mlir::Value onnx) { return deferred.lookup(onnx); }

  void setTensor(mlir::Value onnx, mlir::Value tensor);
  void setShapeValue(mlir::Value onnx, ShapeValue value);
  void setConstant(mlir::Value onnx, mlir::ElementsAttr value) { constants[onnx] = value; }
  void defer(Node &node) { deferred[node.getOperation()->getResult(0)] = node.getOperation(); }

  Node nodeOf(mlir::Operation *op) { return Node(op, signedTypes); }
  /// Type of an ONNX value with its signedness.
  mlir::RankedTensorType getONNXType(mlir::Value onnx) const {
    mlir::RankedTensorType type = signedTypes.lookup(onnx);
    return type ? type : mlir::cast<mlir::RankedTensorType>(onnx.getType());
  }

  //===--- regions --------------------------------------------------------===//

  /// Lowers the ops of a region of an ONNX op at the insertion point; `results` are the tensors that it yields. The
  /// region's arguments have their tensors. What is made here is known only as long as the RegionScope around it lives.
  mlir::LogicalResult lowerRegion(mlir::Region &region, llvm::SmallVectorImpl<mlir::Value> &results);

  //===--- sizes ----------------------------------------------------------===//

  /// Sizes of a lowered tensor; never a tensor.dim of an argument.
  Sizes getSizes(mlir::Value tensor);
  Sizes getSizesOf(mlir::Value onnx);
  void setSizes(mlir::Value tensor, llvm::ArrayRef<Size> sizes);
  /// Takes static dimensions that shape inference found for result `i` into `sizes`; open ones are held to the bound
  /// that the command line gives.
  Sizes refine(llvm::ArrayRef<Size> sizes, Node &node, unsigned i = 0);
  /// `size`, which is at most `bound` after this: a run where it is not ends with LEAF_ERROR_BOUND.
  Size limit(Size size, int64_t bound);
  /// Ends a run in which `condition` (i1) does not hold with LEAF_ERROR_BOUND.
  void requireWithinBound(Size condition, llvm::StringRef message);
  /// The one size of two that must agree at run time; emits plan.require if that is not known.
  mlir::FailureOr<Size> unify(Node &node, Size a, Size b);
  /// Sizes of the broadcast of `shapes`.
  mlir::FailureOr<Sizes> broadcast(Node &node, llvm::ArrayRef<Sizes> shapes);
  /// Map from loops of a broadcast result of `outSizes` to an operand of `sizes` aligned at the last dimension.
  mlir::AffineMap broadcastMap(llvm::ArrayRef<Size> sizes, llvm::ArrayRef<Size> outSizes);

  //===--- tensors --------------------------------------------------------===//

  /// What elements of an ONNX type are in the lowered tensors: no signedness, at least a byte; floats of 8 and 4 bits
  /// are their bits.
  static mlir::Type signless(mlir::Type type);
  mlir::RankedTensorType tensorType(llvm::ArrayRef<Size> sizes, mlir::Type element);
  mlir::Value empty(llvm::ArrayRef<Size> sizes, mlir::Type element);
  mlir::Value fill(llvm::ArrayRef<Size> sizes, mlir::Type element, mlir::TypedAttr value);
  /// linalg.generic over `numLoops` loops; results in order of `inits`.
  llvm::SmallVector<mlir::Value> generic(mlir::ValueRange ins, mlir::ValueRange inits,
                                         llvm::ArrayRef<mlir::AffineMap> maps,
                                         llvm::ArrayRef<mlir::utils::IteratorType> iterators, BodyBuilder body);
  /// All-parallel generic that computes each element of a fresh tensor of `outSizes`; the body gets one element per
  /// input and yields one of the signless `element`.
  mlir::Value pointwise(mlir::ValueRange ins, llvm::ArrayRef<mlir::AffineMap> inMaps, llvm::ArrayRef<Size> outSizes,
                        mlir::Type element,
                        llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> body);
  /// The same elements at other sizes, as collapse_shape and expand_shape. The products must agree.
  mlir::Value reshape(mlir::Value tensor, llvm::ArrayRef<Size> sizes);
  mlir::Value castTo(mlir::Value tensor, mlir::RankedTensorType type);

  //===--- weights --------------------------------------------------------===//

  /// A weight symbol holding `value`, shared between equal constants, loaded here.
  mlir::Value loadConstant(mlir::ElementsAttr value, llvm::StringRef hint);
  /// The constant of a lowered tensor that is a leaf.load_weight, or null.
  mlir::ElementsAttr getWeightValue(mlir::Value tensor);
  /// The weight behind the load `tensor`, seen at shape `split`, its dimensions permuted (result dimension i is
  /// dimension perm[i]) and seen at shape `result`; computed now. Null if `tensor` is no weight with its bytes here.
  mlir::Value relayoutWeight(mlir::Value tensor, llvm::ArrayRef<int64_t> split, llvm::ArrayRef<int64_t> perm,
                             llvm::ArrayRef<int64_t> result);

  /// Rows begin .. begin + count of tensor[outer] as a weight of `shape`, where `tensor` is the load of a weight
  /// [outer, rows, ...] with its bytes here; computed now. Null otherwise.
  mlir::Value sliceWeight(mlir::Value tensor, int64_t outer, int64_t begin, int64_t count,
                          llvm::ArrayRef<int64_t> shape);

private:
  friend class RegionScope;
  mlir::LogicalResult lowerEntry();
  mlir::LogicalResult lowerArguments();
  Size getDim(llvm::StringRef name);
  mlir::LogicalResult lowerNode(mlir::Operation *op);
  mlir::LogicalResult lowerReturn(mlir::Operation *op);
  void eraseDead();
  mlir::Value loadWeight(WeightOp weight);

  mlir::ModuleOp module;
  mlir::func::FuncOp main;
  mlir::OpBuilder builder;
  mlir::Location currentLoc;
  SizeArithmetic arithmetic;
  llvm::DenseMap<mlir::Value, mlir::RankedTensorType> signedTypes;
  llvm::DenseMap<mlir::Value, mlir::Value> tensors;
  llvm::DenseMap<mlir::Value, ShapeValue> shapeValues;
  llvm::DenseMap<mlir::Value, mlir::ElementsAttr> constants;
  llvm::DenseMap<mlir::Value, mlir::Operation *> deferred;
  llvm::DenseMap<mlir::Value, Sizes> tensorSizes;
  llvm::StringMap<Size> dims;                                       ///< of the entry's dynamic dimensions, by name
  std::vector<std::pair<std::string, mlir::BlockArgument>> newDims; ///< those added here, in order
  llvm::DenseMap<mlir::Attribute, mlir::Value> constantLoads;
  mlir::Operation *lastLoad = nullptr; ///< of those made here
  llvm::StringMap<mlir::Value> relayouts;
};

/// While it lives, ops are emitted into `block`. At its end the lowering forgets the values made in between: they do
/// not dominate what follows.
class RegionScope {
public:
  RegionScope(Lowering &lowering, mlir::Block *block);
  ~RegionScope();

private:
  Lowering &lowering;
  mlir::OpBuilder::InsertionGuard guard;
  decltype(std::declval<SizeArithmetic>().save()) arithmetic;
  llvm::DenseMap<mlir::Value, mlir::Value> tensors;
  llvm::DenseMap<mlir::Value, ShapeValue> shapeValues;
  llvm::DenseMap<mlir::Value, mlir::Operation *> deferred;
  llvm::DenseMap<mlir::Value, Sizes> tensorSizes;
};

/// Raw dense row-major bytes of a constant, elements as in lowered tensors (i1: 0 or 1, i4 and i2: sign-extended);
/// nullopt if its resource is not attached.
std::optional<llvm::SmallVector<char, 0>> getDenseBytes(mlir::ElementsAttr value);
/// The value whose buffer `tensor` looks at through reshapes and casts.
mlir::Value getRoot(mlir::Value tensor);

//===--- registry -----------------------------------------------------------===//

/// Operator name -> lowering, filled by the families.
class Registry {
public:
  void add(llvm::StringRef name, LowerFn fn) { table[name] = fn; }
  LowerFn lookup(llvm::StringRef name) const { return table.lookup(name); }
  static const Registry &get();

private:
  llvm::StringMap<LowerFn> table;
};

void registerElementwise(Registry &registry);
void registerActivations(Registry &registry);
void registerCasts(Registry &registry);
void registerQuantization(Registry &registry);
void registerRandom(Registry &registry);
void registerContractions(Registry &registry);
void registerConvolution(Registry &registry);
void registerPooling(Registry &registry);
void registerReductions(Registry &registry);
void registerNormalization(Registry &registry);
void registerMovement(Registry &registry);
void registerIndexing(Registry &registry);
void registerPad(Registry &registry);
void registerReshapes(Registry &registry);
void registerGenerators(Registry &registry);
void registerShapes(Registry &registry);
void registerTopK(Registry &registry);
void registerScatter(Registry &registry);
void registerResize(Registry &registry);
void registerConvTranspose(Registry &registry);
void registerControlFlow(Registry &registry);
void registerRecurrent(Registry &registry);
void registerTrees(Registry &registry);
void registerCumulative(Registry &registry);
void registerLoops(Registry &registry);
void registerDataDependent(Registry &registry);
void registerUnique(Registry &registry);
void registerStrings(Registry &registry);
void registerGridSample(Registry &registry);
void registerEinsum(Registry &registry);
void registerRows(Registry &registry);

/// Integer operators on known scalars (shape arithmetic). Returns true if `node` was one and its result is recorded.
mlir::FailureOr<bool> lowerShapeArithmetic(Lowering &lowering, Node &node);

} // namespace leaf::onnxtolinalg

#endif // LEAF_CONVERSION_ONNXTOLINALG_LOWERING_H
