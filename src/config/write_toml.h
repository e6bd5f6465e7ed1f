// The values behind rows as a TOML file: what load_toml() reads back.
#pragma once

#include <string>

#include "config/field.h"

namespace rmq::config {

// Every row, one table after the other; the meaning of each is a comment above it when `explained`.
std::string write_toml(const Rows& rows, bool explained);

}  // namespace rmq::config
