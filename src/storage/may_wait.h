// MayWait: whether a read may wait for the disk. One that may not gets what is in memory, or the
// error StoreErrc::NotInMemory when that is nothing.
#pragma once

namespace rmq::storage {

enum class MayWait { No, Yes };

}  // namespace rmq::storage
