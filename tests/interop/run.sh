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

# Without the network first. What is missing then ends Maven before any test, also when all that is
# missing is a plugin of the last step, which -DskipTests still loads.
if ! mvn -q -o -B -ntp $profile test -DskipTests > target-offline.log 2>&1; then
  if grep -q 'COMPILATION ERROR' target-offline.log; then
    cat target-offline.log
    exit 1
  fi
  mvn -q -B -ntp $profile test -DskipTests
fi
rm -f target-offline.log
exec mvn -o -B -ntp $profile surefire:test "$@"
