"""Reads Rust sources for ci/layers and ci/tidy: what is code, what is production, where a function begins and ends."""

import pathlib
import re

_TOKEN = re.compile(
    r"""//[^\n]*                               # line comment
      | /\*                                    # block comment, may nest
      | \bb?c?r(?P<hashes>\#*)"                # raw string
      | \bb?c?"(?:\\.|[^"\\])*"|"(?:\\.|[^"\\])*"
      | '(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'  # character, not a lifetime
    """,
    re.VERBOSE | re.DOTALL,
)


def blank(text):
    """The text with comments and the insides of strings turned into spaces; lines and columns stay."""
    out, at = [], 0
    while found := _TOKEN.search(text, at):
        end = found.end()
        if found.group().startswith("/*"):
            end = _block_comment_end(text, found.start())
        elif found.group("hashes") is not None:
            closing = '"' + found.group("hashes")
            end = text.find(closing, end) + len(closing)
        out += [text[at : found.start()], re.sub(r"[^\n]", " ", text[found.start() : end])]
        at = end
    return "".join(out + [text[at:]])


def _block_comment_end(text, start):
    depth, at = 0, start
    while at < len(text):
        if text.startswith("/*", at):
            depth, at = depth + 1, at + 2
        elif text.startswith("*/", at):
            depth, at = depth - 1, at + 2
            if depth == 0:
                return at
        else:
            at += 1
    return at


def closing_brace(code, opening):
    """Where the brace that opens at `opening` closes, in blanked code."""
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code) - 1


def production(code):
    """Blanked code without the items under #[cfg(test)]; their lines become empty."""
    at = 0
    while (start := code.find("#[cfg(test)]", at)) >= 0:
        end = start + len("#[cfg(test)]")
        stop = re.compile(r"[;{]").search(code, end)
        end = stop.end() if stop and stop.group() == ";" else closing_brace(code, stop.start()) + 1 if stop else len(code)
        code = code[:start] + re.sub(r"[^\n]", " ", code[start:end]) + code[end:]
        at = end
    return code


def functions(code):
    """(name, first line, number of lines that hold code) of each function with a body, in blanked code."""
    for found in re.finditer(r"\bfn\s+(\w+)", code):
        body = _body(code, found.end())
        if body is None:
            continue
        lines = code[found.start() : closing_brace(code, body) + 1].split("\n")
        yield found.group(1), code.count("\n", 0, found.start()) + 1, sum(1 for line in lines if line.strip())


def _body(code, at):
    """The brace that opens a function's body; None for a declaration. Parentheses and brackets are skipped."""
    depth = 0
    while at < len(code):
        letter = code[at]
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        if depth == 0 and letter in "{;":
            return at if letter == "{" else None
        at += 1
    return None


def is_test_file(path):
    """Whether a path (relative, pathlib) holds tests alone."""
    return "tests" in path.parts or path.name == "tests.rs"


def sources(root):
    """Every Rust file of the workspace's crates, relative to `root`, in order."""
    root = pathlib.Path(root)
    found = (path.relative_to(root) for crate in crates(root) for path in (root / crate).rglob("*.rs"))
    return sorted(path for path in found if "target" not in path.parts)


def crates(root):
    """The folders of the workspace's members, as the root Cargo.toml lists them."""
    text = (pathlib.Path(root) / "Cargo.toml").read_text()
    members = re.search(r"^members\s*=\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]+)"', members.group(1)) if members else []


def manifest(path):
    """The names in each section of a Cargo.toml: {"dependencies": {"serde", ..}, ..}. Enough TOML for our own manifests."""
    sections, current = {}, None
    for line in pathlib.Path(path).read_text().splitlines():
        if header := re.match(r"\[+([^\]]+)\]+", line):
            current = header.group(1).strip()
            if in_header := re.fullmatch(r"((?:dev-|build-)?dependencies)\.([\w-]+)", current):
                sections.setdefault(in_header.group(1), set()).add(in_header.group(2))
        elif name := re.match(r'"?([\w-]+)"?[\w.-]*\s*=', line):
            sections.setdefault(current, set()).add(name.group(1))
    return sections


def lock_edges(path):
    """Which package needs which, by name, from a Cargo.lock."""
    edges = {}
    for package in pathlib.Path(path).read_text().split("[[package]]")[1:]:
        name = re.search(r'^name = "([^"]+)"', package, re.MULTILINE).group(1)
        needs = re.search(r"^dependencies = \[(.*?)\]", package, re.MULTILINE | re.DOTALL)
        edges.setdefault(name, set()).update(re.findall(r'"([\w-]+)', needs.group(1)) if needs else [])
    return edges
