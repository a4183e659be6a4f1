# What the checks of this folder share, to be sourced: clips, the data set of one machine, and the comparison with it. A script first sets
# `what`, the word that its messages begin with. $work is its folder, which `clean` of the script may keep or remove.

# shellcheck source=scripts/lib/script.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib/script.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cluster=$PWD/scripts/cluster

need ffmpeg python3 zstd
vidpairs=$(vidpairs_program)
work=$(mktemp -d "${TMPDIR:-/tmp}/vidpairs-$what.XXXXXX")
started=$SECONDS

# Tracked regions: much work for small clips, many shards, and a file of tracklets.
cat >"$work/pipeline.toml" <<'END'
seed = 7
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 12
stride = 12
regions_per_frame = 6
[proposals]
kind = "grid"
[images]
short_side = 64
[shards]
max_records = 20
[extract]
max_refused = "50%"
END

# make_clips SECONDS: a folder of clips that one thread takes about that long for, and the list of them. Three clips are rendered; the others are links to
# them under other names. One more is no video.
make_clips() {
    local wanted=$1 length seconds num clip=0
    mkdir "$work/rendered" "$work/clips"
    for length in 8 16 24; do
        ffmpeg -v error -nostdin -f lavfi -i "testsrc2=s=320x240:r=24" -f lavfi -i "mandelbrot=s=320x240:r=24:start_scale=0.$length" \
            -filter_complex "[0][1]blend=all_mode=average" -t $length -c:v libx264 -preset ultrafast -g 48 -pix_fmt yuv420p \
            "$work/rendered/$length.mp4"
    done
    seconds=$("$vidpairs" extract -q --json --workers 1 "$work/pipeline.toml" --source "$work/rendered" --out "$work/timed" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["seconds"])')
    num=$(python3 -c "import math; print(max(6, math.ceil(3 * $wanted / $seconds)))")
    while ((clip < num)); do
        ln "$work/rendered/$((8 + clip % 3 * 8)).mp4" "$work/clips/clip #$clip ä%20.mp4"
        clip=$((clip + 1))
    done
    printf 'no video' >"$work/clips/damaged.mp4"
    "$vidpairs" list -q "$work/pipeline.toml" --source "$work/clips" --out "$work/clips.jsonl"
    say "$((num + 1)) clips; one machine extracts them"
    "$vidpairs" extract -q "$work/pipeline.toml" --source "$work/clips.jsonl" --out "$work/whole"
}

# same_as_one_machine OUT: fails unless the merged parts are whole and have the records of one machine.
same_as_one_machine() {
    "$vidpairs" verify -q "$1"
    python3 -B "$cluster/compare.py" "$work/whole" "$1" || fail "$1 is not the data set of one machine, $work/whole"
}

# serve_s3: S3 from the folder $served, with a bucket `bucket`, and the variables by which clients find it.
serve_s3() {
    served=$work/served
    mkdir -p "$served/bucket"
    say "building the server"
    cargo build --quiet --release --locked -p vidpairs-store --example s3_server
    mkfifo "$work/server-stdin" "$work/server-port"
    # It ends when this end is closed.
    exec 9<>"$work/server-stdin"
    target/release/examples/s3_server "$served" <"$work/server-stdin" >"$work/server-port" &
    s3_server=$!
    read -r s3_port <"$work/server-port"
    export AWS_ENDPOINT_URL=http://127.0.0.1:$s3_port AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1
}

# restart_s3: kills the server, and starts it on the same port after a second.
restart_s3() {
    kill -KILL "$s3_server"
    wait "$s3_server" 2>/dev/null || true
    sleep 1
    target/release/examples/s3_server "$served" "$s3_port" <"$work/server-stdin" >/dev/null 9>&- &
    s3_server=$!
}

# make_python: $python, an environment with the packages of requirements.txt.
make_python() {
    local folder=$PWD/.media/cluster-python stamp
    stamp=$(sha256sum <"$cluster/requirements.txt")
    python=$folder/bin/python
    if [[ ! -e $folder/stamp || $(<"$folder/stamp") != "$stamp" ]]; then
        say "installing the packages of scripts/cluster/requirements.txt into .media/cluster-python, 300 MB"
        mkdir -p .media
        python3 -m venv --clear "$folder"
        "$python" -m pip install --quiet --no-input --disable-pip-version-check -r "$cluster/requirements.txt"
        printf '%s\n' "$stamp" >"$folder/stamp"
    fi
}
