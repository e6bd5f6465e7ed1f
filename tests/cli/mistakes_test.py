#!/usr/bin/env python3
"""What people get wrong, and what rmq says then: for each mistake the exit code, that the answer names the
cause (the value, the address, the path), and that it says what to do. RMQ_BIN names the executable."""

import os
import pathlib
import pwd
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import remoting  # noqa: E402
import server  # noqa: E402
from command_case import (CommandCase, FAILED, LIMIT_SECONDS, NOT_FOUND, REFUSED,  # noqa: E402
                          UNREACHABLE, USAGE, clean_environment)

# {dead}: nobody listens there; {silent}: takes connections and never answers; {broker}, {namesrv}: the real
# ones; {dir}: a directory with files. (words, exit code, cause, remedy); each of the last two may be several.
MISTAKES = [
    # Where the cluster is.
    (["topic", "list", "--namesrv", "{dead}"], UNREACHABLE, "{dead}", ["rmq serve", "--namesrv"]),
    (["topic", "list", "--namesrv", "{silent}", "--timeout-ms", "200"], UNREACHABLE, "{silent}", "--timeout-ms"),
    (["topic", "list", "--namesrv", "no.such.host.invalid:1"], UNREACHABLE, "no.such.host.invalid", "spelling"),
    (["topic", "list", "--namesrv", "here:there"], USAGE, "'here:there'", "host:port"),
    (["topic", "list", "--namesrv", "127.0.0.1:99999"], USAGE, "127.0.0.1:99999", "host:port"),
    (["topic", "list", "--namesrv", "{broker}"], REFUSED, "{broker}", "a broker where a name server belongs"),
    (["topic", "create", "T", "--broker", "{namesrv}"], REFUSED, "{namesrv}", "does not know this operation"),
    (["topic", "create", "T", "--broker", "{dead}"], UNREACHABLE, "{dead}", "rmq cluster status"),
    (["broker", "status", "{silent}", "--timeout-ms", "200"], UNREACHABLE, "{silent}", "--timeout-ms"),
    (["topic", "list", "--context", "nowhere"], USAGE, "'nowhere'", "rmq context list"),
    # Names that are not there.
    (["route", "show", "Odrers"], NOT_FOUND, "Odrers", "Did you mean 'Orders'?"),
    (["topic", "describe", "Odrers"], NOT_FOUND, "Odrers", "Did you mean 'Orders'?"),
    (["topic", "delete", "Odrers", "--yes"], NOT_FOUND, "Odrers", "Did you mean 'Orders'?"),
    (["message", "tail", "Odrers"], NOT_FOUND, "Odrers", "Did you mean 'Orders'?"),
    (["message", "query", "Odrers", "--key", "k"], NOT_FOUND, "Odrers", "Did you mean 'Orders'?"),
    (["bench", "pull", "Odrers"], NOT_FOUND, "Odrers", "Did you mean 'Orders'?"),
    (["group", "reset", "readers", "Odrers", "--to", "latest", "--yes"], NOT_FOUND, "Odrers", "Did you mean 'Orders'?"),
    (["topic", "list", "--cluster", "DefaultClutser"], NOT_FOUND, "'DefaultClutser'", "Did you mean 'DefaultCluster'?"),
    (["topic", "create", "T", "--cluster", "Nowhere"], NOT_FOUND, "'Nowhere'", ["there is: DefaultCluster", "rmq cluster status"]),
    (["topic", "create", "T", "--broker", "broker-b"], NOT_FOUND, "'broker-b'", "Did you mean 'broker-a'?"),
    (["broker", "drain", "broker-b", "--yes"], NOT_FOUND, "'broker-b'", "Did you mean 'broker-a'?"),
    (["group", "lag", "nobody"], NOT_FOUND, "'nobody'", "rmq group list"),
    (["group", "describe", "nobody"], NOT_FOUND, "'nobody'", "rmq group lag nobody"),
    (["group", "delete", "raeders", "--yes"], NOT_FOUND, "'raeders'", "Did you mean 'readers'?"),
    (["group", "reset", "raeders", "Orders", "--to", "latest", "--yes"], NOT_FOUND, "'raeders'", "Did you mean 'readers'?"),
    (["message", "send", "Orders", "x", "--queue", "7"], NOT_FOUND, "queue 7", "rmq route show"),
    (["message", "tail", "Orders", "--queue", "7", "--no-follow"], NOT_FOUND, "queue 7", "rmq route show"),
    (["message", "tail", "Orders", "--broker", "b", "--no-follow"], NOT_FOUND, "'b'", "rmq route show"),
    (["message", "get", "--topic", "Orders", "--queue", "0", "--offset", "99"], NOT_FOUND, "offset 99", "offsets from 0"),
    (["message", "query", "Orders", "--key", "none"], NOT_FOUND, "'none'", "index"),
    (["namesrv", "kv", "get", "SPACE", "key"], NOT_FOUND, "'key'", "rmq namesrv kv list SPACE"),
    (["broker", "config", "get", "broker-a", "flushDiscType"], NOT_FOUND, "'flushDiscType'", "Did you mean 'flushDiskType'?"),
    # Words and numbers.
    (["topci", "list"], USAGE, "'topci'", "Did you mean 'topic'?"),
    (["topic", "creat", "T"], USAGE, "'creat'", "Did you mean 'create'?"),
    (["topic"], USAGE, "'rmq topic'", ["create", "list", "delete"]),
    (["topic", "create"], USAGE, "NAME is required", "rmq topic create --help"),
    (["topic", "create", "T", "extra"], USAGE, "extra", "rmq topic create --help"),
    (["topic", "create", "T", "--queue", "8"], USAGE, "'--queue'", "Did you mean '--queues'?"),
    (["topic", "create", "T", "--queues", "many"], USAGE, "'many'", "1 to 65535"),
    (["topic", "create", "T", "--queues", "0"], USAGE, "'0'", "1 to 65535"),
    (["topic", "create", "T", "--queues", "99999999999999999999"], USAGE, "99999999999999999999", "1 to 65535"),
    (["topic", "create", "T", "--queues", "1.5"], USAGE, "'1.5'", "whole number"),
    (["topic", "create", "T", "--perm", "rwx"], USAGE, "rwx", "{{rw,r,w}}"),
    (["topic", "list", "--output", "xml"], USAGE, "xml", "yaml"),
    (["topic", "list", "--output"], USAGE, "--output", "yaml"),
    (["topic", "list", "--watch=0"], USAGE, "'0'", "0.1 to 86400"),
    (["topic", "update", "Orders"], USAGE, "'Orders'", "--queues"),
    (["message", "tail", "Orders", "--from", "yesterday"], USAGE, "'yesterday'", "2024-05-01T12:00:00"),
    (["message", "query", "Orders", "--key", "k", "--from", "noon"], USAGE, "'noon'", "2024-05-01T12:00:00"),
    (["group", "reset", "readers", "Orders", "--to", "later", "--yes"], USAGE, "'later'", "2024-05-01T12:00:00"),
    (["group", "reset", "readers", "Orders", "--to", "2999-01-01", "--yes"], USAGE, "2999-01-01", "--to latest"),
    (["message", "get", "12xy"], USAGE, "'12xy'", "32 or 56 hex digits"),
    (["message", "get", "C00002020B479EC870CD7C3A01000000"], NOT_FOUND, "C00002020B479EC870CD7C3A01000000", "--topic"),
    (["broker", "config", "set", "broker-a", "flushDiskType"], USAGE, "'flushDiskType'", "KEY=VALUE"),
    (["context", "set", "a b", "h:1"], USAGE, "'a b'", "letters"),
    (["completion", "fish"], USAGE, "fish", "{{bash,zsh}}"),
    # What is refused.
    (["topic", "create", "bad name"], REFUSED, "bad name", "letters"),
    (["topic", "create", "x" * 200], REFUSED, "x" * 200, "letters"),
    (["topic", "delete", "TBW102", "--yes"], REFUSED, "TBW102", "RocketMQ's own"),
    (["message", "send", "ReadOnly", "x"], REFUSED, "ReadOnly", "rmq route show"),
    (["message", "send", "bad name", "x"], USAGE, "'bad name'", "characters other than"),
    (["message", "send", "Orders"], USAGE, "no body", "--file"),
    (["message", "send", "Orders", ""], USAGE, "no body", "rmq message send --help"),
    (["message", "send", "Orders", "--file", "{dir}/none"], USAGE, "{dir}/none", "exists"),
    (["message", "send", "Orders", "--file", "{dir}/large"], USAGE, "5000000", "4194304"),
    (["message", "send", "Orders", "x", "--property", "blue"], USAGE, "'blue'", "NAME=VALUE"),
    (["broker", "config", "set", "broker-a", "listenPort=1"], REFUSED, "listenPort", ["restart", "rmq config reference"]),
    (["broker", "config", "set", "broker-a", "brokerPermission=9"], REFUSED, "brokerPermission", "rmq config reference"),
    # Nobody was asked.
    (["topic", "delete", "Orders"], USAGE, "'Orders'", ["--yes", "--dry-run"]),
    (["group", "delete", "readers"], USAGE, "'readers'", ["--yes", "--dry-run"]),
    (["group", "reset", "readers", "Orders", "--to", "latest"], USAGE, "'readers'", ["--yes", "--dry-run"]),
    (["broker", "drain", "broker-a"], USAGE, "'broker-a'", ["--yes", "--dry-run"]),
    (["namesrv", "kv", "delete", "S", "k"], USAGE, "'k'", ["--yes", "--dry-run"]),
]

