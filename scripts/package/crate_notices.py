#!/usr/bin/env python3
"""Licences of the crates that a program contains, as one text.

usage: cargo metadata --format-version 1 --locked --filter-platform TARGET ... | crate_notices.py >crates.txt

Lists every crate that is linked into the root package: normal dependencies, without build scripts and procedural macros. Each text
is printed once, under the names of all crates that have it. A C library inside a crate counts as part of the crate.
"""
import json
import sys
from collections import defaultdict
from pathlib import Path

NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT")


def linked_crates(metadata):
    packages = {package["id"]: package for package in metadata["packages"]}
    dependencies = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    linked, waiting = {}, [root]
    while waiting:
        name = waiting.pop()
        package = packages[name]
        if name in linked or any("proc-macro" in target["kind"] for target in package["targets"]):
            continue
        linked[name] = package
        waiting += [d["pkg"] for d in dependencies[name] if any(kind["kind"] is None for kind in d["dep_kinds"])]
    # What the project itself consists of has its licence files beside this text.
    crates = [package for package in linked.values() if package["source"] is not None]
    return sorted(crates, key=lambda package: (package["name"], package["version"]))


def licence_texts(package):
    folder = Path(package["manifest_path"]).parent
    files = [path for pattern in ("*", "*/*") for path in sorted(folder.glob(pattern))]
    for path in files:
        if path.is_file() and path.name.upper().startswith(NAMES):
            text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip()
            if text:
                yield text


def main():
    crates = linked_crates(json.load(sys.stdin))
    owners = defaultdict(list)
    print("vidpairs contains Rust's standard library (MIT OR Apache-2.0) and these crates. After the list come the")
    print("licence files that the crates ship; where a crate ships none, its licence is the one named in the list.\n")
    for package in crates:
        print(f"{package['name']} {package['version']}: {package['license']}")
        for text in licence_texts(package):
            owner = f"{package['name']} {package['version']}"
            if owner not in owners[text]:
                owners[text].append(owner)
    for text, names in owners.items():
        print(f"\n{'=' * 100}\n{', '.join(names)}\n{'=' * 100}\n\n{text}")


if __name__ == "__main__":
    main()
