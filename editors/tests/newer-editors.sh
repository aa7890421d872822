#!/bin/sh
# Puts Neovim, Helix, Emacs, tmux and the program of tree-sitter from Debian 13 into a folder, for the tests:
# newer-editors.sh FOLDER. Nothing outside the folder is touched, and no root is needed.
# FOLDER/bin then has each program, run by the loader and with the libraries of that Debian;
# what such a program starts, like the language server, is a program of this machine.
set -eu
SUITE=trixie
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
PACKAGES="neovim hx emacs-nox tmux tree-sitter-cli"

for program in apt-get apt-config dpkg dpkg-deb; do
    command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
mkdir -p "$1"
place=$(cd "$1" && pwd)
[ ! -e "$place/installed" ] || exit 0

# An apt of its own, which knows of no installed package, so that it fetches every library too.
mkdir -p "$place/apt/lists/partial" "$place/apt/archives/partial" "$place/tree" "$place/bin"
: >"$place/apt/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || { echo "$keyring is not installed" >&2; exit 1; }
echo "deb [signed-by=$keyring] $MIRROR $SUITE main" >"$place/apt/sources.list"
{
    # How this machine reaches the network.
    apt-config dump Acquire
    cat <<END
Dir::State "$place/apt";
Dir::State::status "$place/apt/status";
Dir::State::lists "$place/apt/lists";
Dir::Cache "$place/apt";
Dir::Cache::archives "$place/apt/archives";
Dir::Etc::sourcelist "$place/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Log "$place/apt";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
END
} >"$place/apt/apt.conf"
export APT_CONFIG="$place/apt/apt.conf"
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -qq --yes --download-only $PACKAGES >/dev/null
for package in "$place"/apt/archives/*.deb; do
    dpkg-deb --extract "$package" "$place/tree"
done
rm -rf "$place/apt"

loader=$(find "$place/tree" -name 'ld-linux*.so.*' | head -n 1)
libraries=$(find "$place/tree/usr/lib" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' | sort -u | paste -sd:)
wrap() {  # PROGRAM FILE [ENVIRONMENT [OPTIONS]]: writes bin/PROGRAM
    printf '#!/bin/sh\n%s exec "%s" --library-path "%s" "%s" %s "$@"\n' \
        "${3-}" "$loader" "$libraries" "$2" "${4-}" >"$place/bin/$1"
    chmod +x "$place/bin/$1"
}
usr=$place/tree/usr
emacs=$(echo "$usr"/share/emacs/[0-9]*)
dump=$(echo "$usr"/libexec/emacs/*/*/*.pdmp)
wrap nvim "$usr/bin/nvim" "VIMRUNTIME='$usr/share/nvim/runtime'" "--cmd 'set runtimepath+=$usr/lib/nvim'"
wrap hx "$usr/lib/hx/hx" "HELIX_RUNTIME='$usr/lib/hx/runtime'"
wrap emacs "$usr/bin/emacs-nox" \
    "EMACSLOADPATH='$emacs/lisp' EMACSDATA='$emacs/etc' EMACSDOC='$emacs/etc' EMACSPATH='$(dirname "$dump")'" \
    "'--dump-file=$dump'"
wrap tmux "$usr/bin/tmux"
wrap tree-sitter "$usr/bin/tree-sitter"
for program in nvim hx emacs tree-sitter; do "$place/bin/$program" --version >/dev/null; done
"$place/bin/tmux" -V >/dev/null
touch "$place/installed"
