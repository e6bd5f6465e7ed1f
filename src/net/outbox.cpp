#include "net/outbox.h"

#include <utility>

namespace rmq::net {

Bytes ChunkPool::take() {
  if (free_.empty()) {
    Bytes chunk;
    chunk.reserve(kChunkBytes);
    return chunk;
  }
  Bytes chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void ChunkPool::give(Bytes chunk) {
  if (free_.size() >= kChunksKept || chunk.capacity() > 4 * kChunkBytes) return;
  chunk.clear();
  free_.push_back(std::move(chunk));
}

Bytes& Outbox::tail() {
  const bool full = !chunks_.empty() &&
                    (chunks_.back().pin != nullptr || chunks_.back().copied.size() >= kChunkBytes);
  if (chunks_.empty() || full) {
    if (!chunks_.empty()) sealed_bytes_ += chunks_.back().view().size();
    chunks_.push_back({pool_.take(), {}, nullptr});
  }
  return chunks_.back().copied;
}

void Outbox::add_body(ByteView body, std::shared_ptr<const void> pin) {
  if (body.size() <= kCopyBodyBytes || pin == nullptr) {
    Bytes& end = tail();
    end.insert(end.end(), body.begin(), body.end());
    return;
  }
  if (!chunks_.empty()) sealed_bytes_ += chunks_.back().view().size();
  chunks_.push_back({{}, body, std::move(pin)});
}

std::size_t Outbox::bytes() const {
  if (chunks_.empty()) return 0;
  return sealed_bytes_ + chunks_.back().view().size() - front_sent_;
}

Outbox::Buffers Outbox::front() const {
  Buffers buffers;
  std::size_t skip = front_sent_;
  for (const Chunk& chunk : chunks_) {
    if (buffers.count == kBuffersMax) break;
    const ByteView rest = chunk.view().subspan(skip);
    skip = 0;
    if (!rest.empty())
      buffers.items[buffers.count++] = asio::const_buffer(rest.data(), rest.size());
  }
  return buffers;
}

void Outbox::sent(std::size_t count) {
  front_sent_ += count;
  while (!chunks_.empty() && front_sent_ >= chunks_.front().view().size()) {
    const std::size_t size = chunks_.front().view().size();
    front_sent_ -= size;
    if (chunks_.size() > 1) sealed_bytes_ -= size;
    pool_.give(std::move(chunks_.front().copied));
    chunks_.pop_front();
  }
  RMQ_ASSERT(!chunks_.empty() || front_sent_ == 0);
}

void Outbox::clear() {
  chunks_.clear();
  front_sent_ = 0;
  sealed_bytes_ = 0;
}

}  // namespace rmq::net
