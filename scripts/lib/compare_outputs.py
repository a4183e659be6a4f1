#!/usr/bin/env python3
"""Compares the files that two builds of vidpairs wrote for the same input.

usage: compare_outputs.py [--left-out FILE] NAME OLD NEW PATH...

OLD and NEW are folders, PATH a file or a folder below both. Prints one line: `same: NAME (...)`, or
`DIFFERENT: NAME: FILE, the first difference`, and exits with 1 if anything differs. Files are compared byte by byte
first. Where the bytes differ, files of a known format are compared again without the values that depend on the clock
or on the build; REASONS lists these. --left-out appends each value that differed and was left out to FILE, a line
each. Needs nothing but Python 3.9.
"""
import argparse
import csv
import io
import json
import re
import struct
import sys
from pathlib import Path

TIME = "wall time"
SPEED = "computed from wall times"
BUILD = "names the build itself"
# Keys of JSON, columns of CSV and tags of TensorBoard that are left out, and why.
REASONS = {
    "seconds": TIME,
    "start_ms": TIME,
    "median_ms": TIME,
    "p95_ms": TIME,
    "updates_per_second": SPEED,
    "images_per_second": SPEED,
    "waiting": SPEED,
    "program_version": BUILD,
    "program_xxh3": "fingerprint of the program's file: " + BUILD,
}
WALL_TIMES = ("wall times of events", TIME)
SECOND_IN_NAME = ("the second in the name of an event file", TIME)
UPDATE_TIMES = ("the values of *_time.txt, their number aside", TIME)
VERSION_IN_TEXT = ("the version number after `vidpairs` in texts and pages", BUILD)

# Which method of Comparison compares files of which name; the first that matches.
FORMATS = {
    r"events\.out\.tfevents\..*": "events",
    r".*\.json": "json_texts",
    r".*\.jsonl": "json_lines",
    r".*\.csv": "tables",
    r".*\.safetensors": "tensors",
    r".*_time\.txt": "update_times",
    r".*\.(txt|err|html|svg)": "texts",
}
VERSION = re.compile(r"vidpairs \d+\.\d+\.\d+\S*?(?=[\s<,;)]|$)")
# How struct calls the numbers of safetensors; others are compared as bytes.
NUMBERS = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h", "I8": "b", "U8": "B"}
WALL_TIME_FIELD, SUMMARY_FIELD, VALUE_FIELD = 1, 5, 1
TAG_FIELD, SIMPLE_VALUE_FIELD = 1, 2


