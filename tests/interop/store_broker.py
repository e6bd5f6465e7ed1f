"""A store directory that Java's brokers and rmq serve in turn, each started with the very same broker.conf."""

import os
import pathlib
import selectors
import signal
import subprocess
import sys
import threading

import servers

sys.path.insert(0, str(servers.HERE.parent / "cluster"))
import remoting  # noqa: E402  (beside the cluster tests)

STOP_SECONDS = 60
RMQ = "rmq"
# Small, so that files roll and fill after a few messages.
SEGMENT_BYTES = 64 * 1024
QUEUE_FILE_BYTES = 20 * 20
INDEX_SLOTS = 100
INDEX_ENTRIES = 300
DELAYS = (1, 8, 16)  # seconds by level
# A start of Java is all work for a processor: more at a time would only all be late.
java_starts = threading.Semaphore(os.cpu_count() or 1)


class StoreBroker:
    """At most one broker runs at a time. `kind`: "rmq", or the version of a Java broker."""

    def __init__(self, home: pathlib.Path, host: str = "127.0.0.1", settings: dict[str, object] | None = None,
                 log_directories: tuple[str, ...] = ("store/commitlog",)):
        home.mkdir(parents=True)
        self.home = home
        self.root = home / "store"
        self.log_directories = [home / name for name in log_directories]
        self.host = host
        self.port = servers.free_ports(4) + 2
        self.config = servers.write_properties(home / "broker.conf", {
            "brokerClusterName": "stores", "brokerName": "stores", "brokerId": 0, "listenPort": self.port,
            "haListenPort": self.port + 1, "brokerIP1": host, "brokerIP2": host, "storePathRootDir": self.root,
            "storePathCommitLog": ",".join(map(str, self.log_directories)), "mappedFileSizeCommitLog": SEGMENT_BYTES,
            "mappedFileSizeConsumeQueue": QUEUE_FILE_BYTES, "maxHashSlotNum": INDEX_SLOTS, "maxIndexNum": INDEX_ENTRIES,
            "messageDelayLevel": " ".join(f"{seconds}s" for seconds in DELAYS), "transactionCheckInterval": 3_600_000,
            # Nobody deletes old messages, whatever the disk of this machine is like.
            "cleanFileForciblyEnable": "false", "fileReservedTime": 87600,
            "flushDelayOffsetInterval": 500, "flushConsumerOffsetInterval": 500,
            **(settings or {})})
        # 4.9 does not start without.
        (home / "conf").mkdir()
        (home / "conf/logback_broker.xml").write_text("<configuration/>\n")
        self.kind = ""
        self.process: subprocess.Popen | None = None
        self.connection: remoting.Connection | None = None
        self._starts = 0

    def start(self, kind: str) -> remoting.Connection:
        """Returns when the broker takes requests, and a connection to it."""
        assert self.process is None
        self._starts += 1
        self.kind = kind
        log = self.home / f"{self._starts}-{kind}.log"
        if kind == RMQ:
            self.process = start_rmq(self.config, log)
        else:
            with java_starts:
                self.process = servers.java_process(servers.java_classpath(kind),
                                                    "org.apache.rocketmq.broker.BrokerStartup", self.config, log)
        self.connection = remoting.Connection((self.host, self.port), timeout=20)
        return self.connection

    def stop(self) -> None:
        """In good order; returns when the process is gone."""
        self._end(signal.SIGTERM, {0} if self.kind == RMQ else {0, 128 + signal.SIGTERM})

    def kill(self) -> None:
        self._end(signal.SIGKILL, {-signal.SIGKILL})

    def _end(self, number: int, codes: set[int]) -> None:
        process, self.process = self.process, None
        try:
            self.connection.close()
            process.send_signal(number)
            code = process.wait(STOP_SECONDS)
        finally:
            process.kill()
            process.wait()
        if code not in codes:
            raise RuntimeError(f"{self.kind} ended with code {code}, see {self.home}")

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def text(self, *names: str) -> str:
        """A file of the store; empty when there is none."""
        try:
            return self.root.joinpath(*names).read_text()
        except FileNotFoundError:
            return ""


def start_rmq(config: pathlib.Path, log: pathlib.Path, role: str = "master") -> subprocess.Popen:
    ready, ready_write = os.pipe()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [servers.BINARY, "serve", f"--role={role}", "--config", config, "--ready-fd", str(ready_write)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[ready_write], cwd=log.parent)
    os.close(ready_write)
    with os.fdopen(ready, "rb") as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        line = pipe.readline() if selector.select(servers.START_SECONDS) else b""
    if not line:
        process.kill()
        raise RuntimeError(f"rmq serve did not become ready, code {process.wait()}:\n{log.read_text(errors='replace')}")
    return process
