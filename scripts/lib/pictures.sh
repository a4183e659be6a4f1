# What scripts that take pictures of pages share, to be sourced after script.sh.

# The browser that CHROMIUM names, or the installed one.
chromium_program() {
    local program=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
    [[ -n $program ]] || fail "no Chromium: apt-get install chromium, or name yours with CHROMIUM=/path"
    echo "$program"
}

# screenshot ADDRESS WIDTH HEIGHT PNG: a picture of the page at ADDRESS, px. Needs $chromium, and the folder $scratch.
screenshot() {
    timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$scratch/profile" --hide-scrollbars --window-size="$2,$3" \
        --screenshot="$4" "$1" >"$scratch/log" 2>&1 || fail "Chromium failed: $(tail -n 1 "$scratch/log")"
}

# small_jpeg PNG JPEG MAX_BYTES: the best quality that is small enough.
small_jpeg() {
    local quality
    for quality in 2 3 4 5 6 8 10 13 16; do
        ffmpeg -nostdin -loglevel error -y -i "$1" -q:v "$quality" -update 1 "$2"
        if (($(stat -c %s "$2") <= $3)); then break; fi
    done
    (($(stat -c %s "$2") <= $3)) || fail "$2 is larger than $3 bytes"
    say "$2, $(stat -c %s "$2") bytes"
}
