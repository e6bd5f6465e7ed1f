// Headers of the name server's key-value store: PUT (100), GET (101), DELETE (102), list a
// namespace (219).
#pragma once

#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

// The key is `config_namespace` here because `namespace` is a word of C++.
struct PutKvConfigRequest {
  std::string_view config_namespace{};
  std::string_view key{};
  std::string_view value{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("namespace", self.config_namespace, kRequired);
    f("key", self.key, kRequired);
    f("value", self.value, kRequired);
  }
};

struct GetKvConfigRequest {
  std::string_view config_namespace{};
  std::string_view key{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("namespace", self.config_namespace, kRequired);
    f("key", self.key, kRequired);
  }
};

struct GetKvConfigResponse {
  std::optional<std::string_view> value{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("value", self.value, kOptional);
  }
};

struct DeleteKvConfigRequest {
  std::string_view config_namespace{};
  std::string_view key{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("namespace", self.config_namespace, kRequired);
    f("key", self.key, kRequired);
  }
};

struct GetKvlistByNamespaceRequest {
  std::string_view config_namespace{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("namespace", self.config_namespace, kRequired);
  }
};

}  // namespace rmq::protocol
