#!/bin/sh
# Runs the specification's own validation programs (opencontainers/runtime-tools) against Galley, or against the runtime that RUNTIME names.
#
#   test/conformance/oci-validation.sh CHECKOUT [TEST ...]
#
# CHECKOUT is a clone of runtime-tools whose programs are built (make runtimetest validation-executables). Needs root. What is known to fail
# is in oci-validation.expected, each with its reason; the status is 1 where something else fails.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
checkout=${1:?usage: test/conformance/oci-validation.sh CHECKOUT [TEST ...]}
shift
expected=$(mktemp)
result=$(mktemp)
trap 'rm -f "$expected" "$result"' EXIT
grep -v -e '^#' -e '^$' "$here/oci-validation.expected" > "$expected" || :

RUNTIME=${RUNTIME:-$(mktemp -d)/runc}
[ -e "$RUNTIME" ] || ln -s "$here/../../dist/galley" "$RUNTIME"
export RUNTIME
cd "$checkout"
[ $# -gt 0 ] || set -- $(ls validation/*/*.t | sed 's|.*/||; s|\.t$||')

passed=0 failed=0 unexpected=
for name in "$@"; do
  echo "== $name"
  status=0
  timeout 120 "validation/$name/$name.t" > "$result" 2>&1 || status=$?
  if [ "$status" = 0 ] && ! grep -q -E '^ *not ok' "$result"; then
    passed=$((passed + 1))
    continue
  fi
  failed=$((failed + 1))
  cat "$result"
  grep -q -x -F "$name" "$expected" || unexpected="$unexpected $name"
done
echo "$passed passed, $failed failed"
[ -z "$unexpected" ] || { echo "not expected to fail:$unexpected"; exit 1; }
