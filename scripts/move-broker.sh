#!/bin/sh
# Moves one broker of a RocketMQ cluster to rmq, on its machine, while producers and consumers go on: same configuration file, store,
# name and ports. Producers are sent to the other brokers first, then the Java broker is stopped, and rmq serves its store. One
# broker after the other moves a whole cluster; slaves may come in any order. The way back is the same: stop rmq, start Java.
#   scripts/move-broker.sh CONF [--pid PID] [--namesrv HOST:PORT] [--quiet SECONDS]
# CONF is the broker's broker.conf. --pid: its process (default: the one that was started with CONF). --namesrv: default is
# namesrvAddr of CONF. --quiet: nobody may have sent for so long (default 40; clients look for new routes every 30 s).
# RMQ_BIN is the executable (default build/release/rmq), RMQ_RUN the folder of log and process id (default ./rmq-run).
set -eu
project=$(cd "$(dirname "$0")/.." && pwd)
rmq=${RMQ_BIN:-$project/build/release/rmq}
run=${RMQ_RUN:-./rmq-run}
stop_seconds=60
start_seconds=60

usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

die() {
  echo "$*" >&2
  exit 1
}

# setting KEY: its value in CONF; nothing when it is not there.
setting() {
  sed -n "s/^[[:space:]]*$1[[:space:]]*[=:][[:space:]]*//p" "$conf" | sed 's/[[:space:]]*$//' | tail -n 1
}

# The process that serves CONF.
find_process() {
  found=$(pgrep -f "org.apache.rocketmq.broker.BrokerStartup.*$(basename "$conf")" || true)
  [ "$(echo "$found" | wc -w)" -eq 1 ] ||
    die "$(echo "$found" | wc -w) processes run a Java broker with $(basename "$conf"); name one with --pid"
  echo "$found"
}

# wait_for SECONDS COMMAND...: until it succeeds; false when it does not in time.
wait_for() {
  tenths=$(($1 * 10))
  shift
  while ! "$@"; do
    [ $tenths -gt 0 ] || return 1
    sleep 0.1
    tenths=$((tenths - 1))
  done
}

is_gone() { ! kill -0 "$pid" 2>/dev/null; }
is_ready() { [ -s "$run/$name.ready" ] || ! kill -0 "$new" 2>/dev/null; }

[ $# -gt 0 ] || usage
conf=$1
shift
pid= namesrv= quiet=40
while [ $# -gt 1 ]; do
  case $1 in
    --pid) pid=$2 ;;
    --namesrv) namesrv=$2 ;;
    --quiet) quiet=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[ $# -eq 0 ] && [ -r "$conf" ] || usage
[ -x "$rmq" ] || die "$rmq is not there; run make, or set RMQ_BIN"

name=$(setting brokerName)
name=${name:-$(hostname)}
namesrv=${namesrv:-$(setting namesrvAddr)}
[ -n "$namesrv" ] || die "$conf names no name server; give --namesrv"
role=master
[ "$(setting brokerRole)" != SLAVE ] || role=slave
# What rmq cannot serve it says now, while Java still does.
"$rmq" config show --config "$conf" > /dev/null
[ -n "$pid" ] || pid=$(find_process)
mkdir -p "$run"

if [ $role = master ]; then
  echo "$name: sending producers away"
  "$rmq" broker drain "$name" --yes --quiet "$quiet" --namesrv "$namesrv"
fi
echo "$name: stopping the Java broker, process $pid"
kill -TERM "$pid"
wait_for $stop_seconds is_gone || die "process $pid is still there after $stop_seconds s; nothing else was done"
: > "$run/$name.ready"
setsid "$rmq" serve --role=$role --config "$conf" --namesrv "$namesrv" --ready-fd 3 \
  3> "$run/$name.ready" >> "$run/$name.log" 2>&1 < /dev/null &
new=$!
echo $new > "$run/$name.pid"
wait_for $start_seconds is_ready && [ -s "$run/$name.ready" ] || {
  tail -n 5 "$run/$name.log" >&2
  die "$name: rmq did not start; the Java broker can be started again as it was"
}
[ $role = slave ] || "$rmq" broker drain "$name" --undo --yes --namesrv "$namesrv" > /dev/null
echo "$name: rmq serves it (process $new, log $run/$name.log)"
