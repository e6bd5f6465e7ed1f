#!/usr/bin/env python3
"""Two brokers with enableControllerMode under a controller: unmodified RocketMQ 5.3.3 brokers and rmq's.

    tests/interop/controller_test.py                  RocketMQ's brokers under rmq's controller, then rmq's brokers there; --keep leaves
                                                      stores and logs where they are
    tests/interop/controller_test.py java             RocketMQ's under its own, to check the test itself; --write keeps what tools print

The first broker becomes master, the second joins the SyncStateSet, an operator changes the roles; then the master is killed with
SIGKILL while messages are sent. The other one takes over, all that was acknowledged is there, the killed one comes back as slave and
joins the set. mqadmin prints what it printed against RocketMQ's controller (controller_printed.json, made by `java --write`), addresses and
set epochs apart. A line "ok NAME" or "FAILED NAME" for each test.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import servers

sys.path.insert(0, str(servers.HERE.parent / "cluster"))
import remoting  # noqa: E402  (beside the cluster tests)

CLUSTER, SET, TOPIC, QUEUES = "switching", "pair", "Switched", 4
GET_REPLICA_INFO, GET_TOPIC_CONFIG = 1004, 351
NOISE = r"\d\d:\d\d:\d\d,\d+ \|-|\s+at |\s*\.\.\. |RocketMQLog|Caused by|org\.apache\.\S+Exception"
CONTROLLER = "org.apache.rocketmq.controller.ControllerStartup"
CONTROLLER_HEAP = [*servers.SMALL_HEAP, "--add-opens=java.base/java.lang=ALL-UNNAMED"]
SEND_SECONDS = 1.0
PRINTED = servers.HERE / "controller_printed.json"
# Who made the controller, and who the brokers.
KINDS = {"rmq-controller": ("rmq", "java"), "rmq-brokers": ("rmq", "rmq"), "java": ("java", "java")}


def address_of(text: str) -> tuple[str, int]:
    host, port = text.rsplit(":", 1)
    return host, int(port)


class Controller:
    def __init__(self, home: pathlib.Path, make: str):
        home.mkdir()
        self.port = servers.free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        config = servers.write_properties(home / "controller.conf", {
            "controllerDLegerGroup": "group1", "controllerDLegerPeers": f"n0-{self.address}", "controllerDLegerSelfId": "n0",
            "controllerStorePath": home / "store", "enableElectUncleanMaster": "false", "notifyBrokerRoleChanged": "true",
            "mappedFileSize": 1 << 20})
        if make == "java":
            self.process = servers.java_process(servers.java_classpath(), CONTROLLER, config, home / "controller.log",
                                                CONTROLLER_HEAP)
            servers.until("the Java controller to lead", lambda: self.info()[0] != 2007)
            return
        with open(home / "controller.log", "wb") as output:
            self.process = subprocess.Popen([servers.BINARY, "serve", "--role=controller", "--config", config, "--listen",
                                             "127.0.0.1"], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        servers.until("the controller to answer", self.answers)

    def answers(self) -> bool:
        try:
            self.info()
            return True
        except OSError:
            return False

    def info(self) -> tuple[int, int, list[int]]:
        """The answer's code, the master's id (0: none), the SyncStateSet."""
        with remoting.Connection(("127.0.0.1", self.port), timeout=20) as connection:
            answer = connection.request(GET_REPLICA_INFO, {"brokerName": SET})
        members = json.loads(answer.body)["syncStateSet"] if answer.body else []
        return answer.code, int(answer.ext.get("masterBrokerId", 0)), sorted(members)


class Broker:
    def __init__(self, home: pathlib.Path, make: str, namesrv: str, controller: str):
        home.mkdir()
        self.home = home
        self.port = servers.free_ports(4) + 2
        self.address = f"127.0.0.1:{self.port}"
        self.config = servers.write_properties(home / "broker.conf", {
            "brokerClusterName": CLUSTER, "brokerName": SET, "brokerId": -1, "brokerRole": "SLAVE", "enableControllerMode": "true",
            "controllerAddr": controller, "allAckInSyncStateSet": "true", "listenPort": self.port, "haListenPort": self.port + 1,
            "brokerIP1": "127.0.0.1", "brokerIP2": "127.0.0.1", "namesrvAddr": namesrv, "storePathRootDir": home / "store",
            "storePathCommitLog": home / "store/commitlog", "mappedFileSizeCommitLog": 16 << 20,
            "cleanFileForciblyEnable": "false", "fileReservedTime": 87600})
        self.make = make
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        log = self.home / "broker.log"
        if self.make == "java":
            self.process = servers.java_process(servers.java_classpath(), servers.JAVA_CLASSES["broker"], self.config, log)
            return
        with open(log, "ab") as output:
            self.process = subprocess.Popen([servers.BINARY, "serve", "--role=slave", "--config", self.config, "--listen", "127.0.0.1"],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        servers.until(f"the broker to answer, see {log}", self.answers)

    def answers(self) -> bool:
        try:
            return self.ask(remoting.GET_BROKER_RUNTIME_INFO, {}).code == remoting.SUCCESS
        except OSError:
            return False

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def ask(self, code: int, ext: dict[str, object]) -> remoting.Response:
        with remoting.Connection(address_of(self.address), timeout=20) as connection:
            return connection.request(code, ext)

    def log_end(self) -> str:
        return json.loads(remoting.ok(self.ask(remoting.GET_BROKER_RUNTIME_INFO, {})).body)["table"]["commitLogMaxOffset"]


class Sender(threading.Thread):
    """Sends to whom the name server calls master, one message after the other, and remembers what was acknowledged, and when."""

    def __init__(self, namesrv: str):
        super().__init__()
        self.namesrv = namesrv
        self.acknowledged: list[tuple[float, bytes]] = []
        self.refusals: dict[str, int] = {}
        self.ending = False

    def master(self) -> str:
        with remoting.Connection(address_of(self.namesrv), timeout=SEND_SECONDS) as connection:
            answer = remoting.ok(connection.request(remoting.GET_ROUTEINFO_BY_TOPIC, {"topic": TOPIC}))
        return json.loads(answer.body)["brokerDatas"][0]["brokerAddrs"]["0"]

    def run(self) -> None:
        number = 0
        template = remoting.SendTemplate(TOPIC)
        while not self.ending:
            try:
                with remoting.Connection(address_of(self.master()), timeout=SEND_SECONDS) as connection:
                    while not self.ending:
                        number += 1
                        key = b"K%08d" % number
                        connection.socket.sendall(template.send(number, number % QUEUES, b"x" * 100,
                                                                remoting.properties_text([(b"UNIQ_KEY", key)])))
                        answer = connection.receive()
                        if answer.code == remoting.SUCCESS:
                            self.acknowledged.append((time.monotonic(), key))
                        else:
                            self.note(f"{answer.code} {(answer.remark or '')[:60]}")
                            break
            except (OSError, RuntimeError, KeyError, IndexError) as error:
                self.note(type(error).__name__)
            time.sleep(0.005)  # not a wait: asks the name server again, not more often than this

    def note(self, why: str) -> None:
        self.refusals[why] = self.refusals.get(why, 0) + 1

    def first_after(self, moment: float) -> float:
        servers.until("an acknowledged send", lambda: self.acknowledged and self.acknowledged[-1][0] > moment)
        return next(when for when, _ in self.acknowledged if when > moment)


def keys_at(broker: Broker) -> set[bytes]:
    with remoting.Connection(address_of(broker.address), timeout=20) as connection:
        found = set()
        for number in range(QUEUES):
            queue = remoting.Queue(connection, TOPIC, number)
            records = list(queue.records(queue.min_offset(), queue.max_offset()))
            assert [record.queue_offset for record in records] == list(range(len(records))), "the queue has holes"
            found |= {remoting.property_of(record, b"UNIQ_KEY") for record in records}
    return found


class Admin:
    """mqadmin, all of whose commands are run by one process."""

    def __init__(self, home: pathlib.Path, namesrv: str):
        with open(home / "mqadmin.log", "wb") as output:
            self.process = subprocess.Popen(
                ["java", *servers.SMALL_HEAP, f"-Drocketmq.home.dir={home}", f"-Duser.home={home}",
                 "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "-cp",
                 servers.java_classpath(), servers.HERE / "Mqadmin.java"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True, env=os.environ | {"NAMESRV_ADDR": namesrv})

    def ask(self, arguments: tuple[str, ...]) -> list[str]:
        self.process.stdin.write("\t".join(arguments) + "\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "===\n":
            if not line:
                raise RuntimeError(f"mqadmin {arguments} ended its process")
            lines.append(line.rstrip("\n"))
        return lines


@dataclasses.dataclass
class Run:
    """One run of everything: who made the controller, and who the brokers."""
    home: pathlib.Path
    controller_make: str
    broker_make: str
    printed: dict[str, str] = dataclasses.field(default_factory=dict)
    failover_seconds: float = 0

    def tool(self, name: str, *arguments: str) -> None:
        """Runs mqadmin and keeps what it prints under `name`."""
        lines = self.admin.ask(arguments)
        # Of an exception what the server said; of the log nothing.
        text = "\n".join([line for line in lines if not re.match(NOISE, line)] + [line for line in lines if "CODE:" in line])
        for who, address in (("CONTROLLER", self.controller.address), ("FIRST", self.first.address),
                             ("SECOND", self.second.address)):
            text = text.replace(address, who)
        text = re.sub(r"\s*For more information, please visit the url.*", "", text)
        # Here an election keeps the set, and RocketMQ's masters then change it once more.
        text = re.sub(r"(SyncStateSetEpoch\t)\d+", r"\1N", text)
        if name == "getBrokerEpoch":  # in no order
            text = "\n\n".join(sorted(part.strip() for part in text.split("#clusterName")))
        for what, sign in ((r"127\.0\.0\.1:\d+", "ADDRESS"), (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+", "TIME"), (r"\d+\.\d\d\b", "SPEED"),
                           (r"\b\d{3,}\b", "OFFSET"), (" {2,}", "  ")):
            if name.startswith(("haStatus", "getBrokerEpoch")):
                text = re.sub(what, sign, text)
        self.printed[name] = text.strip()

    def run(self) -> None:
        self.namesrv_port = servers.free_ports(1)
        self.namesrv = f"127.0.0.1:{self.namesrv_port}"
        processes = []
        try:
            with open(self.home / "namesrv.log", "wb") as output:
                processes.append(subprocess.Popen(
                    [servers.BINARY, "serve", "--role=namesrv", "--port", str(self.namesrv_port), "--listen", "127.0.0.1", "--data",
                     self.home / "namesrv"], stdin=subprocess.DEVNULL, stdout=output, stderr=output))
            self.admin = Admin(self.home, self.namesrv)
            processes.append(self.admin.process)
            self.controller = Controller(self.home / "controller", self.controller_make)
            processes.append(self.controller.process)
            self.first = Broker(self.home / "first", self.broker_make, self.namesrv, self.controller.address)
            self.second = Broker(self.home / "second", self.broker_make, self.namesrv, self.controller.address)
            self.join()
            self.ask_tools()
            self.change_roles()
            self.fail_over()
            self.forget()
        finally:
            for broker in (getattr(self, "first", None), getattr(self, "second", None)):
                if broker:
                    broker.kill()
            for process in processes:
                process.kill()
                process.wait()

    def wait_for(self, master: int, members: list[int]) -> None:
        servers.until(f"master {master} and set {members}, not {self.controller.info()}",
                      lambda: self.controller.info()[1:] == (master, members))

    def join(self) -> None:
        self.first.start()
        self.wait_for(1, [1])
        self.second.start()
        self.wait_for(1, [1, 2])
        with remoting.Connection(address_of(self.first.address), timeout=20) as connection:
            remoting.create_topic(connection, TOPIC, QUEUES)
        # RocketMQ's slaves ask for topics every few seconds.
        servers.until("the slave to know the topic",
                      lambda: self.second.ask(GET_TOPIC_CONFIG, {"topic": TOPIC}).code == remoting.SUCCESS)

    def ask_tools(self) -> None:
        """With messages that both have."""
        template = remoting.SendTemplate(TOPIC)
        with remoting.Connection(address_of(self.first.address), timeout=20) as connection:
            for number in range(10):
                connection.socket.sendall(template.send(number, 0, b"x" * 100, b""))
                remoting.ok(connection.receive())
        servers.until("the slave to have the messages", lambda: self.second.log_end() == self.first.log_end())
        at = ("-a", self.controller.address)
        self.tool("getControllerMetaData", "getControllerMetaData", *at)
        self.tool("getSyncStateSet", "getSyncStateSet", *at, "-b", SET)
        self.tool("getSyncStateSet of a cluster", "getSyncStateSet", *at, "-c", CLUSTER)
        self.tool("getBrokerEpoch", "getBrokerEpoch", "-b", SET)
        self.tool("haStatus", "haStatus", "-b", self.first.address)
        self.tool("haStatus of the slave", "haStatus", "-b", self.second.address)
        self.tool("updateControllerConfig", "updateControllerConfig", *at, "-k", "notifyBrokerRoleChanged", "-v", "true")
        self.tool("updateControllerConfig refused", "updateControllerConfig", *at, "-k", "rocketmqHome", "-v", "/")
        self.tool("getControllerConfig", "getControllerConfig", *at)
        shown = dict(re.findall(r"^(\w+)\s*=  (.*)$", self.printed["getControllerConfig"], re.MULTILINE))
        self.printed["getControllerConfig"] = str({key: shown.get(key) for key in (
            "controllerDLegerGroup", "controllerDLegerPeers", "controllerDLegerSelfId", "enableElectUncleanMaster",
            "notifyBrokerRoleChanged", "mappedFileSize")})
        self.tool("cleanBrokerMetadata of the living", "cleanBrokerMetadata", *at, "-bn", SET, "-c", CLUSTER, "-b", "2")
        self.tool("cleanBrokerMetadata of a set with a master", "cleanBrokerMetadata", *at, "-bn", SET, "-c", CLUSTER)
        self.tool("cleanBrokerMetadata of nobody", "cleanBrokerMetadata", *at, "-bn", "nobody", "-c", CLUSTER)

    def change_roles(self) -> None:
        """An operator makes the second broker master."""
        at = ("-a", self.controller.address, "-bn", SET, "-c", CLUSTER)
        self.tool("electMaster of the master", "electMaster", *at, "-b", "1")
        self.tool("electMaster of nobody", "electMaster", *at, "-b", "9")
        self.tool("electMaster", "electMaster", *at, "-b", "2")
        self.wait_for(2, [1, 2])
        servers.until("the new master in the route", lambda: self.route() == self.second.address)

    def route(self) -> str:
        try:
            return Sender(self.namesrv).master()
        except (OSError, RuntimeError, KeyError, IndexError):
            return ""

    def fail_over(self) -> None:
        """The second one, master by now, is killed while messages are sent."""
        sender = Sender(self.namesrv)
        sender.start()
        try:
            servers.until("enough messages", lambda: len(sender.acknowledged) > 2000)
            self.wait_for(2, [1, 2])
            killed = time.monotonic()
            self.second.kill()
            self.failover_seconds = sender.first_after(killed + 0.001) - killed
            self.refusals = dict(sender.refusals)
            before = [key for when, key in sender.acknowledged if when < killed]
            self.wait_for(1, [1])
            self.tool("getSyncStateSet after the kill", "getSyncStateSet", "-a", self.controller.address, "-b", SET)
            self.second.start()
            self.wait_for(1, [1, 2])
            servers.until("more messages", lambda: len(sender.acknowledged) > len(before) + 2000)
        finally:
            sender.ending = True
            sender.join()
        acknowledged = {key for _, key in sender.acknowledged}
        lost = acknowledged - keys_at(self.first)
        assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged messages are lost: {sorted(lost)[:5]}"
        self.acknowledged = len(acknowledged)
        self.tool("getSyncStateSet when it is back", "getSyncStateSet", "-a", self.controller.address, "-b", SET)

    def forget(self) -> None:
        at = ("-a", self.controller.address, "-bn", SET, "-c", CLUSTER)
        self.second.kill()
        self.wait_for(1, [1])
        self.tool("cleanBrokerMetadata", "cleanBrokerMetadata", *at, "-b", "2")
        self.tool("getSyncStateSet after cleaning", "getSyncStateSet", "-a", self.controller.address, "-b", SET)
        self.tool("cleanBrokerMetadata of all", "cleanBrokerMetadata", *at, "-l")
        self.tool("getSyncStateSet of nobody", "getSyncStateSet", "-a", self.controller.address, "-b", SET)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    kinds = options.kinds or ["rmq-controller", "rmq-brokers"]
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        parser.error(f"no such kind: {unknown[0]}")
    servers.java_classpath()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server stays
    return 0 if all([passes(kind, options) for kind in kinds]) else 1


def passes(kind: str, options: argparse.Namespace) -> bool:
    home = pathlib.Path(tempfile.mkdtemp(prefix=f"rmq-controller-{kind}-"))
    run = Run(home, *KINDS[kind])
    try:
        run.run()
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        print(f"FAILED {kind}, see {home}", flush=True)
        return False
    print(f"ok {kind}\nmeasured: {kind}: {run.failover_seconds:.2f} s from the kill of the master to the "
          f"next acknowledged send; {run.acknowledged} acknowledged, none lost; refused meanwhile: {run.refusals}", flush=True)
    if options.keep:
        print(f"kept in {home}", flush=True)
    else:
        shutil.rmtree(home, ignore_errors=True)
    if kind == "java" and options.write:
        PRINTED.write_text(json.dumps(run.printed, indent=1) + "\n")
    right = json.loads(PRINTED.read_text())
    for name, text in run.printed.items():
        if text == right.get(name):
            print(f"ok {kind}-{name.replace(' ', '-')}", flush=True)
        else:
            print(f"printed:\n{text}\nand not:\n{right.get(name)}\nFAILED {kind}-{name.replace(' ', '-')}", flush=True)
    return run.printed == right


if __name__ == "__main__":
    sys.exit(main())
