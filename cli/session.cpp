#include "cli/session.h"

namespace rmq::cli {

Result<std::unique_ptr<Session>> Session::open(const CommonOptions& options, Console& console) {
  client::ClientOptions client_options;
  RMQ_TRY(client_options.name_servers, client::parse_name_servers(options.namesrv));
  return std::unique_ptr<Session>(
      new Session(std::move(client_options), options.io_threads, console));
}

Session::Session(client::ClientOptions options, std::size_t io_threads, Console& console)
    : console_(console), threads_(io_threads), client_(threads_, std::move(options)) {
  threads_.start();
}

// What still runs there, say a pull that a broker holds, refers to the client: it must not outlive
// it.
Session::~Session() { threads_.stop(); }

}  // namespace rmq::cli
