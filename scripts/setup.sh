#!/bin/sh
# Installs what rmq needs on Debian 12: compiler, libraries, and for the tests clang, valgrind, etcd, Java, Maven, Go, Node.js and Python's
# venv. May be run again at any time: it installs only what is missing, and needs neither the network nor root when
# nothing is.
#   scripts/setup.sh            everything
#   scripts/setup.sh --build    only what `make` needs
set -eu

build_packages="g++ cmake ninja-build make ccache git python3
  libasio-dev libcli11-dev libtomlplusplus-dev libxxhash-dev doctest-dev libexpected-dev libc-ares-dev
  libhttp-parser-dev zlib1g-dev libdeflate-dev liblz4-dev libzstd-dev"
test_packages="clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev valgrind patch etcd-server"

wanted=$build_packages
case "${1:-}" in
  --build) ;;
  "")
    wanted="$wanted $test_packages"
    # A JDK (17 or newer) and a Maven that are on the PATH already are good enough, wherever they come from.
    java_version=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
    [ "${java_version:-0}" -ge 17 ] || wanted="$wanted openjdk-17-jdk-headless"
    command -v mvn >/dev/null 2>&1 || wanted="$wanted maven"
    # Go 1.19 and Node.js 18 are enough for the client tests, and newer ones on the PATH will do too.
    command -v go >/dev/null 2>&1 || wanted="$wanted golang-go"
    command -v node >/dev/null 2>&1 || wanted="$wanted nodejs"
    command -v npm >/dev/null 2>&1 || wanted="$wanted npm"
    python3 -m ensurepip --version >/dev/null 2>&1 || wanted="$wanted python3-venv"
    ;;
  *)
    echo "usage: scripts/setup.sh [--build]" >&2
    exit 2
    ;;
esac

missing=
for package in $wanted; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "setup: everything is there"
  exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "setup: these packages are missing:$missing" >&2
    echo "setup: run it as root, or install sudo" >&2
    exit 1
  }
  as_root=sudo
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
