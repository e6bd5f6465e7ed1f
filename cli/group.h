// `rmq group`: consumer groups, how far they are, and who is in them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/targets.h"
#include "client/gather.h"

namespace rmq::cli {

void add_group_commands(const Command& root, Console& console);

// `rmq group reset` and `delete`, of group_change.cpp.
void add_group_changes(const Command& noun, Console& console);

// What all verbs of the noun have, of group_options.cpp.
struct GroupOptions : CommonOptions {
  std::string group;
  std::string broker;
  std::string cluster;
};
void add_broker_options(const Command& verb, GroupOptions& options);

// Asks all of `targets` at the same time; the answers in their order.
template <class T>
std::vector<Result<T>> ask_each(const std::vector<Target>& targets, Session& session,
                                const std::function<net::Task<Result<T>>(const Target&)>& ask) {
  return session.run<std::vector<Result<T>>>([&] {
    std::vector<std::function<net::Task<Result<T>>()>> questions;
    for (const Target& target : targets) {
      questions.push_back([&ask, &target] { return ask(target); });
    }
    return client::gather<Result<T>>(session.thread(), std::move(questions));
  });
}

}  // namespace rmq::cli
