#!/usr/bin/env python3
"""`rmq controller` against a real controller, kill -9 of it included. RMQ_BIN names the executable."""

import json
import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import remoting  # noqa: E402
import server  # noqa: E402
from command_case import CommandCase, FAILED, NOT_FOUND, OK, REFUSED, UNREACHABLE, USAGE  # noqa: E402

HEARTBEAT, ALTER, ELECT, REGISTER, APPLY = 904, 1001, 1002, 1003, 1013


class FakeBroker:
    """A port, and one connection to the controller."""

    def __init__(self, controller, name, number):
        self.port = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.port.getsockname()[1]
        self.controller, self.name, self.number = controller, name, number
        self.connection = remoting.Connection(controller)
        self.ask(APPLY, appliedBrokerId=number, registerCheckCode=self.address)
        self.ask(REGISTER, brokerId=number, brokerAddress=self.address)
        self.beat()

    def ask(self, code, body=b"", **fields):
        return remoting.ok(self.connection.request(
            code, {"clusterName": "c", "brokerName": self.name, **fields}, body))

    def beat(self):
        self.ask(HEARTBEAT, brokerId=self.number, brokerAddr=self.address, heartbeatTimeoutMills=60_000)

    def reconnect(self):
        self.connection = remoting.Connection(self.controller)
        self.beat()

    def close(self):
        self.connection.close()
        self.port.close()


