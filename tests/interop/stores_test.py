#!/usr/bin/env python3
"""One store that Java's brokers and rmq serve in turn, each after a clean stop or a kill -9 of the one before.

    tests/interop/stores_test.py                 all chains, side by side
    tests/interop/stores_test.py java5-kill      these only; --keep leaves stores and logs where they are
    tests/interop/stores_test.py --fetch         fetches Java's brokers, for later runs without a network

Each broker of a chain finds all that those before it were sent, byte by byte and under the same offsets, and sends more.
A line "ok NAME" or "FAILED NAME" for each chain.
"""

import argparse
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import servers
import store_broker
import store_content
from servers import JAVA_4, JAVA_5
from store_broker import RMQ

STOP, KILL = "stop", "kill"

# Who serves the store, and how each but the last ends; those that take longest first.
CHAINS = {
    "java5-stop": [(JAVA_5, STOP), (RMQ, KILL), (JAVA_5, "")],
    "java4-stop": [(JAVA_4, STOP), (RMQ, STOP), (JAVA_5, "")],
    "java5-kill": [(JAVA_5, KILL), (RMQ, STOP), (JAVA_5, "")],
    "java4-kill": [(JAVA_4, KILL), (RMQ, KILL), (JAVA_5, "")],
    "rmq-kill": [(RMQ, KILL), (JAVA_5, STOP), (RMQ, "")],
    "rmq-stop": [(RMQ, STOP), (JAVA_5, KILL), (RMQ, "")],
}
V6 = {"java5-stop"}  # with hosts of 16 bytes in the records
TWO_DIRECTORIES = {"java5-kill"}  # of the commit log
# Kinds of queues that rmq does not read, and what it says.
REFUSED = {
    "rocksdb": ["consumequeue", "RocksDB", "mqadmin rocksDBConfigToJson"],
    "batch-queue": ["topics.json: topic batches", "queue.type=BatchCQ", "delete it first"],
}
CONVERT = "rocksdb"
WITH_BATCH_QUEUE = {"java5-kill"}  # in the end


def run(name: str, home: pathlib.Path, trace: bool) -> None:
    logs = ("log-b", "log-a") if name in TWO_DIRECTORIES else ("store/commitlog",)
    broker = store_broker.StoreBroker(home, "::1" if name in V6 else "127.0.0.1", log_directories=logs)
    content = store_content.Content(broker)
    began = time.monotonic()

    def say(what: str) -> None:
        if trace:
            print(f"{time.monotonic() - began:6.1f} {name} {what}", flush=True)

    try:
        ended = ""
        for number, (kind, end) in enumerate(CHAINS[name]):
            broker.start(kind)
            say(f"{kind} started")
            if number == 0:
                content.create()
            else:
                content.check()
                content.check_keys()
            say("checked")
            content.fill("abc"[number])
            content.commit_offsets()
            content.check_disks()
            if not end:
                break
            if end == KILL or kind == RMQ:
                content.await_saved()
            say("filled")
            content.delay("abc"[number] + "-late", store_content.AFTER_STOP if end == STOP and kind != RMQ
                          else store_content.AFTER_KILL)
            content.read_all()
            getattr(broker, end)()
            say(end)
        if content.half and kind != RMQ:
            content.commit_half()
        content.check_keys()
        for directory in broker.log_directories:
            if len(list(directory.iterdir())) < 2:
                raise AssertionError(f"{directory} has no part of the log")
        if name in WITH_BATCH_QUEUE:
            content.send_inner_batch("batches")
            broker.kill()
            check_refused(broker, REFUSED["batch-queue"])
        say("done")
    finally:
        broker.close()


def convert(home: pathlib.Path) -> None:
    """A store with everything in RocksDB: refused, and what is said then helps."""
    broker = store_broker.StoreBroker(home, settings={"storeType": "defaultRocksDB", "timerWheelEnable": "false"})
    content = store_content.Content(broker)
    try:
        broker.start(JAVA_5)
        content.create()
        content.fill("a")
        content.commit_offsets()
        content.export_config()
        broker.stop()
        broker.config.write_text(broker.config.read_text().replace("storeType=defaultRocksDB\n", ""))
        check_refused(broker, REFUSED["rocksdb"])
        (broker.root / "consumequeue").rename(home / "consumequeue")
        broker.start(RMQ)
        content.check()
        content.check_keys()
        content.fill("b")
    finally:
        broker.close()


def check_refused(broker: store_broker.StoreBroker, words: list[str]) -> None:
    """rmq says `words`, ends with 5 and leaves the store as it is."""
    before = files_of(broker.root)
    done = subprocess.run([servers.BINARY, "serve", "--role=master", "--config", broker.config], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=servers.START_SECONDS, cwd=broker.home, check=False)
    answer = " ".join(line for line in done.stderr.splitlines() if line.startswith("rmq: "))
    if done.returncode != 5 or not all(word in answer for word in words):
        raise AssertionError(f"code {done.returncode}, {done.stderr}")
    if files_of(broker.root) != before:
        raise AssertionError("the store was changed")


def files_of(root: pathlib.Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--trace", action="store_true", help="say what is done when")
    parser.add_argument("chains", nargs="*", metavar="CHAIN", help=", ".join([*CHAINS, CONVERT]))
    arguments = parser.parse_args()
    if unknown := set(arguments.chains) - set(CHAINS) - {CONVERT}:
        parser.error(f"no such chain: {', '.join(unknown)}")
    for version in (JAVA_4, JAVA_5):
        servers.java_classpath(version)
    if arguments.fetch:
        return 0

    work = pathlib.Path(tempfile.mkdtemp(prefix="rmq-stores-"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(len(CHAINS) + 1) as executor:
        futures = {executor.submit(convert, work / name) if name == CONVERT else
                   executor.submit(run, name, work / name, arguments.trace): name
                   for name in arguments.chains or [*CHAINS, CONVERT]}
        for future in concurrent.futures.as_completed(futures):
            name = futures[future]
            if error := future.exception():
                failed += 1
                traceback.print_exception(error)
                print(f"FAILED {name}, see {work / name}", flush=True)
            else:
                print(f"ok {name}", flush=True)
    if failed or arguments.keep:
        print(f"stores and logs: {work}")
    else:
        shutil.rmtree(work)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
