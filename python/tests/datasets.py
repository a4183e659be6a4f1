"""Data sets for the tests: made by the program from rendered clips, and written by hand with tarfile, byte for byte as SHARDS.md says."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

PROGRAM = Path(os.environ.get("VIDPAIRS", ROOT / "target/debug/vidpairs")).resolve()
VIEWS = ("anchor", "positive", "anchor_frame", "positive_frame")
PIPELINE = """
[source]
kind = "videos"
[pairs]
kind = "frames"
k = 5
per_video = 6
[images]
short_side = 48
[shards]
max_records = 7
"""
REGIONS = ("pairs.kind=regions", "pairs.per_video=2", "pairs.with_frames=true")


class FolderTest(unittest.TestCase):
    """A test with an empty folder of its own, whose name has a space."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vidpairs tests "))
        self.addCleanup(shutil.rmtree, self.folder)


def extract(folder: Path, name: str, *settings: str, parts: int = 1) -> Path:
    """Extracts pairs of six rendered clips, whose names have spaces, into `folder / name`."""
    clips, pipeline = folder / "clips of a day", folder / "pipeline.toml"
    pipeline.write_text(PIPELINE)
    clips.mkdir(exist_ok=True)
    for number in range(6):
        clip = clips / f"clip {number} \u00e9.mp4"
        if not clip.exists():
            size = ["-f", "lavfi", "-i", f"testsrc2=size={96 + 16 * number}x80:rate=25:duration=1", "-pix_fmt", "yuv420p"]
            subprocess.run(["ffmpeg", "-v", "error", *size, str(clip)], check=True)
    command = [str(PROGRAM), "extract", str(pipeline), "--source", str(clips), "--out", str(folder / name), "--quiet"]
    command += [word for setting in settings for word in ("--set", setting)]
    if parts == 1:
        subprocess.run(command, check=True)
        return folder / name
    for part in range(parts):
        subprocess.run([*command, "--part", f"{part}/{parts}"], check=True)
    subprocess.run([str(PROGRAM), "merge", str(folder / name), "--quiet"], check=True)
    return folder / name


def members_of(dataset: Path) -> dict[str, bytes]:
    """Every member of every tar, as tarfile reads it."""
    members = {}
    for path in sorted(dataset.rglob("*.tar")):
        with tarfile.open(path) as tar:
            for info in tar:
                file = tar.extractfile(info)
                assert file is not None and info.name not in members
                members[info.name] = file.read()
    return members


def meta_of(key: str, clip: str, members: dict[str, bytes], schema: int, label: str | None = None, k: int | None = None) -> bytes:
    """The json of a record in schema 1 or 2, with its CRC-32."""
    views: dict[str, object] = {}
    for role in VIEWS:
        data = members.get(role)
        if schema == 1 and data is not None:
            views[role] = {"frame": 3, "pts_seconds": None, "frame_size": [64, 48], "box_xywh": None, "image_size": [32, 24],
                           "crc32": zlib.crc32(data)}
        elif schema == 2:
            size, image = ([64, 48], [32, 24]) if data is not None else ([0, 0], [0, 0])
            views[role] = {"is_stored": data is not None, "frame": 3 if data is not None else 0, "has_pts": False, "pts_seconds": 0.0,
                           "frame_size": size, "box_xywh": [0.0, 0.0, float(size[0]), float(size[1])], "image_size": image,
                           "crc32": zlib.crc32(data or b"")}
    kind = "frames" if "positive" in members else "images"
    head = {"schema": schema, "key": key, "clip": clip, "source": "videos", "kind": kind}
    if schema == 1:
        meta = {**head, "label": label, "k": k, **views}
    else:
        tracklet = {"tracker": "", "has_psr": False, "psr_mean": 0.0, "psr_min": 0.0, "has_forward_backward": False,
                    "forward_backward_iou": 0.0, "has_confidence": False, "confidence_mean": 0.0, "confidence_min": 0.0,
                    "confidence_last": 0.0}
        meta = {**head, "label": label or "", "k": k or 0, **views, "tracklet": tracklet}
    text = json.dumps(meta, separators=(",", ":"), ensure_ascii=False).encode()[:-1]
    return text + b',"json_crc32":%d}' % zlib.crc32(text)


def record(clip: int, pair: int, schema: int = 2, roles: tuple[str, ...] = ("anchor", "positive"), **fields: object) -> dict[str, bytes]:
    """Members of a record by name. The images are no images."""
    key = f"{clip:08}-{pair:04}"
    members = {role: f"{role} of {key}".encode() * (pair * 7 + 1) for role in roles}
    named = {f"{key}.{role}.jpg": data for role, data in members.items()}
    return {**named, f"{key}.json": meta_of(key, f"clip {clip}.mp4", members, schema, **fields)}  # type: ignore[arg-type]


def write_dataset(folder: Path, *shards: list[dict[str, bytes]]) -> Path:
    """Writes a data set of these records, a list of them for each shard."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for ordinal, records in enumerate(shards):
        buffer, lines = io.BytesIO(), [f"v1.2 {len(records)}"]
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT, bufsize=512) as tar:
            for members in records:
                words = []
                for name, data in members.items():
                    info = tarfile.TarInfo(name)
                    info.size, info.mode = len(data), 0o444
                    words.append(f"{name.partition('.')[2]} {tar.offset + 512} {len(data)} {name}")
                    tar.addfile(info, io.BytesIO(data))
                lines.append(" ".join(words))
            end = tar.offset
        path = folder / f"pairs-{ordinal:06}.tar"
        # tarfile pads to 10 KiB; vidpairs ends a tar with two blocks of zeros.
        path.write_bytes(buffer.getvalue()[:end] + bytes(1024))
        path.with_suffix(".idx").write_text("\n".join(lines) + "\n")
        entries.append({"file": path.name, "bytes": end + 1024, "records": len(records), "xxh64": "0" * 16})
    manifest = {"format": "vidpairs", "format_version": 1, "shards": entries, "totals": {"records": sum(map(len, shards))}}
    (folder / "dataset.json").write_text(json.dumps(manifest))
    return folder
