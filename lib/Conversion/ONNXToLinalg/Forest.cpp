//===- Forest.cpp - decision trees of ai.onnx.ml -------------------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Forest.h"

#include "llvm/ADT/StringSwitch.h"

#include <map>

using namespace mlir;
using namespace leaf::onnxtolinalg;

namespace {
/// Attributes of the operator by name.
class Attributes {
public:
  explicit Attributes(Node &node) : op(node.getOperation()) {}

  ArrayRef<int64_t> ints(StringRef name) const {
    auto array = dyn_cast_or_null<DenseI64ArrayAttr>(op->getAttr(name));
    return array ? array.asArrayRef() : ArrayRef<int64_t>();
  }
  /// A list of floats, or a tensor of the same name or with `_as_tensor` behind it.
  std::vector<double> numbers(StringRef name) const {
    std::vector<double> result;
    if (auto array = dyn_cast_or_null<DenseF32ArrayAttr>(op->getAttr(name)))
      result.assign(array.asArrayRef().begin(), array.asArrayRef().end());
    for (StringRef key : {name.str(), (name + "_as_tensor").str()})
      if (auto dense = dyn_cast_or_null<DenseElementsAttr>(op->getAttr(key)))
        for (APFloat value : dense.getValues<APFloat>()) {
          bool lost;
          value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
          result.push_back(value.convertToDouble());
        }
    return result;
  }
  std::vector<StringRef> strings(StringRef name) const {
    std::vector<StringRef> result;
    if (auto array = dyn_cast_or_null<ArrayAttr>(op->getAttr(name)))
      for (auto text : array.getAsRange<StringAttr>())
        result.push_back(text.getValue());
    return result;
  }

private:
  Operation *op;
};

std::optional<Forest::Mode> modeOf(StringRef name) {
  using Mode = Forest::Mode;
  return llvm::StringSwitch<std::optional<Mode>>(name)
      .Case("BRANCH_LEQ", Mode::Leq)
      .Case("BRANCH_LT", Mode::Lt)
      .Case("BRANCH_GTE", Mode::Gte)
      .Case("BRANCH_GT", Mode::Gt)
      .Case("BRANCH_EQ", Mode::Eq)
      .Case("BRANCH_NEQ", Mode::Neq)
      .Case("LEAF", Mode::Leaf)
      .Default(std::nullopt);
}

/// The operators up to version 3: nodes are rows of parallel lists, named by (tree, node); the leaves' weights are rows
/// of other lists.
class TableReader {
public:
  TableReader(leaf::onnxtolinalg::Node &node, Forest &forest, StringRef prefix, StringRef idName)
      : node(node), attributes(node), forest(forest), prefix(prefix), idName(idName) {}

  LogicalResult run();

private:
  using Key = std::pair<int64_t, int64_t>;
  LogicalResult readNodes();
  LogicalResult readWeights();

  leaf::onnxtolinalg::Node &node;
  Attributes attributes;
  Forest &forest;
  StringRef prefix, idName; ///< "class" or "target", and "class_ids" or "target_ids"
  std::map<Key, int32_t> rows;
};
} // namespace

LogicalResult TableReader::readNodes() {
  ArrayRef<int64_t> trees = attributes.ints("nodes_treeids"), ids = attributes.ints("nodes_nodeids"),
                    features = attributes.ints("nodes_featureids"), onTrue = attributes.ints("nodes_truenodeids"),
                    onFalse = attributes.ints("nodes_falsenodeids"),
                    missing = attributes.ints("nodes_missing_value_tracks_true");
  std::vector<double> values = attributes.numbers("nodes_values");
  std::vector<StringRef> modes = attributes.strings("nodes_modes");
  size_t count = ids.size();
  if (trees.size() != count || features.size() != count || onTrue.size() != count || onFalse.size() != count ||
      values.size() != count || modes.size() != count || (!missing.empty() && missing.size() != count))
    return node.emitError() << "has node attributes of different lengths";
  for (size_t i = 0; i < count; ++i)
    if (!rows.try_emplace({trees[i], ids[i]}, i).second)
      return node.emitError() << "has two nodes " << ids[i] << " in tree " << trees[i];
  std::vector<bool> isChild(count, false);
  for (size_t i = 0; i < count; ++i) {
    std::optional<Forest::Mode> mode = modeOf(modes[i]);
    if (!mode)
      return node.emitError() << "has a node of unknown mode '" << modes[i] << "'";
    Forest::Node row;
    row.mode = *mode;
    row.onTrue = row.onFalse = i;
    if (*mode != Forest::Mode::Leaf) {
      auto left = rows.find({trees[i], onTrue[i]}), right = rows.find({trees[i], onFalse[i]});
      if (left == rows.end() || right == rows.end())
        return node.emitError() << "has node " << ids[i] << " in tree " << trees[i] << " whose child does not exist";
      row.onTrue = left->second;
      row.onFalse = right->second;
      isChild[row.onTrue] = isChild[row.onFalse] = true;
      row.feature = features[i];
      row.value = values[i];
      row.missingIsTrue = !missing.empty() && missing[i] != 0;
    }
    forest.nodes.push_back(row);
  }
  for (size_t i = 0; i < count; ++i)
    if (!isChild[i])
      forest.roots.push_back(i);
  return success();
}

