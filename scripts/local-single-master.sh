#!/bin/sh
# A cluster on this machine for trying things out: one name server and one master, as two processes. Data, logs and
# process ids are in one folder; stop leaves the data there.
#   scripts/local-single-master.sh start [--free-ports]
#   scripts/local-single-master.sh status
#   scripts/local-single-master.sh stop
# RMQ_LOCAL is the folder (default ./rmq-local), RMQ_BIN the executable (default build/release/rmq). Ports are 9876 and
# 10911, or free ones. start does nothing to what runs already, and stop nothing to what does not.
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
rmq=${RMQ_BIN:-$project/build/release/rmq}
folder=${RMQ_LOCAL:-./rmq-local}
start_seconds=10
stop_seconds=30

# is_running NAME: whether the process of NAME.pid is there and is ours.
is_running() {
  [ -s "$folder/$1.pid" ] && kill -0 "$(cat "$folder/$1.pid")" 2>/dev/null &&
    grep -q rmq "/proc/$(cat "$folder/$1.pid")/comm" 2>/dev/null
}

# address_of NAME MEMBER: what NAME said when it was ready.
address_of() {
  sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p" "$folder/$1.ready"
}

# start_role NAME OPTION...: starts `rmq serve` in the background and waits until it accepts.
start_role() {
  name=$1
  shift
  if is_running "$name"; then
    echo "$name is running already"
    return
  fi
  : > "$folder/$name.ready"
  setsid "$rmq" serve --role="$name" --data "$folder/data" --listen 127.0.0.1 --ready-fd 3 "$@" \
    3> "$folder/$name.ready" > "$folder/$name.out" 2>> "$folder/$name.log" < /dev/null &
  echo $! > "$folder/$name.pid"
  tenths=0
  while [ ! -s "$folder/$name.ready" ]; do
    if ! kill -0 "$(cat "$folder/$name.pid")" 2>/dev/null || [ $tenths -ge $((start_seconds * 10)) ]; then
      echo "$name did not start; the end of $folder/$name.log:" >&2
      tail -n 5 "$folder/$name.log" >&2
      exit 1
    fi
    sleep 0.1
    tenths=$((tenths + 1))
  done
}

stop_role() {
  if ! is_running "$1"; then
    rm -f "$folder/$1.pid"
    return
  fi
  pid=$(cat "$folder/$1.pid")
  kill -TERM "$pid"
  tenths=0
  while kill -0 "$pid" 2>/dev/null; do
    if [ $tenths -ge $((stop_seconds * 10)) ]; then
      echo "$1 (process $pid) is still stopping; see $folder/$1.log" >&2
      exit 1
    fi
    sleep 0.1
    tenths=$((tenths + 1))
  done
  rm -f "$folder/$1.pid"
  echo "$1 stopped"
}

start() {
  [ -x "$rmq" ] || {
    echo "$rmq is not there; run make, or set RMQ_BIN" >&2
    exit 1
  }
  mkdir -p "$folder"
  ports=
  [ "${1:-}" != --free-ports ] || ports="--port 0"
  # shellcheck disable=SC2086
  start_role namesrv $ports
  # shellcheck disable=SC2086
  start_role master --namesrv "$(address_of namesrv namesrv)" $ports
  status
}

status() {
  all=0
  for name in namesrv master; do
    if is_running "$name"; then
      member=$name
      [ "$name" != master ] || member=broker
      echo "$name runs at $(address_of "$name" "$member") (process $(cat "$folder/$name.pid"), log $folder/$name.log)"
    else
      echo "$name does not run"
      all=1
    fi
  done
  [ $all -ne 0 ] || echo "export NAMESRV_ADDR=$(address_of namesrv namesrv)"
  return $all
}

case "${1:-}" in
  start) start "${2:-}" ;;
  status) status ;;
  stop)
    stop_role master
    stop_role namesrv
    ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
