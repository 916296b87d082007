#!/bin/sh
# Sets up a clone to run: the npm packages, the native program, and busybox for the embedded image.
# Calls at the same time wait for each other; an interrupted one is done again by the next.
set -u

home=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd "$home" || exit 1

say() { printf 'galley: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# fail MESSAGE COMMAND: what is missing, and what installs it.
fail() {
  say "$1"
  [ -n "${2:-}" ] && say "run: $2"
  exit 1
}

# apt PACKAGE...: installs Debian packages when that is possible at all.
apt() {
  [ "$(id -u)" = 0 ] && have apt-get || return 1
  install="env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $*"
  $install >>build/setup.log 2>&1 9>&- && return 0
  apt-get update -q >>build/setup.log 2>&1 9>&- && $install >>build/setup.log 2>&1 9>&-
}

# A linked node_modules belongs to another tree, and npm would empty it.
packages_ready() {
  [ -x node_modules/bun/bin/bun.exe ] || return 1
  [ -h node_modules ] || [ node_modules/.package-lock.json -nt package-lock.json ]
}

packages() {
  [ -e package-lock.json ] || return 0
  packages_ready && return 0
  [ -h node_modules ] && fail "node_modules is a link to a place without the packages" "rm node_modules"
  have npm && have node || fail "npm, which installs the runtime, was not found" "apt-get install -y nodejs npm"
  say "installing the npm packages (once)"
  if ! npm ci --no-audit --no-fund --no-progress --loglevel=error >>build/setup.log 2>&1; then
    tail -n 20 build/setup.log >&2
    fail "npm could not install the packages; all of its output is in $home/build/setup.log"
  fi
  # Where npm is told not to run install scripts, the package leaves a placeholder instead of the program.
  node_modules/bun/bin/bun.exe --version >/dev/null 2>&1 ||
    node node_modules/bun/install.js >>build/setup.log 2>&1 ||
    fail "the runtime in node_modules/bun does not start; see $home/build/setup.log"
  touch node_modules/.package-lock.json
}

native_ready() {
  [ -x build/galley-native ] || return 1
  for source in native/*.c native/*.h scripts/build-native.sh; do
    [ -e "$source" ] && ! [ build/galley-native -nt "$source" ] && return 1
  done
  return 0
}

native() {
  native_ready && return 0
  [ -n "${CC:-}" ] || have cc || fail "a C compiler was not found" "apt-get install -y gcc libc6-dev"
  [ -e /usr/include/linux/mount.h ] || fail "the kernel's C headers were not found" "apt-get install -y linux-libc-dev"
  say "compiling the native program (once)"
  sh scripts/build-native.sh || fail "the native program does not compile"
}

# The embedded image needs a busybox without shared libraries; ldd fails on such a program.
static_busybox() {
  for candidate in /bin/busybox /usr/bin/busybox "$(command -v busybox)"; do
    [ -x "$candidate" ] && ! ldd "$candidate" >/dev/null 2>&1 && return 0
  done
  return 1
}

# Everything but the embedded image works without busybox, so its lack is said and is no failure.
busybox() {
  static_busybox && return 0
  say "installing busybox-static for the embedded busybox image (apt-get install -y busybox-static)"
  apt busybox-static && static_busybox && return 0
  say "busybox-static could not be installed, so the embedded busybox image is not there"
  say "run: apt-get install -y busybox-static"
}

mkdir -p build || fail "$home/build cannot be written"
exec 9>build/.setup.lock || fail "$home/build cannot be written"
if have flock && ! flock -n 9; then
  say "waiting for another set-up to finish"
  flock 9
fi
: >build/setup.log
packages
native
busybox
