#!/usr/bin/env python3
"""A master and a slave of different make, one of them RocketMQ's own 5.3.3, with the same broker.conf but for the role.

    tests/interop/replication_test.py                  both cases
    tests/interop/replication_test.py java-master      this one only; --keep leaves stores and logs where they are

The slave gets what the master had before it came and what comes later, 100,000 messages and more, as the same bytes; topics,
groups and offsets too; and when the master is stopped, consumers go on with the slave. A line "ok NAME" or "FAILED NAME"
for each case.
"""

import argparse
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback

import servers
import store_broker

sys.path.insert(0, str(servers.HERE.parent / "cluster"))
import remoting  # noqa: E402  (beside the cluster tests)

JAVA, RMQ = "java", "rmq"
CASES = {"rmq-master": (RMQ, JAVA), "java-master": (JAVA, RMQ)}
SEGMENT_BYTES = 4 << 20
TOPIC, GROUP, QUEUES = "Replicated", "readers", 4
MESSAGES = 100_000


class Broker:
    """One of the two; `make` is java or rmq."""

    def __init__(self, home: pathlib.Path, make: str, namesrv: str, settings: dict[str, object]):
        home.mkdir(parents=True)
        self.home, self.make = home, make
        self.port = servers.free_ports(4) + 2
        self.address = ("127.0.0.1", self.port)
        self.log = home / "store/commitlog"
        config = servers.write_properties(home / "broker.conf", {
            "brokerClusterName": "pair", "brokerName": "pair", "listenPort": self.port, "haListenPort": self.port + 1,
            "brokerIP1": "127.0.0.1", "brokerIP2": "127.0.0.1", "namesrvAddr": namesrv, "storePathRootDir": home / "store",
            "storePathCommitLog": self.log, "mappedFileSizeCommitLog": SEGMENT_BYTES, "slaveReadEnable": "true",
            "fileReservedTime": 87600, "cleanFileForciblyEnable": "false", "flushConsumerOffsetInterval": 500, **settings})
        if make == JAVA:
            with store_broker.java_starts:
                self.process = servers.java_process(servers.java_classpath(), servers.JAVA_CLASSES["broker"], config,
                                                    home / "broker.log")
        else:
            role = "slave" if settings["brokerRole"] == "SLAVE" else "master"
            self.process = store_broker.start_rmq(config, home / "broker.log", role)

    def runtime(self) -> dict[str, str]:
        with remoting.Connection(self.address, timeout=20) as connection:
            body = remoting.ok(connection.request(remoting.GET_BROKER_RUNTIME_INFO)).body
        return json.loads(body)["table"]

    def log_end(self) -> int:
        """-1 of a Java broker that has no file yet: it cannot say."""
        try:
            return int(self.runtime()["commitLogMaxOffset"])
        except RuntimeError:
            return -1

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()


def produce(namesrv: str, broker: Broker, wanted: int) -> None:
    """Until the queues have so many messages."""
    while True:
        with remoting.Connection(broker.address, timeout=20) as connection:
            there = sum(remoting.Queue(connection, TOPIC, queue).max_offset() for queue in range(QUEUES))
        if there >= wanted:
            return
        subprocess.run([servers.BINARY, "bench", "produce", TOPIC, "--duration", "1", "--warm-up", "0", "--in-flight", "8",
                        "--timeout-ms", "20000", "--namesrv", namesrv], check=True, capture_output=True)


def check_same_logs(master: Broker, slave: Broker, from_begin: bool) -> int:
    """How many bytes are the same."""
    end = master.log_end()
    same = 0
    for path in sorted(master.log.iterdir()):
        base = int(path.name)
        there = slave.log / path.name
        if base >= end or (not from_begin and not there.exists()):
            continue
        size = min(end - base, SEGMENT_BYTES)
        if path.read_bytes()[:size] != there.read_bytes()[:size]:
            raise AssertionError(f"{path.name} differs")
        same += size
    return same


