#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_debian.sh DIR PACKAGE…: a minbase root file system of this machine's own release with
# the packages added, in a new directory. apt checks the signatures.
set -eu
dir=$1; shift
rm -rf "$dir"
# shellcheck disable=SC2016 # apt-get's own syntax
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
[ -n "$mirror" ] || { echo "no Debian mirror among this machine's package sources"; exit 1; }
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
# A mount namespace of its own: what an interrupted run leaves mounted goes with it.
log=$(mktemp)
unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=minbase \
  --include="$(echo "$*" | tr ' ' ',')" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --essential-hook='mkdir -p "$1/usr/share/man/man1"' \
  "$codename" "$dir" "$mirror" </dev/null >"$log" 2>&1 || {
  cat "$log"; rm -rf "$dir" "$log"; exit 1; }
rm -rf "$log" "$dir"/var/lib/apt/lists/*_* "$dir"/var/cache/apt/*.bin "${dir:?}"/dev/*
