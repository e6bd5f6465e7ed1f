// `rmq store inspect`.
#include "cli/store.h"
#include "storage/offline/inspect.h"

namespace rmq::cli {
namespace {

namespace offline = storage::offline;
using offline::Inspection;
using offline::Survey;

std::string time_or_dash(std::int64_t ms) { return ms > 0 ? format_time_ms(ms) : "-"; }

std::string state_of(const Survey& survey) {
  if (!survey.unclean) return "stopped";
  return "in use, or not stopped (abort is there)";
}

std::string mark_text(const Survey& survey) {
  if (!survey.has_mark_file) return "none";
  if (!survey.mark) return "does not count: written with another checkpoint";
  const storage::LogMark& mark = *survey.mark;
  return std::string(mark.clean ? "clean stop" : "running") + ", on disk up to " +
         std::to_string(mark.flushed.value) + ", in queues up to " +
         std::to_string(mark.dispatched.value);
}

std::string config_text(const Survey& survey) {
  std::string text;
  for (const std::string& name : survey.config_files) text += (text.empty() ? "" : " ") + name;
  return text.empty() ? "none" : text;
}

Table store_table(const Inspection& found) {
  const Survey& survey = found.survey;
  Table table({{"WHAT"}, {"VALUE"}});
  table.add_row({"directory", survey.layout.root()});
  table.add_row({"state", state_of(survey)});
  table.add_row({"log", std::to_string(found.log_begin.value) + " to " +
                            std::to_string(found.log_end.value) + ", " +
                            std::to_string(found.log_end - found.log_begin) + " bytes"});
  table.add_row({"first message stored", time_or_dash(found.first_timestamp_ms)});
  table.add_row({"last message stored", time_or_dash(found.last_timestamp_ms)});
  table.add_row({"segments", std::to_string(survey.segments.size()) + " of " +
                                 std::to_string(survey.segment_bytes) + " bytes in " +
                                 survey.log_directories()});
  table.add_row({"queues", std::to_string(found.queues.size()) + ", files of " +
                               std::to_string(survey.queue_file_bytes) + " bytes"});
  table.add_row({"index files", std::to_string(survey.index.size())});
  if (survey.checkpoint) {
    table.add_row(
        {"checkpoint", "log " + time_or_dash(survey.checkpoint->log_timestamp_ms) + ", queues " +
                           time_or_dash(survey.checkpoint->consume_queue_timestamp_ms) +
                           ", index " + time_or_dash(survey.checkpoint->index_timestamp_ms)});
  } else {
    table.add_row({"checkpoint", "none"});
  }
  table.add_row({"log mark of rmq", mark_text(survey)});
  table.add_row({"config", config_text(survey)});
  for (const std::string& path : survey.foreign) table.add_row({"does not belong", path});
  return table;
}

Table queue_table(const Inspection& found) {
  Table table({{"TOPIC"},
               {"QUEUE", Align::Right},
               {"MIN", Align::Right},
               {"MAX", Align::Right},
               {"MESSAGES", Align::Right},
               {"FILES", Align::Right}});
  for (const offline::QueueSummary& queue : found.queues) {
    table.add_row({queue.topic, std::to_string(queue.queue_id), std::to_string(queue.min),
                   std::to_string(queue.max), std::to_string(queue.max - queue.min),
                   std::to_string(queue.files)});
  }
  return table;
}

Table index_table(const Survey& survey) {
  Table table({{"INDEX FILE"},
               {"ENTRIES", Align::Right},
               {"FROM", Align::Right},
               {"TO", Align::Right},
               {"FIRST STORED"},
               {"LAST STORED"}});
  for (const offline::IndexFiles& file : survey.index) {
    const storage::IndexHeader& header = file.header;
    table.add_row(
        {file.path.substr(file.path.rfind('/') + 1), std::to_string(header.entry_count - 1),
         std::to_string(header.begin_physical.value), std::to_string(header.end_physical.value),
         time_or_dash(header.begin_timestamp_ms), time_or_dash(header.end_timestamp_ms)});
  }
  return table;
}

json::Value mark_value(const Survey& survey) {
  if (!survey.mark) return {};
  json::Value value = json::Value::object();
  value.set("clean", survey.mark->clean).set("flushed", survey.mark->flushed.value);
  value.set("dispatched", survey.mark->dispatched.value);
  return value;
}

json::Value checkpoint_value(const Survey& survey) {
  if (!survey.checkpoint) return {};
  json::Value value = json::Value::object();
  value.set("log_ms", survey.checkpoint->log_timestamp_ms);
  value.set("queues_ms", survey.checkpoint->consume_queue_timestamp_ms);
  value.set("index_ms", survey.checkpoint->index_timestamp_ms);
  return value;
}

json::Value texts_value(const std::vector<std::string>& texts) {
  json::Value list = json::Value::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

json::Value segments_value(const Survey& survey) {
  json::Value list = json::Value::array();
  for (const offline::SegmentFile& segment : survey.segments) {
    json::Value value = json::Value::object();
    value.set("begin", segment.position).set("bytes", segment.bytes).set("file", segment.path);
    list.push_back(std::move(value));
  }
  return list;
}

json::Value queues_value(const Inspection& found) {
  json::Value list = json::Value::array();
  for (const offline::QueueSummary& queue : found.queues) {
    json::Value value = json::Value::object();
    value.set("topic", queue.topic).set("queue", queue.queue_id);
    value.set("min", queue.min).set("max", queue.max).set("files", queue.files);
    list.push_back(std::move(value));
  }
  return list;
}

json::Value index_value(const Survey& survey) {
  json::Value list = json::Value::array();
  for (const offline::IndexFiles& file : survey.index) {
    json::Value value = json::Value::object();
    value.set("file", file.path).set("entries", file.header.entry_count - 1);
    value.set("begin", file.header.begin_physical.value);
    value.set("end", file.header.end_physical.value);
    list.push_back(std::move(value));
  }
  return list;
}

Listing listing_of(const Inspection& found) {
  const Survey& survey = found.survey;
  Listing listing;
  listing.tables.push_back(store_table(found));
  listing.tables.push_back(queue_table(found));
  if (!survey.index.empty()) listing.tables.push_back(index_table(survey));
  listing.value = json::Value::object();
  listing.value.set("directory", survey.layout.root()).set("stopped", !survey.unclean);
  listing.value.set("log_begin", found.log_begin.value).set("log_end", found.log_end.value);
  listing.value.set("first_stored_ms", found.first_timestamp_ms);
  listing.value.set("last_stored_ms", found.last_timestamp_ms);
  listing.value.set("segment_bytes", survey.segment_bytes);
  listing.value.set("segments", segments_value(survey));
  listing.value.set("queue_file_bytes", survey.queue_file_bytes);
  listing.value.set("queues", queues_value(found));
  listing.value.set("index", index_value(survey));
  listing.value.set("checkpoint", checkpoint_value(survey));
  listing.value.set("log_mark", mark_value(survey));
  listing.value.set("config", texts_value(survey.config_files));
  listing.value.set("foreign", texts_value(survey.foreign));
  return listing;
}

ExitCode inspect_store(const StoreOptions& options, const offline::StorePlace& place,
                       Console& console) {
  const auto found = offline::inspect(FileSystem::posix(), place);
  if (!found) {
    return report(explain_store_error(found.error(), "look at the store", options),
                  options.format(), console);
  }
  show(listing_of(*found), options.format(), console);
  return ExitCode::Ok;
}

}  // namespace

void add_store_inspect(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<StoreOptions>(
      noun, "inspect", "Show what lies in a store: log, queues, index; also while a server runs",
      "rmq store inspect ./rmq-data");
  run_on_store(verb, options, console, inspect_store);
}

}  // namespace rmq::cli
