# What the fetch scripts share, to be sourced: files out of packages, checked. Nothing is installed.
# The script that sources this has the function fail, which prints its words and exits, and names its
# folder for what it fetches in cache.

# Whether the file $1 is there and has the SHA-256 $2.
is_whole() { [[ -f $1 && $(sha256sum <"$1") == "$2  -" ]]; }

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
