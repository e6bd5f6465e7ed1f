// EtcdErrc: what etcd, or what stands in its place, can answer instead of an answer.
#pragma once

#include "base/errc.h"

#define RMQ_ETCD_ERRC(X)                            \
  X(NotHttp, "the answer is not HTTP")              \
  X(Malformed, "the answer is not one of etcd's")   \
  X(Unavailable, "etcd cannot answer at this time") \
  X(Refused, "etcd refused the request")            \
  X(EndpointMalformed, "not an endpoint of etcd")
RMQ_DEFINE_ERRC(rmq::etcd, EtcdErrc, RMQ_ETCD_ERRC)
