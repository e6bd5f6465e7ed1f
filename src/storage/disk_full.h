// Whether only space is missing: what failed works when there is room.
#pragma once

#include "base/file_system.h"
#include "storage/store_errc.h"

namespace rmq::storage {

// Of an error of the store, or of a file beside it.
inline bool wants_room(const Error& error) {
  return error.code == StoreErrc::DiskFull || is_disk_full(error);
}

}  // namespace rmq::storage
