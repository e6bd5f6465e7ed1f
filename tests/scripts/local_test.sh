#!/bin/sh
# The local cluster script does what it says, twice in a row too. RMQ_BIN=FILE for another executable.
set -eu
cd "$(dirname "$0")/../.."
RMQ_BIN=$(realpath "${RMQ_BIN:-build/release/rmq}")
RMQ_LOCAL=$(mktemp -d)/cluster
export RMQ_BIN RMQ_LOCAL
script=scripts/local-single-master.sh
trap '$script stop >/dev/null 2>&1 || true; rm -rf "$(dirname "$RMQ_LOCAL")"' EXIT

die() {
  echo "FAILED: $*"
  echo "0 passed, 1 failed"
  exit 1
}

$script status >/dev/null && die "status before start"
$script start --free-ports || die "start"
pids=$(cat "$RMQ_LOCAL"/*.pid)
$script start --free-ports >/dev/null || die "second start"
[ "$pids" = "$(cat "$RMQ_LOCAL"/*.pid)" ] || die "the second start made new processes"

eval "$($script status | grep '^export ')"
export NAMESRV_ADDR
"$RMQ_BIN" topic create Local >/dev/null || die "topic create"
"$RMQ_BIN" message send Local hello >/dev/null || die "message send"

$script stop || die "stop"
$script stop || die "second stop"
for pid in $pids; do
  ! kill -0 "$pid" 2>/dev/null || die "process $pid is still there"
done
$script start --free-ports >/dev/null || die "start after stop"
eval "$($script status | grep '^export ')"
"$RMQ_BIN" topic list | grep -q Local || die "the topic is gone after a restart"
echo "1 passed, 0 failed"
