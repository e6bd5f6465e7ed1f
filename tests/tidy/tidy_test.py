"""Tests of scripts/tidy.py: in a small tree that is right nothing is found, and each planted violation is."""

import pathlib
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import tidy  # noqa: E402

CLEAN = {
    "src/base/CMakeLists.txt": "rmq_module(base\n  SOURCES a.cpp\n  PUBLIC_HEADERS a.h\n  USES\n  LIBRARIES x::y)\n",
    "src/base/a.h": "// A: an example. Threads: any.\n#pragma once\n\nint answer();\n",
    "src/base/a.cpp": '#include "base/a.h"\n\nint answer() { return 42; }\n',
    "src/base/private.h": "// Private: not for others.\n#pragma once\n",
    "src/net/CMakeLists.txt": "rmq_module(net\n  SOURCES n.cpp\n  PUBLIC_HEADERS n.h\n  USES base\n  LIBRARIES)\n",
    "src/net/n.h": "// N: an example. Threads: one.\n#pragma once\n\n#include <asio.hpp>\n\n#include \"base/a.h\"\n",
    "src/net/n.cpp": '#include "net/n.h"\n\n'
    "Task<> serve() {\n"
    "  auto handler = [self] { return self->run(); };\n"
    "  const auto size = co_await read(buffers[index], std::move(handler));\n"
    "  if (size > 0) { co_return Answer{size}; }\n"
    "}\n",
    "tests/unit/net/n_test.cpp": '#include "net/n.h"\n\n#include "tests/support/help.h"\n\nint main() {}\n',
    "tests/support/help.h": "// Help for tests.\n#pragma once\n",
    "docs/note.md": "Nothing to see.\n",
}


