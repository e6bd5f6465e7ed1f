#include "cli/serve.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <ostream>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/serve_options.h"
#include "cli/service_manager.h"
#include "config/config_errc.h"
#include "etcd/etcd_client.h"
#include "net/io_threads.h"
#include "net/net_errc.h"
#include "roles/broker/broker.h"
#include "roles/controller/controller.h"
#include "roles/controller/etcd_store.h"
#include "roles/controller/file_store.h"
#include "roles/namesrv/name_server.h"
#include "storage/store_errc.h"

namespace rmq::cli {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

// Every connection and segment is a descriptor: take what the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// What to do about an error at start.
std::string remedy(const Error& error) {
  if (error.code == net::NetErrc::AddressInUse) {
    return "Stop what listens there, or choose another port with --port (0 takes free ones).";
  }
  if (error.code == storage::StoreErrc::InUse ||
      error.code == std::errc::resource_unavailable_try_again) {
    return "Another process uses this data directory: stop it, or choose another one with --data.";
  }
  if (error.code == std::errc::permission_denied ||
      error.code == std::errc::operation_not_permitted ||
      error.code == std::errc::read_only_file_system ||
      error.code == std::errc::no_such_file_or_directory ||
      error.code == std::errc::not_a_directory) {
    return "Choose a directory that this user may write to with --data.";
  }
  if (error.code == std::errc::no_space_on_device)
    return "Make room, or choose another directory with --data.";
  return "";
}

// What to do about options or files that cannot be meant.
const char* usage_remedy(const Error& error) {
  using config::ConfigErrc;
  if (error.code == ConfigErrc::Unreadable) {
    return "Check that the file exists and that you may read it.";
  }
  if (error.code == ConfigErrc::UnknownKey || error.code == ConfigErrc::Syntax) {
    return "'rmq config reference' lists all settings, 'rmq config show --config FILE' checks a "
           "file.";
  }
  if (error.code == ConfigErrc::BadValue) {
    return "See 'rmq serve --help' for options, 'rmq config reference' for settings in files.";
  }
  return "See 'rmq serve --help'.";
}

// The roles of this process, started in order and stopped in reverse.
class Server {
 public:
  explicit Server(ServeOptions options)
      : options_(std::move(options)),
        threads_(options_.broker ? static_cast<std::size_t>(options_.broker->data_threads) : 1) {}

  Result<> start(const std::function<void(const Error&)>& on_fatal, const ServiceManager& manager) {
    threads_.start();
    if (options_.namesrv) {
      namesrv_ = std::make_unique<roles::namesrv::NameServer>(threads_, *options_.namesrv,
                                                              Clock::system(), FileSystem::posix());
      RMQ_CHECK(namesrv_->start());
    }
    if (options_.controller) {
      RMQ_TRY(auto store, controller_store());
      controller_ = std::make_unique<roles::controller::Controller>(
          threads_, *options_.controller, Clock::system(), std::move(store));
      RMQ_CHECK(controller_->start());
    }
    if (options_.broker) {
      roles::broker::BrokerConfig config = *options_.broker;
      if (options_.broker_uses_own_namesrv) config.namesrv_addr = namesrv_address();
      broker_ = std::make_unique<roles::broker::Broker>(threads_, std::move(config),
                                                        FileSystem::posix(), Clock::system());
      broker_->on_fatal(on_fatal);
      broker_->on_start_progress([&manager](std::int64_t done, std::int64_t most) {
        manager.starting("recovery: " + std::to_string(done / kMiB) + " MiB of at most " +
                         std::to_string(most / kMiB) + " MiB of the commit log read");
      });
      RMQ_CHECK(broker_->start());
    }
    return {};
  }

  void stop() {
    if (broker_) broker_->stop();
    if (controller_) controller_->stop();
    if (namesrv_) namesrv_->stop();
    threads_.stop();
  }

  // As this machine reaches it.
  std::string namesrv_address() const {
    const std::string& listen = options_.namesrv->listen_address;
    const bool everywhere = listen == "0.0.0.0" || listen == "::";
    return (everywhere ? "127.0.0.1" : listen) + ":" + std::to_string(namesrv_->port());
  }
  const roles::namesrv::NameServer* namesrv() const { return namesrv_.get(); }
  const roles::controller::Controller* controller() const { return controller_.get(); }
  const roles::broker::Broker* broker() const { return broker_.get(); }
  const ServeOptions& options() const { return options_; }

 private:
  Result<std::unique_ptr<roles::controller::ControllerStore>> controller_store() {
    const roles::controller::ControllerConfig& config = *options_.controller;
    RMQ_TRY(const auto endpoints, etcd::parse_endpoints(config.etcd_endpoints));
    std::unique_ptr<roles::controller::ControllerStore> store;
    if (endpoints.empty()) {
      store =
          std::make_unique<roles::controller::FileStore>(FileSystem::posix(), config.store_path);
    } else {
      store = std::make_unique<roles::controller::EtcdStore>(threads_.control(), endpoints,
                                                             config.group);
    }
    return store;
  }

