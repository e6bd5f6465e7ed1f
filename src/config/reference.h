// The document of all settings (docs/config.md), written from the rows, so that it cannot differ
// from what is loaded. A test compares the file with this; `rmq config reference` prints it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/field.h"
#include "config/load.h"

namespace rmq::config {

// One role: its rows, bound to an object with the defaults, and the other keys of its Java file.
struct ReferenceSection {
  std::string_view title;
  std::string_view intro;
  Rows rows;
  JavaKeys java_keys;
};

std::string reference(std::span<const ReferenceSection> sections);

}  // namespace rmq::config
