// How a load names an answer that is not a success. Threads: any.
#pragma once

#include <string>

#include "protocol/command.h"
#include "protocol/response_codes.h"

namespace rmq::load {

// "SYSTEM_BUSY (2): the remark", cut so that equal ones are counted together.
inline std::string answer_error(const protocol::CommandView& response) {
  constexpr std::size_t kRemarkMax = 60;
  std::string text = protocol::make_error_code(protocol::ResponseCode{response.code}).message();
  text += " (" + std::to_string(response.code) + ")";
  if (!response.remark.empty()) text += ": " + std::string(response.remark.substr(0, kRemarkMax));
  return text;
}

}  // namespace rmq::load
