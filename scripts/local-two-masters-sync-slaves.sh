#!/bin/sh
# A cluster on this machine: one name server, two masters, and a slave of each that has every message before it is acknowledged, as five
# processes. When a master is down, consumers read from its slave, and producers use the other master.
#   scripts/local-two-masters-sync-slaves.sh start [--free-ports]
#   scripts/local-two-masters-sync-slaves.sh status
#   scripts/local-two-masters-sync-slaves.sh stop
# RMQ_LOCAL is the folder of its data and logs (default ./rmq-local/two-masters-sync-slaves), RMQ_BIN the executable (default
# build/release/rmq). Ports are 9876, 10911, 10921, 10931 and 10941, or free ones. start does nothing to what runs already, and
# stop nothing to what does not.
set -eu
folder=${RMQ_LOCAL:-./rmq-local/two-masters-sync-slaves}
members="namesrv namesrv namesrv.toml
broker-a master two-masters-sync-slaves/broker-a.toml
broker-b master two-masters-sync-slaves/broker-b.toml
broker-a-slave slave two-masters-sync-slaves/broker-a-slave.toml
broker-b-slave slave two-masters-sync-slaves/broker-b-slave.toml"
. "$(dirname "$0")/local_cluster.sh"
local_cluster "$@"
