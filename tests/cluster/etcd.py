#!/usr/bin/env python3
"""A broker set under three controllers that share an etcd of three members. Each controller and each member of etcd is killed once
before, while and after the master dies; what is acknowledged is never lost, and who is left elects. Then the master is cut off from one
controller, which changes nothing, and from everybody. etcd is the one on the PATH.

    etcd.py [--rounds 1]
"""

import argparse
import http.client
import shutil
import subprocess
import sys
import tempfile
import time

import failover
import server
from partition import Gated, check, cut_off_once
from ports import free_ports
from replication import wait_until
from senders import producing

TOPIC = "etcd"
# A dead member of etcd that was its leader is replaced after its election time-out.
WITHOUT_ETCD_LEADER_MAX = 10.0
STORE_FAILED = "code 2015"


class Member:
    """One member of etcd."""

    def __init__(self, number, ports, cluster):
        self.name = "etcd-%d" % number
        self.port, peer = ports
        self.directory = tempfile.mkdtemp(prefix="rmq-etcd-")
        client, peer = "http://127.0.0.1:%d" % self.port, "http://127.0.0.1:%d" % peer
        self.arguments = ["etcd", "--name", self.name, "--data-dir", self.directory, "--listen-client-urls", client, "--advertise-client-urls",
                          client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster]
        self.process = None
        self.start()

    def start(self):
        with open(self.directory + ".log", "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        server.live.append(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def is_healthy(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
            connection.request("GET", "/health")
            return b'"true"' in connection.getresponse().read()
        except OSError:
            return False

    def remove(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def start_etcd():
    first = free_ports(6)
    pairs = [(first + i, first + i + 1) for i in (0, 2, 4)]
    cluster = ",".join("etcd-%d=http://127.0.0.1:%d" % (number, pair[1]) for number, pair in enumerate(pairs))
    members = [Member(number, pair, cluster) for number, pair in enumerate(pairs)]
    for member in members:
        wait_until("%s is healthy" % member.name, member.is_healthy)
    return members


class Set(failover.Set):
    """Two brokers under three controllers on an etcd of three."""

    def __init__(self):
        self.members = start_etcd()
        endpoints = ",".join("http://127.0.0.1:%d" % member.port for member in self.members)
        self.namesrv = server.Server(roles=("namesrv",)).start()
        first = free_ports(len(self.members))
        ports = range(first, first + len(self.members))
        peers = ";".join("n%d-127.0.0.1:%d" % (number, port) for number, port in enumerate(ports))
        self.controllers = [self.make_controller(number, port, peers, endpoints) for number, port in enumerate(ports)]
        self.controller = self.controllers[0]  # whom state() asks
        self.brokers = self.make_brokers(self.controllers)
        self.wait_whole()

    def make_controller(self, number, port, peers, endpoints):
        controller = server.Server(roles=("controller",))
        controller.controller = ("127.0.0.1", port)
        keys = {"controllerDLegerPeers": peers, "controllerDLegerSelfId": "n%d" % number}
        controller.more_arguments = ["--etcd", endpoints, *controller.config_arguments("controller", keys)]
        return controller.start()

    def make_brokers(self, controllers):
        keys = failover.KEYS | {"controllerAddr": ";".join("%s:%d" % controller.controller for controller in controllers),
                                "brokerRole": "SYNC_MASTER"}
        return [server.Server(roles=("master",), namesrv=self.namesrv.namesrv, broker_keys=keys).start() for _ in range(2)]

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        for controller in self.controllers:
            if kind is None:
                controller.remove()
            else:
                print("-- %s\n%s" % (controller.directory, controller.tail(40)))
                controller.kill()
        for member in self.members:
            member.remove()

    def state(self):
        """Asks again while etcd has no leader."""
        end = time.monotonic() + WITHOUT_ETCD_LEADER_MAX
        while True:
            try:
                return super().state()
            except RuntimeError as error:
                if not str(error).startswith(STORE_FAILED) or time.monotonic() > end:
                    raise

    def ask_another(self, dead):
        self.controller = next(controller for controller in self.controllers if controller is not dead)


class GatedSet(Gated, Set):
    pass


def one_round(brokers, senders, victim, when):
    """How long nobody could send. victim: a controller or a member of etcd."""
    brokers.ask_another(victim)
    answered = senders.answered
    wait_until("load on a whole set", lambda: senders.answered > answered + 500)
    old = brokers.master()
    if when == "before":
        victim.kill()
        answered = senders.answered
        wait_until("the master goes on", lambda: senders.answered > answered + 500)
    begun = time.monotonic()
    old.kill()
    if when == "during":
        victim.kill()
    killed = senders.mark()
    wait_until("somebody can send again", lambda: killed in senders.first_after)
    pause = senders.first_after[killed] - begun
    if when == "after":
        victim.kill()
        answered = senders.answered
        wait_until("the new master goes on", lambda: senders.answered > answered + 500)
    wait_until("the set is without it", lambda: len(brokers.state().get("inSyncReplicas", [])) == 1)
    old.start()
    victim.start()
    if isinstance(victim, Member):
        wait_until("%s is healthy" % victim.name, victim.is_healthy)
    brokers.wait_whole()
    return pause


def reign(brokers):
    state = brokers.state()
    return state["masterBrokerId"], state["masterEpoch"], len(state["inSyncReplicas"])


def cut_off_from_one_controller(brokers, senders):
    """Others hear the master: it stays."""
    before, deaf = reign(brokers), brokers.controllers[0]
    gate = brokers.gated_master().control_gates[0]
    gate.shut()
    wait_until("it was asked whether others hear the master", lambda: "other controllers hear it: no election" in deaf.log.read_text())
    answered = senders.answered
    wait_until("the master goes on", lambda: senders.answered > answered + 500)
    gate.open()
    if reign(brokers) != before:
        raise RuntimeError("the reign was %s, and is %s" % (before, reign(brokers)))


def partitions(rounds):
    with GatedSet() as brokers:
        with producing(brokers.namesrv.namesrv, brokers.master(), TOPIC) as senders:
            brokers.ask_another(brokers.controllers[0])
            cut_off_from_one_controller(brokers, senders)
            pauses = [cut_off_once(number, brokers, senders) for number in range(rounds)]
        print("cut off: to the next acknowledged send: %s s" % ", ".join("%.2f" % pause for pause in pauses))
        return check(brokers, senders.ledger)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with Set() as brokers:
        slow = []
        with producing(brokers.namesrv.namesrv, brokers.master(), TOPIC) as senders:
            for kind, victims in (("controller", brokers.controllers), ("member of etcd", brokers.members)):
                for when in ("before", "during", "after"):
                    pauses = [one_round(brokers, senders, victim, when) for _ in range(options.rounds) for victim in victims]
                    print("each %s killed %s the death of the master, to the next acknowledged send: %s s" %
                          (kind, when, ", ".join("%.2f" % pause for pause in pauses)), flush=True)
                    slow += [pause for pause in pauses if pause > WITHOUT_ETCD_LEADER_MAX]
        errors = check(brokers, senders.ledger) + ["%.2f s without a master" % pause for pause in slow]
    errors += partitions(options.rounds)
    for error in errors[:20]:
        print("ERROR", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
