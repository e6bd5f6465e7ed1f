#!/bin/sh
# A cluster on this machine in which a slave takes over by itself, and in which nothing stands alone: one name server, three
# controllers that share an etcd of three members, and two sets of two brokers, as eleven processes. Any one of them can be killed;
# `start` brings it back. It needs etcd (Debian's package etcd-server).
#   scripts/local-three-controllers.sh start [--free-ports]
#   scripts/local-three-controllers.sh status
#   scripts/local-three-controllers.sh stop
# RMQ_LOCAL is the folder of its data and logs (default ./rmq-local/three-controllers), RMQ_BIN the executable (default
# build/release/rmq). Ports are 9876, 12379, 12389 and 12399 and the ones behind these three, 9878, 9888, 9898, 10911, 10921, 10931
# and 10941, or free ones. start does nothing to what runs already, and stop nothing to what does not.
set -eu
folder=${RMQ_LOCAL:-./rmq-local/three-controllers}
members="namesrv namesrv namesrv.toml
etcd-0 etcd 12379
etcd-1 etcd 12389
etcd-2 etcd 12399
controller-0 controller three-controllers/controller-0.toml
controller-1 controller three-controllers/controller-1.toml
controller-2 controller three-controllers/controller-2.toml
broker-a master auto-failover/broker-a.toml
broker-b master auto-failover/broker-b.toml
broker-a-2 master auto-failover/broker-a-2.toml
broker-b-2 master auto-failover/broker-b-2.toml"
. "$(dirname "$0")/local_cluster.sh"
local_cluster "$@"
