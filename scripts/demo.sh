#!/bin/sh
# Two masters on this machine on free ports, with traffic for some seconds; everything is gone afterwards.
#   scripts/demo.sh [SECONDS]
set -eu
seconds=${1:-10}
scripts=$(cd "$(dirname "$0")" && pwd)
rmq=${RMQ_BIN:-$scripts/../build/release/rmq}
RMQ_LOCAL=$(mktemp -d)/cluster
export RMQ_LOCAL
cluster=$scripts/local-two-masters.sh
trap '"$cluster" stop; rm -rf "$(dirname "$RMQ_LOCAL")"' EXIT

say() {
  printf '\n$ %s\n' "$*"
}

say "scripts/local-two-masters.sh start --free-ports"
"$cluster" start --free-ports
eval "$("$cluster" status | grep '^export ')"
export NAMESRV_ADDR
# run_rmq WORD...: shows the command and runs it.
run_rmq() {
  say "rmq $*"
  "$rmq" "$@"
}
run_rmq topic create Demo --queues 4
run_rmq route show Demo
run_rmq message send Demo 'my first message'
run_rmq message tail Demo --from earliest --count 1 --timeout 10
run_rmq bench e2e Demo --rate 5000 --warm-up 1 --duration "$seconds"
run_rmq cluster status
echo
