# System packages for the package scripts, to be sourced. The script that sources this has the functions say,
# which prints a line, and fail, which prints its words and exits.

# Installs those of the Debian packages "$@" that are missing.
install_packages() {
    local installed package missing=() as_root=()
    command -v apt-get >/dev/null || fail "no apt-get here: packages are built and tried on Debian or Ubuntu only"
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        grep -qx "ii  *$package" <<<"$installed" || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        say "system packages: present"
        return
    fi
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
