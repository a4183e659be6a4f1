#!/usr/bin/env bash
# Takes the picture of the README, docs/pictures/report.jpg: three parts of the page that scripts/demo.sh makes.
#
#     scripts/report-picture.sh [PAGE]
#
# PAGE (demo/report.html) is the page of a finished demo. The picture shows objects of docs/OBJECTS.md. CHROMIUM names the browser.
set -euo pipefail

what=picture
# shellcheck source=scripts/lib/script.sh
source "$(dirname "$0")/lib/script.sh"
# shellcheck source=scripts/lib/pictures.sh
source "$(dirname "$0")/lib/pictures.sh"

page=$(folder_argument "$@")
cd "$(dirname "$0")/.."
page=${page:-$PWD/demo/report.html}
[[ -f $page ]] || fail "there is no $page: run scripts/demo.sh, or name the page of a finished demo"
chromium=$(chromium_program)
need ffmpeg

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# part NAME SELECTOR: a picture of the page without what SELECTOR names.
part() {
    { cat "$page" && printf '<style>%s { display: none !important }</style>' "$2"; } >"$scratch/$1.html"
    screenshot "file://$scratch/$1.html" 1000 1400 "$scratch/$1.png"
}
part runs '#settings, footer'
# The rendered pairs: the clips belong to others.
part data 'header, #runs, #settings, #curves, #data > section:first-of-type, #data details, .bars'
part invariances 'header, #runs, #settings, #curves, #data, footer'
ffmpeg -nostdin -loglevel error -y -i "$scratch/runs.png" -i "$scratch/data.png" -i "$scratch/invariances.png" \
    -filter_complex "[0][1][2]hstack=inputs=3,scale=1800:-1" "$scratch/all.png"
small_jpeg "$scratch/all.png" docs/pictures/report.jpg 400000
