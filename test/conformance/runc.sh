#!/bin/sh
# Runs runc's own integration tests against Galley (dist/galley-runtime, or dist/galley alone), or against the runtime that RUNC names.
#
#   test/conformance/runc.sh CHECKOUT [FILE.bats ...]
#
# CHECKOUT is a clone of opencontainers/runc whose test binaries are built (make test-binaries) and whose images are in
# tests/integration/testdata. Needs root, bats, jq and go, as the suite itself does. What is known to fail is in runc.expected, or in
# runc-v2.expected where cgroup v2 stands alone (runc-v2-systemd.expected with RUNC_USE_SYSTEMD=1, which is the suite's own), each with its
# reason; the status is 1 where something else fails. BATS_SECONDS is what a file may take, 300 where nothing is said.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
checkout=${1:?usage: test/conformance/runc.sh CHECKOUT [FILE.bats ...]}
shift
results=$(mktemp)
expected=$(mktemp)
trap 'rm -f "$results" "$expected"' EXIT
list=$here/runc.expected
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || list=$here/runc-v2${RUNC_USE_SYSTEMD:+-systemd}.expected
grep -v -e '^#' -e '^$' "$list" > "$expected"

# By another name its help would speak of another program.
program=$here/../../dist/galley-runtime
[ -e "$program" ] || program=$here/../../dist/galley
RUNC=${RUNC:-$(mktemp -d)/runc}
[ -e "$RUNC" ] || ln -s "$program" "$RUNC"
export RUNC
# Where a test copies the small program, the whole one is not beside it.
export GALLEY_PROGRAM="${GALLEY_PROGRAM:-$here/../../dist/galley}"
cd "$checkout/tests/integration"
[ $# -gt 0 ] || set -- *.bats

for file in "$@"; do
  case $file in
    selinux.bats) [ -e /sys/fs/selinux/enforce ] || continue ;; # in the virtual machine: test/vm/run --lsm selinux
    mounts_sshfs.bats) continue ;; # needs sshfs
  esac
  echo "== $file"
  # One of them may hang where CRIU fails. Others wait for all that their shell began, and so for what counts a test's time.
  limit=
  [ "$file" != checkpoint.bats ] || limit="BATS_TEST_TIMEOUT=100"
  env $limit timeout "${BATS_SECONDS:-300}" bats -t "$file" | tee -a "$results" || :
done

passed=$(grep -c '^ok .*' "$results" || :)
skipped=$(grep -c '^ok .*# skip' "$results" || :)
failed=$(grep -c '^not ok' "$results" || :)
unexpected=$(sed -n 's/^not ok [0-9]* //p' "$results" | sed 's/ *# timeout after .*//; s/ *$//' | grep -v -x -F -f "$expected" || :)
echo "$((passed - skipped)) passed, $failed failed, $skipped skipped"
[ -z "$unexpected" ] || { echo "not expected to fail:"; echo "$unexpected"; exit 1; }
