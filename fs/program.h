// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "fs/layer/upper_layer.h"

namespace nacre::fs {

// What is put between the file system and its upper layer; tests put defects there.
using WrapUpper = std::function<std::unique_ptr<UpperLayer>(std::unique_ptr<UpperLayer>)>;

// nacre-fs: `arguments` are those after the program's name. Returns the exit status.
int run_program(std::span<const std::string_view> arguments, const WrapUpper& wrap_upper = {});

}  // namespace nacre::fs
