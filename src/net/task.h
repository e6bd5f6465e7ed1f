// Task<T>: a coroutine on an io thread; with spawn() and IoThread it is all that other modules need
// of Asio.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <string_view>

namespace rmq::net {

template <class T = void>
using Task = asio::awaitable<T>;

// The completion token of this code base: co_await yields (error_code, values...) and throws
// nothing.
inline constexpr auto use_result = asio::experimental::as_tuple(asio::use_awaitable);

class IoThread;

// Runs start() on `thread` until it ends. An exception that escapes it is a bug: it is logged with
// `name` and aborts.
void spawn(IoThread& thread, std::string_view name, std::function<Task<>()> start);

}  // namespace rmq::net
