#!/usr/bin/env python3
"""Writes the first inputs of every fuzz target to fuzz/seeds/<target>/: the golden files of the tests, and small texts."""

import io
import json
import pathlib
import shutil
import struct
import sys
import tarfile
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
SEEDS = ROOT / "fuzz" / "seeds"


def seed(target, name, data):
    """Writes one input."""
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def halves(first, second):
    """Two files in one input, as `vidpairs_fuzz::halves` splits them."""
    return struct.pack("<H", len(first)) + first + second


TRACKLET = (
    '{"clip":"cat.mp4","key":"00000000-0000","anchor":0,"k":2,"region":0,"tracker":"dcf","outcome":"trusted",'
    '"forward_backward_iou":0.9,"boxes":[[0,1.0,2.0,3.0,4.0,1.0,null],[1,1.0,2.0,3.0,4.0,0.5,9.0]]}\n'
)


def record(key, jpeg):
    """JSON of a record with one image, and its checksum."""
    view = {"is_stored": True, "frame": 0, "has_pts": True, "pts_seconds": 0.0, "frame_size": [8, 8], "box_xywh": [0.0, 0.0, 8.0, 8.0],
            "image_size": [8, 8], "crc32": zlib.crc32(jpeg)}
    none = {"is_stored": False, "frame": 0, "has_pts": False, "pts_seconds": 0.0, "frame_size": [0, 0], "box_xywh": [0.0] * 4,
            "image_size": [0, 0], "crc32": 0}
    tracklet = {"tracker": "", "has_psr": False, "psr_mean": 0.0, "psr_min": 0.0, "has_forward_backward": False, "forward_backward_iou": 0.0,
                "has_confidence": False, "confidence_mean": 0.0, "confidence_min": 0.0, "confidence_last": 0.0}
    names = {"schema": 2, "key": key, "clip": "cat.mp4", "source": "videos", "kind": "images", "label": "", "k": 0}
    views = {"anchor": view, "positive": none, "anchor_frame": none, "positive_frame": none}
    head = json.dumps(names | views | {"tracklet": tracklet}).encode()[:-1]
    return head + b',"json_crc32":%d}' % zlib.crc32(head)


def shard():
    """A tar of two records and its index."""
    packed, index = io.BytesIO(), []
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(2):
            jpeg, key = b"\xff\xd8\xff\xd9", f"0000000{number}-0000"
            for extension, data in (("anchor.jpg", jpeg), ("json", record(key, jpeg))):
                member = tarfile.TarInfo(f"{key}.{extension}")
                member.size = len(data)
                index.append((extension, packed.tell() + 512, len(data), member.name))
                tar.addfile(member, io.BytesIO(data))
    lines = [f"v1.2 {len(index) // 2}"]
    for number in range(0, len(index), 2):
        lines.append(" ".join(" ".join(map(str, member)) for member in index[number : number + 2]))
    return packed.getvalue(), ("\n".join(lines) + "\n").encode()


