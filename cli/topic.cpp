#include "cli/topic.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "client/admin_client.h"

namespace rmq::cli {
namespace {

using client::AdminClient;

struct CreateOptions : TargetOptions {
  std::string topic;
  std::int32_t queues = 8;
  std::optional<std::int32_t> read_queues;
  std::optional<std::int32_t> write_queues;
  std::string perm = "rw";
  bool order = false;
};

struct ListOptions : CommonOptions {
  std::string cluster;
};

protocol::TopicConfig topic_config(const CreateOptions& options) {
  protocol::TopicConfig topic;
  topic.topic = options.topic;
  topic.read_queue_nums = options.read_queues.value_or(options.queues);
  topic.write_queue_nums = options.write_queues.value_or(options.queues);
  topic.perm = perm_of(options.perm);
  topic.order = options.order;
  return topic;
}

Listing listing_of(const std::vector<Target>& targets, const std::vector<Result<bool>>& results,
                   const CreateOptions& options) {
  json::Value brokers = json::Value::array();
  Table table({{"TOPIC"}, {"BROKER"}, {"ADDRESS"}, {"RESULT"}});
  for (std::size_t i = 0; i < targets.size(); ++i) {
    json::Value broker = json::Value::object();
    broker.set("broker", targets[i].broker).set("address", targets[i].address);
    broker.set("created", results[i].has_value());
    if (!results[i]) broker.set("error", results[i].error().message());
    brokers.push_back(std::move(broker));
    table.add_row(
        {options.topic, targets[i].broker, targets[i].address, results[i] ? "created" : "failed"});
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("topic", options.topic).set("brokers", std::move(brokers));
  return listing;
}

ExitCode create_topic(const CreateOptions& options, Session& session, Console& console) {
  const std::string task = "create topic '" + options.topic + "'";
  AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) {
    return report(explain(targets.error(), task, options), options.format(), console);
  }

  const protocol::TopicConfig topic = topic_config(options);
  const auto results = ask_each<bool>(*targets, session, [&](const Target& target) {
    return done(admin.create_topic(target.address, topic));
  });
  show(listing_of(*targets, results, options), options.format(), console);

  ExitCode code = ExitCode::Ok;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) continue;
    const std::string where = task + " on broker '" + (*targets)[i].broker + "'";
    // The result with all brokers is out already.
    const ExitCode failed =
        report(explain(results[i].error(), where, options), OutputFormat::Table, console);
    if (code == ExitCode::Ok) code = failed;
  }
  if (code == ExitCode::Ok && options.order) {
    const auto published =
        publish_order(options.topic, *targets, topic.write_queue_nums, admin, session);
    if (!published) {
      return report(explain(published.error(), "tell the name servers its order", options),
                    OutputFormat::Table, console);
    }
  }
  return code;
}

ExitCode list_topics(const ListOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  auto topics = session.run<Result<std::vector<std::string>>>([&] {
    return options.cluster.empty() ? admin.topics() : admin.topics_of_cluster(options.cluster);
  });
  if (!topics) {
    return report(explain(topics.error(), "list topics", options), options.format(), console);
  }
  if (topics->empty() && !options.cluster.empty()) {
    // A cluster without topics has masters at least; else this says which clusters there are.
    const auto masters = find_targets("", options.cluster, admin, session);
    if (!masters) {
      return report(explain(masters.error(), "list topics", options), options.format(), console);
    }
  }
  std::sort(topics->begin(), topics->end());
  json::Value names = json::Value::array();
  Table table({{"TOPIC"}});
  for (const std::string& topic : *topics) {
    names.push_back(topic);
    table.add_row({topic});
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("topics", std::move(names));
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

void add_create(const Command& noun, Console& console) {
  const auto [verb, options] =
      add_verb<CreateOptions>(noun, "create", "Create a topic, or change it when it exists",
                              "rmq topic create Orders --queues 16");
  verb.option("NAME", options->topic, "The topic").required();
  const Option queues = verb.option("--queues", options->queues, "Queues on each broker")
                            .within(1, 65'535)
                            .type("N")
                            .shows_default();
  verb.option("--read-queues", options->read_queues, "Queues that consumers read")
      .within(1, 65'535)
      .type("N")
      .excludes(queues);
  verb.option("--write-queues", options->write_queues, "Queues that producers write")
      .within(1, 65'535)
      .type("N")
      .excludes(queues);
  verb.option("--perm", options->perm, "rw, r (no new messages) or w (no reading)")
      .one_of({"rw", "r", "w"})
      .type("PERM")
      .shows_default();
  verb.flag("--order", options->order, "An ordered topic: its queues stay with their broker");
  add_target_options(verb, *options);
  run_as(verb, options, console, create_topic);
}

void add_list(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<ListOptions>(noun, "list", "Show the topics",
                                                     "rmq topic list --cluster DefaultCluster");
  verb.option("--cluster", options->cluster, "Only topics of this cluster").type("CLUSTER");
  run_as_reader(verb, options, console, list_topics);
}

}  // namespace

std::int32_t perm_of(const std::string& text) {
  std::int32_t perm = 0;
  for (const char letter : text) {
    perm |= letter == 'r' ? protocol::kPermRead : protocol::kPermWrite;
  }
  return perm;
}

std::string perm_text(std::int32_t perm) {
  std::string text;
  if (protocol::is_readable(perm)) text += 'r';
  if (protocol::is_writable(perm)) text += 'w';
  return text.empty() ? "-" : text;
}

std::string merge_order(const std::string& text, const OrderedQueues& queues) {
  OrderedQueues all = queues;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::size_t colon = part.rfind(':');
    if (colon != std::string::npos) {
      // What it says already does not count where `queues` says something.
      all.emplace(part.substr(0, colon), std::atoi(part.c_str() + colon + 1));
    }
    begin = end + 1;
  }
  std::string merged;
  for (const auto& [broker, count] : all) {
    merged += (merged.empty() ? "" : ";") + broker + ":" + std::to_string(count);
  }
  return merged;
}

Result<> publish_order(const std::string& topic, const std::vector<Target>& targets,
                       std::int32_t queues, AdminClient& admin, Session& session) {
  RMQ_TRY(const protocol::ClusterInfo info,
          session.run<Result<protocol::ClusterInfo>>([&admin] { return admin.cluster_info(); }));
  OrderedQueues of_brokers;
  for (const Target& target : targets) {
    std::string name = target.broker;
    for (const auto& [known, data] : info.broker_addr_table) {
      for (const auto& [id, address] : data.broker_addrs) {
        if (address == target.address) name = known;
      }
    }
    of_brokers[name] = queues;
  }
  RMQ_TRY(const std::string text,
          session.run<Result<std::string>>([&] { return admin.order_config(topic); }));
  const std::string merged = merge_order(text, of_brokers);
  return session.run<Result<>>([&] { return admin.put_order_config(topic, merged); });
}

void add_topic_commands(const Command& root, Console& console) {
  const Command noun = root.noun("topic", "Topics and their queues");
  add_create(noun, console);
  add_list(noun, console);
  add_topic_describe(noun, console);
  add_topic_update(noun, console);
  add_topic_delete(noun, console);
}

}  // namespace rmq::cli