LogicalResult TableReader::readWeights() {
  std::string text = prefix.str();
  ArrayRef<int64_t> trees = attributes.ints(text + "_treeids"), ids = attributes.ints(text + "_nodeids"),
                    targets = attributes.ints(idName);
  std::vector<double> weights = attributes.numbers(text + "_weights");
  if (trees.size() != ids.size() || targets.size() != ids.size() || weights.size() != ids.size())
    return node.emitError() << "has " << prefix << " attributes of different lengths";
  std::vector<std::vector<size_t>> ofNode(forest.nodes.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    auto row = rows.find({trees[i], ids[i]});
    if (row == rows.end())
      return node.emitError() << "has a weight of node " << ids[i] << " in tree " << trees[i] << ", which is not there";
    if (targets[i] < 0 || targets[i] >= forest.numTargets)
      return node.emitError() << "has a weight of " << prefix << ' ' << targets[i] << " of " << forest.numTargets;
    ofNode[row->second].push_back(i);
  }
  for (auto [row, list] : llvm::zip(forest.nodes, ofNode)) {
    row.firstWeight = forest.targets.size();
    for (size_t i : list) {
      forest.targets.push_back(targets[i]);
      forest.weights.push_back(weights[i]);
    }
    row.lastWeight = forest.targets.size();
  }
  return success();
}

LogicalResult TableReader::run() {
  if (failed(readNodes()) || failed(readWeights()))
    return failure();
  StringRef aggregate = node.getString("aggregate_function", "SUM");
  StringRef transform = node.getString("post_transform", "NONE");
  forest.aggregate = llvm::StringSwitch<Forest::Aggregate>(aggregate)
                         .Case("AVERAGE", Forest::Aggregate::Average)
                         .Case("MIN", Forest::Aggregate::Min)
                         .Case("MAX", Forest::Aggregate::Max)
                         .Default(Forest::Aggregate::Sum);
  forest.transform = llvm::StringSwitch<Forest::Transform>(transform)
                         .Case("SOFTMAX", Forest::Transform::Softmax)
                         .Case("LOGISTIC", Forest::Transform::Logistic)
                         .Case("SOFTMAX_ZERO", Forest::Transform::SoftmaxZero)
                         .Case("PROBIT", Forest::Transform::Probit)
                         .Default(Forest::Transform::None);
  forest.base = attributes.numbers("base_values");
  return success();
}

//===----------------------------------------------------------------------===//
// TreeEnsemble (version 5)
//===----------------------------------------------------------------------===//