# The same for `rmq serve`, which is given no name server.
SERVE_MISTAKES = [
    (["--data", "{used}", "--port", "0"], FAILED, "{used}/store", "--data"),
    (["--role=namesrv", "--data", "{dir}/n", "--listen", "127.0.0.1", "--port", "{namesrv_port}"], FAILED, "{namesrv_port}", "--port"),
    (["--role=master", "--data", "{dir}/m", "--listen", "127.0.0.1", "--namesrv", "{namesrv}", "--port", "{broker_port}"],
     FAILED, "{broker_port}", "--port"),
    (["--data", "/proc/rmq-data", "--port", "0"], FAILED, "/proc/rmq-data", "may write to with --data"),
    (["--data", "{dir}/large", "--port", "0"], FAILED, "{dir}/large", "may write to with --data"),
    # Stores that rmq cannot read.
    (["--data", "{dir}/rocksdb", "--port", "0"], FAILED, ["{dir}/rocksdb/store/consumequeue", "RocksDB"], ["mqadmin rocksDBConfigToJson", "move"]),
    (["--data", "{dir}/batch", "--port", "0"], FAILED, ["batchconsumequeue/T", "queue.type=BatchCQ"], "delete it first"),
    (["--config", "master={dir}/rocksdb.conf"], USAGE, ["rocksdb.conf", "storeType"], "mqadmin rocksDBConfigToJson"),
    (["--config", "master={dir}/readonly.conf", "--port", "0"], FAILED, ["{dir}/log", "is read-only"], "storePathCommitLog"),
    (["--config", "{dir}/none.toml"], USAGE, "{dir}/none.toml", "exists"),
    (["--config", "{dir}/syntax.toml"], USAGE, "{dir}/syntax.toml:1", "rmq config"),
    (["--config", "{dir}/unknown.toml"], USAGE, ["{dir}/unknown.toml:2", "broker.nmae"], "the nearest is broker.name"),
    (["--config", "{dir}/value.toml"], USAGE, ["{dir}/value.toml:2", "'SOMETIMES'"], "ASYNC_FLUSH or SYNC_FLUSH"),
    (["--config", "master={dir}/value.conf"], USAGE, ["value.conf", "'hello'"], "0..65534"),
    (["--role=namesrv", "--config", "{dir}/broker.conf"], USAGE, ["broker.conf", "for broker", "namesrv"], "rmq serve --help"),
    (["--role=namesrv", "--config", "master={dir}/broker.conf"], USAGE, "--role does not name master", "rmq serve --help"),
    (["--role=king"], USAGE, "'king'", "namesrv, master, slave and controller"),
    (["--role=master", "--port", "70000"], USAGE, "'70000'", "0 to 65535"),
    (["--role=master", "--port", "1"], USAGE, "port 1", "at least 3"),
    (["--listen", "localhost.here"], USAGE, "'localhost.here'", "IP address"),
    (["--advertise", "0.0.0.0"], USAGE, "0.0.0.0", "clients can reach"),
    (["--role=master", "--namesrv", "a:b:c"], USAGE, "'a:b:c'", "host:port"),
    (["--data", "{used}/store"], USAGE, "{used}/store", "the directory above it"),
    (["--prot", "1"], USAGE, "'--prot'", "Did you mean '--port'?"),
]


