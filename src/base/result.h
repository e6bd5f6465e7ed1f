// Result<T>: a value or an Error. Expected failures (peer, disk, user) travel in it; bugs use
// RMQ_ASSERT. An Error's code is for `if`; its detail says which file, offset or topic, for the log
// and the wire remark only.
#pragma once

#include <string>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

namespace rmq {

struct Error {
  std::error_code code;
  std::string detail;

  // "disk full: commitlog/00000000000000000000", for people.
  std::string message() const;
};

template <class T = void>
struct [[nodiscard]] Result : tl::expected<T, Error> {
  using tl::expected<T, Error>::expected;
};

inline tl::unexpected<Error> fail(std::error_code code, std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
// The current errno, as an Error.
tl::unexpected<Error> fail_errno(std::string detail);

}  // namespace rmq

#define RMQ_CONCAT_INNER(a, b) a##b
#define RMQ_CONCAT(a, b) RMQ_CONCAT_INNER(a, b)

#define RMQ_TRY_INNER(tmp, ret, decl, ...)                              \
  auto tmp = (__VA_ARGS__);                                             \
  if (!tmp) ret ::tl::unexpected<::rmq::Error>(std::move(tmp.error())); \
  decl = std::move(*tmp)
#define RMQ_CHECK_INNER(tmp, ret, ...)                                    \
  do {                                                                    \
    auto tmp = (__VA_ARGS__);                                             \
    if (!tmp) ret ::tl::unexpected<::rmq::Error>(std::move(tmp.error())); \
  } while (false)

// RMQ_TRY(auto x, f()): x is the value of f(), or the enclosing function returns the error.
#define RMQ_TRY(decl, ...) \
  RMQ_TRY_INNER(RMQ_CONCAT(rmq_try_, __COUNTER__), return, decl, __VA_ARGS__)
#define RMQ_CO_TRY(decl, ...) \
  RMQ_TRY_INNER(RMQ_CONCAT(rmq_try_, __COUNTER__), co_return, decl, __VA_ARGS__)
// RMQ_CHECK(f()): the same for a Result<> without value.
#define RMQ_CHECK(...) RMQ_CHECK_INNER(RMQ_CONCAT(rmq_check_, __COUNTER__), return, __VA_ARGS__)
#define RMQ_CO_CHECK(...) \
  RMQ_CHECK_INNER(RMQ_CONCAT(rmq_check_, __COUNTER__), co_return, __VA_ARGS__)
