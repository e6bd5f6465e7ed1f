#include "base/result.h"

#include <cerrno>

namespace rmq {

std::string Error::message() const {
  if (detail.empty()) return code.message();
  return code.message() + ": " + detail;
}

tl::unexpected<Error> fail_errno(std::string detail) {
  return fail(std::error_code(errno, std::generic_category()), std::move(detail));
}

}  // namespace rmq
