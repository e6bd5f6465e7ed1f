#!/usr/bin/env python3
"""A broker set under a controller whose master is cut off from everybody else, and from its controller alone; and one whose controller
is killed before, while and after the master dies. Producers are on both sides of the cut. What is acknowledged in sync mode is never
lost, the master that is cut off acknowledges nothing, and when it can be reached again it is a slave.

    partition.py [--rounds 3]
"""

import argparse
import sys
import time

import failover
import load
import server
from gate import Gate
from ports import free_ports
from replication import runtime_info, wait_until
from senders import SENDERS, Senders, producing

TOPIC = "partition"


class Broker:
    """One broker, and the gates through which it is reached and reaches others."""

    def __init__(self, number, namesrv, controllers):
        outside = "127.0.%d.1" % number
        port = free_ports(4, ("127.0.0.1", outside)) + 2
        self.inside = ("127.0.0.1", port)
        to_namesrv, to_controllers = ("127.0.%d.2" % number, namesrv[1]), [("127.0.%d.3" % number, controller[1]) for controller in controllers]
        self.gates = [Gate((outside, p), ("127.0.0.1", p)) for p in (port - 2, port, port + 1)]
        self.control_gates = [Gate(here, there) for here, there in zip(to_controllers, controllers)]
        self.gates += [Gate(to_namesrv, namesrv), *self.control_gates]
        keys = failover.KEYS | {"controllerAddr": ";".join("%s:%d" % address for address in to_controllers), "brokerRole": "SYNC_MASTER"}
        self.server = server.Server(roles=("master",), namesrv=to_namesrv, broker_keys=keys, advertise=outside)
        self.server.broker = (outside, port)
        self.server.start()

    def cut_off(self, gates):
        for gate in gates:
            gate.shut()

    def join(self):
        for gate in self.gates:
            gate.open()


class Gated:
    """The brokers of a set that has gates."""

    def make_brokers(self, controllers):
        self.gated = [Broker(number, self.namesrv.namesrv, [controller.controller for controller in controllers]) for number in (1, 2)]
        return [broker.server for broker in self.gated]

    def gated_master(self):
        return self.gated[self.brokers.index(self.master())]


class Set(Gated, failover.Set):
    def __init__(self):
        self.namesrv = server.Server(roles=("namesrv",)).start()
        self.controller = server.Server(roles=("controller",)).start()
        self.brokers = self.make_brokers([self.controller])
        self.wait_whole()


def cut_off_once(number, brokers, senders, control_only=False):
    """How long the other side could not send. control_only: it is cut off from its controllers, and from nobody else."""
    master = brokers.gated_master()
    inside = Senders(None, senders.ledger, first=100 * (1 + number), find=lambda: master.inside)
    inside.start()
    wait_until("sends on its side", lambda: inside.answered > 50)
    begun = time.monotonic()
    master.cut_off(master.control_gates if control_only else master.gates)
    if control_only:  # it goes on until its slave follows it no more
        wait_until("its side fails", lambda: sum(inside.errors.values()) > 0)
    cut, cut_inside = senders.mark(), inside.mark()
    wait_until("somebody can send again", lambda: cut in senders.first_after)
    pause = senders.first_after[cut] - begun
    wait_until("the set is without it", lambda: len(brokers.state()["inSyncReplicas"]) == 1)
    given_up = sum(inside.errors.values())
    wait_until("each producer on its side has given up", lambda: sum(inside.errors.values()) >= given_up + 2 * SENDERS)
    if cut_inside in inside.first_after:
        raise RuntimeError("the master that was cut off acknowledged a message")
    master.join()
    brokers.wait_whole()
    if brokers.gated_master() is master:
        raise RuntimeError("the old master leads again")
    inside.end()
    return pause


def partitions(rounds):
    with Set() as brokers:
        with producing(brokers.namesrv.namesrv, brokers.master(), TOPIC) as senders:
            pauses = [cut_off_once(number, brokers, senders) for number in range(rounds)]
            control_only = cut_off_once(rounds, brokers, senders, control_only=True)
        print("cut off: %d times, to the next acknowledged send: %s s; from the controller alone, election and a time-out included: %.2f s" %
              (rounds, ", ".join("%.2f" % pause for pause in pauses), control_only))
        return check(brokers, senders.ledger)


def controller_dies(when):
    """when: before, during or after the death of the master."""
    with failover.Set("sync") as brokers:
        with producing(brokers.namesrv.namesrv, brokers.master(), TOPIC) as senders:
            old = brokers.master()
            if when == "before":
                brokers.controller.kill()
                answered = senders.answered
                wait_until("the master goes on", lambda: senders.answered > answered + 500)
            begun = time.monotonic()
            old.kill()
            if when == "during":
                brokers.controller.kill()
            killed = senders.mark()
            if when == "after":
                wait_until("somebody can send again", lambda: killed in senders.first_after)
                brokers.controller.kill()
                answered = senders.answered
                wait_until("the new master goes on", lambda: senders.answered > answered + 500)
            brokers.controller.start()
            wait_until("somebody can send again", lambda: killed in senders.first_after)
            print("controller killed %s: to the next acknowledged send: %.2f s" % (when, senders.first_after[killed] - begun))
            old.start()
            brokers.wait_whole()
        return check(brokers, senders.ledger)


def check(brokers, ledger):
    last = brokers.master()
    wait_until("all is dispatched", lambda: runtime_info(last.broker)["dispatchBehindBytes"] == "0")
    read, errors = load.check(last.broker, ledger)
    print("%d acknowledged, %d read" % (len(ledger.acknowledged), read))
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    errors = partitions(options.rounds)
    for when in ("before", "during", "after"):
        errors += controller_dies(when)
    for error in errors[:20]:
        print("ERROR", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
