// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/load.h"

#include <gmock/gmock.h>

#include <string>

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;

constexpr auto kNow = 1000s;

TEST(Load, RisesAndFallsAsInTheKernel) {
  Loads loads{};
  loads = next_loads(loads, 1);
  EXPECT_THAT(loads, ElementsAre(164, 34, 11));  // (1 - e^(-5/60)) and so on
  EXPECT_EQ(next_loads(loads, 1), next_loads({}, 1, 2));
  EXPECT_THAT(next_loads(loads, 3, 100'000), Each(3 * kLoadOne));
  EXPECT_THAT(next_loads({500, 500, 500}, 0, 100'000), Each(0));
}

TEST(Load, PressureIsParsedOrRefused) {
  const std::string good =
      "some avg10=1.50 avg60=20.00 avg300=0.25 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
  const auto pressure = parse_pressure(good);
  ASSERT_TRUE(pressure);
  EXPECT_EQ(pressure->last10, 1.5);
  EXPECT_EQ(pressure->last60, 20);
  EXPECT_EQ(pressure->last300, 0.25);
  for (const char* bad :
       {"", "some", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0", "some avg10=x avg60=0 avg300=0",
        "some avg10=101 avg60=0 avg300=0", "some avg10=-1 avg60=0 avg300=0", "some avg10= avg60= avg300="})
    EXPECT_FALSE(parse_pressure(bad)) << bad;
}

TEST(Load, IsEstimatedFromWhatIsActiveAndFromPressure) {
  constexpr auto kOld = 10h;
  EXPECT_THAT(estimated_loads(3, std::nullopt, kOld), Each(3 * kLoadOne));
  EXPECT_THAT(estimated_loads(0, Pressure{0, 0, 0}, kOld), Each(0));
  // The rush has only begun.
  EXPECT_THAT(estimated_loads(4, Pressure{80, 40, 20}, kOld), ElementsAre(2 * kLoadOne, kLoadOne, kLoadOne));
  // It is over: at least one waited for half of the time.
  EXPECT_THAT(estimated_loads(0, Pressure{0, 50, 25}, kOld),
              ElementsAre(kLoadOne / 2, kLoadOne / 4, kLoadOne / 4));
  // A young container had no load before it began.
  EXPECT_THAT(estimated_loads(3, std::nullopt, 1s), Each(0));
  EXPECT_EQ(estimated_loads(3, std::nullopt, 60s), next_loads({}, 3, 12));
}

TEST(Load, GoesOnFromTheLastTickOrBeginsAnew) {
  FollowedLoad load;
  EXPECT_FALSE(load.read(kNow));
  const Loads estimate{2 * kLoadOne, kLoadOne, kLoadOne};
  EXPECT_EQ(load.start(kNow, 1, estimate), estimate);
  EXPECT_EQ(load.read(kNow), estimate);
  EXPECT_TRUE(load.tick(kNow + 4s, 1));
  EXPECT_EQ(load.read(kNow + 4s), estimate);  // not due yet
  EXPECT_TRUE(load.tick(kNow + 12s, 1));
  EXPECT_EQ(load.read(kNow + 12s), next_loads(estimate, 1, 2));

  FollowedLoad successor;
  successor.restore(load.state());
  EXPECT_FALSE(successor.read(kNow + 20s));
  EXPECT_EQ(successor.start(kNow + 20s, 1, {}), next_loads(estimate, 1, 4));

  EXPECT_FALSE(load.tick(kNow + 1h, 0));
  EXPECT_FALSE(load.read(kNow + 1h));
  EXPECT_EQ(load.start(kNow + 2h, 0, estimate), estimate);
}

TEST(Load, AStateOfAnotherShapeIsNone) {
  FollowedLoad load;
  load.restore({});
  load.restore({1, 2, 3});
  EXPECT_THAT(load.start(kNow, 0, {7, 7, 7}), Each(7));
}

}  // namespace
}  // namespace nacre::procfs
