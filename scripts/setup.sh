#!/usr/bin/env bash
# Everything that building and testing vidpairs needs, on Debian 12 or a recent Ubuntu: system
# packages, libtorch, a Python environment. Run it as often as you like: what is there stays.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/vidpairs

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# g++ also brings libgomp, which libtorch links, and the C++ headers that libclang reads.
packages=(
    g++ make pkg-config cmake nasm # C and C++ inside the crates, libjpeg-turbo's assembly
    clang libclang-dev             # bindings to FFmpeg and OpenCV are made from their headers
    strace # tests that kill a run at every system call
    ffmpeg libavcodec-dev libavformat-dev libavutil-dev libswscale-dev
    libopencv-dev libopencv-contrib-dev
    python3-venv unzip ca-certificates
)

# Pages are tested in it. Ubuntu's package is a snap, which does not run in a container.
if grep -qsx 'ID=debian' /etc/os-release; then packages+=(chromium); fi

install_packages() {
    local installed missing=()
    if ! command -v dpkg-query >/dev/null; then
        for program in g++ make pkg-config cmake nasm clang ffmpeg ffprobe python3 unzip; do
            command -v "$program" >/dev/null || missing+=("$program")
        done
        for library in libavcodec libavformat libavutil libswscale opencv4; do
            pkg-config --exists "$library" 2>/dev/null || missing+=("$library")
        done
        ((${#missing[@]} == 0)) ||
            fail "neither Debian nor Ubuntu; install by hand, with headers: ${missing[*]}" \
                "(Debian's names for all of it: ${packages[*]})"
        say "system packages: neither Debian nor Ubuntu, but the programs and libraries are here"
        return
    fi
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
    for package in "${packages[@]}"; do
        grep -qx "ii  *$package" <<<"$installed" || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        say "system packages: present"
        return
    fi
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            fail "no sudo here; as root, install by hand: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "system packages: installing ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q)
    "${apt[@]}" update || say "system packages: the lists could not be refreshed; trying with the old ones"
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
        fail "apt-get failed; as root, install by hand: apt-get install ${missing[*]}"
}

check_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    command -v cargo >/dev/null || fail "no cargo found: install Rust $wanted or newer with rustup"
    found=$(rustc --version | cut -d ' ' -f 2)
    if [[ $(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1) != "$wanted" ]]; then
        fail "Rust $found is too old: install $wanted or newer, for example with 'rustup update stable'"
    fi
    say "Rust: $found"
}

make_venv() {
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        say "Python environment: making .venv"
        local python
        for python in python3 /usr/bin/python3; do
            if "$python" -c 'import ensurepip, venv' 2>/dev/null; then break; fi
        done
        "$python" -m venv --clear .venv ||
            fail "no working Python: install Python 3.11 or newer with its venv module by hand"
    fi
}

install_requirements() {
    local folder=tests/third_party stamp=.venv/requirements.sha256 wanted
    local requirements=$folder/requirements.txt alone=$folder/requirements-no-deps.txt loaders=scripts/external/requirements.txt
    local pip=(.venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check)
    if [[ ! -f $requirements ]]; then
        return
    fi
    wanted=$(cat "$requirements" "$alone" "$loaders" | sha256sum)
    if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then
        say "Python packages: present"
        return
    fi
    say "Python packages: installing $requirements, which includes $loaders, and $alone into .venv"
    "${pip[@]}" -r "$requirements" ||
        fail "pip failed; by hand: .venv/bin/python -m pip install -r $requirements"
    "${pip[@]}" --no-deps -r "$alone" ||
        fail "pip failed; by hand: .venv/bin/python -m pip install --no-deps -r $alone"
    printf '%s\n' "$wanted" >"$stamp"
}

provide_libtorch() {
    if [[ -n ${LIBTORCH_USE_PYTORCH+set} ]]; then
        say "libtorch: yours, from PyTorch in Python (LIBTORCH_USE_PYTORCH)"
        return
    fi
    if [[ -n ${LIBTORCH+set} ]]; then
        [[ -d $LIBTORCH/lib ]] || fail "LIBTORCH is $LIBTORCH, which holds no lib folder"
        say "libtorch: yours, in $LIBTORCH"
        return
    fi
    local version by_hand here pins=scripts/libtorch.txt
    version=$(sed -n 's/^torch==\([^ ]*\) .*/\1/p' "$pins")
    by_hand="install libtorch $version by hand and point LIBTORCH at its folder"
    if [[ $(uname -s -m) != "Linux x86_64" ]]; then
        fail "wheels are pinned for x86-64 Linux only; $by_hand"
    fi
    # A change of the pins or of the recipe below makes another folder.
    here="$cache/libtorch-$version-cpu-$({ cat "$pins" && declare -f assemble_libtorch; } | sha256sum | head -c 8)"
    if [[ ! -d $here ]]; then
        say "libtorch $version: fetching 545 MB with pip into $cache"
        mkdir -p "$cache"
        scratch=$(mktemp -d "$cache/libtorch.XXXXXX")
        trap 'rm -rf "$scratch"' EXIT
        # Named in full, so that every Python fetches the same wheel, the one that is pinned.
        .venv/bin/python -m pip download --quiet --no-input --disable-pip-version-check --no-cache-dir \
            --no-deps --require-hashes --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 --abi none \
            --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux2014_x86_64 \
            --dest "$scratch" -r "$pins" || fail "pip could not fetch the wheels of $pins; $by_hand"
        assemble_libtorch "$version" "$scratch" || fail "the wheels of $pins could not be unpacked; $by_hand"
        # Whole or not at all. Another clone may have been quicker: its folder is as good.
        mv -T "$scratch/libtorch" "$here" 2>/dev/null || [[ -d $here ]]
        rm -rf "$scratch"
    fi
    mkdir -p .deps
    ln -sfn "$here" .deps/libtorch
    say "libtorch $version: $here"
}

# The CPU half of the PyTorch wheels in the folder $2, laid out as $2/libtorch.
assemble_libtorch() {
    local version=$1 wheels=$2 libtorch=$2/libtorch
    unzip -q "$wheels"/torch-*.whl 'torch/include/*' torch/lib/libtorch_cpu.so torch/lib/libc10.so \
        'torch-*/licenses/*' -d "$wheels" &&
        unzip -q -o "$wheels"/nvidia_cuda_cupti-*.whl '*/lib/libcupti.so.13' '*/licenses/*' -d "$wheels" &&
        unzip -q -o "$wheels"/nvidia_cuda_runtime-*.whl '*/lib/libcudart.so.13' '*/licenses/*' -d "$wheels" &&
        mv "$wheels"/nvidia/cu13/lib/*.so.13 "$wheels/torch/lib/" &&
        mkdir "$wheels/torch/licenses" &&
        mv "$wheels"/*.dist-info "$wheels/torch/licenses/" &&
        # libtorch.so of the wheel needs the CUDA half, so the linker is sent straight to the other.
        echo 'INPUT(libtorch_cpu.so)' >"$wheels/torch/lib/libtorch.so" &&
        echo "$version" >"$wheels/torch/build-version" &&
        mv "$wheels/torch" "$libtorch"
}

install_packages
check_rust
make_venv
install_requirements
provide_libtorch
