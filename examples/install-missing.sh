# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Debian packages by name, as root or with sudo, without a terminal. Sourced by quickstart.sh and tests/run.sh.

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "neither root nor sudo; as root, run: $*" >&2
        return 1
    fi
}

apt_get()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

# install_missing PACKAGE...: those that are not there yet.
install_missing()
{
    missing=
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing="$missing $package"
        fi
    done
    if [ -n "$missing" ]; then
        echo "Installing$missing"
        apt_get update
        # shellcheck disable=SC2086 # a list of words
        apt_get install -y --no-install-recommends $missing
    fi
}
