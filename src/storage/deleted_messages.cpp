#include "storage/deleted_messages.h"

#include "base/bytes.h"
#include "base/json.h"
#include "storage/store_errc.h"

namespace rmq::storage {

Result<DeletedMessages> DeletedMessages::load(FileSystem& files, std::string path) {
  DeletedMessages deleted(files, std::move(path));
  const Result<std::string> text = read_text_file(files, deleted.path_);
  if (!text) {
    if (text.error().code == std::errc::no_such_file_or_directory) return deleted;
    return fail(text.error());
  }
  const Result<json::Value> value = json::parse(*text);
  if (!value || !value->is_object()) {
    return fail(StoreErrc::Corrupt,
                deleted.path_ + (value ? ": no object" : ": " + value.error().message()));
  }
  for (const json::Member& topic : value->members()) {
    const auto end = topic.value.as_int();
    if (!end) return fail(StoreErrc::Corrupt, deleted.path_ + ": " + topic.key_text());
    deleted.note(topic.key_text(), PhysicalOffset{*end});
  }
  return deleted;
}

bool DeletedMessages::clamp(PhysicalOffset log_end) {
  bool changed = false;
  for (auto& [topic, end] : ends_) {
    if (end <= log_end) continue;
    end = log_end;
    changed = true;
  }
  return changed;
}

Result<> DeletedMessages::save() const {
  json::Value value = json::Value::object();
  for (const auto& [topic, end] : ends_) value.set(topic, end.value);
  return write_file_atomically(*files_, path_, as_bytes(json::write(value, json::kPretty)));
}

}  // namespace rmq::storage
