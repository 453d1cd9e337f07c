#!/usr/bin/env python3
"""Walks the examples of HACKING.md: puts each into a copy of the tree and compiles what it touches.

A block that opens with ```c PATH is a new file; with ```c PATH + its lines are added at the end of
PATH. Each new file is compiled, and each file of its folder that includes a list.h it added to.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SRC = os.environ.get("srcdir", os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
BUILD = os.environ.get("builddir", os.path.join(SRC, "build"))
BLOCK = re.compile(r"^```c (\S+)( \+)?\n(.*?)^```$", re.S | re.M)


def make_variable(name):
    with open(os.path.join(BUILD, "Makefile")) as f:
        m = re.search(rf"^{name} = (.*)$", f.read(), re.M)
    return shlex.split(m.group(1)) if m else []


def place(tree, path, added, text):
    """Puts a block into the copy. Returns what is wrong with it, or None."""
    there = os.path.join(tree, path)
    if bool(added) != os.path.exists(there):
        return f"{path} {'is not there' if added else 'is there already'}"
    if not os.path.isdir(os.path.dirname(there)):
        return f"{os.path.dirname(path)}/ is not there"
    with open(there, "a") as f:
        f.write(text)
    return None


def compile_one(tree, path):
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", '-DLOCALEDIR=""',
             '-DPKGLIBEXECDIR=""', "-fsyntax-only", f"-I{BUILD}", f"-I{tree}/src"]
    for library in ("CURL", "SSL", "CARES", "NCURSES", "UV", "JANSSON"):
        flags += make_variable(library + "_CFLAGS")
    p = subprocess.run([os.environ.get("CC", "cc"), *flags, os.path.join(tree, path)],
                       capture_output=True, text=True)
    return p.stderr if p.returncode else None


def readers(tree, path):
    """The sources of its folder that include a list."""
    folder = os.path.dirname(path)
    inside = os.path.join(tree, folder)
    line = f'#include "{path[len("src/"):]}"'
    headers = [n for n in os.listdir(inside) if n.endswith(".h")
               and line in open(os.path.join(inside, n)).read()]
    lines = [line] + [f'#include "{folder[len("src/"):]}/{h}"' for h in headers]
    return [f"{folder}/{n}" for n in sorted(os.listdir(inside)) if n.endswith(".c")
            and any(one in open(os.path.join(inside, n)).read() for one in lines)]


def main():
    with open(os.path.join(SRC, "HACKING.md"), encoding="utf-8") as f:
        blocks = BLOCK.findall(f.read())
    wrong = []
    with tempfile.TemporaryDirectory() as tree:
        shutil.copytree(os.path.join(SRC, "src"), os.path.join(tree, "src"),
                        ignore=lambda _, names: [n for n in names
                                                 if not re.search(r"\.[ch]$|^[a-z]+$", n)])
        touched = []
        for path, added, text in blocks:
            said = place(tree, path, added, text)
            if said:
                wrong.append(said)
                continue
            found = readers(tree, path) if path.endswith("list.h") else [path]
            if not found:
                wrong.append(f"{path}: nobody includes it")
            touched += found
        for path in dict.fromkeys(touched):
            said = compile_one(tree, path)
            if said:
                wrong.append(f"{path}:\n{said}")
    for w in wrong:
        print("not ok:", w)
    print(f"{len(blocks)} examples, {len(set(touched))} files compiled, {len(wrong)} wrong")
    return 1 if wrong or len(blocks) < 1 else 0


if __name__ == "__main__":
    sys.exit(main())