class Comparison:
    """First difference of two files, and the values that differ and are left out."""

    def __init__(self):
        self.left_out = {}

    def leave_out(self, what, why):
        self.left_out[what] = why

    def files(self, old, new):
        """Words for the first difference of two files, or None."""
        old_bytes, new_bytes = old.read_bytes(), new.read_bytes()
        if old_bytes == new_bytes:
            return None
        for pattern, compare in FORMATS.items():
            if not re.fullmatch(pattern, old.name):
                continue
            of_file = Comparison()
            try:
                difference = getattr(of_file, compare)(old_bytes, new_bytes)
            except (ValueError, KeyError, IndexError, struct.error) as err:
                return f"{bytes_differ(old_bytes, new_bytes)} (not readable as its format: {err})"
            self.left_out.update(of_file.left_out)
            if difference or of_file.left_out:
                return difference
            break
        return bytes_differ(old_bytes, new_bytes)

    def values(self, old, new, where=""):
        """Compares two values as the JSON parser gives them; the order of keys counts."""
        if isinstance(old, dict) and isinstance(new, dict):
            for key in {**old, **new}:
                if key not in old or key not in new:
                    return f"{where}.{key}: only in {'OLD' if key in old else 'NEW'}"
                if key in REASONS:
                    if old[key] != new[key]:
                        self.leave_out(key, REASONS[key])
                    continue
                difference = self.values(old[key], new[key], f"{where}.{key}")
                if difference:
                    return difference
            return None if list(old) == list(new) else f"{where}: other order of keys"
        if isinstance(old, list) and isinstance(new, list):
            for place, (one, other) in enumerate(zip(old, new)):
                difference = self.values(one, other, f"{where}[{place}]")
                if difference:
                    return difference
            return None if len(old) == len(new) else f"{where}: {len(old)} values in OLD, {len(new)} in NEW"
        is_same = type(old) is type(new) and old == new
        return None if is_same else f"{where or 'value'}: {shortened(old)} in OLD, {shortened(new)} in NEW"

    def json_texts(self, old, new, where=""):
        # Numbers are taken as they are written: 1 and 1.0 are two texts.
        parsed = [json.loads(text, parse_float=Number, parse_int=Number) for text in (old, new)]
        return self.values(*parsed, where)

    def json_lines(self, old, new):
        old_lines, new_lines = old.splitlines(), new.splitlines()
        for place, (one, other) in enumerate(zip(old_lines, new_lines), 1):
            difference = self.json_texts(one, other, f"line {place}")
            if difference:
                return difference
        return counts_differ("lines", old_lines, new_lines)

    def tables(self, old, new):
        old_rows, new_rows = ([*csv.reader(io.StringIO(table.decode()))] for table in (old, new))
        if old_rows[:1] != new_rows[:1]:
            return f"other columns: {old_rows[:1]} in OLD, {new_rows[:1]} in NEW"
        columns = old_rows[0]
        for place, (old_row, new_row) in enumerate(zip(old_rows, new_rows), 1):
            if len(old_row) != len(new_row):
                return f"line {place}: {len(old_row)} columns in OLD, {len(new_row)} in NEW"
            difference = self.values(dict(zip(columns, old_row)), dict(zip(columns, new_row)), f"line {place}")
            if difference:
                return difference
        return counts_differ("lines", old_rows, new_rows)

    def tensors(self, old, new):
        (old_header, old_values), (new_header, new_values) = parts_of(old), parts_of(new)
        difference = self.values(old_header, new_header, "header")
        if difference:
            return difference
        for name, about in old_header.items():
            if name == "__metadata__":
                continue
            start, end = map(int, about["data_offsets"])
            one, other = old_values[start:end], new_values[start:end]
            if one != other:
                return f"tensor {name}: {first_number(about['dtype'], one, other)}"
        return None if old_values == new_values else "bytes outside the tensors"

    def update_times(self, old, new):
        self.leave_out(*UPDATE_TIMES)
        old_lines, new_lines = old.decode().split(), new.decode().split()
        for place, (one, other) in enumerate(zip(old_lines, new_lines), 1):
            if (one == "nan") != (other == "nan"):
                return f"line {place}: {one} in OLD, {other} in NEW"
        return counts_differ("lines", old_lines, new_lines)

    def texts(self, old, new):
        old_text, new_text = old.decode(), new.decode()
        if VERSION.findall(old_text) != VERSION.findall(new_text):
            self.leave_out(*VERSION_IN_TEXT)
        old_lines, new_lines = (VERSION.sub("vidpairs VERSION", text).splitlines() for text in (old_text, new_text))
        for place, (one, other) in enumerate(zip(old_lines, new_lines), 1):
            if one != other:
                column = first_place(one, other)
                near = slice(max(0, column - 20), column + 60)
                return f"line {place}, column {column + 1}: {one[near]!r} in OLD, {other[near]!r} in NEW"
        return counts_differ("lines", old_lines, new_lines)

    def events(self, old, new):
        self.leave_out(*WALL_TIMES)
        old_events, new_events = list(events_of(old)), list(events_of(new))
        for place, (one, other) in enumerate(zip(old_events, new_events)):
            (old_rest, old_scalars), (new_rest, new_scalars) = one, other
            if old_rest != new_rest:
                return f"event {place}: {old_rest} in OLD, {new_rest} in NEW"
            if [tag for tag, _ in old_scalars] != [tag for tag, _ in new_scalars]:
                return f"event {place}: other tags"
            for (tag, old_value), (_, new_value) in zip(old_scalars, new_scalars):
                if old_value == new_value:
                    continue
                key = tag.decode().rpartition("/")[2]
                if key not in REASONS:
                    return f"event {place}, {tag.decode()}: {old_value.hex()} in OLD, {new_value.hex()} in NEW"
                self.leave_out(key, REASONS[key])
        return counts_differ("events", old_events, new_events)


class Number(str):
    """A number of JSON as it is written, told from a text with the same letters."""


