#!/bin/sh
# The local cluster scripts do what they say, twice in a row too. RMQ_BIN=FILE for another executable.
set -eu
cd "$(dirname "$0")/../.."
RMQ_BIN=$(realpath "${RMQ_BIN:-build/release/rmq}")
base=$(mktemp -d)
script=
trap '[ -z "$script" ] || $script stop >/dev/null 2>&1 || true; rm -rf "$base"' EXIT
export RMQ_BIN
passed=0

die() {
  echo "FAILED: $script: $*"
  echo "$passed passed, 1 failed"
  exit 1
}

# Also when nobody has reaped it yet.
has_ended() {
  ! grep -q '^State:[^Z]*$' "/proc/$1/status" 2>/dev/null
}

use_cluster() {
  eval "$($script status | grep '^export ')"
  export NAMESRV_ADDR
}

# test_script NAME BROKERS
test_script() {
  script=scripts/$1
  RMQ_LOCAL=$base/$1/cluster
  export RMQ_LOCAL
  $script nonsense 2>/dev/null && die "a word that it does not know"
  $script status >/dev/null && die "status before start"
  $script start --free-ports || die "start"
  pids=$(cat "$RMQ_LOCAL"/*.pid)
  $script start --free-ports >/dev/null || die "second start"
  [ "$pids" = "$(cat "$RMQ_LOCAL"/*.pid)" ] || die "the second start made new processes"

  use_cluster
  "$RMQ_BIN" topic create Local >/dev/null || die "topic create"
  [ "$("$RMQ_BIN" route show Local | grep -c broker-)" = "$2" ] || die "the topic is not on $2 brokers"
  "$RMQ_BIN" message send Local hello >/dev/null || die "message send"

  # One that died is started again, beside those that run.
  kill -9 "$(cat "$RMQ_LOCAL/broker-a.pid")"
  until has_ended "$(cat "$RMQ_LOCAL/broker-a.pid")"; do :; done
  $script status >/dev/null && die "status with one dead"
  $script start --free-ports >/dev/null || die "start with one dead"

  pids=$(cat "$RMQ_LOCAL"/*.pid)
  $script stop || die "stop"
  $script stop || die "second stop"
  for pid in $pids; do
    has_ended "$pid" || die "process $pid is still there"
  done
  $script start --free-ports >/dev/null || die "start after stop"
  use_cluster
  "$RMQ_BIN" topic list | grep -q Local || die "the topic is gone after a restart"
  $script stop >/dev/null || die "last stop"
  passed=$((passed + 1))
}

test_script local-single-master.sh 1
test_script local-two-masters.sh 2
test_script local-two-masters-async-slaves.sh 2
test_script local-two-masters-sync-slaves.sh 2
test_script local-auto-failover.sh 2
test_script local-three-controllers.sh 2
script=scripts/demo.sh
scripts/demo.sh 1 > "$base/demo.out" 2>&1 || { cat "$base/demo.out"; die "the demo"; }
grep -q 'my first message' "$base/demo.out" || die "the demo shows no message"
passed=$((passed + 1))
script=
echo "$passed passed, 0 failed"
