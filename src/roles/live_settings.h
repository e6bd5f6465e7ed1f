// Changes of settings while running, as UPDATE_NAMESRV_CONFIG and UPDATE_BROKER_CONFIG ask for
// them. Threads: none of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/java_compat.h"
#include "base/result.h"
#include "config/field.h"

namespace rmq::roles {

// Those of the settings in a .properties text that differ from what `scratch`, the rows of a copy
// of the settings in force, has; they are set there. Keys that no setting has are passed over, as
// in Java. Errors: ResponseCode::NoPermission: a key of `never`; SystemError: a bad value, or a
// setting that only counts at a start.
Result<JavaProperties> check_changes(std::string_view text, const config::Rows& scratch,
                                     std::span<const std::string_view> never);

// Sets what check_changes() found right, and says so in the log.
void apply_changes(const JavaProperties& changes, const config::Rows& settings,
                   std::string_view component, const std::string& peer);

// All settings that Java has a name for, and `others`, as "key=value\n".
std::string settings_text(const config::Rows& settings, const JavaProperties& others);

}  // namespace rmq::roles
