// The key "topic@group" that Java's offset tables use (ConsumerOffsetManager.java).
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rmq::roles::broker {

// The key of one group in one topic. The view lives until this thread asks again: a commit or a
// query, which comes with every pull, makes no string.
inline std::string_view topic_at_group(std::string_view topic, std::string_view group) {
  thread_local std::string key;
  key.assign(topic).append(1, '@').append(group);
  return key;
}

// "topic@group" apart; neither may contain the sign. Nothing for anything else, as in Java.
struct TopicAtGroup {
  std::string_view topic;
  std::string_view group;
};
inline std::optional<TopicAtGroup> split_topic_at_group(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at == key.npos || key.find('@', at + 1) != key.npos || at + 1 == key.size()) {
    return std::nullopt;
  }
  return TopicAtGroup{.topic = key.substr(0, at), .group = key.substr(at + 1)};
}

}  // namespace rmq::roles::broker
