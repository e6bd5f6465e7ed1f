#include "etcd/etcd_client.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "etcd/etcd_errc.h"
#include "net/endpoint.h"
#include "net/net_errc.h"

namespace rmq::etcd {
namespace {

using net::NetErrc;

// Status codes of gRPC, in the bodies of errors: https://grpc.io/docs/guides/status-codes/.
constexpr std::int64_t kDeadlineExceeded = 4;
constexpr std::int64_t kUnavailable = 14;

std::string encoded(std::string_view text) { return to_base64(as_bytes(text)); }

json::Value object(std::string_view key, json::Value value) {
  json::Value made = json::Value::object();
  made.set(key, std::move(value));
  return made;
}

json::Value list_of(json::Value item) {
  json::Value list = json::Value::array();
  list.push_back(std::move(item));
  return list;
}

Result<std::string> text_of(const json::Value& kv, std::string_view member) {
  const json::Value* found = kv.find(member);
  if (found == nullptr) return std::string();  // protobuf leaves out what is empty
  std::optional<std::string> text = from_base64(found->string());
  if (!text) return fail(EtcdErrc::Malformed, "'" + std::string(member) + "' is not base64");
  return std::move(*text);
}

// The "kvs" of a range.
Result<std::vector<Record>> records_of(const json::Value& range) {
  std::vector<Record> records;
  const json::Value* kvs = range.find("kvs");
  if (kvs == nullptr) return records;
  for (const json::Value& kv : kvs->items()) {
    Record record;
    RMQ_TRY(record.key, text_of(kv, "key"));
    RMQ_TRY(record.value, text_of(kv, "value"));
    record.version = static_cast<std::uint64_t>(kv.int_or("version", 0));
    if (record.version == 0) return fail(EtcdErrc::Malformed, "a key without a version");
    records.push_back(std::move(record));
  }
  return records;
}

// `change` if the key has this version; what there is, if not.
json::Value transaction(const std::string& key, std::uint64_t version, json::Value change) {
  json::Value compare = json::Value::object();
  compare.set("target", "VERSION");
  compare.set("result", "EQUAL");
  compare.set("key", encoded(key));
  compare.set("version", version);
  json::Value question = json::Value::object();
  question.set("compare", list_of(std::move(compare)));
  question.set("success", list_of(std::move(change)));
  question.set("failure", list_of(object("request_range", object("key", encoded(key)))));
  return question;
}

// What a transaction that was not carried out has found.
Result<std::optional<Record>> found_instead(const json::Value& answer) {
  const json::Value* responses = answer.find("responses");
  if (responses == nullptr || responses->items().size() != 1) {
    return fail(EtcdErrc::Malformed, "no answer to a transaction");
  }
  const json::Value* range = responses->items().front().find("response_range");
  if (range == nullptr) return fail(EtcdErrc::Malformed, "no range in a transaction's answer");
  RMQ_TRY(std::vector<Record> records, records_of(*range));
  if (records.empty()) return std::optional<Record>();
  return std::optional<Record>(std::move(records.front()));
}

// Nothing was sent.
bool never_sent(const Error& error) {
  return error.code == NetErrc::ConnectFailed || error.code == NetErrc::NameNotResolved ||
         error.code == NetErrc::AddressMalformed;
}

// The body of a good answer; else why not.
Result<json::Value> body_of(const HttpAnswer& answer) {
  Result<json::Value> body = json::parse(answer.body);
  if (answer.status == 200 && body && body->is_object()) return body;
  if (!body || !body->is_object()) {
    return fail(EtcdErrc::Malformed, "HTTP status " + std::to_string(answer.status));
  }
  const std::int64_t code = body->int_or("code", 0);
  const bool passes = code == kUnavailable || code == kDeadlineExceeded;
  return fail(passes ? EtcdErrc::Unavailable : EtcdErrc::Refused,
              body->text_or("message", body->text_or("error", "no reason given")));
}

}  // namespace

Result<std::vector<std::string>> parse_endpoints(std::string_view text) {
  std::vector<std::string> endpoints;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",;"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    std::string_view address = word;
    if (address.starts_with("https://")) {
      return fail(EtcdErrc::EndpointMalformed,
                  std::string(word) + ": TLS to etcd is not supported, only http://");
    }
    if (address.starts_with("http://")) address.remove_prefix(std::string_view("http://").size());
    if (address.ends_with('/')) address.remove_suffix(1);
    if (!net::split_address(address)) {
      return fail(EtcdErrc::EndpointMalformed,
                  "'" + std::string(word) + "' is not like http://host:2379");
    }
    endpoints.emplace_back(address);
  }
  return endpoints;
}

