"""Servers for the client suites: a fresh name server and broker on free ports of 127.0.0.1, with data of their own.

`rmq()` starts the executable that RMQ_BIN names; `java()` starts RocketMQ's own 5.3.3, to check the tests themselves:
a test that fails against it must not accuse rmq. Both have the same settings.
"""

import json
import os
import pathlib
import selectors
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
from ports import free_ports  # noqa: E402  (beside the cluster tests)

BINARY = pathlib.Path(os.environ.get("RMQ_BIN") or HERE / "../../build/release/rmq").resolve()

# Short, so that sixteen retries fit into a test; the second differs, so that one can see that a level is obeyed.
SETTINGS = {"messageDelayLevel": "1s 3s " + " ".join(["1s"] * 16)}
START_SECONDS = 180


class Server:
    """Running processes; `namesrv` and `broker` are their addresses."""

    def __init__(self, directory: pathlib.Path):
        directory.mkdir(parents=True)
        self.directory = directory
        self.processes: list[subprocess.Popen] = []
        self.namesrv = ""
        self.broker = ""

    def alive(self) -> bool:
        return all(process.poll() is None for process in self.processes)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def write_properties(file: pathlib.Path, values: dict[str, object]) -> pathlib.Path:
    file.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
    return file


def rmq(directory: pathlib.Path) -> Server:
    server = Server(directory)
    settings = write_properties(directory / "broker.conf", SETTINGS)
    ready, ready_write = os.pipe()
    command = [BINARY, "serve", "--role=namesrv,master", "--config", f"master={settings}", "--data", directory / "data",
               "--listen", "127.0.0.1", "--advertise", "127.0.0.1", "--port", "0", "--ready-fd", str(ready_write)]
    with open(directory / "rmq.log", "wb") as log:
        server.processes.append(subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[ready_write]))
    os.close(ready_write)
    with os.fdopen(ready, "rb") as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        line = pipe.readline() if selector.select(START_SECONDS) else b""
    if not line:
        server.stop()
        raise RuntimeError(f"rmq serve did not become ready, see {directory}/rmq.log")
    addresses = json.loads(line)
    server.namesrv, server.broker = addresses["namesrv"], addresses["broker"]
    return server


# Enough for tests, and quick to start.
SMALL_HEAP = ["-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


JAVA_CLASSES = {"namesrv": "org.apache.rocketmq.namesrv.NamesrvStartup",
                "broker": "org.apache.rocketmq.broker.BrokerStartup"}


def java(directory: pathlib.Path, heap: list[str] | None = None, segment_bytes: int = 64 << 20,
         more: dict[str, object] | None = None) -> Server:
    server = Server(directory)
    namesrv, broker = free_ports(1), free_ports(4) + 2
    classpath = java_classpath()
    server.namesrv, server.broker = f"127.0.0.1:{namesrv}", f"127.0.0.1:{broker}"
    boot(server, classpath, "namesrv", JAVA_CLASSES["namesrv"], None, {"listenPort": namesrv})
    boot(server, classpath, "broker", JAVA_CLASSES["broker"], heap, {
        "listenPort": broker, "haListenPort": broker + 1, "namesrvAddr": server.namesrv,
        "brokerIP1": "127.0.0.1", "brokerIP2": "127.0.0.1", "mappedFileSizeCommitLog": segment_bytes,
        "storePathRootDir": directory / "store", "storePathCommitLog": directory / "store/commitlog", **SETTINGS, **(more or {})})
    # "boot success" comes before the name server knows the broker.
    until("the Java broker to be registered", lambda: subprocess.run(
        [BINARY, "route", "show", "TBW102", "--namesrv", server.namesrv], capture_output=True, check=False).returncode == 0)
    return server


JAVA_5 = "5.3.3"
JAVA_4 = "4.9.7"  # of the last release, 4.9.8, Maven Central has the client only


def java_classpath(version: str = JAVA_5) -> str:
    file = HERE / f"target/java-server-{version}.classpath"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        subprocess.run(["mvn", "-q", "-B", "-ntp", "-Pjava-server", f"-Drocketmq.version={version}",
                        "dependency:build-classpath", f"-Dmdep.outputFile={file}", "-Dmdep.includeScope=test"],
                       cwd=HERE, check=True)
    return file.read_text().strip()


def boot(server: Server, classpath: str, name: str, main_class: str, heap: list[str] | None,
         settings: dict[str, object] | None) -> None:
    """Without settings with those of its last start."""
    config = server.directory / f"{name}.conf"
    if settings is not None:
        write_properties(config, settings)
    server.processes.append(java_process(classpath, main_class, config, server.directory / f"{name}.log", heap))


def java_process(classpath: str, main_class: str, config: pathlib.Path, log: pathlib.Path,
                 heap: list[str] | None = None) -> subprocess.Popen:
    """RocketMQ's own server with the file `config`, which has booted; its home is the directory of `log`."""
    command = ["java", *(heap or SMALL_HEAP), f"-Drocketmq.home.dir={log.parent}", f"-Duser.home={log.parent}",
               "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED",
               "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "-cp", classpath, main_class, "-c", config]
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        until(f"{main_class}, see {log}", lambda: b"boot success" in log.read_bytes() or process.poll() is not None)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.poll() is not None:
        raise RuntimeError(f"{main_class} ended, see {log}")
    return process


def until(what: str, condition) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {START_SECONDS} s for {what}")
        time.sleep(0.1)
