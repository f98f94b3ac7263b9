#!/usr/bin/env bash
# Sets up what hwr needs: poppler from the system, everything else in the virtual environment .venv.
# PYTHON names the interpreter that the environment is made from; pip follows the user's own
# configuration. Called by make, which runs it again when pyproject.toml, deploy/constraints.txt or
# this file has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

check_python() {
    command -v "$PYTHON" >/dev/null ||
        fail "$PYTHON was not found." "Install Python 3.11 or newer, or name one: make setup PYTHON=python3.12"
    # A stand-in for interpreters, as pyenv puts on the path, is found and does not run.
    "$PYTHON" -c '' ||
        fail "$PYTHON does not run; its message is above." \
            "Name one that does by its path: make setup PYTHON=/usr/bin/python3.12"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "hwr needs Python 3.11 or newer; $PYTHON is $("$PYTHON" -V 2>&1)." \
            "Name a newer one: make setup PYTHON=python3.12"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$PYTHON cannot make virtual environments: its venv module is not complete." \
            "On Debian and Ubuntu run: apt-get install python3-venv"
}

# The command that installs poppler's tools on this system, without sudo; empty when none is known.
poppler_command() {
    if command -v apt-get >/dev/null; then
        echo "apt-get install --yes --no-install-recommends poppler-utils"
    elif command -v dnf >/dev/null; then
        echo "dnf install --assumeyes poppler-utils"
    elif command -v apk >/dev/null; then
        echo "apk add poppler-utils"
    elif command -v brew >/dev/null; then
        echo "brew install poppler"
    fi
}

# What to put before the command to have the rights for it; fails when there are none.
poppler_rights() {
    if [ "$(id -u)" = 0 ] || [[ $1 == brew* ]]; then
        return 0
    fi
    sudo -n true 2>/dev/null && echo "sudo -n"
}

need_poppler() {
    if command -v pdftoppm >/dev/null && command -v pdfinfo >/dev/null; then
        return
    fi
    local command rights
    command=$(poppler_command)
    [ -n "$command" ] ||
        fail "poppler is missing: hwr renders PDF pages with pdftoppm and pdfinfo." \
            "Install poppler's tools (poppler-utils) and run make again."
    rights=$(poppler_rights "$command") ||
        fail "poppler is missing and installing it needs rights. Run this, then make again:" "    sudo $command"
    echo "setup: installing poppler: $rights $command"
    # Word splitting is meant: both are commands with their arguments.
    # shellcheck disable=SC2086
    if [[ $command == apt-get* ]]; then
        $rights apt-get update -qq
    fi
    # shellcheck disable=SC2086
    $rights $command || fail "Installing poppler failed. Run this, then make again:" "    $rights $command"
}

# Which installation and which version of Python an interpreter belongs to.
origin() {
    "$1" -c 'import sys; print(sys.base_prefix, sys.version_info[:2])' 2>/dev/null || true
}

make_environment() {
    local clear=
    # venv leaves the links of another Python where they are: packages of two versions would mix.
    if [ "$(origin .venv/bin/python)" != "$(origin "$PYTHON")" ]; then
        # Clearing would empty the folder that it leads to, which others may use.
        [ ! -L .venv ] ||
            fail ".venv is a link to an environment of another Python than $PYTHON, or to none that runs." \
                "Remove the link, or name the Python of that environment: make setup PYTHON=python3.12"
        if [ -e .venv ]; then
            echo "setup: .venv belongs to another Python or is broken, and is made anew"
            clear=--clear
        fi
    fi
    "$PYTHON" -m venv $clear .venv ||
        fail "The virtual environment could not be made; the message is above." \
            "See that this folder can be written to and its disk has room."
}

install_packages() {
    # No arrays: to bash before 4.4, as macOS has it, an empty one is an unbound variable.
    local quiet=
    [ -t 1 ] || quiet=--quiet
    echo "setup: installing hwr and its packages into .venv (a few minutes the first time)"
    make_environment
    .venv/bin/python -m pip install --disable-pip-version-check $quiet \
        --constraint deploy/constraints.txt --editable '.[demo,dev]' ||
        fail "pip could not install the packages; its message is above." \
            "pip needs a package index that it reaches, and the disk some gigabytes of room; make setup goes on." \
            "PyTorch is large: on a machine without an NVIDIA GPU, let pip take the CPU build (CONTRIBUTING.md)."
}

check_python
need_poppler
install_packages
echo "setup: done"