def findings(changes: dict[str, str]) -> list[str]:
    """What is found in CLEAN with `changes`; without the check of the format, which has a test of its own."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in (CLEAN | changes).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        tree = tidy.Tree(root)
        return [
            str(finding) for check in tidy.CHECKS if check is not tidy.check_format for finding in check(tree)
        ]


def with_statement(statement: str) -> dict[str, str]:
    return {"src/net/n.cpp": f'#include "net/n.h"\n\nTask<> serve() {{\n  {statement}\n}}\n'}


class TidyTest(unittest.TestCase):
    def expect(self, changes: dict[str, str], *parts: str) -> None:
        found = findings(changes)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_clean_tree(self):
        self.assertEqual(findings({}), [])

    def test_include_against_the_arrows(self):
        self.expect(
            {"src/base/a.cpp": '#include "base/a.h"\n#include "net/n.h"\n'}, "src/base/a.cpp:2:", "against the arrows"
        )

    def test_include_of_a_module_missing_in_uses(self):
        cmake = CLEAN["src/net/CMakeLists.txt"].replace("USES base", "USES")
        self.expect({"src/net/CMakeLists.txt": cmake}, "src/net/n.h:6:", "missing in USES")

    def test_uses_against_the_arrows(self):
        cmake = CLEAN["src/base/CMakeLists.txt"].replace("USES", "USES net")
        self.expect({"src/base/CMakeLists.txt": cmake}, "base must not use net")

    def test_private_header(self):
        self.expect(
            {"src/net/n.cpp": '#include "net/n.h"\n#include "base/private.h"\n'},
            "src/net/n.cpp:2:",
            "not a public header of base",
        )

    def test_private_header_in_another_modules_test(self):
        self.expect({"tests/unit/net/n_test.cpp": '#include "base/private.h"\n'}, "not a public header of base")

    def test_source_may_not_include_tests(self):
        self.expect({"src/net/n.cpp": '#include "net/n.h"\n#include "tests/support/help.h"\n'}, "nothing may include")

    def test_missing_public_header_and_file(self):
        cmake = CLEAN["src/base/CMakeLists.txt"].replace("a.h", "a.h gone.h")
        self.expect({"src/base/CMakeLists.txt": cmake}, "public header gone.h does not exist")
        self.expect({"src/base/a.cpp": '#include "base/gone.h"\n'}, '"base/gone.h" is not found')

    def test_source_that_is_not_compiled(self):
        self.expect({"src/base/forgotten.cpp": "int x;\n"}, "src/base/forgotten.cpp:1:", "not compiled")

    def test_cli11_outside_the_files_that_wrap_it(self):
        self.expect({"cli/a.cpp": "#include <CLI/App.hpp>\n"}, "cli/a.cpp:1:", "cli/options.h instead")

    def test_asio_outside_net(self):
        self.expect({"src/base/a.cpp": "#include <asio/ip/tcp.hpp>\n"}, "src/base/a.cpp:1:", "Asio is for src/net")

    def test_long_file(self):
        text = CLEAN["src/base/a.h"] + "\n" * 400
        self.expect({"src/base/a.h": text}, "src/base/a.h:400:", "split it")
        self.assertEqual(findings({"src/base/a.h": CLEAN["src/base/a.h"] + "\n" * 396}), [])
        test = CLEAN["tests/unit/net/n_test.cpp"]
        self.assertEqual(findings({"tests/unit/net/n_test.cpp": test + "\n" * 450}), [])
        self.expect({"tests/unit/net/n_test.cpp": test + "\n" * 500}, "n_test.cpp:500:", "split it")

    def test_long_function(self):
        body = "  ++x;\n" * 69
        self.expect({"src/base/a.cpp": "namespace n {\n\nint f(int x) {\n" + body + "}\n}\n"}, "a.cpp:3:", "71 lines")
        self.assertEqual(findings({"src/base/a.cpp": "int f(int x) {\n" + body[7:] + "}\n"}), [])

    def test_long_member_function_and_long_class(self):
        many = "  void f();\n" * 100
        self.assertEqual(findings({"src/base/a.cpp": "MACRO(a, b)\nclass C : public D<int()> {\n" + many + "};\n"}), [])
        body = "    ++x;\n" * 80
        self.expect({"src/base/a.cpp": "class C {\n  void f() const {\n" + body + "  }\n};\n"}, "a.cpp:2:", "82 lines")

    def test_header_without_pragma_or_comment(self):
        self.expect({"src/base/a.h": "// A.\nint answer();\n"}, "#pragma once")
        self.expect({"src/base/a.h": "#pragma once\n// A.\n"}, "opens with a comment")

    def test_unfinished(self):
        for word in ("TO" + "DO", "FIX" + "ME"):
            self.expect({"docs/note.md": f"One\n{word}: two\n"}, "docs/note.md:2:", word)
            self.expect({"src/base/a.cpp": f"int x;  // {word} later\n"}, "src/base/a.cpp:1:", word)

    def test_detached(self):
        self.expect(with_statement("co_spawn(ex, f(), asio::detached);"), "src/net/n.cpp:4:", "asio::detached")
        self.assertEqual(findings(with_statement("f();  // not asio::detached")), [])

    def test_lambda_in_a_co_await_statement(self):
        for statement in (
            "co_await run([self] { return self->x; });",
            "const int x = co_await run(1, [&](int y) { return y; });",
            "RMQ_CO_TRY(auto x, co_await run([=]() mutable { return 1; }));",
            "co_await run(\n    [self] { return 1; });",
        ):
            self.expect(with_statement(statement), "src/net/n.cpp:4:", "a capturing lambda made in a co_await")
        for statement in (
            "co_await run([] { return 1; });",
            "co_await run(buffers[i]);",
            'co_await run("[self] {");',
            "auto f = [self] { return 1; }; co_await run(std::move(f));",
        ):
            self.assertEqual(findings(with_statement(statement)), [], statement)

    def test_braced_value_in_a_co_await_statement(self):
        for statement in (
            "co_await f(Options{.a = 1});",
            "co_await f(1, {a, b});",
            "co_await f(Map<int, int>{});",
            "if (co_await f(ns::Options{1})) { g(); }",
        ):
            self.expect(with_statement(statement), "src/net/n.cpp:4:", "a braced value made in a co_await")
        for statement in ("co_return Answer{co_await f()};", "if (co_await f(x)) { g(); }"):
            self.assertEqual(findings(with_statement(statement)), [], statement)

    def test_result_of_co_await_without_a_name(self):
        for statement in ("x = co_await f();", "self->last_[0] = co_await f();", "int x; a.b =\n    co_await f();"):
            line = 4 + statement.count("\n")
            self.expect(with_statement(statement), f"src/net/n.cpp:{line}:", "is assigned")
        for statement in ("g(co_await f());", "auto x = g(1, co_await f(h(2)));", "v.push_back(co_await f());"):
            self.expect(with_statement(statement), "src/net/n.cpp:4:", "is an argument")
        for statement in (
            "auto x = co_await f();",
            "const Result<int> x = co_await f(a, b);",
            "RMQ_CO_TRY(auto x, co_await f(g(1)));",
            "if (!(co_await f()).ok()) { g(); }",
            "while (co_await f()) g();",
            "co_return co_await f();",
        ):
            self.assertEqual(findings(with_statement(statement)), [], statement)

    def test_lambda_coroutine_called_on_the_spot(self):
        self.expect(
            with_statement("spawn([self]() -> Task<> { co_await self->run(); }());"),
            "src/net/n.cpp:4:",
            "called on the spot",
        )
        self.assertEqual(findings(with_statement("spawn([self]() -> Task<> { co_await self->run(); });")), [])

    def test_setting_without_effect(self):
        cmake = CLEAN["src/base/CMakeLists.txt"].replace("a.cpp", "a.cpp b_config.cpp")
        changes = {
            "src/base/CMakeLists.txt": cmake,
            "src/base/b_config.cpp": 'Field{"b.pause_ms", "pause", &BConfig::pause, 1, 2};\n',
        }
        self.expect(changes, "src/base/b_config.cpp:1:", "nothing reads the setting pause")
        self.assertEqual(findings(changes | {"src/base/a.cpp": "int f(B& b) { return b.pause; }\n"}), [])

    def test_weaknesses(self):
        tests = {
            "tests/unit/a_test.cpp": '#include "base/a.h"\nTEST_CASE_FIXTURE(F,\n    "one: "\n    "two") {}\n',
            "tests/b.py": "class T:\n    def test_c(self):\n        pass\n",
            "docs/differences.md": "- That line.\n",
        }

        def rows(first, count=27):
            return {"docs/weaknesses.md": "\n".join(
                f"| {i} | a | b | {first if i == 1 else '`tests/b.py`: ' + chr(34) + 'test_c' + chr(34)} |"
                for i in range(1, count + 1)
            )}

        for good in ('`tests/unit/a_test.cpp`: "one: two"', '`docs/differences.md`: "That line"'):
            self.assertEqual(findings(tests | rows(good)), [], good)
        self.expect(tests | rows('`tests/unit/a_test.cpp`: "one"'), "weaknesses.md:1:", 'has no "one"')
        self.expect(tests | rows('`tests/b.py`: "test_d"'), "weaknesses.md:1:", 'has no "test_d"')
        self.expect(tests | rows('`tests/gone.py`: "x"'), "weaknesses.md:1:", "there is no tests/gone.py")
        self.expect(tests | rows("see elsewhere"), "weaknesses.md:1:", "no test shows it")
        self.expect(tests | rows('`tests/b.py`: "test_c"', 26), "weaknesses.md:1:", "not those from 1 to 27")

    @unittest.skipIf(shutil.which("clang-format-14") is None, "there is no clang-format-14")
    def test_format(self):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "src").mkdir()
            shutil.copy(ROOT / ".clang-format", root)
            (root / "src/good.cpp").write_text("int f() { return 1; }\n")
            self.assertEqual(tidy.check_format(tidy.Tree(root)), [])
            (root / "src/bad.cpp").write_text("int g();\nint f(){return 1;}\n")
            found = tidy.check_format(tidy.Tree(root))
            self.assertEqual([(f.path, f.line) for f in found], [("src/bad.cpp", 2)])


if __name__ == "__main__":
    unittest.main()
