#!/usr/bin/env python3
"""Checks on the code itself, as a test: `scripts/tidy.py`, or `make tidy`. Prints file:line: what, and fails if anything.

What is checked, and why, is in docs/architecture.md (modules and arrows) and CONTRIBUTING.md (the rest). The checks read
text, not a syntax tree: they know this code's style, not all of C++. tests/tidy/tidy_test.py plants a violation of each.
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

# Who may include whom. docs/architecture.md draws it; each module's USES is a part of it.
ARROWS = {
    "base": [],
    "config": ["base"],
    "protocol": ["base"],
    "storage": ["base", "config", "protocol"],
    "replication": ["base"],
    "net": ["base", "config", "protocol"],
    "etcd": ["base", "net"],
    "roles": ["base", "config", "protocol", "storage", "replication", "net", "etcd"],
    "client": ["base", "protocol", "net"],
    "load": ["base", "protocol", "net", "client"],
    "cli": ["base", "config", "protocol", "storage", "net", "etcd", "roles", "client", "load"],
}
FILE_LINES_MAX = 400
TEST_LINES_MAX = 500  # the cases of one subject stay together
FUNCTION_LINES_MAX = 70
CPP_FOLDERS = ["src", "cli", "tests", "bench"]
TEXT_SUFFIXES = {".h", ".cpp", ".def", ".py", ".sh", ".cmake", ".txt", ".md", ".toml", ".java", ".json"}
SKIPPED_FOLDERS = {"build", ".git", "target", "rmq-data", "__pycache__", "node_modules", ".venv"}
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclasses.dataclass
class Module:
    name: str
    sources: list[str]
    public_headers: list[str]
    uses: list[str]


class Tree:
    """The files of the project, read once."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.texts: dict[str, str] = {}
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if not SKIPPED_FOLDERS.isdisjoint(relative.parts) or not path.is_file():
                continue
            if path.suffix in TEXT_SUFFIXES or path.name in ("Makefile", "run"):
                try:
                    self.texts[relative.as_posix()] = path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue  # golden bytes
        self.modules = self._read_modules()

    def cpp(self, *folders: str) -> dict[str, str]:
        return {
            path: text
            for path, text in self.texts.items()
            if path.split("/")[0] in (folders or CPP_FOLDERS) and path.endswith((".h", ".cpp"))
        }

    def _read_modules(self) -> dict[str, Module]:
        modules = {}
        for path, text in self.texts.items():
            if not re.fullmatch(r"src/\w+/CMakeLists\.txt", path):
                continue
            call = re.search(r"rmq_module\(\s*(\w+)([^)]*)\)", re.sub(r"#.*", "", text))
            if call is None:
                continue
            lists: dict[str, list[str]] = {"SOURCES": [], "PUBLIC_HEADERS": [], "USES": [], "LIBRARIES": []}
            current = None
            for word in call.group(2).split():
                if word in lists:
                    current = word
                elif current:
                    lists[current].append(word)
            modules[call.group(1)] = Module(
                call.group(1), lists["SOURCES"], lists["PUBLIC_HEADERS"], lists["USES"]
            )
        return modules


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def without_comments_and_strings(text: str) -> str:
    """The code with comments and literals blanked out; every other character stays where it is."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'',
        re.DOTALL,
    )
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


# --- modules -------------------------------------------------------------------------------------------------------


def check_modules(tree: Tree) -> list[Finding]:
    """USES keeps to the arrows, public headers exist, every source is compiled."""
    findings = []
    for name, module in tree.modules.items():
        where = f"src/{name}/CMakeLists.txt"
        for used in module.uses:
            if used not in ARROWS.get(name, []):
                findings.append(Finding(where, 1, f"{name} must not use {used}: against the arrows"))
        for header in module.public_headers:
            if f"src/{name}/{header}" not in tree.texts:
                findings.append(Finding(where, 1, f"public header {header} does not exist"))
        for path in tree.cpp("src"):
            local = path.removeprefix(f"src/{name}/")
            if local != path and local.endswith(".cpp") and local not in module.sources:
                findings.append(Finding(path, 1, "not in the SOURCES of its module: not compiled"))
    return findings


def may_include(tree: Tree, path: str, target: str) -> str | None:
    """Why the file `path` may not include "target", or None. `target` starts at src/, or at the root for cli and tests."""
    folder = target.split("/")[0]
    if f"src/{target}" not in tree.texts and target not in tree.texts:
        folder = "tests"
    parts = path.split("/")
    if parts[0] == "src":
        name, allowed = parts[1], tree.modules[parts[1]].uses if parts[1] in tree.modules else ARROWS[parts[1]]
    elif parts[0] == "cli":
        name, allowed = "cli", ARROWS["cli"]
    elif parts[:2] == ["tests", "unit"] and parts[2] in ARROWS:
        name, allowed = parts[2], ARROWS[parts[2]]
    else:
        return None  # tests of the whole may look everywhere
    if folder == name:
        return None
    if folder in ("tests", "cli"):
        return None if parts[0] == "tests" and folder == "tests" else f"nothing may include {folder}"
    if folder not in ARROWS:
        return f"there is no module {folder}"
    if folder not in allowed:
        return f"{name} must not include {folder}: against the arrows, or missing in USES"
    module = tree.modules.get(folder)
    if module and target.removeprefix(folder + "/") not in module.public_headers:
        return f"{target} is not a public header of {folder}"
    return None


CLI11_FILES = ("cli/options.cpp", "cli/command_line.cpp")


def check_includes(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.cpp().items():
        for match in re.finditer(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.MULTILINE):
            line = line_of(text, match.start(2))
            quote, target = match.groups()
            if quote == "<":
                inside_net = path.startswith(("src/net/", "tests/unit/net/"))
                if re.match(r"asio(/|\.hpp)", target) and not inside_net:
                    findings.append(Finding(path, line, "Asio is for src/net only"))
                if target.startswith("CLI/") and path not in CLI11_FILES and not path.startswith("tests/"):
                    findings.append(Finding(path, line, "CLI11 costs seconds a file: cli/options.h instead"))
                continue
            if not any(start + target in tree.texts for start in ("src/", "", "tests/")):
                findings.append(Finding(path, line, f'"{target}" is not found from src/ or the root'))
                continue
            reason = may_include(tree, path, target)
            if reason:
                findings.append(Finding(path, line, reason))
    return findings


# --- files ---------------------------------------------------------------------------------------------------------


def check_files(tree: Tree) -> list[Finding]:
    """Length, the opening of a header, and nothing unfinished."""
    findings = []
    for path, text in tree.cpp().items():
        lines = text.count("\n")
        allowed = TEST_LINES_MAX if path.startswith("tests/") else FILE_LINES_MAX
        if lines > allowed:
            findings.append(Finding(path, allowed, f"{lines} lines; split it ({allowed} are allowed)"))
        if path.endswith(".h"):
            if not text.startswith("//"):
                findings.append(Finding(path, 1, "a header opens with a comment: what it is, threads, crash"))
            if text.count("#pragma once") != 1:
                findings.append(Finding(path, 1, "a header has #pragma once"))
    for path, text in tree.texts.items():
        for match in UNFINISHED.finditer(text):
            findings.append(Finding(path, line_of(text, match.start()), f"{match.group()}: finish it, or file it"))
    return findings


# --- functions -----------------------------------------------------------------------------------------------------


def functions(code: str):
    """Yields (position of the head, position of the closing brace) of function bodies outside functions."""
    depth_of_function = None
    head_start = 0
    function_head = 0
    depth = 0
    for match in re.finditer(r"[{};]", code):
        position = match.start()
        if match.group() == "{":
            head = code[head_start:position]
            if depth_of_function is None and is_function_head(head):
                depth_of_function = depth
                function_head = head_start + len(head) - len(head.lstrip())
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == depth_of_function:
                yield function_head, position
                depth_of_function = None
        head_start = position + 1


def is_function_head(head: str) -> bool:
    # Conditions of the preprocessor are no part of it.
    head = re.sub(r"^\s*#.*(?:\\\n.*)*$", "", head, flags=re.MULTILINE).strip()
    if "(" not in head or re.search(r"=\s*$|=\s*\w[\w:<>, ]*$", head):
        return False
    return not re.search(r"^\s*(inline\s+)?(namespace|class|struct|enum|union|extern)\b", head, re.MULTILINE)


def check_functions(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.cpp().items():
        code = without_comments_and_strings(text)
        for start, end in functions(code):
            lines = code.count("\n", start, end) + 1
            if lines > FUNCTION_LINES_MAX:
                line = line_of(code, start)
                findings.append(Finding(path, line, f"a function of {lines} lines; {FUNCTION_LINES_MAX} are allowed"))
    return findings


# --- coroutines ----------------------------------------------------------------------------------------------------

OPENING, CLOSING = "([{", ")]}"
CAPTURING_LAMBDA = re.compile(r"(?<![\w\])])\[\s*[^\]\[\s][^\]]*\]\s*(\(|\{|mutable)")
BRACED_VALUE = re.compile(r"[(,]\s*(?:[\w:]+(?:<[^;{}]*>)?)?\s*\{|\breturn\s*\{")
ASSIGNED = re.compile(r"^\s*[\w.:*\[\]]+(?:->[\w.\[\]]+)*\s*=\s*$")
NOT_A_CALL = re.compile(r"\b(?:if|while|switch|RMQ_CO_\w+)\s*$|(?:^|[^\w\s>])\s*$")
LAMBDA_COROUTINE = re.compile(r"(?<![\w\])])\[[^\]]*\]\s*\([^)]*\)\s*(?:mutable\s*)?->\s*[\w:]*Task<[^{;]*\{")


def end_of_statement(code: str, position: int) -> int:
    """Where the statement or the parenthesis around `position` ends."""
    depth = 0
    for i in range(position, len(code)):
        if code[i] in OPENING:
            depth += 1
        elif code[i] in CLOSING:
            depth -= 1
            if depth < 0:
                return i
        elif code[i] == ";" and depth == 0:
            return i
    return len(code)


def after_block(code: str, position: int) -> int:
    """One past the brace that closes the block `position` is in."""
    depth = 1
    for match in re.compile(r"[{}]").finditer(code, position):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.end()
    return len(code)


def start_of_statement(code: str, position: int) -> int:
    return max(code.rfind(mark, 0, position) for mark in ";{}") + 1


def call_around(code: str, start: int, position: int) -> bool:
    """Whether `position` is among the arguments of a call in the statement that begins at `start`."""
    depth = 0
    for i in range(position - 1, start - 1, -1):
        if code[i] in CLOSING:
            depth += 1
        elif code[i] in OPENING:
            if depth == 0:
                return code[i] == "(" and not NOT_A_CALL.search(code[start:i])
            depth -= 1
    return False


def check_coroutines(tree: Tree) -> list[Finding]:
    """The traps of GCC 12: what a statement with co_await makes in place is copied bit by bit."""
    findings = []
    for path, text in tree.cpp().items():
        code = without_comments_and_strings(text)
        for match in re.finditer(r"\basio::detached\b", code):
            findings.append(
                Finding(path, line_of(code, match.start()), "asio::detached drops exceptions: use spawn()")
            )
        for match in re.finditer(r"\bco_await\b", code):
            statement = code[start_of_statement(code, match.start()) : end_of_statement(code, match.end())]
            line = line_of(code, match.start())
            if CAPTURING_LAMBDA.search(statement):
                findings.append(Finding(path, line, "a capturing lambda made in a co_await statement: name it first"))
            elif BRACED_VALUE.search(statement):
                findings.append(Finding(path, line, "a braced value made in a co_await statement: name it first"))
            elif ASSIGNED.match(code[start_of_statement(code, match.start()) : match.start()]):
                findings.append(Finding(path, line, "the result of co_await is assigned: give it a name of its own"))
            elif call_around(code, start_of_statement(code, match.start()), match.start()):
                findings.append(Finding(path, line, "the result of co_await is an argument: name it first"))
        for match in LAMBDA_COROUTINE.finditer(code):
            if re.match(r"\s*\(", code[after_block(code, match.end()) :]):
                findings.append(
                    Finding(path, line_of(code, match.start()), "a lambda coroutine called on the spot dangles")
                )
    return findings


# --- settings ------------------------------------------------------------------------------------------------------


def check_settings(tree: Tree) -> list[Finding]:
    """A setting that is documented has an effect: somebody reads the member behind the row."""
    findings = []
    code = {
        path: without_comments_and_strings(text)
        for path, text in tree.cpp("src", "cli").items()
        if not re.search(r"_config\.(h|cpp)$", path)
    }
    for path, text in tree.cpp("src").items():
        if not path.endswith("_config.cpp"):
            continue
        for match in re.finditer(r"&\w+Config::(\w+)", text):
            if not any(re.search(rf"\b{match.group(1)}\b", other) for other in code.values()):
                line = line_of(text, match.start())
                findings.append(Finding(path, line, f"nothing reads the setting {match.group(1)}"))
    return findings


# --- weaknesses ----------------------------------------------------------------------------------------------------

WEAKNESSES, WEAKNESSES_COUNT = "docs/weaknesses.md", 27
CPP_CASE = re.compile(r'TEST_CASE(?:_FIXTURE)?\(\s*(?:\w+,\s*)?((?:"(?:\\.|[^"\\\n])*"\s*)+)\)')


def names_of_cases(path: str, text: str) -> set[str]:
    if path.endswith(".py"):
        return set(re.findall(r"^\s*def (\w+)\(", text, re.MULTILINE))
    return {"".join(re.findall(r'"((?:\\.|[^"\\])*)"', found)) for found in CPP_CASE.findall(text)}


def check_weaknesses(tree: Tree) -> list[Finding]:
    """Each weakness of RocketMQ names a test that exists, or a line of a document."""
    if WEAKNESSES not in tree.texts:
        return []
    findings = []
    numbers = []
    for line, row in enumerate(tree.texts[WEAKNESSES].splitlines(), 1):
        number = re.match(r"\| (\d+) \|", row)
        if number is None:
            continue
        numbers.append(int(number.group(1)))
        shown = re.findall(r'`([\w./]+)`: "([^"]+)"', row)
        if not shown:
            findings.append(Finding(WEAKNESSES, line, "no test shows it"))
        for path, name in shown:
            text = tree.texts.get(path)
            if text is None:
                findings.append(Finding(WEAKNESSES, line, f"there is no {path}"))
            elif name not in (text if path.startswith("docs/") else names_of_cases(path, text)):
                findings.append(Finding(WEAKNESSES, line, f'{path} has no "{name}"'))
    # Those of replication are there as far as there is replication.
    if numbers[:WEAKNESSES_COUNT] != list(range(1, WEAKNESSES_COUNT + 1)) or numbers != sorted(set(numbers)):
        findings.append(Finding(WEAKNESSES, 1, f"the rows are not those from 1 to {WEAKNESSES_COUNT}, and later ones in order"))
    return findings


# --- format --------------------------------------------------------------------------------------------------------


def check_format(tree: Tree) -> list[Finding]:
    formatter = shutil.which("clang-format-14")
    files = list(tree.cpp())
    if formatter is None or not files:
        return []
    run = subprocess.run(
        [formatter, "--dry-run", "-Werror", "-ferror-limit=1", *files], cwd=tree.root, text=True, capture_output=True
    )
    found = re.findall(r"^(?:\./)?([^:\n]+):(\d+):\d+: error: code should be clang-formatted", run.stderr, re.MULTILINE)
    if run.returncode and not found:
        return [Finding(".clang-format", 1, run.stderr.strip()[:500])]
    return [Finding(path, int(line), "not formatted: make format") for path, line in dict(found).items()]


CHECKS = [
    check_modules,
    check_includes,
    check_files,
    check_functions,
    check_coroutines,
    check_settings,
    check_weaknesses,
    check_format,
]


def all_findings(root: pathlib.Path) -> list[Finding]:
    tree = Tree(root)
    return [finding for check in CHECKS for finding in check(tree)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    findings = all_findings(parser.parse_args().root)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
