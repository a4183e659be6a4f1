#!/usr/bin/env bash
# 3-D objects to render, out of the Debian package sweethome3d-furniture: scripts/objects.tsv names
# the five catalogues, docs/OBJECTS.md describes them. Nothing is installed.
#
#     scripts/fetch-objects.sh [DIR]
#
# Fetches 120 MB and keeps 130 MB, once for all clones, in the cache folder. DIR gets links to the
# files there, or copies where it lies on another file system.
set -euo pipefail

what=objects
# shellcheck source=scripts/lib/packages.sh
source "$(dirname "$0")/lib/packages.sh"
dir=$(folder_argument "$@")
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vidpairs/objects
table=scripts/objects.tsv
package=sweethome3d-furniture

rows() { grep -v '^#' "$table"; }

# Whether every catalogue is whole in the folder $1.
holds_all() {
    local catalogue sha256
    while IFS=$'\t' read -r catalogue sha256 _; do
        is_whole "$1/$catalogue" "$sha256" || return 1
    done < <(rows)
}

# Fetches the package, and puts its catalogues into the cache if all of them are the right ones.
fill_cache() {
    local unpacked=$scratch/usr/share/sweethome3d/furniture catalogue
    say "fetching $package, 120 MB"
    unpack_debian_package "$package" "$scratch" ||
        fail "$package could not be fetched; 'apt-get update' may help"
    holds_all "$unpacked" ||
        fail "$package holds other catalogues than $table was written for: another release of the package?"
    while IFS=$'\t' read -r catalogue _; do
        mv -f "$unpacked/$catalogue" "$cache/$catalogue"
    done < <(rows)
}

# Puts what is missing or damaged in the folder $1 there.
fill_dir() {
    local catalogue sha256
    while IFS=$'\t' read -r catalogue sha256 _; do
        if is_whole "$1/$catalogue" "$sha256"; then continue; fi
        put_into "$cache/$catalogue" "$1"
    done < <(rows)
}

mkdir -p "$cache" ${dir:+"$dir"}
if ! holds_all "$cache"; then
    make_scratch
    fill_cache
fi
if [[ -n $dir ]]; then fill_dir "$dir"; fi

num_objects=0
while IFS=$'\t' read -r catalogue _ objects licence credit; do
    printf 'objects: %-20s %3d objects, %-12s %s\n' "$catalogue" "$objects" "$licence" "$credit"
    num_objects=$((num_objects + objects))
done < <(rows)
say "$num_objects objects in ${dir:-$cache}"
