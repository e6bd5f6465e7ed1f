#!/bin/sh
# A cluster on this machine for trying things out: one name server and one master, as two processes.
#   scripts/local-single-master.sh start [--free-ports]
#   scripts/local-single-master.sh status
#   scripts/local-single-master.sh stop
# RMQ_LOCAL is the folder of its data and logs (default ./rmq-local/single-master), RMQ_BIN the executable (default
# build/release/rmq). Ports are 9876 and 10911, or free ones. start does nothing to what runs already, and stop nothing to
# what does not.
set -eu
folder=${RMQ_LOCAL:-./rmq-local/single-master}
members="namesrv namesrv namesrv.toml
broker-a master broker-master.toml"
. "$(dirname "$0")/local_cluster.sh"
local_cluster "$@"
