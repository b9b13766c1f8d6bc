// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

// Reading JSON into plain structs, private to runtime/spec. Every value knows its path, so
// that a complaint reads `linux.namespaces[2].type must be a string`. The first complaint
// is kept and reading goes on: parsers stay straight lines.
namespace nacre::runtime::spec {

using Json = nlohmann::json;

class Problems {
 public:
  void add(std::string text) {
    if (!first_) first_ = std::move(text);
  }
  Result<> result() const {
    if (first_) return bad_input(*first_);
    return {};
  }

 private:
  std::optional<std::string> first_;
};

// A value inside a document; one that is absent (or null) has no json.
struct Value {
  const Json* json = nullptr;
  std::string path;
  Problems* problems = nullptr;

  explicit operator bool() const { return json != nullptr; }
  bool must_be(bool holds, const char* kind) const {
    if (!holds) problems->add(path + " must be " + kind);
    return holds;
  }
  // A member of an object; absent when there is none.
  Value operator[](const char* key) const {
    Value member{nullptr, path.empty() ? key : path + "." + key, problems};
    if (json == nullptr || !must_be(json->is_object(), "an object")) return member;
    const auto found = json->find(key);
    if (found != json->end() && !found->is_null()) member.json = &*found;
    return member;
  }
  Value item(std::size_t index) const {
    return {&(*json)[index], path + "[" + std::to_string(index) + "]", problems};
  }
};

inline void read(const Value& value, std::string& out) {
  if (!value || !value.must_be(value.json->is_string(), "a string")) return;
  out = value.json->get<std::string>();
  value.must_be(out.find('\0') == std::string::npos, "a string without NUL characters");
}

inline void read(const Value& value, bool& out) {
  if (value && value.must_be(value.json->is_boolean(), "true or false")) out = value.json->get<bool>();
}

template <typename Int>
requires std::is_integral_v<Int>
void read(const Value& value, Int& out) {
  if (!value || !value.must_be(value.json->is_number_integer(), "an integer")) return;
  const bool fits = value.json->is_number_unsigned() ? std::in_range<Int>(value.json->get<std::uint64_t>())
                                                     : std::in_range<Int>(value.json->get<std::int64_t>());
  if (!fits) {
    value.problems->add(value.path + " is out of range: " + value.json->dump());
    return;
  }
  out = value.json->is_number_unsigned() ? static_cast<Int>(value.json->get<std::uint64_t>())
                                         : static_cast<Int>(value.json->get<std::int64_t>());
}

template <typename T>
void read(const Value& value, std::optional<T>& out) {
  if (!value) return;
  T inner{};
  read(value, inner);
  out = std::move(inner);
}

template <typename T>
void read(const Value& value, std::vector<T>& out) {
  if (!value || !value.must_be(value.json->is_array(), "an array")) return;
  out.clear();
  for (std::size_t i = 0; i < value.json->size(); ++i) {
    T inner{};
    if (value.item(i).must_be(!value.item(i).json->is_null(), "a value")) read(value.item(i), inner);
    out.push_back(std::move(inner));
  }
}

template <typename T>
void read(const Value& value, std::map<std::string, T>& out) {
  if (!value || !value.must_be(value.json->is_object(), "an object")) return;
  out.clear();
  for (const auto& [key, member] : value.json->items()) {
    if (member.is_null()) continue;
    read(Value{&member, value.path + "." + key, value.problems}, out[key]);
  }
}

}  // namespace nacre::runtime::spec
