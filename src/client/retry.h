// What to do after a failed request: the rules of producers, and of consumers that wait.
#pragma once

#include "base/result.h"

namespace rmq::client {

enum class RetryAdvice {
  Fail,         // it would fail anywhere: tell the caller now
  OtherBroker,  // this broker will not take it, another one may
  AnyBroker,    // passing: another broker, or this one again when there is no other
};

// Codes 1, 2, 14, 16, 17, 204, 205 and 1500 are those that Java's producer retries; a lost
// connection or a time-out may have stored the message, so that a retry may store it twice: at
// least once is what RocketMQ promises.
RetryAdvice advise_retry(const Error& error);

// Whether the same request to the same server may succeed a little later: lost connections,
// time-outs, a server that is busy, starting or stopping, a broker that is not in the route now.
bool may_pass(const Error& error);

// Whether a server did not answer in time or could not be reached.
bool shows_silence(const Error& error);

}  // namespace rmq::client
