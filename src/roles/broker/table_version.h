#pragma once

#include "base/units.h"

namespace rmq::roles::broker {

// Counts the changes of one table since the process started.
using TableVersion = Position<struct TableVersionTag>;

}  // namespace rmq::roles::broker