  const ServeOptions options_;
  net::IoThreads
      threads_;  // goes last: what still waits there refers to the roles, but runs no more
  std::unique_ptr<roles::namesrv::NameServer> namesrv_;
  std::unique_ptr<roles::controller::Controller> controller_;
  std::unique_ptr<roles::broker::Broker> broker_;
};

void print_ready(const Server& server, std::ostream& out) {
  out << "rmq is ready\n";
  std::string namesrv;
  if (server.namesrv() != nullptr) {
    namesrv = server.namesrv_address();
    out << "  name server  " << namesrv << "\n";
  }
  if (server.controller() != nullptr) {
    out << "  controller   " << server.controller()->address() << "\n";
  }
  if (const roles::broker::Broker* broker = server.broker()) {
    if (namesrv.empty()) namesrv = broker->config.namesrv_addr;
    out << "  broker       " << broker->address() << "  (" << broker->config.broker_name << " in "
        << broker->config.cluster_name << ")\n";
  }
  out << "  data         " << server.options().data_directory
      << "\n\nTry, from another terminal:\n";
  const std::string where = " --namesrv '" + namesrv + "'\n";
  if (server.broker() != nullptr) {
    out << "  rmq message send Hello 'my first message'" << where << "  rmq message tail Hello"
        << where;
  } else if (server.namesrv() != nullptr) {
    out << "  rmq cluster status" << where;
  } else {
    out << "  rmq controller status --controller '" << server.controller()->address() << "'\n";
  }
  out << std::flush;
}

// One JSON line for programs.
void write_ready_fd(const Server& server) {
  if (!server.options().ready_fd) return;
  json::Value ready = json::Value::object();
  if (server.broker() != nullptr) ready.set("broker", server.broker()->address());
  if (server.controller() != nullptr) ready.set("controller", server.controller()->address());
  ready.set("data", server.options().data_directory);
  if (server.namesrv() != nullptr) ready.set("namesrv", server.namesrv_address());
  const std::string line = json::write(ready, {}) + "\n";
  const int fd = *server.options().ready_fd;
  if (write(fd, line.data(), line.size()) < 0)
    log::warn("serve", "cannot write the ready line", kv("fd", fd));
  if (fd > STDERR_FILENO) close(fd);
}

int serve(const ServeOptions& options, Console& console) {
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  // Blocked in every thread, and taken by this one with sigwait().
  const sigset_t ending = ending_signals();
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  const ServiceManager manager = ServiceManager::from_environment();
  std::atomic<bool> fatal{false};
  Server server(options);
  const Result<> started = server.start(
      [&](const Error&) {
        fatal = true;
        kill(getpid(), SIGTERM);
      },
      manager);
  if (!started) {
    console.err << "rmq: cannot start: " << started.error().message() << "\n";
    if (const std::string hint = remedy(started.error()); !hint.empty())
      console.err << "rmq: " << hint << "\n";
    server.stop();
    return static_cast<int>(ExitCode::Failed);
  }
  print_ready(server, console.out);
  write_ready_fd(server);
  manager.ready();

  int signal = 0;
  sigwait(&ending, &signal);
  log::info("serve", "stopping; a second signal leaves at once", kv("signal", signal));
  std::thread([ending] {
    int again = 0;
    sigwait(&ending, &again);
    log::warn("serve", "second signal: leaving without a clean stop", kv("signal", again));
    _exit(static_cast<int>(ExitCode::Failed));
  }).detach();
  manager.stopping();
  server.stop();
  return static_cast<int>(fatal ? ExitCode::Failed : ExitCode::Ok);
}

}  // namespace

void add_serve_command(const Command& root, Console& console) {
  const Command command = root.subcommand(
      "serve", "Run a name server, a broker, a controller, or several in one process");
  command.footer(
      "Examples:\n  rmq serve\n  rmq serve --role=master --config broker.conf --namesrv "
      "10.0.0.1:9876");
  const auto raw = std::make_shared<RawServeOptions>();
  add_serve_options(command, *raw);
  command.does([raw, &console] {
    const Result<ServeOptions> options = resolve(*raw);
    if (!options) {
      console.err << "rmq: " << options.error().message()
                  << "\nrmq: " << usage_remedy(options.error()) << "\n";
      return finish(ExitCode::Usage);
    }
    for (const std::string& note : options->notes) log::info("serve", note);
    for (const std::string& warning : options->warnings) log::warn("serve", warning);
    finish(ExitCode{serve(*options, console)});
  });
}

}  // namespace rmq::cli
