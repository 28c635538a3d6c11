"""The code blocks of the pages, and running them as they stand.

    python -m tests.document_blocks [PAGE ...]

runs those of some pages, or of all, each page in a process and a temporary
folder of its own with what pages take for granted in it (`document_world.py`).
It prints how many blocks ran. A comment above a block says what is not done
with it, and why:

    <!-- not run: needs a GPU -->
    <!-- not run, lines with "serve": waits for clients -->
    <!-- shortened: --epochs 1 -->
    <!-- shortened: "epochs=90" as "epochs=1" -->

The first is for the whole block, the second for its lines with these words,
the third gives the lines with `keras-csg train` options that make them quick,
and the last has Python run with other words.
"""

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "PACKAGE.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(
        page
        for page in (ROOT / "docs").rglob("*.md")
        if "site" not in page.relative_to(ROOT / "docs").parts[:-1]
    ),
]
BLOCK = re.compile(
    r"((?:^<!-- .+? -->\n+)*)^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)
NOT_RUN = re.compile(
    r"<!-- not run(?:, lines with \"(.+?)\")?: (.+?) -->", re.DOTALL
)
OTHER_WORDS = re.compile(r'<!-- shortened: "(.+?)" as "(.+?)" -->')
SHORTENED = re.compile(r"<!-- shortened: (--.+?) -->")
SHELLS = ("sh", "bash")


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code and what the comments above it say.

    Attributes:
        language: str.
        code: str.
        reason: str or `None`. Why none of it is run.
        left_out: pairs of a word and the reason why lines with it are not run.
        options: words that lines with `keras-csg train` are given as well.
        other_words: pairs of words of the code and what is run instead.
    """

    language: str
    code: str
    reason: str | None = None
    left_out: tuple = ()
    options: tuple = ()
    other_words: tuple = ()

    def lines(self):
        """Returns the shell's lines, continued ones as one."""
        code = self.code.replace("\\\n", " ")
        return [line for line in code.splitlines() if words_of(line)]

    def python(self):
        """Returns the code as it is run."""
        code = self.code
        for word, instead in self.other_words:
            code = code.replace(word, instead)
        return code

    def is_left_out(self, line):
        """Says whether a comment leaves the line out."""
        return any(word in line for word, _ in self.left_out)


def words_of(line):
    """Returns the words of a line, without its comment."""
    return shlex.split(line, comments=True)


def blocks_of(page, *languages):
    """Returns the blocks of a page, of some languages or all."""
    found = []
    for comments, language, code in BLOCK.findall(page.read_text("utf-8")):
        marks = NOT_RUN.findall(comments)
        whole = [reason for word, reason in marks if not word]
        options = SHORTENED.findall(comments)
        found.append(
            Block(
                language,
                code,
                " ".join(whole[0].split()) if whole else None,
                tuple((word, reason) for word, reason in marks if word),
                tuple(shlex.split(" ".join(options))),
                tuple(OTHER_WORDS.findall(comments)),
            )
        )
    return [b for b in found if not languages or b.language in languages]


def is_run(block):
    if block.reason is not None:
        return False
    if block.language in SHELLS:
        return not all(block.is_left_out(line) for line in block.lines())
    return block.language == "python"


def run(page):
    """Runs the blocks of a page here; returns how many of them ran."""
    # As in a shell: what ran for a block is there for those after it.
    namespace = {"__name__": "__main__"}
    done = [block for block in blocks_of(page) if is_run(block)]
    for block in done:
        if block.language == "python":
            exec(compile(block.python(), page.name, "exec"), namespace)
        else:
            for line in block.lines():
                if not block.is_left_out(line):
                    run_line(line, block.options)
    return len(done)


def run_line(line, options=()):
    """Runs a line: a command of ours here, another by a shell."""
    from keras_csg_cli.main import cli

    say(f"$ {line}")
    name, *words = words_of(line)
    if name != "keras-csg":
        subprocess.run(["bash", "-ec", line], check=True)
        return
    if words[0] == "train":
        words += options
    cli.main(words, prog_name="keras-csg", standalone_mode=False)


def run_apart(page, world, folder):
    """Runs a page in a process of its own, in a copy of `world`.

    Args:
        page: path of the page.
        world: folder that `make_world` wrote.
        folder: where the copy is to be.

    Returns:
        The finished process.
    """
    shutil.copytree(world, folder)
    code = (
        "import sys, pathlib; from tests import document_blocks as blocks; "
        "blocks.run(pathlib.Path(sys.argv[1]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(page)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(pages):
    """Runs pages; returns 1 if a block of one failed."""
    from tests.document_world import make_world

    blocks = lines = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "world")
        for number, page in enumerate(pages):
            runs = [block for block in blocks_of(page) if is_run(block)]
            if not runs:
                continue
            start = time.monotonic()
            done = run_apart(page, world, Path(folder) / str(number))
            took = time.monotonic() - start
            failed += done.returncode != 0
            lines += done.stdout.count("\n$ ") + done.stdout.startswith("$ ")
            blocks += len(runs) if done.returncode == 0 else 0
            name = page.relative_to(ROOT)
            say(f"{name}: {len(runs)} blocks, {took:.0f} s")
            if done.returncode:
                say(done.stdout[-2000:] + done.stderr[-3000:])
            shutil.rmtree(Path(folder) / str(number))
    say(f"{blocks} blocks ran, {lines} lines of a shell; {failed} pages failed")
    return int(failed > 0)


if __name__ == "__main__":
    asked = [Path(name).resolve() for name in sys.argv[1:]]
    sys.exit(main(asked or PAGES))
