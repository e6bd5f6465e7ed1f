// TableVersion: counts the changes of one table since the process started.
#pragma once

#include "base/units.h"

namespace rmq::roles::broker {

using TableVersion = Position<struct TableVersionTag>;

}  // namespace rmq::roles::broker
