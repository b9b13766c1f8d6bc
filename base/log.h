// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// Programs log; libraries return errors. This is the only door to the logging library.
namespace nacre::log {

enum class Level { debug, info, warning, error };

// Lines go to standard error as "NAME: text". Call once, in main().
void start(const char* program, Level lowest = Level::info);

void debug(std::string_view text);
void info(std::string_view text);
void warning(std::string_view text);
void error(std::string_view text);

}  // namespace nacre::log
