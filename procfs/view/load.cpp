// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/load.h"

#include <algorithm>

#include "base/parse.h"

namespace nacre::procfs {
namespace {

// 1/exp(5s/1min), 1/exp(5s/5min), 1/exp(5s/15min) in fixed point.
constexpr std::array<std::uint64_t, 3> kDecay{1884, 2014, 2037};

// After so many ticks all averages have arrived, to the last digit that is shown.
constexpr std::uint64_t kArrived = 3600;

// Towards `target`, which is in fixed point.
std::uint64_t next_load(std::uint64_t load, std::uint64_t target, std::uint64_t decay) {
  std::uint64_t sum = load * decay + target * (kLoadOne - decay);
  // Round up while rising, so that a steady load is reached.
  if (target >= load) sum += kLoadOne - 1;
  return sum / kLoadOne;
}

std::uint64_t after(std::uint64_t load, std::uint64_t target, std::uint64_t decay, std::uint64_t ticks) {
  for (ticks = std::min(ticks, kArrived); ticks > 0; --ticks) load = next_load(load, target, decay);
  return load;
}

std::uint64_t ticks_in(std::chrono::nanoseconds span) {
  return static_cast<std::uint64_t>(std::max(span, std::chrono::nanoseconds{0}) / kLoadTick);
}

// The number in "avg60=1.25".
std::optional<double> parse_average(std::string_view word, std::string_view name) {
  if (!word.starts_with(name)) return std::nullopt;
  const auto value = parse_nano(word.substr(name.size()));
  if (!value || *value > 100'000'000'000) return std::nullopt;
  return static_cast<double>(*value) / 1e9;
}

double steady_load(double active, double now, double then) {
  constexpr double kCalm = 1;  // percent; below that, the ratio says nothing
  const double part = now < kCalm ? 1 : std::min(1.0, then / now);
  return active * part + std::max(0.0, then - now) / 100;
}

}  // namespace

Loads next_loads(const Loads& loads, std::uint64_t active, std::uint64_t ticks) {
  Loads next{};
  for (std::size_t i = 0; i < loads.size(); ++i)
    next[i] = after(loads[i], active * kLoadOne, kDecay[i], ticks);
  return next;
}

std::optional<Pressure> parse_pressure(std::string_view text) {
  const auto words = split_blank(text.substr(0, text.find('\n')));
  if (words.size() < 4 || words[0] != "some") return std::nullopt;
  const auto last10 = parse_average(words[1], "avg10=");
  const auto last60 = parse_average(words[2], "avg60=");
  const auto last300 = parse_average(words[3], "avg300=");
  if (!last10 || !last60 || !last300) return std::nullopt;
  return Pressure{*last10, *last60, *last300};
}

Loads estimated_loads(std::uint64_t active, const std::optional<Pressure>& pressure,
                      std::chrono::nanoseconds age) {
  const auto known = pressure.value_or(Pressure{});
  const std::array<double, 3> then{known.last60, known.last300, known.last300};
  Loads loads{};
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const double steady = steady_load(static_cast<double>(active), known.last10, then[i]);
    const auto target = static_cast<std::uint64_t>(steady * static_cast<double>(kLoadOne));
    loads[i] = after(0, target, kDecay[i], ticks_in(age));
  }
  return loads;
}

std::optional<Loads> FollowedLoad::read(std::chrono::nanoseconds now) {
  if (!followed_) return std::nullopt;
  last_read_ = now;
  return loads_;
}

Loads FollowedLoad::start(std::chrono::nanoseconds now, std::uint64_t active, const Loads& estimate) {
  if (started_ && now - last_tick_ < kFollowed) {
    catch_up(now, active);
  } else {
    loads_ = estimate;
    last_tick_ = now;
  }
  last_read_ = now;
  started_ = followed_ = true;
  return loads_;
}

bool FollowedLoad::tick(std::chrono::nanoseconds now, std::uint64_t active) {
  catch_up(now, active);
  followed_ = now - last_read_ < kFollowed;
  return followed_;
}

void FollowedLoad::catch_up(std::chrono::nanoseconds now, std::uint64_t active) {
  const auto ticks = ticks_in(now - last_tick_);
  loads_ = next_loads(loads_, active, ticks);
  last_tick_ += ticks * kLoadTick;
}

std::vector<std::uint64_t> FollowedLoad::state() const {
  return {loads_[0], loads_[1], loads_[2], static_cast<std::uint64_t>(last_tick_.count())};
}

void FollowedLoad::restore(const std::vector<std::uint64_t>& state) {
  if (state.size() != 4) return;
  std::copy_n(state.begin(), loads_.size(), loads_.begin());
  last_tick_ = std::chrono::nanoseconds(state[3]);
  started_ = true;
}

}  // namespace nacre::procfs
