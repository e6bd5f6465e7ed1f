// `rmq topic`: create and list (topic.cpp), describe (topic_describe.cpp), update
// (topic_update.cpp) and delete (topic_delete.cpp).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/options.h"
#include "cli/targets.h"

namespace rmq::cli {

// `console` must outlive `app`; likewise for the other nouns.
void add_topic_commands(const Command& root, Console& console);

// The verbs of `topic` in files of their own.
void add_topic_describe(const Command& noun, Console& console);
void add_topic_update(const Command& noun, Console& console);
void add_topic_delete(const Command& noun, Console& console);

// "rw", "r", "w" as the bits of a permission, and back; "-" for none.
std::int32_t perm_of(const std::string& text);
std::string perm_text(std::int32_t perm);

// Write queues of an ordered topic by broker name: what its consumers keep to while brokers come
// and go.
using OrderedQueues = std::map<std::string, std::int32_t>;
// `text`, "broker:queues;...", with `queues` in it.
std::string merge_order(const std::string& text, const OrderedQueues& queues);
// Tells every name server; brokers that it has told before keep their queues.
Result<> publish_order(const std::string& topic, const std::vector<Target>& targets,
                       std::int32_t queues, client::AdminClient& admin, Session& session);

}  // namespace rmq::cli
