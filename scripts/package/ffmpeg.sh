#!/usr/bin/env bash
# Builds the FFmpeg that the wheel carries, and prints its folder as the last line:
#
#     lib      libavcodec, libavformat, libavutil, libswresample, libswscale
#     source   Debian's source packages of FFmpeg and x264, which the GPL asks for beside the libraries
#     copyright   FFmpeg's copyright file
#     configuration   the options of configure
#
# The source is Debian's, in the version of the installed libavcodec-dev, so that the libraries fit the headers
# that vidpairs is built with. Debian's own build is not taken: it needs 103 further packages (72 MB as a wheel,
# with libX11 and GLib still expected from the system), and two of them may not be passed on together. libzvbi
# has files under GPL version 2 alone, and OpenSSL's Apache-2.0 is compatible with version 3 alone.
# This build reads video as Debian's does: every decoder and demuxer of FFmpeg itself, and dav1d for AV1. It leaves
# out network, devices, filters, hardware decoders and all encoders but those of `vidpairs synth`.
#
# A build is kept in the cache folder, for all clones.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/vidpairs

say() { printf 'package: %s\n' "$*" >&2; }
fail() {
    printf 'package: %s\n' "$*" >&2
    exit 1
}

# shellcheck disable=SC2054 # The commas are configure's.
options=(
    --toolchain=hardened --disable-debug --disable-static --enable-shared
    --disable-programs --disable-doc --disable-avdevice --disable-avfilter --disable-postproc
    # Nothing is linked because it happens to be installed.
    --disable-autodetect --enable-zlib --enable-bzlib --enable-iconv --enable-libdav1d
    --disable-network --disable-hwaccels --disable-protocols --enable-protocol=file
    # libx264 makes the build GPL.
    --disable-encoders --enable-encoder=libx264,mpeg4 --enable-gpl --enable-libx264
    --disable-muxers --enable-muxer=mp4
)

# Fetches the source package $1 in version $2 into the folder $3. The lists of source packages are fetched into
# the folder $4: the system's own lists usually lack them and stay as they are.
fetch_source() {
    local package=$1 version=$2 into=$3 lists=$4 list
    local apt=(
        apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$lists/parts"
        -o Dir::State::lists="$lists/lists" -o Dir::Cache="$lists/cache" -o APT::Sandbox::User=root
    )
    if [[ ! -d $lists ]]; then
        mkdir -p "$lists"/parts "$lists"/lists/partial "$lists"/cache/archives/partial
        for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
            if [[ -f $list ]]; then sed -n 's/^deb /deb-src /p' "$list" >"$lists/parts/$(basename "${list%.list}").list"; fi
        done
        for list in /etc/apt/sources.list.d/*.sources; do
            if [[ -f $list ]]; then sed 's/^Types:.*/Types: deb-src/' "$list" >"$lists/parts/$(basename "$list")"; fi
        done
        "${apt[@]}" update >/dev/null || say "some lists of source packages could not be fetched"
    fi
    mkdir -p "$into"
    (cd "$into" && "${apt[@]}" source --download-only "$package=$version" >/dev/null)
}

build() {
    local scratch=$1 version=$2 x264=$3 extra
    {
        fetch_source ffmpeg "$version" "$scratch/out/source" "$scratch/apt" &&
            fetch_source x264 "$x264" "$scratch/out/source" "$scratch/apt"
    } || fail "the source packages ffmpeg $version and x264 $x264 could not be fetched; if the archive has newer" \
            "ones, 'apt-get upgrade' and build again"
    dpkg-source --no-check -x "$scratch"/out/source/ffmpeg_*.dsc "$scratch/ffmpeg" >/dev/null
    extra=${version##*-}-vidpairs
    say "FFmpeg $version: building"
    (
        cd "$scratch/ffmpeg"
        ./configure --prefix=/usr --libdir=/lib --extra-version="$extra" --extra-cflags="-include $header" \
            "${options[@]}" >"$scratch/log" 2>&1 &&
            make -j"$(nproc)" >>"$scratch/log" 2>&1 &&
            make install-libs DESTDIR="$scratch/out" >>"$scratch/log" 2>&1
    ) || {
        tail -n 20 "$scratch/log" >&2
        fail "FFmpeg could not be built"
    }
    cp "$scratch/ffmpeg/debian/copyright" "$scratch/out/copyright"
    printf '%s\n' "--extra-version=$extra" "${options[@]}" >"$scratch/out/configuration"
}

header=$PWD/scripts/package/glibc-2.34.h
version=$(dpkg-query -W -f '${source:Version}' libavcodec-dev)
x264=$(dpkg-query -W -f '${source:Version}' libx264-dev)
dav1d=$(dpkg-query -W -f '${Version}' libdav1d-dev)
recipe=$({ cat "$header" && printf '%s\n' "$x264" "$dav1d" "${options[@]}" && declare -f build; } | sha256sum | head -c 8)
here=$cache/ffmpeg-${version#*:}-wheel-$recipe
if [[ ! -d $here ]]; then
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/ffmpeg.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    build "$scratch" "$version" "$x264"
    # Whole or not at all. Another clone may have been quicker: its folder is as good.
    mv -T "$scratch/out" "$here" 2>/dev/null || [[ -d $here ]]
fi
say "FFmpeg $version for the wheel: $here"
printf '%s\n' "$here"
