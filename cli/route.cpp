#include "cli/route.h"

#include <algorithm>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/topic.h"
#include "cli/topic_names.h"
#include "client/admin_client.h"

namespace rmq::cli {
namespace {

struct ShowOptions : CommonOptions {
  std::string topic;
};

const protocol::BrokerData* find_broker(const protocol::TopicRouteData& route,
                                        const std::string& name) {
  const auto& brokers = route.broker_datas;
  const auto found = std::find_if(brokers.begin(), brokers.end(),
                                  [&](const auto& broker) { return broker.broker_name == name; });
  return found == brokers.end() ? nullptr : &*found;
}

json::Value value_of(const ShowOptions& options, const protocol::TopicRouteData& route) {
  json::Value brokers = json::Value::array();
  for (const protocol::QueueData& queues : route.queue_datas) {
    json::Value broker = json::Value::object();
    broker.set("broker", queues.broker_name);
    json::Value addresses = json::Value::object();
    if (const protocol::BrokerData* data = find_broker(route, queues.broker_name)) {
      broker.set("cluster", data->cluster);
      for (const auto& [id, address] : data->broker_addrs) {
        addresses.set(std::to_string(id), address);
      }
    }
    broker.set("addresses", std::move(addresses));
    broker.set("read_queues", queues.read_queue_nums);
    broker.set("write_queues", queues.write_queue_nums);
    broker.set("perm", perm_text(queues.perm));
    brokers.push_back(std::move(broker));
  }
  json::Value value = json::Value::object();
  value.set("topic", options.topic);
  if (route.order_topic_conf) value.set("order", *route.order_topic_conf);
  value.set("brokers", std::move(brokers));
  return value;
}

Table table_of(const protocol::TopicRouteData& route) {
  Table table({{"CLUSTER"},
               {"BROKER"},
               {"MASTER"},
               {"SLAVES"},
               {"READ", Align::Right},
               {"WRITE", Align::Right},
               {"PERM"}});
  for (const protocol::QueueData& queues : route.queue_datas) {
    const protocol::BrokerData* data = find_broker(route, queues.broker_name);
    std::string master = "-";
    std::string slaves;
    if (data != nullptr) {
      for (const auto& [id, address] : data->broker_addrs) {
        if (id == protocol::kMasterId) {
          master = address;
        } else {
          slaves += (slaves.empty() ? "" : ",") + address;
        }
      }
    }
    table.add_row({data == nullptr ? "-" : data->cluster, queues.broker_name, master,
                   slaves.empty() ? "-" : slaves, std::to_string(queues.read_queue_nums),
                   std::to_string(queues.write_queue_nums), perm_text(queues.perm)});
  }
  return table;
}

ExitCode show_route(const ShowOptions& options, Session& session, Console& console) {
  client::AdminClient admin(session.client(), options.timeout());
  const auto route =
      session.run<Result<protocol::TopicRouteData>>([&] { return admin.route(options.topic); });
  if (!route) {
    const std::string task = "show the route of topic '" + options.topic + "'";
    return report(explain_topic_error(route.error(), task, options.topic, options, session),
                  options.format(), console);
  }
  Listing listing;
  listing.tables.push_back(table_of(*route));
  listing.value = value_of(options, *route);
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

}  // namespace

void add_route_commands(const Command& root, Console& console) {
  const Command noun = root.noun("route", "Where the queues of a topic are");
  const auto [verb, options] = add_verb<ShowOptions>(
      noun, "show", "Show the brokers and queues of a topic", "rmq route show Orders");
  verb.option("TOPIC", options->topic, "The topic").required();
  run_as_reader(verb, options, console, show_route);
  add_route_watch(noun, console);
}

}  // namespace rmq::cli
