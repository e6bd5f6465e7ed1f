// ConfigErrc: why a config file or an option was refused. The detail always names file, key and
// what would be right.
#pragma once

#include "base/errc.h"

#define RMQ_CONFIG_ERRC(X)                                     \
  X(Unreadable, "cannot read the config file")                 \
  X(Syntax, "the config file has a syntax error")              \
  X(UnknownKey, "unknown setting")                             \
  X(BadValue, "bad value")                                     \
  X(Refused, "a setting asks for what this version cannot do") \
  X(Contradiction, "options contradict each other")
RMQ_DEFINE_ERRC(rmq::config, ConfigErrc, RMQ_CONFIG_ERRC)
