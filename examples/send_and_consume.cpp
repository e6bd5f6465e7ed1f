// Sends ten messages, consumes them, and ends: send_and_consume [NAME_SERVER [TOPIC]]
#include <rmq/client.h>

#include <future>
#include <iostream>
#include <mutex>

int main(int argc, char** argv) {
  rmq::api::ClientOptions options;
  if (argc > 1) options.name_servers = argv[1];
  const std::string topic = argc > 2 ? argv[2] : "Hello";
  const auto client = rmq::api::Client::create(options);

  rmq::api::Producer producer(*client);
  for (int i = 0; i < 10; ++i) {
    const auto sent = producer.send({.topic = topic, .body = "message " + std::to_string(i)});
    if (!sent) return std::cerr << sent.failure().reason << "\n", 1;
  }

  std::mutex mutex;
  std::promise<void> all;
  int count = 0;
  rmq::api::PushConsumer consumer(*client, {.group = "greeters", .from = rmq::api::From::First},
                                  [&](const std::vector<rmq::api::Received>& messages) {
                                    const std::lock_guard lock(mutex);
                                    for (const auto& message : messages)
                                      std::cout << "received " << message.body << "\n";
                                    if ((count += static_cast<int>(messages.size())) == 10)
                                      all.set_value();
                                    return rmq::api::Consumed::Done;
                                  });
  if (!consumer.subscribe(topic) || !consumer.start()) return 1;
  all.get_future().wait();
}