def offset_of(broker: Broker) -> int:
    with remoting.Connection(broker.address, timeout=20) as connection:
        answer = connection.request(remoting.QUERY_CONSUMER_OFFSET, {
            "consumerGroup": GROUP, "topic": TOPIC, "queueId": 0, "setZeroIfNotFound": "false"})
        return int(answer.ext["offset"]) if answer.code == remoting.SUCCESS else -1


def read_all(broker: Broker) -> dict[int, list[bytes]]:
    """The ids of the messages of each queue, by unique key."""
    found = {}
    with remoting.Connection(broker.address, timeout=20) as connection:
        for number in range(QUEUES):
            queue = remoting.Queue(connection, TOPIC, number, GROUP)
            records = list(queue.records(queue.min_offset(), queue.max_offset()))
            assert all(record.crc_ok for record in records)
            found[number] = [remoting.property_of(record, b"UNIQ_KEY") for record in records]
    return found


def run(name: str, home: pathlib.Path) -> None:
    makes = CASES[name]
    port = servers.free_ports(1)
    namesrv = f"127.0.0.1:{port}"
    brokers: list[Broker] = []
    with open(home / "namesrv.log", "wb") as output:
        name_server = subprocess.Popen([servers.BINARY, "serve", "--role=namesrv", "--port", str(port), "--listen", "127.0.0.1",
                                        "--data", home / "namesrv"], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        master = Broker(home / "master", makes[0], namesrv, {"brokerId": 0, "brokerRole": "ASYNC_MASTER"})
        brokers.append(master)
        servers.until("the master to be registered", lambda: subprocess.run(
            [servers.BINARY, "route", "show", "TBW102", "--namesrv", namesrv], capture_output=True, check=False).returncode == 0)
        with remoting.Connection(master.address, timeout=20) as connection:
            remoting.create_topic(connection, TOPIC, QUEUES)
        produce(namesrv, master, MESSAGES // 2)
        slave = Broker(home / "slave", makes[1], namesrv, {"brokerId": 1, "brokerRole": "SLAVE"})
        brokers.append(slave)
        servers.until("the slave to have the history", lambda: slave.log_end() == master.log_end())
        produce(namesrv, master, MESSAGES)
        servers.until("the slave to have the log", lambda: slave.log_end() == master.log_end())
        same = check_same_logs(master, slave, True)
        with remoting.Connection(master.address, timeout=20) as connection:
            remoting.ok(remoting.Queue(connection, TOPIC, 0, GROUP).pull(0))
            remoting.ok(connection.request(remoting.UPDATE_CONSUMER_OFFSET, {
                "consumerGroup": GROUP, "topic": TOPIC, "queueId": 0, "commitOffset": 77}))
        # Java asks for its master's tables once a minute.
        servers.until("the group's offset to be on the slave", lambda: offset_of(slave) == 77)
        servers.until("the slave to have dispatched", lambda: slave.runtime()["dispatchBehindBytes"] == "0")
        there = read_all(master)
        assert sum(map(len, there.values())) >= MESSAGES
        master.end()
        assert read_all(slave) == there, "the slave has other messages"
        print(f"{name}: {same} bytes of log are the same, {sum(map(len, there.values()))} messages read from the slave", flush=True)
    finally:
        for broker in brokers:
            broker.process.kill()
            broker.process.wait()
        name_server.kill()
        name_server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", nargs="*", default=[], metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    servers.java_classpath()

    def passes(name: str) -> bool:
        home = pathlib.Path(tempfile.mkdtemp(prefix=f"rmq-{name}-"))
        try:
            run(name, home)
            print(f"ok {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
            print(f"FAILED {name}, see {home}", flush=True)
            return False
        if not options.keep:
            shutil.rmtree(home, ignore_errors=True)
        return True

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return 0 if all(list(pool.map(passes, options.cases or CASES))) else 1


if __name__ == "__main__":
    sys.exit(main())
