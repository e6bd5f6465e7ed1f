#include "cli/failure.h"

#include <ostream>

#include "cli/contexts.h"
#include "cli/output.h"
#include "cli/render.h"
#include "client/client_errc.h"
#include "client/name_servers.h"
#include "config/config_errc.h"
#include "net/net_errc.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using client::ClientErrc;
using net::NetErrc;
using protocol::ResponseCode;

template <class Errc>
bool is_a(const std::error_code& code) {
  return code.category() == make_error_code(Errc{}).category();
}

bool is_about_name_server(const Error& error, const CommonOptions& options) {
  const auto addresses = client::parse_name_servers(options.namesrv);
  if (!addresses) return false;
  for (const std::string& address : *addresses) {
    if (error.detail.find(address) != std::string::npos) return true;
  }
  return false;
}

ExitCode net_exit_code(const std::error_code& code) {
  return code == NetErrc::AddressMalformed ? ExitCode::Usage : ExitCode::Unreachable;
}

std::string net_hint(const Error& error, const CommonOptions& options) {
  if (error.code == NetErrc::AddressMalformed) return "Write addresses as host:port.";
  if (error.code == NetErrc::NameNotResolved) {
    return "Check the spelling of the host name, or give a numeric address.";
  }
  if (error.code == NetErrc::TimedOut) {
    return "The server may be overloaded or cut off: try again with a larger --timeout-ms than " +
           std::to_string(options.timeout_ms) + ", and look at its log.";
  }
  if (is_about_name_server(error, options)) {
    return "Start a name server there with 'rmq serve', or name another one with --namesrv or "
           "NAMESRV_ADDR.";
  }
  return "Check that the broker runs and that this machine reaches its address; 'rmq cluster "
         "status' shows all brokers.";
}

ExitCode response_exit_code(const std::error_code& code) {
  const bool missing = code == ResponseCode::TopicNotExist ||
                       code == ResponseCode::SubscriptionGroupNotExist ||
                       code == ResponseCode::QueryNotFound;
  return missing ? ExitCode::NotFound : ExitCode::Refused;
}

std::string response_hint(const std::error_code& code) {
  if (code == ResponseCode::TopicNotExist) {
    return "'rmq topic list' shows all topics, 'rmq topic create NAME' makes one.";
  }
  if (code == ResponseCode::SubscriptionGroupNotExist) {
    return "'rmq group list' shows all groups.";
  }
  if (code == ResponseCode::InvalidParameter) {
    return "Names have letters, digits, '_', '-', '%' and '|', and are none of RocketMQ's own.";
  }
  if (code == ResponseCode::NoPermission) {
    return "'rmq route show TOPIC' shows what is permitted on which broker.";
  }
  if (code == ResponseCode::RequestCodeNotSupported) {
    return "That server does not know this operation: is it a broker where a name server belongs, "
           "or an old version?";
  }
  if (code == ResponseCode::SystemBusy || code == ResponseCode::ServiceNotAvailable ||
      code == ResponseCode::GoAway) {
    return "The server is overloaded or about to stop: try again in a moment.";
  }
  return "The server's log may say more.";
}

ExitCode client_exit_code(const std::error_code& code) {
  if (code == ClientErrc::NoNameServer || code == ClientErrc::MessageInvalid)
    return ExitCode::Usage;
  if (code == ClientErrc::QueueUnknown || code == ClientErrc::ClusterUnknown ||
      code == ClientErrc::BrokerUnknown) {
    return ExitCode::NotFound;
  }
  return ExitCode::Refused;
}

std::string client_hint(const std::error_code& code) {
  if (code == ClientErrc::NoNameServer) return "Give --namesrv host:port, or set NAMESRV_ADDR.";
  if (code == ClientErrc::QueueUnknown || code == ClientErrc::NoQueue) {
    return "'rmq route show TOPIC' shows the queues of each broker and what is permitted on them.";
  }
  if (code == ClientErrc::ClusterUnknown || code == ClientErrc::BrokerUnknown) {
    return "'rmq cluster status' shows the clusters and brokers that exist.";
  }
  if (code == ClientErrc::AnswerMalformed) return "Is it a RocketMQ server?";
  if (code == ClientErrc::MessageInvalid) {
    return "'rmq message send --help' says what a message is made of; nothing was sent.";
  }
  return "";
}

std::string code_text(const std::error_code& code) {
  if (code.category() == protocol::response_category()) {
    const std::string_view name = protocol::response_name(code.value());
    return name.empty() ? std::to_string(code.value()) : std::string(name);
  }
  return code.message();
}

// Java's servers end many remarks with a link to a page about Java's clients.
std::string without_links(std::string text) {
  const auto link = text.find("\nSee http");
  if (link != std::string::npos) {
    const auto end = text.find('\n', link + 1);
    text.erase(link, end == std::string::npos ? end : end - link);
  }
  return text;
}

// Control characters of a server's remark do not reach the terminal.
void print_line(const std::string& text, std::ostream& out) {
  out << "rmq: " << escape_for_terminal(text) << "\n";
}

}  // namespace

Failure explain(const Error& error, const std::string& task, const CommonOptions& options) {
  Failure failure;
  failure.code = code_text(error.code);
  failure.message = "cannot " + task + ": " + failure.code;
  if (!error.detail.empty()) failure.message += ": " + without_links(error.detail);
  if (is_a<NetErrc>(error.code)) {
    failure.exit = net_exit_code(error.code);
    failure.hint = net_hint(error, options);
  } else if (is_a<ClientErrc>(error.code)) {
    failure.exit = client_exit_code(error.code);
    failure.hint = client_hint(error.code);
  } else if (is_a<ContextErrc>(error.code)) {
    failure.exit = ExitCode::Usage;
    failure.hint = "'rmq context list' shows the contexts, 'rmq context set' makes one.";
  } else if (is_a<config::ConfigErrc>(error.code)) {
    failure.exit = ExitCode::Usage;
    failure.hint = "Mend or remove that contexts file; with --namesrv host:port none is read.";
  } else if (error.code.category() == protocol::response_category()) {
    failure.exit = response_exit_code(error.code);
    failure.hint = response_hint(error.code);
  }
  return failure;
}

Failure usage_failure(std::string message, std::string hint) {
  return {ExitCode::Usage, "usage", std::move(message), std::move(hint)};
}

json::Value to_json(const Failure& failure) {
  json::Value value = json::Value::object();
  value.set("kind", exit_code_name(failure.exit));
  value.set("exit_code", static_cast<int>(failure.exit));
  value.set("code", failure.code);
  value.set("message", failure.message);
  value.set("hint", failure.hint);
  return value;
}

ExitCode report(const Failure& failure, OutputFormat format, Console& console) {
  print_line(failure.message, console.err);
  if (!failure.hint.empty()) print_line(failure.hint, console.err);
  if (is_for_programs(format)) {
    json::Value value = json::Value::object();
    value.set("error", to_json(failure));
    print_value(value, format, console);
  }
  return failure.exit;
}

}  // namespace rmq::cli
