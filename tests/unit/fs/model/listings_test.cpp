// SPDX-License-Identifier: Apache-2.0
#include "fs/model/listings.h"

#include <gtest/gtest.h>

namespace nacre::fs {
namespace {

Listings::Ref listing() { return std::make_shared<const MergedListing>(); }

TEST(ListingsTest, ADirectoryHasItsLastOne) {
  Listings listings;
  EXPECT_EQ(listings.find({2}), nullptr);
  const auto first = listing(), second = listing();
  listings.put({2}, first);
  listings.put({3}, listing());
  listings.put({2}, second);
  EXPECT_EQ(listings.find({2}), second);
  listings.drop({2});
  EXPECT_EQ(listings.find({2}), nullptr);
  EXPECT_NE(listings.find({3}), nullptr);
  listings.clear();
  EXPECT_EQ(listings.find({3}), nullptr);
}

TEST(ListingsTest, OnlyTheLastFewAreKept) {
  Listings listings;
  for (std::uint64_t i = 1; i <= 1000; ++i) listings.put({i}, listing());
  EXPECT_NE(listings.find({1000}), nullptr);
  EXPECT_NE(listings.find({990}), nullptr);
  EXPECT_EQ(listings.find({900}), nullptr);
}

}  // namespace
}  // namespace nacre::fs
