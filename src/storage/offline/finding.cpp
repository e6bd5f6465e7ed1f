#include "storage/offline/finding.h"

#include <utility>

namespace rmq::storage::offline {

const char* name_of(FindingKind kind) {
  static constexpr const char* kNames[] = {
#define RMQ_FINDING_KIND(name, text) text,
      RMQ_FINDING_KINDS(RMQ_FINDING_KIND)
#undef RMQ_FINDING_KIND
  };
  return kNames[static_cast<std::size_t>(kind)];
}

const char* name_of(Harm harm) {
  switch (harm) {
    case Harm::Note:
      return "note";
    case Harm::Nothing:
      return "nothing";
    case Harm::Messages:
      return "messages";
  }
  return "unknown";
}

void Findings::add(Finding finding) {
  ++kinds_[static_cast<std::size_t>(finding.kind)];
  const auto harm = static_cast<std::size_t>(finding.harm);
  ++harms_[harm];
  if (kept_[harm].size() < keep_) kept_[harm].push_back(std::move(finding));
}

std::vector<Finding> Findings::kept() const {
  std::vector<Finding> all;
  for (auto of_harm = kept_.rbegin(); of_harm != kept_.rend(); ++of_harm) {
    for (const Finding& finding : *of_harm) {
      if (all.size() < keep_) all.push_back(finding);
    }
  }
  return all;
}

std::int64_t Findings::count() const {
  std::int64_t sum = 0;
  for (const std::int64_t count : harms_) sum += count;
  return sum;
}

}  // namespace rmq::storage::offline
