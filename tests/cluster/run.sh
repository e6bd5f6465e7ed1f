#!/bin/sh
# Runs the cluster tests with numbers that fit a CI run, against build/release/rmq (RMQ_BIN=FILE for
# another executable). More rounds: RMQ_KILL_ROUNDS=20. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")"
rounds=${RMQ_KILL_ROUNDS:-20}
passed=0
failed=0
run() {
  echo "== $*"
  if python3 "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
run check_test.py
run ready.py
run stop.py
run kill9.py --flush async --rounds "$rounds"
run kill9.py --flush sync --rounds "$rounds"
run delay_kill9.py
run replication.py
run failover.py --mode sync --how kill
run failover.py --mode async --how kill
run failover.py --mode sync --how stop --rounds 3
run failover.py --mode async --how stop --rounds 3
run partition.py
run etcd.py
run replica_disk.py
run modes.py
run hostile.py --seconds 2
run disk_full.py
run disk_errors.py
run disk_gone.py
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
