# shellcheck shell=bash
# Sourced by scripts/start and scripts/test: finds the Python that makes the environment.

# Prints the first of the commands given that is Python 3.11 to 3.14; if none is, the first of 3.11 or later.
# ROOTMARK_PYTHON, when set, is the only candidate. Exits with 2 where nothing fits.
find_python() {
    local command limit
    [ -n "${ROOTMARK_PYTHON:-}" ] && set -- "$ROOTMARK_PYTHON"
    for limit in 15 99; do
        for command in "$@"; do
            # Asked, not looked up: a command may exist and still not run (version managers' shims).
            if "$command" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, $limit))" \
                >/dev/null 2>&1 </dev/null; then
                command -v -- "$command"
                return 0
            fi
        done
    done
    {
        printf 'Rootmark needs Python 3.11 or later; none of these is one: %s\n' "$*"
        printf 'On Debian or Ubuntu:\n    apt-get install python3 python3-venv\n'
    } >&2
    return 2
}
