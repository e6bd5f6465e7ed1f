#include "roles/broker/controlled/replica_identity.h"

#include <charconv>
#include <utility>
#include <vector>

#include "roles/broker/broker_errc.h"

namespace rmq::roles::broker {
namespace {

std::vector<std::string> split(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::vector<std::string> fields;
  for (;;) {
    const std::size_t end = text.find('#');
    fields.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return fields;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

ReplicaIdentity::ReplicaIdentity(FileSystem& files, std::string store_root, Owner owner)
    : files_(files), root_(std::move(store_root)), owner_(std::move(owner)) {}

Result<> ReplicaIdentity::load() {
  RMQ_TRY(const auto own, read(path()));
  if (own) {
    id_ = own->id;
    return {};
  }
  RMQ_TRY(application_, read(temporary_path()));
  return {};
}

Result<std::optional<ReplicaIdentity::Application>> ReplicaIdentity::read(const std::string& path) {
  RMQ_TRY(const bool exists, files_.exists(path));
  if (!exists) return std::optional<Application>();
  RMQ_TRY(const std::string text, read_text_file(files_, path));
  const std::vector<std::string> fields = split(text);
  Application found;
  const bool whole = fields.size() == 3 || fields.size() == 4;
  if (whole) {
    const std::string& number = fields[2];
    const auto [stop, error] =
        std::from_chars(number.data(), number.data() + number.size(), found.id);
    if (error != std::errc() || stop != number.data() + number.size()) found.id = 0;
    if (fields.size() == 4) found.check_code = fields[3];
  }
  if (found.id <= 0) {
    return fail(BrokerErrc::MetadataLost,
                path + " is not \"cluster#broker#id\"; it holds the id of this broker");
  }
  if (fields[0] != owner_.cluster || fields[1] != owner_.broker) {
    return fail(BrokerErrc::MetadataLost, path + " is of broker " + fields[1] + " in cluster " +
                                              fields[0] + ", and this one is " + owner_.broker +
                                              " in " + owner_.cluster);
  }
  return std::optional(std::move(found));
}

std::string ReplicaIdentity::text_of(replication::ReplicaId id) const {
  return owner_.cluster + "#" + owner_.broker + "#" + std::to_string(id);
}

Result<> ReplicaIdentity::apply(Application application) {
  const std::string text = text_of(application.id) + "#" + application.check_code;
  RMQ_CHECK(write_file_atomically(files_, temporary_path(), as_bytes(text)));
  application_ = std::move(application);
  return {};
}

Result<> ReplicaIdentity::accept() {
  const std::string text = text_of(application_->id);
  RMQ_CHECK(write_file_atomically(files_, path(), as_bytes(text)));
  id_ = application_->id;
  return give_up();
}

Result<> ReplicaIdentity::forget() {
  if (!id_) return {};
  RMQ_CHECK(files_.remove(path()));
  id_.reset();
  return {};
}

Result<> ReplicaIdentity::give_up() {
  application_.reset();
  return files_.remove(temporary_path());
}

}  // namespace rmq::roles::broker
