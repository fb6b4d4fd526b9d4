//===- CallOrderTest.cpp - orders of calls that need little memory -----------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Plan/CallOrder.h"

#include "gtest/gtest.h"
#include <algorithm>
#include <chrono>
#include <numeric>

using namespace leaf;

static uint64_t state = 1;

static unsigned random(unsigned below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<unsigned>((state >> 33) % below);
}

static std::vector<CallNode> makeGraph(unsigned count, unsigned reach) {
  std::vector<CallNode> nodes(count);
  for (unsigned i = 0; i < count; ++i) {
    nodes[i].bytes = 64 * (1 + random(20));
    for (unsigned j = i > reach ? i - reach : 0; j < i; ++j)
      if (random(reach) < 2)
        nodes[i].inputs.push_back(j);
    if (!nodes[i].inputs.empty() && random(2))
      nodes[i].inPlace.push_back(nodes[i].inputs.front());
  }
  return nodes;
}

static bool respectsInputs(const std::vector<CallNode> &nodes, const std::vector<unsigned> &order) {
  std::vector<unsigned> position(nodes.size(), UINT32_MAX);
  for (unsigned i = 0; i < order.size(); ++i)
    position[order[i]] = i;
  for (unsigned i = 0; i < nodes.size(); ++i)
    for (unsigned input : nodes[i].inputs)
      if (position[i] == UINT32_MAX || position[input] >= position[i])
        return false;
  return order.size() == nodes.size();
}

TEST(CallOrder, SmallGraphsAreOptimal) {
  unsigned better = 0;
  for (unsigned round = 0; round < 100; ++round) {
    std::vector<CallNode> nodes = makeGraph(7, 4);
    std::vector<unsigned> order(nodes.size());
    std::iota(order.begin(), order.end(), 0);
    int64_t given = getPeak(nodes, order), best = given;
    do {
      if (respectsInputs(nodes, order))
        best = std::min(best, getPeak(nodes, order));
    } while (std::next_permutation(order.begin(), order.end()));
    std::vector<unsigned> found = findOrder(nodes, 64);
    EXPECT_TRUE(respectsInputs(nodes, found));
    EXPECT_EQ(getPeak(nodes, found), best) << round;
    better += best < given;
  }
  EXPECT_GT(better, 10u);
}

TEST(CallOrder, InPlaceCountsOnce) {
  std::vector<CallNode> nodes(2);
  nodes[0].bytes = nodes[1].bytes = 64;
  nodes[1].inputs = {0};
  EXPECT_EQ(getPeak(nodes, {0, 1}), 128);
  nodes[1].inPlace = {0};
  EXPECT_EQ(getPeak(nodes, {0, 1}), 64);
}

TEST(CallOrder, ThousandCallsTakeLessThanASecond) {
  std::vector<CallNode> nodes = makeGraph(1000, 12);
  auto start = std::chrono::steady_clock::now();
  std::vector<unsigned> order = findOrder(nodes, 32);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_TRUE(respectsInputs(nodes, order));
  EXPECT_EQ(order, findOrder(nodes, 32));
  std::printf("%.2f s\n", seconds);
  EXPECT_LT(seconds, 5); // a tenth of that on an idle machine
}

TEST(CallOrder, ManyIndependentCallsEnd) {
  std::vector<CallNode> nodes(2048);
  for (CallNode &node : nodes)
    node.bytes = 64;
  EXPECT_EQ(findOrder(nodes, 32).size(), nodes.size());
}
