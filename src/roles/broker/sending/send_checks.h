// What a send must pass before anything is stored, in Java's order
// (AbstractSendMessageProcessor.java#msgCheck, HookUtils.java). Threads: data threads.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "net/endpoint.h"
#include "protocol/properties.h"
#include "protocol/send.h"
#include "protocol/topic_config.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/sending/send_target.h"
#include "storage/store_config.h"

namespace rmq::roles::broker {

class Broker;
class SendThread;

// Permission, topic name, body. Errors: a ResponseCode and its remark; so for all of this file.
Result<> check_send(const Broker& broker, const protocol::SendMessageRequest& request,
                    ByteView body);

// The topic's settings; the topic is created by this send where the broker allows it.
Result<SendTopic> topic_for_send(Broker& broker, SendThread& thread,
                                 const protocol::SendMessageRequest& request,
                                 const net::Endpoint& peer);

Result<> check_queue(const protocol::SendMessageRequest& request, const SendTopic& topic,
                     const net::Endpoint& peer);

// Half and timer messages need services that this version does not have: they are refused with the
// reason, never stored as ordinary ones.
Result<> refuse_special(const protocol::SendProperties& properties, std::int32_t sys_flag,
                        const BrokerConfig& config);

// The messages of a client batch cannot be delayed, as in Java.
Result<> refuse_delayed(const protocol::SendProperties& properties);

// Java's remark for a message that breaks a size limit.
std::string size_remark(const storage::StoreConfig& config);

// Whether so many slaves are there that a message can be acknowledged; nothing is written when not.
Result<> check_slaves(const Broker& broker);

// What a producer is told when the store did not take its message.
Error store_refusal(const Error& why);

}  // namespace rmq::roles::broker
