#!/usr/bin/env python3
"""Mutates small videos and holds every image that `vidpairs extract` stores against FFmpeg.

Makes clips in common codecs and containers with the `ffmpeg` program, damages copies of them (flipped bits, cuts, lost and swapped
blocks, zeroed blocks), and extracts images from all. Reports: crashes, runs longer than the limit, stored images that are neither the
frame that `ffmpeg` decodes from the same bytes at the same time nor a frame of the undamaged clip, and stored images of damaged frames
that FFmpeg marks. After damage, the program starts anew at a keyframe, and so may store true frames that `ffmpeg` shows damaged. Frames
that `ffmpeg` decodes differently with one thread and with four are left out: a damage that no decoder notices leaves parts of them
undefined. For the same reason, a frame may depend on the keyframe at which decoding starts, above all with periodic intra refresh; a
frame that FFmpeg decodes from any keyframe before it is accepted and counted.

Needs ffmpeg, ffprobe and Python with PyAV, NumPy and Pillow. The same seed gives the same files.

    python scripts/campaigns/videos.py --program target/release/vidpairs --count 1000 --seed 0
"""

import argparse
import io
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

import av
import av.logging
import numpy
from PIL import Image

SIZE = (160, 96)
# dB. A true frame has 36 and more, a wrong one below 25. Damaged pictures of impossible colours have down to 28: programs enlarge chroma in
# different ways, and clip the results.
MIN_PSNR = 28
NUM_FRAMES = 48
X264 = "-c:v libx264 -preset fast -g 12 -bf 2"
X265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=12:bframes=2"
CLIPS = [
    ("mp4", f"{X264} -movflags faststart"),
    ("mp4", f"{X264} -movflags frag_keyframe+empty_moov"),
    ("mkv", "-c:v libx264 -preset fast -x264-params open-gop=1:keyint=12:min-keyint=1:bframes=3"),
    ("ts", X264),
    ("flv", X264),
    ("h264", X264),
    ("mkv", "-c:v libx264 -preset fast -x264-params intra-refresh=1:keyint=12:bframes=0"),
    ("mp4", X265),
    ("ts", X265),
    ("avi", "-c:v mpeg4 -g 12 -q:v 4 -bf 2"),
    ("ts", "-c:v mpeg4 -g 12 -q:v 4"),
    ("mpg", "-c:v mpeg2video -g 12 -q:v 4 -bf 2"),
    ("ts", "-c:v mpeg2video -g 12 -q:v 4 -bf 2"),
    ("webm", "-c:v libvpx -g 12 -b:v 600k"),
    ("webm", "-c:v libvpx-vp9 -cpu-used 6 -g 12 -b:v 600k"),
    ("mkv", "-c:v libsvtav1 -preset 12 -g 12"),
    ("mkv", "-c:v ffv1 -level 3 -slices 4 -slicecrc 1 -g 12"),
    ("avi", "-c:v mjpeg -q:v 3"),
    ("mov", "-c:v mjpeg -q:v 3"),
    ("flv", "-c:v flv -g 12 -q:v 4"),
    ("mov", "-c:v jpeg2000 -pix_fmt yuv420p"),
    ("ogv", "-c:v libtheora -g 12 -q:v 8"),
    ("avi", "-c:v huffyuv -pix_fmt yuv422p"),
    ("wmv", "-c:v wmv2 -g 12 -q:v 4"),
]
PIPELINE = f"""
[source]
kind = "videos"
[pairs]
kind = "images"
per_video = {NUM_FRAMES}
[images]
short_side = {SIZE[1]}
quality = 100
[extract]
max_refused = "100%"
"""


