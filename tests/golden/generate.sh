#!/bin/bash
# Writes tests/golden/data anew with RocketMQ's own classes. Needs a JDK 17 and Maven; the same bytes come out each time.
set -euo pipefail
cd "$(dirname "$0")/java"
mvn -q -B compile org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath -Dmdep.outputFile=target/classpath
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
rm -rf ../data
mkdir -p ../data
# RocketMQ writes its logs and looks for its store below user.home.
java -Duser.home="$home" -Djava.io.tmpdir="$home" -Drocketmq.home.dir="$home" -Duser.timezone=UTC -Duser.language=en \
  --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED \
  --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
  -cp "target/classes:$(cat target/classpath)" rmq.golden.Generator ../data
