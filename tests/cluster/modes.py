#!/usr/bin/env python3
"""`rmq cluster mode set` on a live cluster under load: no send fails, with a controller and without; what would lose data or
stop the sends is refused, with the reason. Prints how long nobody was answered in each change."""

import json
import os
import subprocess
import sys

import failover
import load
import server
from replication import Pair, runtime_info, wait_until
from senders import producing, route

TOPIC = "modes"
NOT_ENOUGH = "in-sync replicas not enough"
CHANGES = ("sync", "async", "sync", "sync", "async", "async")


def rmq(namesrv, *words):
    """The exit code, and what --output json says."""
    done = subprocess.run([str(server.BINARY), *words, "--namesrv", "%s:%d" % namesrv, "--output", "json"],
                          stdout=subprocess.PIPE, env=os.environ, timeout=30, check=False)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def expect(what, condition, seen):
    if not condition:
        raise AssertionError("%s: %s" % (what, seen))


def mode_of(namesrv):
    code, shown = rmq(namesrv, "cluster", "mode", "show")
    expect("show", code == 0 and len(shown["sets"]) == 1, shown)
    return shown["sets"][0]


def refused(namesrv, code, *words):
    """Nothing is changed by it."""
    before = mode_of(namesrv)
    exit_code, answer = rmq(namesrv, "cluster", "mode", "set", *words)
    expect(" ".join(words), exit_code == 1 and answer["error"]["code"] == code, answer)
    expect("nothing changes", mode_of(namesrv) == before, before)


def wait_more(ledger):
    before = len(ledger.acknowledged)
    wait_until("sends go on", lambda: len(ledger.acknowledged) > before + 200)


def switch(kind, namesrv, senders, ledger, table):
    """Each change under load."""
    before = mode_of(namesrv)
    for wanted in CHANGES:
        was = mode_of(namesrv)["mode"]
        senders.mark()
        wait_more(ledger)
        code, answer = rmq(namesrv, "cluster", "mode", "set", wanted)
        expect("mode set " + wanted, code == 0, answer)
        wait_more(ledger)
        now = mode_of(namesrv)
        expect("the mode", now["mode"] == wanted and now["in_sync"] == 2, now)
        table.append((kind, was, wanted, sum(senders.errors.values()), senders.pause))
    expect("failover stays as it was", mode_of(namesrv)["auto_failover"] == before["auto_failover"], before)


def without_controller(table):
    with Pair() as pair:
        namesrv = pair.namesrv.namesrv
        expect("one broker", mode_of(namesrv)["mode"] == "single", mode_of(namesrv))
        refused(namesrv, "NOT_IN_SYNC", "sync")
        refused(namesrv, "NO_CONTROLLER", "single", "--auto-failover", "on")
        pair.slave.start()
        wait_until("the slave is in sync", lambda: mode_of(namesrv)["in_sync"] == 2)
        refused(namesrv, "HAS_SLAVES", "single")
        refused(namesrv, "NOT_IN_SYNC", "sync", "--min-in-sync", "3")
        with producing(namesrv, pair.master, TOPIC) as senders:
            ledger = senders.ledger
            switch("no controller", namesrv, senders, ledger, table)
            # A synchronous master whose slave has died takes nothing, until somebody says that it may.
            expect("sync", rmq(namesrv, "cluster", "mode", "set", "sync")[0] == 0, "refused")
            pair.slave.kill()
            wait_until("sends are refused", lambda: any(NOT_ENOUGH in why for why in senders.errors))
            expect("async", rmq(namesrv, "cluster", "mode", "set", "async")[0] == 0, "refused")
            wait_more(ledger)
        pair.slave.start()
        pair.wait_same()
        return check(pair.master, ledger)


# Mode and automatic failover, one after the other.
FAILOVER_CHANGES = (("async", "on"), ("async", "off"), ("sync", "on"), ("async", "off"), ("sync", "off"), ("sync", "on"), ("sync", "off"),
                    ("async", "on"), ("sync", "off"), ("sync", "on"))