def make_clip(path, args, number):
    """A moving picture with noise, so that packets are large enough to be hit."""
    source = f"testsrc2=s={SIZE[0]}x{SIZE[1]}:r=25:d={NUM_FRAMES / 25},noise=alls={8 + number % 8}:allf=t:all_seed={number}"
    command = ["ffmpeg", "-v", "quiet", "-nostdin", "-y", "-f", "lavfi", "-i", source]
    command += ["-frames:v", str(NUM_FRAMES), "-pix_fmt", "yuv420p", *args.split(), str(path)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def mutate(data, rng):
    data = bytearray(data)
    kind = rng.choice(["flip", "flip", "cut", "head", "lose", "swap", "zero"])
    at = rng.randrange(len(data) // 20, len(data) - 1)
    length = rng.choice([16, 188, 188 * 7, 2048])
    if kind == "flip":
        for _ in range(1 << rng.randrange(6)):
            at = rng.randrange(len(data) // 20, len(data))
            data[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "head":
        del data[: rng.randrange(1, len(data) // 3)]
    elif kind == "lose":
        del data[at : at + length]
    elif kind == "swap":
        other = rng.randrange(len(data) // 20, len(data) - 1)
        first, second = sorted((at, other))
        length = min(length, second - first, len(data) - second)
        data[first : first + length], data[second : second + length] = (
            data[second : second + length],
            data[first : first + length],
        )
    else:
        data[at : at + length] = bytes(min(length, len(data) - at))
    return kind, bytes(data)


def ffmpeg_frames(path, threads=1):
    """pts in seconds and RGB of every frame that the `ffmpeg` program decodes in order, in presentation order."""
    probe = ["ffprobe", "-v", "quiet", "-threads", "1", "-select_streams", "v:0", "-of", "json"]
    probe += ["-show_entries", "frame=best_effort_timestamp_time,width,height", str(path)]
    listed = json.loads(subprocess.run(probe, capture_output=True).stdout or "{}").get("frames", [])
    if any((frame["width"], frame["height"]) != SIZE for frame in listed):
        return None
    decode = ["ffmpeg", "-v", "quiet", "-nostdin", "-threads", str(threads), "-i", str(path), "-map", "0:v:0"]
    decode += ["-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(decode, capture_output=True, stdin=subprocess.DEVNULL).stdout
    pictures = numpy.frombuffer(raw, numpy.uint8).reshape(-1, SIZE[1], SIZE[0], 3)
    times = [float(frame["best_effort_timestamp_time"]) if "best_effort_timestamp_time" in frame else None for frame in listed]
    return list(zip(times, pictures)) if len(times) == len(pictures) else None


def defined_frames(path):
    """Frames of `ffmpeg`; without a picture where it depends on the number of threads."""
    one, four = ffmpeg_frames(path), ffmpeg_frames(path, 4)
    if one is None or four is None or len(one) != len(four):
        return None
    return [(time, first if (first == second).all() else None) for (time, first), (_, second) in zip(one, four)]


def marked_times(path):
    """Times of the frames that PyAV, with its own FFmpeg, marks as damaged."""
    marked = set()
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    continue
                marked.update(round(frame.time, 3) for frame in frames if frame.is_corrupt and frame.time is not None)
    except (av.error.FFmpegError, IndexError):
        pass
    return marked


def from_keyframes(path, time):
    """RGB of the frame at `time`, as PyAV decodes it from each keyframe before it."""
    pictures = []
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
    starts = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    for start in starts:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for number, packet in enumerate(container.demux(stream)):
                if number < start:
                    continue
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    continue
                pictures += [frame.to_ndarray(format="rgb24") for frame in frames if frame.time is not None and abs(frame.time - time) < 0.002]
    return pictures


def psnr(first, second):
    """Of the luma: the two programs, and JPEG, enlarge chroma in different ways."""
    luma = numpy.array([0.299, 0.587, 0.114])
    mean = numpy.mean((first @ luma - second @ luma) ** 2)
    return 99.0 if mean == 0 else 10 * numpy.log10(255**2 / mean)


def stored_images(folder):
    """Clip, frame index, time and RGB of every stored image."""
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as tar:
            members = {member.name: tar.extractfile(member).read() for member in tar}
        for name in sorted(name for name in members if name.endswith(".json")):
            record = json.loads(members[name])
            image = Image.open(io.BytesIO(members[name[:-4] + "anchor.jpg"]))
            anchor = record["anchor"]
            yield record["clip"], anchor["frame"], anchor["pts_seconds"], numpy.asarray(image.convert("RGB"))


def check(program, folder, intact, work, limit_seconds):
    """Extracts from all videos of `folder`. Returns the faults found, the number of stored images, and that of images which only match
    what FFmpeg decodes from a later keyframe.

    `intact` holds the frames of the undamaged clip of each video, by its file name."""
    (work / "pipeline.toml").write_text(PIPELINE)
    out = work / "out"
    command = [program, "extract", str(work / "pipeline.toml"), "--source", str(folder), "--out", str(out), "--quiet"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        return [f"{folder}: no end after {limit_seconds} s"], 0, 0
    if run.returncode not in (0, 1):
        return [f"{folder}: exit code {run.returncode}: {run.stderr[-500:]}"], 0, 0
    faults, num_images, num_from_keyframes, decoded = [], 0, 0, {}
    by_stem = {path.stem: path for path in folder.iterdir()}
    for clip, index, time, image in stored_images(out):
        path = by_stem.get(pathlib.PurePath(clip).stem) or by_stem[clip]
        if path not in decoded:
            decoded[path] = (defined_frames(path), marked_times(path))
        frames, marked = decoded[path]
        num_images += 1
        if frames is None:
            continue  # the size changes, or the two programs disagree on the frames
        near = [picture for at, picture in frames if time is None or at is None or abs(at - time) < 0.002]
        if any(picture is None for picture in near):
            continue
        best = max((psnr(image, picture) for picture in near), default=0)
        is_marked = time is not None and round(time, 3) in marked
        if (best >= MIN_PSNR and not is_marked) or max(psnr(image, picture) for picture in intact[path.name]) >= MIN_PSNR:
            continue
        if not is_marked and time is not None and max((psnr(image, picture) for picture in from_keyframes(path, time)), default=0) >= MIN_PSNR:
            num_from_keyframes += 1
            continue
        what = "is marked as damaged" if is_marked else f"has {best:.1f} dB of the best of {len(near)} frames of ffmpeg"
        faults.append(f"{path.name}: frame {index} at {time} s {what}")
    return faults, num_images, num_from_keyframes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="path of the program vidpairs")
    parser.add_argument("--count", type=int, default=1000, help="number of damaged videos")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the videos with a fault")
    options = parser.parse_args()
    av.logging.set_level(None)
    rng = random.Random(options.seed)
    faults, num_images, num_from_keyframes, num_videos = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        intact, pictures, sources = [], {}, {}
        for number, (extension, args) in enumerate(CLIPS):
            path = root / f"intact-{number:02}.{extension}"
            if make_clip(path, args, number):
                intact.append(path)
                pictures[path] = [picture for _, picture in ffmpeg_frames(path)]
            else:
                print(f"left out: ffmpeg cannot make {extension} with {args}", file=sys.stderr)
        while num_videos < options.count:
            folder, work = root / "videos", root / "work"
            folder.mkdir()
            work.mkdir()
            for _ in range(min(40, options.count - num_videos)):
                clip = intact[num_videos % len(intact)]
                kind, data = mutate(clip.read_bytes(), rng)
                path = folder / f"{num_videos:05}-{kind}-{clip.stem}{clip.suffix}"
                path.write_bytes(data)
                sources[path.name] = pictures[clip]
                num_videos += 1
            found, stored, restarted = check(options.program, folder, sources, work, 600)
            faults += found
            num_images += stored
            num_from_keyframes += restarted
            for fault in found:
                print(fault, flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    for path in folder.glob(fault.split(":")[0]):
                        shutil.copy(path, options.keep)
            shutil.rmtree(folder)
            shutil.rmtree(work)
            print(f"{num_videos} videos, {num_images} images, {len(faults)} faults", file=sys.stderr, flush=True)
    counts = {"videos": num_videos, "images": num_images, "from_later_keyframes": num_from_keyframes, "faults": len(faults)}
    print(json.dumps({"seed": options.seed, **counts}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