class Controller(CommandCase):
    """One controller for all tests: each uses a broker set of its own."""

    @classmethod
    def setUpClass(cls):
        cls.namesrv = "127.0.0.1:1"  # nobody is asked
        cls.server = server.Server(roles=("controller",)).start()
        cls.address = "%s:%d" % cls.server.controller

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def brokers(self, name, count):
        brokers = [FakeBroker(self.server.controller, name, number) for number in range(1, count + 1)]
        for broker in brokers:
            self.addCleanup(broker.close)
        brokers[0].ask(ELECT, brokerId=1)
        brokers[0].ask(ALTER, masterBrokerId=1, masterEpoch=1, body=json.dumps(
            {"syncStateSet": [1, 2], "syncStateSetEpoch": 1}).encode())
        return brokers

    def controller(self, *arguments, code=OK, address=None):
        return self.rmq("controller", *arguments, "--controller", address or self.address, code=code)

    def status(self, *names, **options):
        out = self.controller("status", *names, "--output", "json", **options)
        return json.loads(out.splitlines()[0])

    def test_status(self):
        brokers = self.brokers("shown", 3)
        status = self.status("shown")
        self.assertEqual(status["controllers"], [{
            "address": self.address, "group": "controllers", "leader": "n0", "leader_address": self.address,
            "is_leader": True, "peers": ["n0:" + self.address]}])
        self.assertEqual(status["sets"], [{
            "broker": "shown", "master": 1, "master_address": brokers[0].address, "epoch": 1, "set_epoch": 2,
            "replicas": [{"id": broker.number, "address": broker.address, "in_sync": broker.number < 3, "alive": True}
                         for broker in brokers]}])
        self.assertIn("shown", [one["broker"] for one in self.status()["sets"]])
        out = self.controller("status", "shown")
        self.assertRegex(out, r"shown +1 +%s +master +alive" % brokers[0].address)
        self.assertRegex(out, r"shown +3 +%s +not in sync +alive" % brokers[2].address)
        self.status("nobody", code=NOT_FOUND)
        self.assertIn("'nobody'", self.err)

    def test_elect(self):
        self.brokers("chosen", 2)
        self.controller("elect", "chosen", "--id", "2", code=USAGE)
        self.assertIn("--yes", self.err)
        self.assertEqual(self.status("chosen")["sets"][0]["master"], 1)
        out = self.controller("elect", "chosen", "--id", "2", "--yes", "--output", "json")
        self.assertEqual([json.loads(out)[key] for key in ("master", "epoch", "set_epoch")], [2, 2, 3])
        self.controller("elect", "chosen", "--id", "2", "--yes", code=REFUSED)
        self.assertIn("CONTROLLER_MASTER_STILL_EXIST", self.err)
        self.controller("elect", "chosen", "--id", "9", "--yes", code=REFUSED)
        self.assertIn("CONTROLLER_ELECT_MASTER_FAILED", self.err)
        self.controller("elect", "chosen", "--yes", code=USAGE)

    def test_clean(self):
        self.brokers("cleaned", 3)
        self.controller("clean", "cleaned", "--id", "3", code=USAGE)
        self.controller("clean", "cleaned", "--id", "3", "--yes", code=REFUSED)
        self.assertIn("still alive", self.err)
        self.controller("clean", "cleaned", "--id", "3,x", "--yes", code=USAGE)
        self.assertIn("forgot", self.controller("clean", "cleaned", "--id", "3", "--even-alive", "--yes"))
        self.assertEqual([one["id"] for one in self.status("cleaned")["sets"][0]["replicas"]], [1, 2])
        self.controller("clean", "cleaned", "--even-alive", "--yes")
        self.status("cleaned", code=NOT_FOUND)

    def test_config(self):
        key = "enableElectUncleanMaster"
        self.assertIn("false", self.controller("config", "get", key))
        self.controller("config", "set", key + "=true", "--dry-run")
        self.assertIn("false", self.controller("config", "get", key))
        self.controller("config", "set", key + "=true")
        self.assertIn("true", self.controller("config", "get", key))
        self.controller("config", "set", key + "=false")
        self.controller("config", "get", "enableElectUncleanMister", code=NOT_FOUND)
        self.assertIn(key, self.err)

    def test_nobody_there(self):
        self.controller("status", code=UNREACHABLE, address="127.0.0.1:1")
        self.assertIn("--role=controller", self.err)
        # Who answers is shown all the same.
        out = self.controller("status", code=UNREACHABLE, address="127.0.0.1:1;" + self.address)
        self.assertIn(self.address, out)
        self.controller("status", code=USAGE, address="127.0.0.1:x")

    def test_killed(self):
        """kill -9: a new process on the same directory knows what was answered."""
        target = server.Server(roles=("controller",)).start()
        self.addCleanup(target.remove)
        brokers = [FakeBroker(target.controller, "kept", number) for number in (1, 2)]
        for broker in brokers:
            self.addCleanup(broker.close)
        brokers[0].ask(ELECT, brokerId=1)
        brokers[0].ask(ALTER, masterBrokerId=1, masterEpoch=1, body=json.dumps(
            {"syncStateSet": [1, 2], "syncStateSetEpoch": 1}).encode())
        target.kill()
        target.start()
        address = "%s:%d" % target.controller
        kept = self.status("kept", address=address)["sets"][0]
        self.assertEqual((kept["master"], kept["epoch"], kept["set_epoch"]), (1, 1, 2))
        self.assertEqual([(one["id"], one["address"], one["in_sync"]) for one in kept["replicas"]],
                         [(broker.number, broker.address, True) for broker in brokers])
        # A second one on the same directory is refused.
        done = self.run_command([str(server.BINARY), "serve", "--role=controller", "--port", "0", "--listen",
                                 "127.0.0.1", "--data", str(target.data)], code=FAILED)
        self.assertNotIn("ready", done)
        self.assertIn("another controller uses", self.err)
        self.assertIn("stop it, or choose another one with --data", self.err)
        # The set is served as before: a master that dies is replaced.
        for broker in brokers:
            broker.controller = target.controller
            broker.reconnect()
        brokers[0].close()
        while self.status("kept", address=address)["sets"][0]["master"] != 2:
            pass
        self.assertEqual(target.stop(), 0)

    def test_damaged_file(self):
        target = server.Server(roles=("controller",)).start()
        self.addCleanup(target.remove)
        FakeBroker(target.controller, "kept", 1).close()
        target.kill()
        path = target.data / "controller/broker-sets.json"
        path.write_text(path.read_text()[:-10])
        damaged = path.read_bytes()
        with self.assertRaises(RuntimeError):
            target.start()
        log = target.tail()
        self.assertIn(str(path), log)
        self.assertIn("put back a copy", log)
        self.assertEqual(path.read_bytes(), damaged)

    def test_in_a_name_server(self):
        target = server.Server(roles=("namesrv",))
        self.addCleanup(target.remove)
        target.directory.mkdir(exist_ok=True)
        conf = target.directory / "namesrv.toml"
        conf.write_text("[namesrv]\nenable_controller_in_namesrv = true\n")
        target.more_arguments = ["--config", str(conf)]
        target.start()
        address = "%s:%d" % target.controller
        self.assertEqual(self.status(address=address)["sets"], [])
        self.rmq("namesrv", "config", "get", "enableControllerInNamesrv", namesrv="%s:%d" % target.namesrv)


if __name__ == "__main__":
    unittest.main()
