# Sourced by the scripts local-*.sh, one per kind of cluster: starts, shows and stops the processes of a cluster on this
# machine. Data, logs and process ids are in one folder; stop leaves the data there.
#
# The script that sources it sets `members`, a line for each process: NAME ROLE CONFIG, name servers first, then controllers,
# the config below configs/; and calls `local_cluster "$@"`. Members of an etcd, before the controllers that share it, are lines
# NAME etcd PORT, the next port being for their own traffic.

project=$(cd "$(dirname "$0")/.." && pwd)
rmq=${RMQ_BIN:-$project/build/release/rmq}
start_seconds=10
stop_seconds=30

usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# has_ended PID: also when nobody has reaped it yet.
has_ended() {
  ! grep -q '^State:[^Z]*$' "/proc/$1/status" 2>/dev/null
}

# is_running NAME: whether the process of NAME.pid is there and is ours.
is_running() {
  [ -s "$folder/$1.pid" ] && ! has_ended "$(cat "$folder/$1.pid")" &&
    grep -q 'rmq\|etcd' "/proc/$(cat "$folder/$1.pid")/comm" 2>/dev/null
}

# address_of NAME: where it said that it listens when it was ready.
address_of() {
  sed -n 's/.*"\(namesrv\|etcd\|controller\|broker\)":"\([^"]*\)".*/\2/p' "$folder/$1.ready"
}

# addresses_of ROLE: of every member with this role, separated by ';'.
addresses_of() {
  echo "$members" | while read -r name role _; do
    [ "$role" != "$1" ] || address_of "$name"
  done | paste -s -d ';'
}

# start_member NAME ROLE CONFIG OPTION...: starts `rmq serve` in the background and waits until it accepts.
start_member() {
  name=$1 role=$2 config=$3
  shift 3
  if is_running "$name"; then
    echo "$name is running already"
    return
  fi
  case $role in
    etcd)
      start_etcd "$name"
      return
      ;;
    controller)
      endpoints=$(addresses_of etcd | tr ';' ',')
      [ -z "$endpoints" ] || set -- "$@" --etcd "$endpoints"
      ;;
    master | slave)
      set -- "$@" --namesrv "$(addresses_of namesrv)"
      controllers=$(addresses_of controller)
      [ -z "$controllers" ] || set -- "$@" --controller "$controllers"
      ;;
  esac
  : > "$folder/$name.ready"
  setsid "$rmq" serve --role="$role" --config "$project/configs/$config" --data "$folder/$name" --listen 127.0.0.1 \
    --advertise 127.0.0.1 --ready-fd 3 "$@" \
    3> "$folder/$name.ready" > "$folder/$name.out" 2>> "$folder/$name.log" < /dev/null &
  echo $! > "$folder/$name.pid"
  tenths=0
  while [ ! -s "$folder/$name.ready" ]; do
    if has_ended "$(cat "$folder/$name.pid")" || [ $tenths -ge $((start_seconds * 10)) ]; then
      echo "$name did not start; the end of $folder/$name.log:" >&2
      tail -n 5 "$folder/$name.log" >&2
      exit 1
    fi
    sleep 0.1
    tenths=$((tenths + 1))
  done
}

# pick_etcd_ports [--port 0]: etcd.ports, a line for each member, NAME PORT PEER_PORT; they stay the same from then on.
pick_etcd_ports() {
  [ ! -s "$folder/etcd.ports" ] || return 0
  echo "$members" | while read -r name role port; do
    [ "$role" = etcd ] || continue
    ports="$port $((port + 1))"
    [ $# -eq 0 ] || ports=$(python3 -c 'import socket
listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(socket.getsockname()[1] for socket in listening))')
    echo "$name $ports"
  done > "$folder/etcd.ports"
}

# start_etcd NAME: starts this member in the background. It answers when most of the others run too; controllers wait for that.
start_etcd() {
  command -v etcd >/dev/null || {
    echo "etcd is not there; Debian has it in the package etcd-server" >&2
    exit 1
  }
  read -r port peer_port <<PORTS
$(sed -n "s/^$1 //p" "$folder/etcd.ports")
PORTS
  cluster=$(sed 's|^\([^ ]*\) .* \(.*\)|\1=http://127.0.0.1:\2|' "$folder/etcd.ports" | paste -s -d ,)
  setsid etcd --name "$1" --data-dir "$folder/$1" --initial-cluster "$cluster" \
    --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    > "$folder/$1.out" 2>> "$folder/$1.log" < /dev/null &
  echo $! > "$folder/$1.pid"
  echo "{\"etcd\":\"127.0.0.1:$port\"}" > "$folder/$1.ready"
}

stop_member() {
  if ! is_running "$1"; then
    rm -f "$folder/$1.pid"
    return
  fi
  pid=$(cat "$folder/$1.pid")
  kill -TERM "$pid"
  tenths=0
  while ! has_ended "$pid"; do
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
  pick_etcd_ports "$@"
  while read -r name role config; do
    start_member "$name" "$role" "$config" "$@"
  done <<MEMBERS
$members
MEMBERS
  status
}

status() {
  missing=0
  while read -r name _; do
    if is_running "$name"; then
      echo "$name runs at $(address_of "$name") (process $(cat "$folder/$name.pid"), log $folder/$name.log)"
    else
      echo "$name does not run"
      missing=1
    fi
  done <<MEMBERS
$members
MEMBERS
  [ $missing -ne 0 ] || echo "export NAMESRV_ADDR='$(addresses_of namesrv)'"
  return $missing
}

# The last one started stops first.
stop() {
  echo "$members" | tac | while read -r name _; do stop_member "$name"; done
}

local_cluster() {
  case "$*" in
    start) start ;;
    "start --free-ports") start --port 0 ;;
    status) status ;;
    stop) stop ;;
    *) usage ;;
  esac
}
