#!/usr/bin/env python3
"""A master and its slave, without a controller: the slave gets the whole log, byte for byte, whatever dies meanwhile; a
synchronous master acknowledges what the slave has; consumers read from the slave while the master is gone, and what they
commit there reaches the master when it is back."""

import argparse
import json
import pathlib
import signal
import sys
import time

import load
import remoting
import server

SEGMENT = 1 << 20
KEYS = {"brokerName": "b", "brokerClusterName": "c", "mappedFileSizeCommitLog": SEGMENT, "haSendHeartbeatInterval": 500,
        "haHousekeepingInterval": 3000}
SEND_OK, FLUSH_SLAVE_TIMEOUT, SYSTEM_ERROR, SERVICE_NOT_AVAILABLE = 0, 12, 1, 14
WAIT_SECONDS = 20.0


def wait_until(what, condition, seconds=WAIT_SECONDS):
    """Asks again and again; raises with `what` when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("not within %g s: %s" % (seconds, what))
        time.sleep(0.02)


class Pair:
    """A name server, a master and a slave on data of their own."""

    def __init__(self, **master_keys):
        self.namesrv = server.Server(roles=("namesrv",)).start()
        self.master = server.Server(roles=("master",), namesrv=self.namesrv.namesrv, broker_keys=KEYS | master_keys).start()
        self.slave = server.Server(roles=("slave",), namesrv=self.namesrv.namesrv, broker_keys=KEYS | {"brokerId": 1})

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in (self.slave, self.master, self.namesrv):
            if kind is None:
                process.remove()
            elif process.process and process.process.poll() is None:
                process.kill()
        if kind is not None:
            for process in (self.master, self.slave):
                print("-- %s\n%s" % (process.directory, process.tail()))

    @staticmethod
    def end(of):
        return runtime_info(of.broker)["commitLogMaxOffset"]

    def wait_same(self):
        wait_until("the slave has the master's log", lambda: self.end(self.slave) == self.end(self.master))
        wait_until("it is in the queues", lambda: runtime_info(self.slave.broker)["dispatchBehindBytes"] == "0")

    def compare_logs(self):
        """The files of both, as far as the log goes. How many bytes are the same."""
        end = int(self.end(self.master))
        log = [process.data / "store/commitlog" for process in (self.master, self.slave)]
        same = 0
        for path in sorted(log[0].iterdir()):
            base = int(path.name)
            if base >= end:
                continue
            here, there = path.read_bytes(), (log[1] / path.name).read_bytes()
            if here != there:
                raise RuntimeError("%s differs" % path.name)
            same += min(end - base, SEGMENT)
        return same


def runtime_info(broker):
    with remoting.Connection(broker) as connection:
        body = remoting.ok(connection.request(remoting.GET_BROKER_RUNTIME_INFO)).body
    return json.loads(body)["table"]


def send(connection, topic, body=b"m", wait=True, properties=b""):
    """The answer."""
    properties += b"" if wait else b"WAIT\x01false\x02"
    connection.socket.sendall(remoting.SendTemplate(topic).send(7, 0, body, properties))
    return connection.receive()


def produce(address, ledger, seconds, name):
    work = load.Load(address, ledger, name, connections=4, window=32)
    work.run_until(time.monotonic() + seconds)
    work.sending = False
    work.run_until(time.monotonic() + 10, lambda: work.in_flight == 0)
    work.close()
    return work


def whole_log(rounds):
    """History that was there before the slave, kill -9 of the slave and of the master under load, and clean restarts."""
    with Pair() as pair:
        ledger = load.Ledger("log")
        load.create(pair.master.broker, ledger.topic)
        produce(pair.master.broker, ledger, 1.0, b"before")
        pair.slave.start()
        for turn in range(rounds):
            work = load.Load(pair.master.broker, ledger, b"r%d" % turn, connections=4, window=32)
            work.run_until(time.monotonic() + 0.7)
            pair.slave.kill()
            work.run_until(time.monotonic() + 0.3)
            pair.slave.start()
            work.run_until(time.monotonic() + 0.5)
            work.sending = False
            work.run_until(time.monotonic() + 10, lambda: work.in_flight == 0)
            work.close()
            if turn % 2 == 1:
                pair.wait_same()
                pair.master.kill()
                pair.master.start()
        pair.wait_same()
        same = pair.compare_logs()
        read, errors = load.check(pair.slave.broker, ledger)
        print("whole log: %d acknowledged, %d kills of the slave; %d bytes of log the same, %d messages read from the slave" % (
            len(ledger.acknowledged), rounds, same, read))
        for process in (pair.slave, pair.master):
            code = process.stop()
            if code != 0:
                errors.append("exit code %d after SIGTERM" % code)
        pair.master.start()
        pair.slave.start()
        produce(pair.master.broker, ledger, 0.3, b"after")
        pair.wait_same()
        pair.compare_logs()
        return errors


def all_stopped(pid):
    states = [stat.read_text().rpartition(")")[2].split()[0] for stat in pathlib.Path("/proc/%d/task" % pid).glob("*/stat")]
    return all(state == "T" for state in states)


def visible(broker, topic):
    with remoting.Connection(broker) as connection:
        return remoting.Queue(connection, topic, 0).max_offset()


def synchronous():
    """Without its slave a synchronous master writes nothing; a slave that hangs is waited for, and what it does not have is
    seen by nobody until it has."""
    errors = []
    with Pair(brokerRole="SYNC_MASTER", slaveTimeout=500) as pair:
        topic = "sync"
        load.create(pair.master.broker, topic)
        with remoting.Connection(pair.master.broker) as connection:
            answer = send(connection, topic)
            if (answer.code, answer.remark) != (SYSTEM_ERROR, "in-sync replicas not enough"):
                errors.append("without a slave: %s %s" % (answer.code, answer.remark))
            if int(pair.end(pair.master)) != 0:
                errors.append("a send that was refused is in the log")
            pair.slave.start()
            wait_until("a send is acknowledged", lambda: send(connection, topic).code == SEND_OK)
            wait_until("and visible", lambda: visible(pair.master.broker, topic) == 1)
            pair.slave.signal(signal.SIGSTOP)
            wait_until("every thread of the slave stands still", lambda: all_stopped(pair.slave.process.pid))
            begin = time.monotonic()
            codes = [send(connection, topic, wait=wait).code for wait in (True, False)]
            if codes != [FLUSH_SLAVE_TIMEOUT, SEND_OK]:
                errors.append("with a slave that hangs: %s" % codes)
            took = time.monotonic() - begin
            if not 0.5 <= took < 2.0:
                errors.append("the answer came after %.2f s" % took)
            if visible(pair.master.broker, topic) != 1:
                errors.append("consumers see what the slave does not have")
            pair.slave.signal(signal.SIGCONT)
            wait_until("what was not confirmed is visible when it is", lambda: visible(pair.master.broker, topic) == 3)
            pair.slave.kill()
            wait_until("sends are refused when the slave is gone", lambda: send(connection, topic).code == SYSTEM_ERROR)
            pair.slave.start()
            wait_until("a send is acknowledged again", lambda: send(connection, topic).code == SEND_OK)
        ledger = load.Ledger("load")
        load.create(pair.master.broker, ledger.topic)
        work = load.Load(pair.master.broker, ledger, b"l", connections=4, window=32)
        work.run_until(time.monotonic() + 1.0)
        pair.master.kill()
        work.run_until(time.monotonic() + 5)
        work.close()
        # All that was acknowledged is on the slave now, with the master dead.
        read, wrong = load.check(pair.slave.broker, ledger)
        errors += wrong
        if not ledger.acknowledged:
            errors.append("nothing was acknowledged: %s" % work.refused)
        print("synchronous: %d acknowledged before kill -9 of the master, %d read from the slave; refused %s" % (
            len(ledger.acknowledged), read, work.refused or "none"))
    return errors


def offset_of(broker, topic, group):
    with remoting.Connection(broker) as connection:
        answer = connection.request(remoting.QUERY_CONSUMER_OFFSET, {"consumerGroup": group, "topic": topic, "queueId": 0,
                                                                     "setZeroIfNotFound": "false"})
    return int(answer.ext["offset"]) if answer.code == SEND_OK else None


def commit(broker, topic, group, offset):
    with remoting.Connection(broker) as connection:
        fields = {"consumerGroup": group, "topic": topic, "queueId": 0, "commitOffset": offset}
        return connection.request(remoting.UPDATE_CONSUMER_OFFSET, fields).code


def tables_and_reading():
    """Topics, groups and offsets reach the slave within a second; it serves consumers while the master is dead."""
    errors = []
    with Pair() as pair:
        pair.slave.start()
        topic, gone, group = "tables", "a-deleted-one", "readers"
        begin = time.monotonic()
        load.create(pair.master.broker, topic)
        load.create(pair.master.broker, gone)
        with remoting.Connection(pair.master.broker) as connection:
            for _ in range(10):
                send(connection, topic)
            # The first pull makes the group.
            remoting.ok(remoting.Queue(connection, topic, 0, group).pull(0))
        commit(pair.master.broker, topic, group, 4)
        wait_until("the offset is on the slave", lambda: offset_of(pair.slave.broker, topic, group) == 4)
        took = time.monotonic() - begin
        pair.wait_same()
        if took > 1.5:
            errors.append("topic, group and offset reached the slave after %.1f s" % took)
        with remoting.Connection(pair.slave.broker) as connection:
            codes = {"a send": send(connection, topic).code}
            if codes["a send"] != SERVICE_NOT_AVAILABLE:
                errors.append("the slave answers %s" % codes)
            changed = connection.request(remoting.UPDATE_AND_CREATE_TOPIC, {
                "topic": "other", "defaultTopic": "TBW102", "readQueueNums": 1, "writeQueueNums": 1, "perm": 6,
                "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false"})
            if changed.code == SEND_OK:
                errors.append("the slave makes topics")
        end = int(pair.end(pair.master))
        wait_until("the slave has acknowledged",
                   lambda: [slave["slaveAckOffset"] for slave in ha_status(pair.master)["haConnectionInfo"]] == [end])
        of_master, of_slave = ha_status(pair.master), ha_status(pair.slave)["haClientRuntimeInfo"]
        if not of_master["master"] or of_master["inSyncSlaveNums"] != 1 or of_master["masterCommitLogMaxOffset"] != end:
            errors.append("the master says of its slaves: %s" % of_master)
        if of_slave["masterAddr"] != "127.0.0.1:%d" % (pair.master.broker[1] + 1) or of_slave["maxOffset"] != end:
            errors.append("the slave says of itself: %s" % of_slave)
        pair.master.kill()
        with remoting.Connection(pair.slave.broker) as connection:
            answer = remoting.ok(remoting.Queue(connection, topic, 0, group).pull(4))
            offsets = [record.queue_offset for record in remoting.records(answer.body)]
            if offsets != list(range(4, 10)):
                errors.append("the slave gives %s" % offsets)
        commit(pair.slave.broker, topic, group, 9)
        # A group that the master never hears of, and a topic that it no longer has, keep nothing else from it.
        with remoting.Connection(pair.slave.broker) as connection:
            remoting.ok(remoting.Queue(connection, topic, 0, "a-new-one").pull(0))
        commit(pair.slave.broker, topic, "a-new-one", 2)
        commit(pair.slave.broker, gone, group, 1)
        pair.slave.stop()
        pair.slave.start()
        if offset_of(pair.slave.broker, topic, group) != 9:
            errors.append("a restart of the slave takes the group back")
        pair.slave.stop()
        pair.master.start()
        with remoting.Connection(pair.master.broker) as connection:
            remoting.ok(connection.request(remoting.DELETE_TOPIC_IN_BROKER, {"topic": gone}))
        pair.slave.start()
        wait_until("what was committed on the slave is on the master", lambda: offset_of(pair.master.broker, topic, group) == 9)
        # Back is possible where the group is, and nowhere else.
        commit(pair.master.broker, topic, group, 3)
        wait_until("the slave follows back", lambda: offset_of(pair.slave.broker, topic, group) == 3)
        if offset_of(pair.master.broker, topic, group) != 3:
            errors.append("the slave has set the group forward again")
        with remoting.Connection(pair.master.broker) as connection:
            remoting.ok(connection.request(remoting.DELETE_TOPIC_IN_BROKER, {"topic": topic}))
        wait_until("a deleted topic is deleted on the slave", lambda: oldest(pair.slave.broker, topic) == 10)
        print("tables: topic, group and offset on the slave after %.2f s" % took)
    return errors


def ha_status(of):
    with remoting.Connection(of.broker) as connection:
        return json.loads(remoting.ok(connection.request(remoting.GET_BROKER_HA_STATUS)).body)


def oldest(broker, topic):
    with remoting.Connection(broker) as connection:
        return remoting.Queue(connection, topic, 0).min_offset()


def bodies(broker, topic):
    with remoting.Connection(broker) as connection:
        queue = remoting.Queue(connection, topic, 0)
        return [record.body for record in queue.records(queue.min_offset(), queue.max_offset())]


def send_delayed(connection, topic, body, level):
    return send(connection, topic, body, properties=b"DELAY\x01%d\x02" % level)


def promoted_by_hand():
    """The slave of a dead master is started as a master: it has all messages, delivers each delayed one once, also those
    that its old master had delivered, and goes on with the log."""
    errors = []
    with Pair(messageDelayLevel="1s 4s") as pair:
        pair.slave.broker_keys["messageDelayLevel"] = "1s 4s"
        pair.slave.start()
        topic = "delays"
        load.create(pair.master.broker, topic)
        with remoting.Connection(pair.master.broker) as connection:
            for number in range(20):
                send_delayed(connection, topic, b"early %d" % number, 1)
                send_delayed(connection, topic, b"late %d" % number, 2)
        wait_until("the early ones are delivered", lambda: len(bodies(pair.master.broker, topic)) == 20)
        pair.wait_same()
        end = int(pair.end(pair.slave))
        pair.master.kill()
        pair.slave.kill()
        pair.slave.roles = ("master",)
        pair.slave.start()
        wait_until("the late ones are delivered", lambda: len(bodies(pair.slave.broker, topic)) >= 40)
        with remoting.Connection(pair.slave.broker) as connection:
            if send(connection, topic, b"new").code != SEND_OK:
                errors.append("the new master takes no messages")
        wait_until("the new one is there", lambda: bodies(pair.slave.broker, topic)[-1] == b"new")
        there = bodies(pair.slave.broker, topic)
        wanted = [b"%s %d" % (when, number) for when in (b"early", b"late") for number in range(20)] + [b"new"]
        if sorted(there) != sorted(wanted):
            errors.append("the new master has %d messages: %s" % (len(there), there))
        if int(pair.end(pair.slave)) <= end:
            errors.append("the log did not go on")
        print("promoted by hand: %d messages, each once" % len(there))
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    failed = 0
    for case in (lambda: whole_log(options.rounds), synchronous, tables_and_reading, promoted_by_hand):
        try:
            errors = case()
        except (RuntimeError, OSError) as error:
            errors = ["%s: %s" % (type(error).__name__, error)]
        for error in errors:
            print("  " + error)
        failed += bool(errors)
    print("FAIL" if failed else "PASS")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
