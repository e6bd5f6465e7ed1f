// A C++ producer that faults_test.py commands: name server, topic. For each line of its standard
// input, a time-out in ms, it sends one message and writes "ok BROKER QUEUE MS" or "failed MS
// REASON".
#include <rmq/client.h>

#include <chrono>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "name server, topic\n", 2;
  rmq::api::ClientOptions options;
  options.name_servers = argv[1];
  const auto client = rmq::api::Client::create(options);
  if (!client) return std::cerr << client.failure().reason << "\n", 1;
  rmq::api::Producer producer(*client);
  for (std::string line; std::getline(std::cin, line);) {
    rmq::api::Message message;
    message.topic = argv[2];
    message.body = "x";
    const auto begin = std::chrono::steady_clock::now();
    const auto sent = producer.send(message, std::chrono::milliseconds(std::stoi(line)));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    if (sent) {
      std::cout << "ok " << sent->queue.broker << " " << sent->queue.id << " " << took.count();
    } else {
      std::cout << "failed " << took.count() << " " << sent.failure().reason;
    }
    std::cout << std::endl;
  }
}
