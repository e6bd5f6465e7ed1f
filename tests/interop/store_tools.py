#!/usr/bin/env python3
"""`rmq store` on directories that RocketMQ's own 5.3.3 broker has written: stopped and killed they verify clean, and a
damaged one that was repaired is opened by that broker again. Prints "PASS name" or "FAIL name: why" for each test."""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import shutil
import traceback

import servers

SEGMENT_BYTES = 1 << 20
QUEUE_FILE_BYTES = 6000
INDEX = {"maxHashSlotNum": 100, "maxIndexNum": 1000}
TOPIC = "StoreTools"
COUNT = 1500
STOP_SECONDS = 60


def rmq(*arguments: str, code: int = 0) -> list[dict]:
    """What it says, one value for each line."""
    done = subprocess.run([servers.BINARY, *arguments, "--output", "json"], capture_output=True, check=False)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: code {done.returncode}, not {code}\n{done.stderr.decode()}\n{done.stdout.decode()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {found}, not {wanted}")


class JavaStore:
    """A Java broker with small files, stopped and started on the same directory."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.server = servers.java(directory, segment_bytes=SEGMENT_BYTES, more={"mappedFileSizeConsumeQueue": QUEUE_FILE_BYTES,
                                                                                **INDEX})
        self.store = directory / "store"
        self.config = directory / "broker.conf"

    def fill(self) -> None:
        address = ("--namesrv", self.server.namesrv)
        rmq("topic", "create", TOPIC, "--queues", "4", *address)
        for tag in ("a", "b", "c"):
            rmq("message", "send", TOPIC, "body " * 20, "--count", str(COUNT // 3), "--tag", tag, "--key", tag, *address)
        rmq("message", "send", TOPIC, "later", "--property", "DELAY=2", *address)
        servers.until("the delayed message", lambda: len(self.messages()) == COUNT + 1)

    def messages(self) -> list[dict]:
        return rmq("message", "tail", TOPIC, "--from", "earliest", "--no-follow", "--namesrv", self.server.namesrv)

    def end(self, how: signal.Signals) -> None:
        for process in reversed(self.server.processes):
            process.send_signal(how if process is self.server.processes[-1] else signal.SIGKILL)
            process.wait(STOP_SECONDS)

    def start_again(self) -> None:
        self.server.processes.clear()
        for name, main_class in servers.JAVA_CLASSES.items():
            servers.boot(self.server, servers.java_classpath(), name, main_class, None, None)
        servers.until("the Java broker to be registered", lambda: subprocess.run(
            [servers.BINARY, "route", "show", TOPIC, "--namesrv", self.server.namesrv], capture_output=True,
            check=False).returncode == 0)

    def verify(self, *arguments: str, code: int = 0) -> dict:
        return rmq("store", "verify", *(arguments or ("--config", str(self.config))), code=code)[0]


def java_store_stopped(java: JavaStore) -> None:
    java.fill()
    inspected = rmq("store", "inspect", str(java.store))[0]  # while the broker runs
    check("messages in queues", sum(q["max"] - q["min"] for q in inspected["queues"] if q["topic"] == TOPIC), COUNT + 1)
    java.end(signal.SIGTERM)
    for found in (java.verify(), java.verify(str(java.store))):
        check("findings", found["findings"], [])
        check("segment of a small file", found["records"] >= COUNT + 2, True)
        check("entries", found["queue_entries"], found["records"])
        check("entries of the index", found["index_entries"] >= 2 * COUNT, True)


def java_store_killed(java: JavaStore) -> None:
    java.start_again()
    rmq("message", "send", TOPIC, "more", "--count", "300", "--namesrv", java.server.namesrv)
    java.end(signal.SIGKILL)
    found = java.verify()
    check("sound", (found["sound"], found["damages"], found["messages_lost"]), (True, 0, 0))
    check("records", found["records"] >= COUNT + 302, True)


def java_opens_a_repaired_store(java: JavaStore) -> None:
    java.start_again()
    before = java.messages()
    java.end(signal.SIGTERM)
    victim = before[COUNT // 2]
    with open(java.store / "consumequeue" / TOPIC / str(victim["queue"]) /
              f"{victim['offset'] * 20 // QUEUE_FILE_BYTES * QUEUE_FILE_BYTES:020}", "rb") as entries:
        entries.seek(victim["offset"] * 20 % QUEUE_FILE_BYTES)
        at = int.from_bytes(entries.read(8), "big")
    with open(java.store / "commitlog" / f"{at // SEGMENT_BYTES * SEGMENT_BYTES:020}", "r+b") as segment:
        segment.seek(at % SEGMENT_BYTES + 95)
        segment.write(b"\0")
    check("lost", java.verify(code=6)["messages_lost"], 1)
    done = rmq("store", "repair", "--config", str(java.config), "--yes")[0]
    check("repaired", (done["repaired"], done["messages_lost"], done["left"]), (True, 1, []))
    check("findings", java.verify()["findings"], [])
    java.start_again()
    after = {(m["queue"], m["offset"]): m for m in java.messages()}
    java.end(signal.SIGTERM)
    place = (victim["queue"], victim["offset"])
    check("numbers", sorted(after), sorted((m["queue"], m["offset"]) for m in before))
    check("the placeholder's property", "RMQ_DAMAGED" in json.dumps(after[place]), True)
    changed = [m for m in before if after[(m["queue"], m["offset"])] != m]
    check("messages that changed", [(m["queue"], m["offset"]) for m in changed], [place])


def main() -> int:
    directory = pathlib.Path(tempfile.mkdtemp(prefix="rmq-store-tools-"))
    failed = 0
    java = None
    try:
        java = JavaStore(directory / "java")
        for test in (java_store_stopped, java_store_killed, java_opens_a_repaired_store):
            try:
                test(java)
                print(f"PASS {test.__name__}", flush=True)
            except (AssertionError, OSError, KeyError, subprocess.SubprocessError, TimeoutError) as error:
                failed += 1
                print(f"FAIL {test.__name__}: {error}", flush=True)
                traceback.print_exc()
                break  # the next one goes on with what this one left
    finally:
        if java:
            java.server.stop()
        if not failed:
            shutil.rmtree(directory)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
