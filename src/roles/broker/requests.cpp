// Who serves what: every request of a broker.
#include <algorithm>
#include <array>

#include "roles/broker/broker_service.h"
#include "roles/broker/pulling/pull_message.h"
#include "roles/broker/sending/send_message.h"

namespace rmq::roles::broker {
namespace {

constexpr std::array kBrokerRequests{
    serve<&on_send_message>(RequestCode::SendMessage, Lane::Append),
    serve<&on_pull_message>(RequestCode::PullMessage, Lane::Pull),
    serve<&on_send_message>(RequestCode::SendMessageV2, Lane::Append),
    serve<&on_send_message>(RequestCode::SendBatchMessage, Lane::Append),
    serve<&on_pull_message>(RequestCode::LitePullMessage, Lane::Pull),
};
static_assert(sorted_and_unique(kBrokerRequests));

constexpr std::size_t kPulling =
    static_cast<std::size_t>(std::count_if(kBrokerRequests.begin(), kBrokerRequests.end(),
                                           [](const auto& row) { return row.lane == Lane::Pull; }));

constexpr auto kVipRequests = [] {
  std::array<ServedRequest<Broker>, kBrokerRequests.size() - kPulling> rows{};
  std::copy_if(kBrokerRequests.begin(), kBrokerRequests.end(), rows.begin(),
               [](const auto& row) { return row.lane != Lane::Pull; });
  return rows;
}();

}  // namespace

std::span<const ServedRequest<Broker>> broker_requests() { return kBrokerRequests; }
std::span<const ServedRequest<Broker>> vip_requests() { return kVipRequests; }

}  // namespace rmq::roles::broker
