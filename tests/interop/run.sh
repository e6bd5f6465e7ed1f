#!/bin/sh
# Runs the Java client tests against build/release/rmq (RMQ_BIN=FILE for another executable), or
# against the Java server with RMQ_INTEROP_SERVER=java. Further arguments go to Maven, for example
# -Dtest=SendTest. The first run fetches the jars; later ones work without a network.
set -eu
cd "$(dirname "$0")"
profile=
if [ "${RMQ_INTEROP_SERVER:-rmq}" = java ]; then
  profile=-Pjava-server
else
  RMQ_BIN=$(realpath "${RMQ_BIN:-../../build/release/rmq}")
  export RMQ_BIN
fi

# A jar that is missing offline ends Maven before any test; only then is the network asked.
if ! mvn -q -o -B -ntp $profile test-compile > target-offline.log 2>&1; then
  if grep -q 'COMPILATION ERROR' target-offline.log; then
    cat target-offline.log
    exit 1
  fi
  mvn -q -B -ntp $profile test -Dtest=NoSuchTest -Dsurefire.failIfNoSpecifiedTests=false
fi
rm -f target-offline.log
exec mvn -o -B -ntp $profile surefire:test "$@"
