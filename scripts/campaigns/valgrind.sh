#!/usr/bin/env bash
# Runs `vidpairs extract` under valgrind's memcheck on small clips of several kinds, whole and damaged: the code that calls FFmpeg and
# libjpeg-turbo is the unsafe part of the program. Invalid reads and writes, and decisions on undefined values, are faults.
#
#     scripts/campaigns/valgrind.sh [PROGRAM]
#
# PROGRAM is a debug build of vidpairs [default: target/debug/vidpairs]: in release builds, the optimiser may test a part of a value before
# it is known to be there, and discard the outcome. Needs valgrind and ffmpeg. Takes about a minute.
#
# FFmpeg's own decoders read undefined values of damaged pictures by design, so decisions on undefined values count only for whole clips.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath -e "${1:-target/debug/vidpairs}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clip() { ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=96x64:r=25 -frames:v 24 -pix_fmt yuv420p "$@"; }
mkdir -p "$work/whole/pictures" "$work/damaged/pictures"
clip -c:v libx264 -g 8 "$work/whole/a.mp4"
clip -c:v mpeg4 -g 8 "$work/whole/b.avi"
clip -c:v mpeg2video -g 8 "$work/whole/c.ts"
clip -c:v libvpx -g 8 "$work/whole/d.webm"
clip -c:v mjpeg "$work/whole/e.mov"
clip -q:v 3 "$work/whole/pictures/%d.jpg"
# Every 997th byte after the first 2,000 is changed, and the last tenth cut off.
for file in "$work"/whole/*.* "$work"/whole/pictures/*.jpg; do
    python3 - "$file" "${file/whole/damaged}" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
for place in range(min(2000, len(data) // 2), len(data), 997):
    data[place] ^= 0x5A
open(sys.argv[2], "wb").write(data[: len(data) * 9 // 10])
PYTHON
done
cat >"$work/pipeline.toml" <<'TOML'
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 4
stride = 8
regions_per_frame = 2
min_box_px = 12
[proposals]
kind = "grid"
[images]
short_side = 32
[extract]
max_refused = "100%"
video_timeout_seconds = 3600
TOML

failed=0
for kind in whole damaged; do
    undefined=yes
    [[ $kind == whole ]] || undefined=no
    code=0
    valgrind --quiet --error-exitcode=99 --undef-value-errors="$undefined" --num-callers=25 \
        "$program" extract "$work/pipeline.toml" --source "$work/$kind" --out "$work/out-$kind" --workers 2 --quiet \
        >"$work/$kind.log" 2>&1 || code=$?
    if ((code == 99)) || ((code > 2)); then
        cat "$work/$kind.log"
        failed=1
    fi
    printf 'valgrind: %s clips: exit code %d\n' "$kind" "$code"
done
exit "$failed"