class Mistakes(CommandCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.Server(broker_keys={"brokerName": "broker-a"}).start()
        cls.namesrv = "%s:%d" % cls.server.namesrv
        cls.directory = tempfile.TemporaryDirectory()
        cls.silent = socket.create_server(("127.0.0.1", 0))
        # Bound, but not listening: nobody else gets this port.
        cls.dead = socket.socket()
        cls.dead.bind(("127.0.0.1", 0))
        cls.names = {"dead": "127.0.0.1:%d" % cls.dead.getsockname()[1],
                     "silent": "127.0.0.1:%d" % cls.silent.getsockname()[1],
                     "broker": "%s:%d" % cls.server.broker, "namesrv": cls.namesrv,
                     "broker_port": str(cls.server.broker[1]), "namesrv_port": str(cls.server.namesrv[1]),
                     "dir": cls.directory.name, "used": str(cls.server.data)}
        for name, text in (("large", "x" * 5_000_000), ("syntax.toml", "brokerName\n"),
                           ("unknown.toml", '[broker]\nnmae = "x"\n'),
                           ("value.toml", '[store]\nflush_disk_type = "SOMETIMES"\n'),
                           ("value.conf", "listenPort=hello\n"),
                           ("broker.conf", "brokerName=a\nflushDiskType=SYNC_FLUSH\n"),
                           ("rocksdb.conf", "storeType=defaultRocksDB\n"),
                           ("readonly.conf", "storePathRootDir={dir}/ro\nstorePathCommitLog={dir}/log\n"
                                             "readOnlyCommitLogStorePaths={dir}/log\n"),
                           ("rocksdb/store/consumequeue/CURRENT", "MANIFEST-000004\n"),
                           ("batch/store/batchconsumequeue/T/0/00000000000000000000", "")):
            file = pathlib.Path(cls.directory.name, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("{dir}", cls.directory.name))
        for words in (["Orders", "--queues", "2"], ["ReadOnly", "--perm", "r"]):
            subprocess.run([str(server.BINARY), "topic", "create", *words, "--namesrv", cls.namesrv],
                           check=True, capture_output=True, timeout=LIMIT_SECONDS)
        with remoting.Connection(cls.server.broker) as connection:
            remoting.ok(connection.request(200, {}, b'{"groupName":"readers"}'))

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()
        cls.silent.close()
        cls.dead.close()
        cls.directory.cleanup()

    def check_answer(self, command, code, cause, remedy, **options):
        self.run_answer(command, code, **options)
        for parts, what in ((cause, "cause"), (remedy, "remedy")):
            for part in [parts] if isinstance(parts, str) else parts:
                self.assertIn(part.format(**self.names), self.err, "the %s is not named" % what)

    def run_answer(self, command, code, environment=None, **options):
        """Like run_command, for a server too, whose log comes before the answer."""
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_SECONDS,
                              cwd=self.directory.name, env=environment or clean_environment(), **options)
        lines = done.stderr.decode().splitlines()
        self.err = "\n".join(line for line in lines if line.startswith("rmq: "))
        self.assertEqual(done.returncode, code, "\n".join(lines))
        self.assertNotIn("\x1b", done.stderr.decode())

    def test_commands(self):
        for words, code, cause, remedy in MISTAKES:
            with self.subTest(" ".join(words)[:100]):
                words = [word.format(**self.names) for word in words]
                given = [] if "--namesrv" in words or "--context" in words else ["--namesrv", self.namesrv]
                if words[0] in ("context", "completion") or words == ["topic"] or words[-1] == "--output":
                    given = []
                self.check_answer([str(server.BINARY), *words, *given], code, cause, remedy)

    def test_serve(self):
        for words, code, cause, remedy in SERVE_MISTAKES:
            with self.subTest(" ".join(words)):
                words = [word.format(**self.names) for word in words]
                self.check_answer([str(server.BINARY), "serve", *words], code, cause, remedy)

    def test_contexts_file(self):
        path = pathlib.Path(self.directory.name, "contexts.toml")
        environment = clean_environment(RMQ_CONFIG=str(path))
        for text, cause in (("current = \n", ":1"), ('[contexts.a]\nadress = "h"\n', "contexts.a.adress"),
                            ('[contexts.a]\nnamesrv = "h:p"\n', "'h:p'")):
            path.write_text(text)
            for words in (["topic", "list"], ["context", "list"]):
                with self.subTest(text + words[0]):
                    self.check_answer([str(server.BINARY), *words], USAGE, [str(path), cause], "Mend or remove",
                                      environment=environment)
        path.write_text('current = "prod"\n[contexts.prod]\nnamesrv = "%s"\n' % self.namesrv)
        for words in (["topic", "list", "--context", "porD"], ["context", "use", "porD"]):
            self.check_answer([str(server.BINARY), *words], USAGE, ["'porD'", str(path)], "rmq context list",
                              environment=environment)
        self.run_command([str(server.BINARY), "route", "show", "Orders"], environment=environment)
        self.check_answer([str(server.BINARY), "context", "set", "a", "h:1"], FAILED, "/proc/rmq/contexts.toml",
                          "RMQ_CONFIG", environment=clean_environment(RMQ_CONFIG="/proc/rmq/contexts.toml"))

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody who may not write")
    def test_a_directory_that_may_not_be_written(self):
        nobody = pwd.getpwnam("nobody")
        os.chmod(self.directory.name, 0o755)
        self.check_answer([str(server.BINARY), "serve", "--data", "{dir}/x".format(**self.names), "--port", "0"],
                          FAILED, ["{dir}/x", "Permission denied"], "may write to with --data", user=nobody.pw_uid,
                          group=nobody.pw_gid, extra_groups=[])

    def test_the_table_is_long(self):
        self.assertGreater(len(MISTAKES) + len(SERVE_MISTAKES), 80)


if __name__ == "__main__":
    unittest.main(verbosity=1)
