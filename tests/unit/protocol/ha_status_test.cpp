#include "protocol/ha_status.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

namespace rmq::protocol {

// HARuntimeInfo as fastjson writes it.
TEST_CASE("ha status: a master's") {
  HaStatus status;
  status.is_master = true;
  status.log_end = 1000;
  status.slaves = {{"10.0.0.2:5", 990, 10, true, 1000, 2048},
                   {"10.0.0.3:6", 0, 1000, false, 40, 0}};
  CHECK(encode_ha_status(status) ==
        R"({"haClientRuntimeInfo":{"activated":false,"lastReadTimestamp":0,"lastWriteTimestamp":0,)"
        R"("masterFlushOffset":0,"maxOffset":0,"transferredByteInSecond":0},"haConnectionInfo":[)"
        R"({"addr":"10.0.0.2:5","diff":10,"inSync":true,"slaveAckOffset":990,)"
        R"("transferFromWhere":1000,"transferredByteInSecond":2048},)"
        R"({"addr":"10.0.0.3:6","diff":1000,"inSync":false,"slaveAckOffset":0,)"
        R"("transferFromWhere":40,"transferredByteInSecond":0}],)"
        R"("inSyncSlaveNums":1,"master":true,"masterCommitLogMaxOffset":1000})");
}

TEST_CASE("ha status: a slave's") {
  HaStatus status;
  status.master_address = "10.0.0.1:10912";
  status.max_offset = 77;
  status.last_read_ms = 5;
  status.last_write_ms = 6;
  status.bytes_per_second = 7;
  CHECK(encode_ha_status(status) ==
        R"({"haClientRuntimeInfo":{"activated":false,"lastReadTimestamp":5,"lastWriteTimestamp":6,)"
        R"("masterAddr":"10.0.0.1:10912","masterFlushOffset":0,"maxOffset":77,)"
        R"("transferredByteInSecond":7},"haConnectionInfo":[],"inSyncSlaveNums":0,"master":false,)"
        R"("masterCommitLogMaxOffset":0})");
}

TEST_CASE("ha status: what is written is read") {
  HaStatus status;
  status.is_master = true;
  status.log_end = 1000;
  status.slaves = {{"10.0.0.2:5", 990, 10, true, 1000, 2048}};
  status.master_address = "10.0.0.1:10912";
  status.max_offset = 77;
  status.last_read_ms = 5;
  status.last_write_ms = 6;
  status.bytes_per_second = 7;
  const auto read = decode_ha_status(encode_ha_status(status));
  REQUIRE(read);
  CHECK(encode_ha_status(*read) == encode_ha_status(status));
  CHECK(decode_ha_status("{}")->slaves.empty());
  CHECK_FALSE(decode_ha_status("[").has_value());
}

}  // namespace rmq::protocol