def archive(members):
    """A zip of the members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, data in members:
            file.writestr(name, data)
    return packed.getvalue()


def main():
    """Writes all seeds."""
    shutil.rmtree(SEEDS, ignore_errors=True)
    for path in sorted((GOLDEN / "npz").glob("*.npz")):
        seed("npz", path.name, path.read_bytes())
        with zipfile.ZipFile(path) as file:
            arrays = {name: file.read(name) for name in file.namelist()}
        others = [data for name, data in arrays.items() if name != "feat.npy"]
        seed("npy", path.stem, halves(others[0] if others else b"", arrays.get("feat.npy", b"")))
    for path in sorted((GOLDEN / "weights").iterdir()):
        data = path.read_bytes()
        if len(data) > 10_000:
            continue
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as file:
                seed("torch", path.name, next(file.read(name) for name in file.namelist() if name.endswith("data.pkl")))
        elif path.suffix == ".safetensors":
            seed("safetensors", path.name, data)
        else:
            seed("pickle", path.name, data)
    for path in sorted((GOLDEN / "pascal3d").glob("*.mat")):
        seed("mat", path.name, path.read_bytes())
    jpeg, png = (GOLDEN / "features" / "image.jpg").read_bytes(), (GOLDEN / "features" / "image.png").read_bytes()
    seed("images", "image.jpg", jpeg)
    seed("images", "image.png", png)
    for path in sorted((GOLDEN / "stills").iterdir()):
        seed("images", path.name, path.read_bytes())
    seed("zip", "frames.zip", archive([("clip/0001.jpg", jpeg), ("clip/0002.jpg", jpeg), ("poster.jpg", jpeg)]))
    tar, index = shard()
    seed("idx", "pairs.idx", index)
    seed("tar", "shard", halves(index, tar))
    seed("tar", "without-index", halves(b"", tar))
    seed("record", "record.json", record("00000000-0000", b""))
    entry = {"file": "pairs-000000.tar", "bytes": len(tar), "records": 2, "xxh64": "0" * 16}
    totals = {"clips": 1, "refused": 0, "skipped": 0, "partial": 0, "records": 2, "shards": 1, "bytes": len(tar)}
    manifest = {"format": "vidpairs", "format_version": 1, "program_version": "0.1.0", "pipeline": {}, "seed": 0}
    seed("json", "dataset.json", json.dumps(manifest | {"clips_xxh64": "0" * 16, "totals": totals, "shards": [entry]}))
    seed("tracks", "tracks.jsonl", TRACKLET * 2)
    refusal = {"id": "cat.mp4", "path": "a/cat.mp4", "outcome": "refused", "stage": "decode", "reason": "0 frames", "retry": "x"}
    seed("refusals", "refused.jsonl", (json.dumps(refusal) + "\n") * 2)
    seed("journal", "flip", halves(b"x" * 40, b"y"))
    seed("annotations", "trackingnet", halves(b"1.0,2.0,3.0,4.0\n1,2,0,4\nnan,1,2,3\n", b"0\n1\n"))
    seed("annotations", "got10k", halves(b"1.0,2.0,3.0,4.0\n", b"[METAINFO]\nobject_class: cat\nresolution: (8, 8)\n"))
    for path in (GOLDEN / "boxes").rglob("instances_*.json"):
        seed("coco", path.name, path.read_bytes())
    for path in (GOLDEN / "boxes").rglob("Annotations/*.xml"):
        seed("voc", path.name, halves(b"1\n000002\n", path.read_bytes()))
    seed("mot", "gt.txt", "1,1,10,20,30,40,1,1,1\n2,1,11.5,20,30,40,1,-1,-1,-1\n1,2,5,6,7,8,0,1,0.5\n")
    seed("paths", "list.txt", "# clips\ncat.mp4\ncat.mp4\tlabel\n./cat.mp4\r\n")
    for path in sorted((ROOT / "pipelines").glob("*.toml")):
        seed("toml", path.name, "pairs.k=30\n" + path.read_text())
    model = b"mtllib car.mtl\no a\nv 0 0 0\nv 1 0 0 1 1 1\nv 0 1 0\nvt 0 0\nvn 0 0 1\nusemtl red\nf 1/1/1 2//1 3/1\nf -1 -2 -3\n"
    seed("obj", "car", halves(b"newmtl red\nKd 0.8 0.2 0.1\nd 0.5\nmap_Kd red.png\n", model))
    entry = "id#1=a\nname#1=Car\nmodel#1=/car.obj\ncategory#1=Vehicles\nwidth#1=1\ndepth#1=2\nheight#1=3\nmodelRotation#1=1 0 0 0 1 0 0 0 1\n"
    seed("sh3f", "list.properties", "license=free\n" + entry)
    print(f"{sum(1 for path in SEEDS.rglob('*') if path.is_file())} seeds in {SEEDS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
