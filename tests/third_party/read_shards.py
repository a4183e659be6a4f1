"""Reads the shards of a folder with programs that know nothing of vidpairs.

usage: read_shards.py FOLDER
Prints `<shards> shards, <records> records, <members> members` when all of them agree, and
`<tracklets> tracklets` where regions were followed.
"""

import io
import json
import pathlib
import sys
import tarfile
import zlib

import webdataset
import zstandard

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
            if meta[role]["is_stored"]:
                (image,) = (n for n in members if n.startswith(f"{meta['key']}.{role}."))
                assert zlib.crc32(members[image]) == meta[role]["crc32"], image
                described += 1
        described += 1
    assert described == len(members), "a member that no json describes"


def read_tracklets(path):
    """The lines of `tracks.jsonl.zst`: a row of zstd frames, one for each piece of video."""
    with path.open("rb") as file:
        # Without this word, zstandard ends where the first frame does.
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return [json.loads(line) for line in io.TextIOWrapper(reader, encoding="utf-8")]


def check_tracklets(folder, tracks, metas):
    """Every tracklet that became a record against its json, and the counts of the manifest."""
    path = folder / tracks["file"]
    assert path.stat().st_size == tracks["bytes"], path
    tracklets = read_tracklets(path)
    assert len(tracklets) == tracks["tracklets"], path
    rejected = {}
    for tracklet in tracklets:
        if tracklet["outcome"] != "trusted":
            rejected[tracklet["outcome"]] = rejected.get(tracklet["outcome"], 0) + 1
        if tracklet["key"] is None:
            continue
        meta, boxes = metas[tracklet["key"]], tracklet["boxes"]
        assert meta["tracklet"]["tracker"] == tracklet["tracker"], tracklet["key"]
        for role, (frame, x, y, w, h, _confidence, _psr) in (("anchor", boxes[0]), ("positive", boxes[-1])):
            assert meta[role]["frame"] == frame, tracklet["key"]
            width, height = meta[role]["frame_size"]
            left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
            assert meta[role]["box_xywh"] == [left, top, right - left, bottom - top], tracklet["key"]
    assert rejected == tracks["rejected"], path
    assert {tracklet["key"] for tracklet in tracklets} - {None} == set(metas), path
    return len(tracklets)


def main(folder):
    manifest = json.loads((folder / "dataset.json").read_text())
    total, metas = 0, {}
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
        jsons = (json.loads(value) for name, value in members.items() if name.endswith(".json"))
        metas.update((meta["key"], meta) for meta in jsons)
    totals = manifest["totals"]
    print(f"{totals['shards']} shards, {totals['records']} records, {total} members")
    if "tracks" in manifest:
        print(f"{check_tracklets(folder, manifest['tracks'], metas)} tracklets")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