/// Inner nodes and leaves are numbered apart; a flag per child says which of both it names.
static LogicalResult readTreeEnsemble(leaf::onnxtolinalg::Node &node, Forest &forest) {
  Attributes attributes(node);
  ArrayRef<int64_t> features = attributes.ints("nodes_featureids"), onTrue = attributes.ints("nodes_truenodeids"),
                    onFalse = attributes.ints("nodes_falsenodeids"), trueLeafs = attributes.ints("nodes_trueleafs"),
                    falseLeafs = attributes.ints("nodes_falseleafs"), roots = attributes.ints("tree_roots"),
                    missing = attributes.ints("nodes_missing_value_tracks_true"),
                    targets = attributes.ints("leaf_targetids");
  std::vector<double> splits = attributes.numbers("nodes_splits"), weights = attributes.numbers("leaf_weights"),
                      members = attributes.numbers("membership_values");
  auto modes = dyn_cast_or_null<DenseElementsAttr>(node.getOperation()->getAttr("nodes_modes"));
  size_t count = features.size(), leaves = targets.size();
  if (!modes || static_cast<size_t>(modes.getNumElements()) != count || onTrue.size() != count ||
      onFalse.size() != count || trueLeafs.size() != count || falseLeafs.size() != count || splits.size() != count ||
      weights.size() != leaves || (!missing.empty() && missing.size() != count))
    return node.emitError() << "has attributes of different lengths";
  // A set of members ends with NaN, in the order of the nodes that have one.
  size_t nextMember = 0;
  auto child = [&](int64_t index, bool leaf) -> int64_t {
    bool known = index >= 0 && static_cast<size_t>(index) < (leaf ? leaves : count);
    return known ? (leaf ? count + index : index) : -1;
  };
  for (auto [i, code] : llvm::enumerate(modes.getValues<APInt>())) {
    Forest::Node row;
    row.mode = static_cast<Forest::Mode>(std::min<uint64_t>(code.getZExtValue(), 6));
    row.feature = features[i];
    row.value = splits[i];
    int64_t left = child(onTrue[i], trueLeafs[i] != 0), right = child(onFalse[i], falseLeafs[i] != 0);
    if (left < 0 || right < 0)
      return node.emitError() << "has node " << i << " whose child does not exist";
    row.onTrue = left;
    row.onFalse = right;
    row.missingIsTrue = !missing.empty() && missing[i] != 0;
    if (row.mode == Forest::Mode::Member) {
      row.firstMember = forest.members.size();
      for (; nextMember < members.size() && members[nextMember] == members[nextMember]; ++nextMember)
        forest.members.push_back(members[nextMember]);
      ++nextMember;
      row.lastMember = forest.members.size();
    }
    forest.nodes.push_back(row);
  }
  for (size_t i = 0; i < leaves; ++i) {
    if (targets[i] < 0 || targets[i] >= forest.numTargets)
      return node.emitError() << "has a leaf for target " << targets[i] << " of " << forest.numTargets;
    Forest::Node leaf;
    leaf.onTrue = leaf.onFalse = count + i;
    leaf.firstWeight = i;
    leaf.lastWeight = i + 1;
    forest.nodes.push_back(leaf);
    forest.targets.push_back(targets[i]);
    forest.weights.push_back(weights[i]);
  }
  for (int64_t root : roots) {
    if (root < 0 || static_cast<size_t>(root) >= count)
      return node.emitError() << "has a root " << root << " that is no node";
    forest.roots.push_back(root);
  }
  // Codes of the operator: 0 average, 1 sum, 2 min, 3 max; 0 none, 1 softmax, 2 logistic, 3 softmax_zero, 4 probit.
  static constexpr Forest::Aggregate aggregates[] = {Forest::Aggregate::Average, Forest::Aggregate::Sum,
                                                     Forest::Aggregate::Min, Forest::Aggregate::Max};
  forest.aggregate = aggregates[std::clamp<int64_t>(node.getInt("aggregate_function", 1), 0, 3)];
  forest.transform = static_cast<Forest::Transform>(std::clamp<int64_t>(node.getInt("post_transform", 0), 0, 4));
  return success();
}

/// Steps to the farthest leaf; failure where a node is its own descendant.
static LogicalResult measureDepth(leaf::onnxtolinalg::Node &node, Forest &forest) {
  std::vector<int32_t> level(forest.roots.begin(), forest.roots.end());
  for (size_t visited = 0; !level.empty(); ++forest.depth) {
    std::vector<int32_t> next;
    for (int32_t i : level) {
      if (++visited > forest.nodes.size() + forest.roots.size())
        return node.emitError() << "has a node that is reached twice: its nodes are no trees";
      if (forest.nodes[i].mode == Forest::Mode::Leaf)
        continue;
      next.push_back(forest.nodes[i].onTrue);
      next.push_back(forest.nodes[i].onFalse);
    }
    level = std::move(next);
  }
  --forest.depth;
  return success();
}

FailureOr<Forest> leaf::onnxtolinalg::readForest(Node &node) {
  Forest forest;
  forest.numTargets = node.getInt("n_targets", 1);
  if (node.getName() == "ml.TreeEnsembleClassifier") {
    Attributes attributes(node);
    forest.numTargets =
        std::max(attributes.ints("classlabels_int64s").size(), attributes.strings("classlabels_strings").size());
  }
  LogicalResult read = node.getName() == "ml.TreeEnsemble" ? readTreeEnsemble(node, forest)
                       : node.getName() == "ml.TreeEnsembleClassifier"
                           ? TableReader(node, forest, "class", "class_ids").run()
                           : TableReader(node, forest, "target", "target_ids").run();
  if (failed(read))
    return failure();
  if (forest.roots.empty())
    return node.emitError() << "has no tree";
  if (!forest.base.empty() && forest.base.size() != 1 && static_cast<int64_t>(forest.base.size()) != forest.numTargets)
    return node.emitError() << "has " << forest.base.size() << " base values for " << forest.numTargets << " targets";
  for (const Forest::Node &row : forest.nodes)
    if (row.feature < 0)
      return node.emitError() << "reads feature " << row.feature;
  if (failed(measureDepth(node, forest)))
    return failure();
  return forest;
}
