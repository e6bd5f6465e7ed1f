// A C++ member of the groups of CppMemberTest.java: name server, topic, its name, group, ordered
// group. Writes a line for each message, in the form of GroupMember.Consumption; leaves when its
// standard input ends.
#include <rmq/client.h>

#include <chrono>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

namespace {

using rmq::api::Consumed;
using rmq::api::Received;

std::int64_t now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

void write_line(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

rmq::api::PushConsumer make_member(const rmq::api::Client& client, const std::string& name,
                                   const std::string& group, bool ordered) {
  rmq::api::ConsumerOptions options;
  options.group = group;
  options.from = rmq::api::From::First;
  options.orderly = ordered;
  return rmq::api::PushConsumer(
      client, options, [name, ordered](const std::vector<Received>& messages) {
        for (const Received& message : messages) {
          const std::int64_t begin = now_us();
          // Work, during which nobody else may have the queue.
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          std::ostringstream line;
          line << name << " " << (ordered ? "true" : "false") << " " << message.queue.id << " "
               << message.offset << " " << begin << " " << now_us();
          write_line(line.str());
        }
        return Consumed::Done;
      });
}

bool start(rmq::api::PushConsumer& member, const std::string& topic) {
  const auto subscribed = member.subscribe(topic);
  if (!subscribed) return std::cerr << subscribed.failure().reason << "\n", false;
  const auto started = member.start();
  if (!started) return std::cerr << started.failure().reason << "\n", false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::cerr << "name server, topic, name, group, ordered group\n", 2;
  const std::string topic = argv[2];
  const std::string name = argv[3];
  rmq::api::ClientOptions options;
  options.name_servers = argv[1];
  const auto client = rmq::api::Client::create(options);
  if (!client) return std::cerr << client.failure().reason << "\n", 1;
  write_line("starts " + std::to_string(now_us()));
  rmq::api::PushConsumer plain = make_member(*client, name, argv[4], false);
  rmq::api::PushConsumer ordered = make_member(*client, name, argv[5], true);
  if (!start(plain, topic) || !start(ordered, topic)) return 1;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}
