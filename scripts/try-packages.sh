#!/usr/bin/env bash
# Tries the packages in target/packages in a bare Debian 12 that has neither FFmpeg nor a compiler:
#
#     scripts/try-packages.sh [wheel] [deb]      (default: both; as root, for chroot)
#
# Each package gets a system of its own in target/bare-debian. There it is installed, extracts pairs from real clips,
# verifies and inspects them, and renders a video; the files must be those that the program in target/release writes here.
# Prints a line for every check, and stops with exit code 1 at the first that fails. The bare system is made once, with
# debootstrap; VIDPAIRS_DEBIAN_MIRROR names another mirror. "rm -rf target/bare-debian" removes all of it.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'try: %s\n' "$*"; }
fail() {
    printf 'try: %s\n' "$*" >&2
    exit 1
}

# shellcheck source=scripts/package/system.sh
source scripts/package/system.sh

wanted=("$@")
((${#wanted[@]})) || wanted=(wheel deb)
for package in "${wanted[@]}"; do
    [[ $package == wheel || $package == deb ]] || fail "$package is no package; usage: scripts/try-packages.sh [wheel] [deb]"
done
((EUID == 0)) || fail "chroot needs root: sudo scripts/try-packages.sh"
# Mounts made in a mount namespace vanish with its last process, however the script ends.
if [[ ${VIDPAIRS_TRY_NAMESPACE-} != "$PPID" ]]; then
    install_packages debootstrap unzip
    VIDPAIRS_TRY_NAMESPACE=$$ unshare --mount --propagation private "$PWD/scripts/try-packages.sh" "$@"
    # After a failure the systems stay, to be looked at.
    rm -rf --one-file-system target/bare-debian/{wheel,deb,input}
    exit
fi

bare=$PWD/target/bare-debian
packages=$PWD/target/packages
program=${CARGO_TARGET_DIR:-target}/release/vidpairs
# What both packages may expect of every Linux.
of_every_linux='linux-vdso|ld-linux-x86-64|libc|libm|libgcc_s|libz'

make_base() {
    if [[ -d $bare/base ]]; then
        say "bare Debian 12: present"
        return
    fi
    say "bare Debian 12: making target/bare-debian/base with debootstrap"
    mkdir -p "$bare"
    rm -rf --one-file-system "$bare/base.part"
    # Without a mirror in the environment, debootstrap takes its own default.
    debootstrap --variant=minbase bookworm "$bare/base.part" ${VIDPAIRS_DEBIAN_MIRROR:+"$VIDPAIRS_DEBIAN_MIRROR"} \
        >"$bare/debootstrap.log" 2>&1 || {
        tail -n 5 "$bare/debootstrap.log" >&2
        fail "debootstrap failed: $bare/debootstrap.log"
    }
    mv "$bare/base.part" "$bare/base"
}

# Makes the folder $bare/input: the clips, a cube to render, and what the program here makes of them.
make_input() {
    local input=$bare/input
    [[ -x $program ]] || fail "$program is not there; build it and the packages with scripts/package.sh"
    rm -rf "$input"
    mkdir -p "$input/objects" "$input/expected"
    scripts/fetch-clips.sh --small .media/small >/dev/null
    cp -r .media/small "$input/clips"
    cp pipelines/smoke.toml "$input"
    cat >"$input/objects/cube.obj" <<'CUBE'
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
f 1 4 3 2
f 5 6 7 8
f 1 2 6 5
f 2 3 7 6
f 3 4 8 7
f 4 1 5 8
CUBE
    cp "$program" "$input/expected/vidpairs"
    (
        cd "$input/expected"
        ./vidpairs extract ../smoke.toml --source ../clips --out pairs --quiet
        ./vidpairs synth "${synth[@]}" --objects ../objects --out synth --quiet
    ) || fail "$program itself could not extract and render"
}

synth=(--kind trackingnet --container mp4 --videos 0 --held-out-videos 1 --frames 10)

# A fresh copy of the bare system at $root, with the input under /try.
enter() {
    root=$bare/$1 system=$1
    # A copy that an earlier run left has no mounts in it: they ended with that run.
    rm -rf --one-file-system "$root"
    cp -a --reflink=auto "$bare/base" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind --make-rslave /dev "$root/dev"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    cp -r "$bare/input" "$root/try"
    rm -rf "$root/try/expected"
}

# Runs a command inside the bare system.
inside() {
    chroot "$root" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH="$path" "$@"
}
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Runs a check and prints its name with the last line that it printed.
check() {
    local name=$1 log=$bare/$system.log status=0
    shift
    # In the condition of an "if", set -e would not end a check at its first failure.
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1
    status=$?
    set -e
    if ((status != 0)); then
        printf 'try: %-5s FAILED  %s\n' "$system" "$name"
        sed 's/^/    /' "$log"
        exit 1
    fi
    printf 'try: %-5s ok      %s: %s\n' "$system" "$name" "$(tail -n 1 "$log")"
}

is_bare() {
    local name found=0
    for name in ffmpeg ffprobe cc gcc g++ clang rustc; do
        if inside which "$name"; then found=1; fi
    done
    if inside ldconfig -p | grep -E 'libav(codec|format|util)|libswscale'; then found=1; fi
    ((found == 0))
    echo "no FFmpeg, no compiler"
}

# The checks that both packages must pass. $1: the pipeline, as the bare system has it.
use_program() {
    local pipeline=$1
    check "vidpairs --version" version
    check "extract" extract "$pipeline"
    check "verify" inside vidpairs verify /try/pairs
    check "inspect" inspect
    check "synth" render
    check "same bytes" is_same
}
version() { inside vidpairs --version | tr '\n' ' '; }
extract() {
    inside vidpairs extract "$1" --source /try/clips --out /try/pairs --quiet --json |
        sed -E 's/.*"clips":([0-9]+),"refused":([0-9]+).*"pairs":([0-9]+),"shards":([0-9]+).*/\3 pairs of \1 clips in \4 shards, \2 refused/'
}
inspect() {
    inside vidpairs inspect /try/pairs --gallery /try/pairs.html --quiet >/dev/null
    inside vidpairs inspect /try/pairs | sed -n '/records of/p'
}
render() {
    inside vidpairs synth "${synth[@]}" --objects /try/objects --out /try/synth --quiet
    find "$root/try/synth/mp4" -name '*.mp4' -printf '%f, %s bytes\n'
}
is_same() {
    local file
    for file in "$bare"/input/expected/{pairs/pairs-*.tar,synth/mp4/*/*.mp4}; do
        cmp "$file" "$root/try/${file#"$bare/input/expected/"}"
    done
    echo "shards and video are what target/release/vidpairs writes"
}

install_wheel() {
    inside apt-get -q update
    inside apt-get -q install -y --no-install-recommends python3-venv
    inside python3 -m venv /venv
    inside /venv/bin/pip install --no-index --no-deps --disable-pip-version-check "/try/$(basename "$wheel")"
}
read_in_python() {
    inside python -c 'from vidpairs import PairDataset
dataset = PairDataset("/try/pairs", check=True)
assert len(list(dataset)) == dataset.manifest["totals"]["records"] > 0
print(dataset)'
}
# Every library that the program loads is in the wheel or in every Linux.
brings_its_libraries() {
    local installed libraries loaded others
    installed=$(inside sh -c 'echo /venv/lib/python3*/site-packages')
    libraries=$installed/vidpairs.scripts/../vidpairs.libs/
    loaded=$(inside ldd "$installed/vidpairs.scripts/vidpairs")
    echo "$loaded"
    others=$(grep -v -F "$libraries" <<<"$loaded" | awk '{print $1}' | xargs -n 1 basename | sort -u)
    if grep -v -E "^($of_every_linux)\.so" <<<"$others"; then return 1; fi
    echo "$(grep -F "$libraries" <<<"$loaded" | sort -u | wc -l) from the wheel; from the system: ${others//$'\n'/ }"
}
has_notices() {
    local licenses file
    licenses=$(echo "$root"/venv/lib/python3*/site-packages/vidpairs-*.dist-info/licenses)
    for file in NOTICE.txt LICENSE-MIT LICENSE-APACHE crates.txt bundled/common-licenses/GPL-3; do
        test -s "$licenses/$file"
    done
    grep -h '^License-Expression' "$(dirname "$licenses")/METADATA" | tr '\n' ' '
    echo "$(find "$licenses/bundled" -name copyright | wc -l) copyright files of bundled libraries"
}

try_wheel() {
    wheel=$(newest "$packages"/vidpairs-*.whl)
    enter wheel
    cp "$wheel" "$root/try"
    check "bare system" is_bare
    check "pip install $(basename "$wheel")" install_wheel
    check "still bare" is_bare
    path=/venv/bin:$path
    check "libraries" brings_its_libraries
    check "notices" has_notices
    use_program /venv/share/vidpairs/pipelines/smoke.toml
    check "import vidpairs" read_in_python
    path=${path#/venv/bin:}
}

install_deb() {
    inside apt-get -q update
    inside apt-get -q install -y --no-install-recommends "/try/$(basename "$deb")"
    # shellcheck disable=SC2016 # The fields are dpkg's.
    inside dpkg-query -W -f '${Package} ${Version}, depends on ${Depends}\n' vidpairs
}
has_completions() {
    inside bash -n /usr/share/bash-completion/completions/vidpairs
    inside sh -c 'ls /usr/share/bash-completion/completions/vidpairs /usr/share/zsh/vendor-completions/_vidpairs \
        /usr/share/fish/vendor_completions.d/vidpairs.fish'
    echo "bash, zsh, fish"
}
is_removed() {
    inside apt-get -q purge -y vidpairs
    if inside which vidpairs || [[ -e $root/usr/share/vidpairs || -e $root/usr/share/doc/vidpairs ]]; then return 1; fi
    echo "nothing is left"
}

try_deb() {
    deb=$(newest "$packages"/vidpairs_*.deb)
    enter deb
    cp "$deb" "$root/try"
    check "bare system" is_bare
    check "apt-get install $(basename "$deb")" install_deb
    check "completions" has_completions
    use_program /usr/share/vidpairs/pipelines/smoke.toml
    check "removal" is_removed
}

# The one package of its kind; package.sh leaves no older one.
newest() {
    [[ -f $1 && $# -eq 1 ]] || fail "expected one package, found: $*; build it with scripts/package.sh"
    echo "$1"
}

make_base
make_input
for package in "${wanted[@]}"; do "try_$package"; done
say "all checks passed: ${wanted[*]}"