EtcdClient::EtcdClient(net::IoThread& thread, std::vector<std::string> endpoints,
                       std::chrono::milliseconds attempt_max)
    : endpoints_(std::move(endpoints)), attempt_max_(attempt_max), http_(thread) {}

// Each endpoint once, and the first one again: its connection may have been an old one.
net::Task<Result<EtcdClient::Answer>> EtcdClient::ask(std::string path, json::Value question) {
  const std::string text = json::write(question, {.quote_integer_keys = true});
  bool repeated = false;
  Error why{make_error_code(NetErrc::ConnectFailed), "no endpoint"};
  for (std::size_t i = 0; i <= endpoints_.size(); ++i) {
    const std::string endpoint = endpoints_[current_ % endpoints_.size()];
    const Result<HttpAnswer> answer = co_await http_.post(endpoint, path, text, attempt_max_);
    if (answer) {
      Result<json::Value> body = body_of(*answer);
      if (body) co_return Answer{std::move(*body), repeated};
      why = Error{body.error().code, endpoint + ": " + body.error().detail};
      if (why.code == EtcdErrc::Refused) co_return fail(std::move(why));
    } else {
      why = answer.error();
    }
    repeated = repeated || !never_sent(why);
    ++current_;
  }
  co_return fail(std::move(why));
}

net::Task<Result<std::vector<Record>>> EtcdClient::range(json::Value question) {
  RMQ_CO_TRY(const Answer answer, co_await ask("/v3/kv/range", std::move(question)));
  co_return records_of(answer.body);
}

net::Task<Result<std::optional<Record>>> EtcdClient::get(std::string key) {
  RMQ_CO_TRY(std::vector<Record> records, co_await range(object("key", encoded(key))));
  if (records.empty()) co_return std::optional<Record>();
  co_return std::optional<Record>(std::move(records.front()));
}

net::Task<Result<std::vector<Record>>> EtcdClient::list(std::string prefix) {
  json::Value question = object("key", encoded(prefix));
  ++prefix.back();  // the first text behind all with this prefix
  question.set("range_end", encoded(prefix));
  Result<std::vector<Record>> records = co_await range(std::move(question));
  co_return records;
}

net::Task<Result<bool>> EtcdClient::put_if(std::string key, std::uint64_t version,
                                           std::string value) {
  json::Value put = object("key", encoded(key));
  put.set("value", encoded(value));
  json::Value question = transaction(key, version, object("request_put", std::move(put)));
  RMQ_CO_TRY(const Answer answer, co_await ask("/v3/kv/txn", std::move(question)));
  if (answer.body.bool_or("succeeded", false)) co_return true;
  RMQ_CO_TRY(const std::optional<Record> there, found_instead(answer.body));
  // An attempt of ours that was not answered has come through.
  co_return answer.repeated&& there && there->version == version + 1 && there->value == value;
}

net::Task<Result<bool>> EtcdClient::remove_if(std::string key, std::uint64_t version) {
  json::Value question =
      transaction(key, version, object("request_delete_range", object("key", encoded(key))));
  RMQ_CO_TRY(const Answer answer, co_await ask("/v3/kv/txn", std::move(question)));
  if (answer.body.bool_or("succeeded", false)) co_return true;
  RMQ_CO_TRY(const std::optional<Record> there, found_instead(answer.body));
  co_return answer.repeated && !there;
}

}  // namespace rmq::etcd
