# What scripts share, to be sourced. A script first sets what, the word that its messages begin with.

say() { printf '%s: %s\n' "$what" "$*"; }
fail() {
    printf '%s: %s\n' "$what" "$*" >&2
    exit 1
}

# Fails unless all of the programs $@ are there.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || fail "no $program: apt-get install $program"
    done
}

# The one argument of a script, a folder, as an absolute path; nothing without an argument.
folder_argument() {
    local usage="usage: $0 [DIR]"
    (($# <= 1)) || fail "$# arguments; $usage"
    if [[ ${1-} == -* ]]; then fail "$1 is no option; $usage"; fi
    if [[ -n ${1-} ]]; then realpath -m "$1"; fi
}

# The Python that PYTHON names: a program, or a path, which is taken from the folder of the caller. Call
# it before the script changes its folder. By default that of scripts/setup.sh.
python_program() {
    case ${PYTHON-} in
    "") echo .venv/bin/python ;;
    # The link of an environment must stay: it is how Python finds its packages.
    */*) realpath -ms "$PYTHON" ;;
    *) echo "$PYTHON" ;;
    esac
}

# The program vidpairs that VIDPAIRS names, or the one that was built here. Call it in the root folder.
vidpairs_program() {
    local program
    program=$(realpath -m "${VIDPAIRS:-${CARGO_TARGET_DIR:-target}/release/vidpairs}")
    [[ -x $program ]] || fail "there is no $program: cargo build --release, or name the program in VIDPAIRS"
    echo "$program"
}