def with_and_without_controller(table):
    """A pair that gets a controller while it runs, and loses it again; at last its slave takes over."""
    with Pair() as pair:
        controller = server.Server(roles=("controller",)).start()
        namesrv = pair.namesrv.namesrv
        pair.slave.start()
        wait_until("the slave is in sync", lambda: mode_of(namesrv)["in_sync"] == 2)
        with producing(namesrv, pair.master, TOPIC) as senders:
            ledger = senders.ledger
            wait_more(ledger)
            refused(namesrv, "SYSTEM_ERROR", "async", "--auto-failover", "on", "--controller", "127.0.0.1:1")
            for mode, failover in FAILOVER_CHANGES:
                was = mode_of(namesrv)
                senders.mark()
                wait_more(ledger)
                code, answer = rmq(namesrv, "cluster", "mode", "set", mode, "--auto-failover", failover, "--controller",
                                   "%s:%d" % controller.controller)
                expect("mode set %s, failover %s" % (mode, failover), code == 0, answer)
                wait_more(ledger)
                now = mode_of(namesrv)
                expect("the mode", (now["mode"], now["auto_failover"], now["in_sync"]) == (mode, failover == "on", 2), now)
                table.append(("failover %s to %s" % ("on" if was["auto_failover"] else "off", failover), was["mode"], mode,
                              sum(senders.errors.values()), senders.pause))
            pair.master.kill()
            wait_more(ledger)
        errors = check(pair.slave, ledger)
        controller.remove()
        return errors


def controllers_at_a_restart():
    """A pair that gets its controller when it starts again: the slave keeps the log that it has copied, and takes over."""
    with Pair() as pair:
        controller = server.Server(roles=("controller",)).start()
        namesrv = pair.namesrv.namesrv
        pair.slave.start()
        wait_until("the slave is in sync", lambda: mode_of(namesrv)["in_sync"] == 2)
        with producing(namesrv, pair.master, TOPIC) as senders:
            ledger = senders.ledger
            wait_more(ledger)
        pair.wait_same()
        for broker in (pair.slave, pair.master):
            broker.stop()
            broker.broker_keys |= {"enableControllerMode": "true", "controllerAddr": "%s:%d" % controller.controller}
        for broker in (pair.master, pair.slave):
            broker.start()
        wait_until("the slave is in sync", lambda: mode_of(namesrv)["in_sync"] == 2)
        pair.master.kill()
        wait_until("the slave takes over", lambda: route(namesrv, TOPIC) == pair.slave.broker)
        errors = check(pair.slave, ledger)
        controller.remove()
        return errors


def promote(brokers, namesrv, ledger):
    """A planned hand-over of an asynchronous master, whose slave gets all that was acknowledged."""
    old = brokers.master()
    code, answer = rmq(namesrv, "broker", "promote", "b", "--yes")
    expect("promote", code == 0 and brokers.master() is not old, answer)
    wait_more(ledger)
    brokers.wait_whole()
    expect("both are asynchronous again", mode_of(namesrv)["mode"] == "async", mode_of(namesrv))
    code, answer = rmq(namesrv, "broker", "remove", "b", "--id", "7", "--yes")
    expect("a replica that there is not", code != 0 and answer["error"]["code"], answer)


def with_controller(table):
    with failover.Set("async") as brokers:
        namesrv = brokers.namesrv.namesrv
        with producing(namesrv, brokers.master(), TOPIC) as senders:
            ledger = senders.ledger
            switch("controller", namesrv, senders, ledger, table)
            promote(brokers, namesrv, ledger)
            # The old master stays in the set, and follows the new one a moment later.
            wait_until("the old master follows", lambda: mode_of(namesrv)["in_sync"] == 2)
            code, answer = rmq(namesrv, "cluster", "mode", "set", "sync", "--min-in-sync", "2")
            expect("sync", code == 0, answer)
            brokers.master().kill()
            wait_until("the new master refuses sends", lambda: any(NOT_ENOUGH in why for why in senders.errors))
            expect("one is enough", rmq(namesrv, "cluster", "mode", "set", "sync", "--min-in-sync", "1")[0] == 0, "refused")
            wait_more(ledger)
        return check(brokers.master(), ledger)


def check(master, ledger):
    wait_until("all is dispatched", lambda: runtime_info(master.broker)["dispatchBehindBytes"] == "0")
    read, errors = load.check(master.broker, ledger)
    print("%d acknowledged, %d read" % (len(ledger.acknowledged), read))
    return errors


def main():
    table = []
    errors = without_controller(table) + with_controller(table) + with_and_without_controller(table)
    errors += controllers_at_a_restart()
    print("%-22s %-7s %-7s %13s %14s" % ("", "from", "to", "failed sends", "longest pause"))
    for kind, was, wanted, failed, pause in table:
        print("%-22s %-7s %-7s %13d %11.0f ms" % (kind, was, wanted, failed, 1000 * pause))
        if failed:
            errors.append("a send failed when %s became %s" % (was, wanted))
    for error in errors[:20]:
        print("ERROR", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
