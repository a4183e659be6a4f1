"""Reads the shards of a folder with programs that know nothing of vidpairs.

usage: read_shards.py FOLDER
Prints `<shards> shards, <records> records, <members> members` when all of them agree.
"""

import json
import pathlib
import sys
import tarfile
import zlib

import webdataset

ROLES = ("anchor", "positive", "anchor_frame", "positive_frame")


def read_with_tarfile(path):
    """Names and bytes of the members; each is a plain ustar file and says nothing of who wrote it."""
    whole = path.read_bytes()
    members = {}
    with tarfile.open(path, "r:") as tar:
        assert not tar.pax_headers, path
        for info in tar:
            header = whole[info.offset : info.offset + 512]
            assert info.isreg() and not info.pax_headers, info
            # A pax or GNU long-name header would stand between the two.
            assert info.offset_data == info.offset + 512, info
            assert header[156:157] == b"0" and header[257:265] == b"ustar\x0000", info
            assert (info.mode, info.uid, info.gid, info.mtime) == (0o444, 0, 0, 0), info
            assert (info.uname, info.gname) == ("", ""), info
            assert info.name not in members, info
            members[info.name] = tar.extractfile(info).read()
    return members


def read_with_index(path):
    """Names and bytes of the members at the places that the DALI index gives, and the records."""
    whole = path.read_bytes()
    lines = path.with_suffix(".idx").read_text().splitlines()
    version, records = lines[0].split()
    assert version == "v1.2" and int(records) == len(lines) - 1, lines[0]
    members = {}
    for line in lines[1:]:
        words = line.split(" ")
        for extension, offset, size, name in zip(*[iter(words)] * 4, strict=True):
            assert name.split(".", 1)[1] == extension and int(offset) % 512 == 0, line
            members[name] = whole[int(offset) : int(offset) + int(size)]
    return members, int(records)


def read_with_webdataset(path):
    """Names and bytes of the members, and the records, as a trainer's loader sees them."""
    members, records = {}, 0
    for sample in webdataset.WebDataset(str(path), shardshuffle=False):
        records += 1
        for extension, value in sample.items():
            if not extension.startswith("__"):
                members[f"{sample['__key__']}.{extension}"] = value
    return members, records


def check_crc32(members):
    """Every image against the json of its record, and every json for an image too few."""
    described = 0
    for name, value in members.items():
        if not name.endswith(".json"):
            continue
        meta = json.loads(value)
        assert f"{meta['key']}.json" == name, name
        head, stated = value.rsplit(b',"json_crc32":', 1)
        assert zlib.crc32(head) == int(stated[:-1]) == meta["json_crc32"], name
        for role in ROLES:
            if meta.get(role) is not None:
                (image,) = (n for n in members if n.startswith(f"{meta['key']}.{role}."))
                assert zlib.crc32(members[image]) == meta[role]["crc32"], image
                described += 1
        described += 1
    assert described == len(members), "a member that no json describes"


def main(folder):
    manifest = json.loads((folder / "dataset.json").read_text())
    total = 0
    for shard in manifest["shards"]:
        path = folder / shard["file"]
        members = read_with_tarfile(path)
        by_index, indexed_records = read_with_index(path)
        loaded, loaded_records = read_with_webdataset(path)
        assert list(members.items()) == list(by_index.items()), path
        assert members == loaded, path
        assert shard["records"] == indexed_records == loaded_records, path
        assert shard["bytes"] == path.stat().st_size, path
        check_crc32(members)
        total += len(members)
    totals = manifest["totals"]
    print(f"{totals['shards']} shards, {totals['records']} records, {total} members")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
