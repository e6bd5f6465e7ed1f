#!/bin/sh
# A cluster on this machine in which a slave takes over by itself: one name server, one controller, and two sets of two brokers,
# as six processes. Every message is on both brokers of a set before it is acknowledged. When a master is killed, its slave is
# the master a moment later; `start` brings the dead one back, as a slave.
#   scripts/local-auto-failover.sh start [--free-ports]
#   scripts/local-auto-failover.sh status
#   scripts/local-auto-failover.sh stop
# RMQ_LOCAL is the folder of its data and logs (default ./rmq-local/auto-failover), RMQ_BIN the executable (default
# build/release/rmq). Ports are 9876, 9878, 10911, 10921, 10931 and 10941, or free ones. start does nothing to what runs already,
# and stop nothing to what does not.
set -eu
folder=${RMQ_LOCAL:-./rmq-local/auto-failover}
members="namesrv namesrv namesrv.toml
controller controller auto-failover/controller.toml
broker-a master auto-failover/broker-a.toml
broker-b master auto-failover/broker-b.toml
broker-a-2 master auto-failover/broker-a-2.toml
broker-b-2 master auto-failover/broker-b-2.toml"
. "$(dirname "$0")/local_cluster.sh"
local_cluster "$@"