def shortened(value):
    text = value if isinstance(value, Number) else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def first_place(one, other):
    pairs = enumerate(zip(one, other))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def counts_differ(what, old, new):
    return None if len(old) == len(new) else f"{len(old)} {what} in OLD, {len(new)} in NEW"


def bytes_differ(old, new):
    place = first_place(old, new)
    lengths = f"{len(old)} bytes" if len(old) == len(new) else f"{len(old)} bytes in OLD, {len(new)} in NEW"
    return f"byte {place} of {lengths}"


def parts_of(file):
    """Header and values of a safetensors file."""
    (length,) = struct.unpack_from("<Q", file)
    return json.loads(file[8:8 + length]), file[8 + length:]


def first_number(dtype, old, new):
    letter = NUMBERS.get(dtype)
    if letter is None:
        return bytes_differ(old, new)
    old_numbers, new_numbers = ([number for number, in struct.iter_unpack("<" + letter, part)] for part in (old, new))
    raw = struct.calcsize(letter)
    places = [place for place in range(len(old_numbers)) if old[place * raw:][:raw] != new[place * raw:][:raw]]
    place = places[0]
    return (f"{len(places)} of {len(old_numbers)} numbers, first number {place}: "
            f"{old_numbers[place]!r} in OLD, {new_numbers[place]!r} in NEW")


def varint(message, place):
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place


def fields_of(message):
    """Number and value of each field of a protocol buffer."""
    place = 0
    while place < len(message):
        key, place = varint(message, place)
        wire_type = key & 7
        if wire_type == 0:
            value, place = varint(message, place)
        else:
            if wire_type == 2:
                length, place = varint(message, place)
            else:
                length = {1: 8, 5: 4}[wire_type]
            value, place = message[place:place + length], place + length
        yield key >> 3, value


def events_of(file):
    """The events of a file of TensorBoard: fields other than the wall time, and tag and bytes of each scalar."""
    place = 0
    while place < len(file):
        (length,) = struct.unpack_from("<Q", file, place)
        rest, scalars = [], []
        for number, value in fields_of(file[place + 12:place + 12 + length]):
            if number == SUMMARY_FIELD:
                for _, scalar in fields_of(value):
                    parts = dict(fields_of(scalar))
                    scalars.append((parts.get(TAG_FIELD, b""), parts[SIMPLE_VALUE_FIELD]))
            elif number != WALL_TIME_FIELD:
                rest.append((number, value))
        yield rest, scalars
        place += 12 + length + 4


def listed(root, path, comparison):
    """Files at or below `path`, by the name under which the other build has them too."""
    start = root / path
    found = {}
    for file in sorted(start.rglob("*")) if start.is_dir() else [start]:
        if file.is_file():
            name = str(file.relative_to(root))
            stable = re.sub(r"(events\.out\.tfevents\.)\d+", r"\1SECOND", name)
            if stable != name:
                comparison.leave_out(*SECOND_IN_NAME)
            while stable in found:
                stable += "'"
            found[stable] = file
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left-out", type=Path)
    parser.add_argument("name")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("paths", nargs="+", metavar="path")
    arguments = parser.parse_args()

    comparison = Comparison()
    differences, num_files, num_bytes = [], 0, 0
    for path in arguments.paths:
        old_files = listed(arguments.old, path, comparison)
        new_files = listed(arguments.new, path, comparison)
        if not {**old_files, **new_files}:
            differences.append(f"{path}, written by neither")
        for name in sorted({**old_files, **new_files}):
            if name not in old_files or name not in new_files:
                differences.append(f"{name}, only in {'OLD' if name in old_files else 'NEW'}")
                continue
            difference = comparison.files(old_files[name], new_files[name])
            num_files += 1
            num_bytes += old_files[name].stat().st_size
            if difference:
                differences.append(f"{name}, {difference}")

    without = "".join(f"; left out: {', '.join(sorted(comparison.left_out))}" if comparison.left_out else "")
    if differences:
        more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
        print(f"DIFFERENT: {arguments.name}: {differences[0]}{more}{without}")
    else:
        files = "1 file" if num_files == 1 else f"{num_files} files"
        print(f"same: {arguments.name} ({files}, {num_bytes:,} bytes{without})")
    if arguments.left_out:
        with arguments.left_out.open("a") as file:
            file.writelines(f"{what}: {why}\n" for what, why in comparison.left_out.items())
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
