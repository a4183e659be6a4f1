"""Reads dataset.json, and refuses one that is damaged or names files of other folders."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from .errors import DatasetError
from .files import open_regular

FORMAT_VERSION = 2
"""Newest `format_version` of dataset.json that is read."""

_EXPECTED = {int: "a whole number of at least 0", str: "a text", dict: "an object", list: "a list"}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Contents of dataset.json. Raises DatasetError unless the folder holds a finished data set that this reader knows."""
    path = folder / "dataset.json"
    try:
        with open_regular(path) as file:
            manifest: dict[str, Any] = json.load(file)
        # Format and version first: a newer format may differ in everything else.
        if (found := _field(manifest, "format", str)) != "vidpairs":
            raise DatasetError(f"{path} is not of vidpairs: its format is {found!r}")
        if (version := _field(manifest, "format_version", int)) > FORMAT_VERSION:
            raise DatasetError(f"{path} has format_version {version}; this reader knows up to {FORMAT_VERSION}: install a newer vidpairs")
        _check(manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise DatasetError(_why_no_manifest(folder)) from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is damaged: {error}") from error
    return manifest


def _why_no_manifest(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} is no folder"
    if (folder / "parts.json").exists():
        return f"{folder} holds parts that are not merged; run `vidpairs merge`"
    if (folder / ".journal").is_dir():
        return f"{folder} is unfinished; run the same `vidpairs extract` again to resume it"
    return f"{folder} is not a data set: it has no dataset.json"


def _check(manifest: dict[str, Any]) -> None:
    """Raises ValueError unless all files lie in the folder or in that of their part, and the numbers agree."""
    shards = _field(manifest, "shards", list)
    names, _, records = ([_field(shard, name, kind, f"shards[{at}].") for at, shard in enumerate(shards)]
                         for name, kind in (("file", str), ("bytes", int), ("records", int)))
    _expect("totals.records", _field(_field(manifest, "totals", dict), "records", int, "totals."), sum(records))
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"it lists the shard {twice[0]!r} twice")
    if manifest.get("parts") is None:
        _check_names(names, "")
        _check_tracks(manifest, "")
        return
    parts = _field(manifest, "parts", dict)
    _expect("parts.order.file", _field(_field(parts, "order", dict, "parts."), "file", str, "parts.order."), "order.txt.zst")
    entries, start = _field(parts, "list", list, "parts."), 0
    for at, part in enumerate(entries):
        where = f"parts.list[{at}]."
        folder, num_shards = f"part-{at:05}-of-{len(entries):05}", _field(part, "shards", int, where)
        _expect(f"{where}folder", _field(part, "folder", str, where), folder)
        _check_names(names[start : start + num_shards], f"{folder}/")
        _expect(f"{where}records", _field(part, "records", int, where), sum(records[start : start + num_shards]))
        _check_tracks(part, where, f"{folder}/")
        start += num_shards
    _expect("the number of shards of all parts", start, len(shards))


def _check_names(names: list[str], folder: str) -> None:
    for name in names:
        plain = name.removeprefix(folder)
        if not name.startswith(folder) or not re.fullmatch(r"[!-~]+\.tar", plain) or re.search(r"[/\\:]|\.\.", plain):
            raise ValueError(f"it names the shard {name!r}; expected the name of a .tar in {folder or 'the same folder'}")


def _check_tracks(of: dict[str, Any], where: str, folder: str = "") -> None:
    if of.get("tracks") is not None:
        tracks = _field(of, "tracks", dict, where)
        _expect(f"{where}tracks.file", _field(tracks, "file", str, f"{where}tracks."), f"{folder}tracks.jsonl.zst")
        _field(tracks, "tracklets", int, f"{where}tracks.")


def _field(table: Any, name: str, kind: type, where: str = "") -> Any:
    """The field `name` of an object, if it has this type. `where` is what stands before the name in an error, such as `totals.`."""
    if not isinstance(table, dict):
        raise ValueError(f"{where.rstrip('.') or 'it'} is {table!r}; expected an object")
    if name not in table:
        raise ValueError(f"it has no {where}{name}")
    value = table[name]
    # A bool is an int to isinstance.
    if type(value) is not kind or (kind is int and value < 0):
        raise ValueError(f"{where}{name} is {value!r}; expected {_EXPECTED[kind]}")
    return value


def _expect(name: str, found: object, expected: object) -> None:
    if found != expected:
        raise ValueError(f"{name} is {found!r}; expected {expected!r}")
