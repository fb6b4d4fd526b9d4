//===- OutputNames.cpp - names of a node and its outputs ---------------------===//
//
// Part of Leafcutter, under the Apache License v2.0. See LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Leaf/OutputNames.h"

using namespace mlir;

Location leaf::makeNodeLocation(MLIRContext *context, StringRef node, ArrayRef<std::string> outputs) {
  SmallVector<Location> names;
  for (const std::string &output : outputs)
    names.push_back(NameLoc::get(StringAttr::get(context, output)));
  if (names.empty())
    return NameLoc::get(StringAttr::get(context, node));
  return NameLoc::get(StringAttr::get(context, node),
                      names.size() == 1 ? names.front() : Location(FusedLoc::get(context, names)));
}

/// The first node named in `location`.
static NameLoc findNode(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name;
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (NameLoc name = findNode(part))
        return name;
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return findNode(call.getCallee());
  return {};
}

Location leaf::getOutputLocation(Location location, unsigned i) {
  NameLoc node = findNode(location);
  // Equal names would have become one; there are none in a valid model.
  auto several = node ? dyn_cast<FusedLoc>(node.getChildLoc()) : FusedLoc();
  return several && i < several.getLocations().size() ? NameLoc::get(node.getName(), several.getLocations()[i])
                                                      : location;
}

std::string leaf::getBoundOption(Location location, unsigned i) {
  NameLoc node = findNode(getOutputLocation(location, i));
  Location first = node ? node.getChildLoc() : location;
  if (auto several = dyn_cast<FusedLoc>(first))
    first = several.getLocations().front();
  auto output = node ? dyn_cast<NameLoc>(first) : NameLoc();
  return "--bound '" + (node ? node.getName().str() : std::string("NODE")) + "." +
         (output ? output.getName().str() : std::string("OUTPUT")) + "=N'";
}
