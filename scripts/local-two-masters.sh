#!/bin/sh
# A cluster on this machine: one name server and two masters, as three processes. Topics have queues on both masters; when
# one is down, producers use the other.
#   scripts/local-two-masters.sh start [--free-ports]
#   scripts/local-two-masters.sh status
#   scripts/local-two-masters.sh stop
# RMQ_LOCAL is the folder of its data and logs (default ./rmq-local/two-masters), RMQ_BIN the executable (default
# build/release/rmq). Ports are 9876, 10911 and 10921, or free ones. start does nothing to what runs already, and stop nothing
# to what does not.
set -eu
folder=${RMQ_LOCAL:-./rmq-local/two-masters}
members="namesrv namesrv namesrv.toml
broker-a master two-masters/broker-a.toml
broker-b master two-masters/broker-b.toml"
. "$(dirname "$0")/local_cluster.sh"
local_cluster "$@"
