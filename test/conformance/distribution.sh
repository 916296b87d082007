#!/bin/sh
# Runs distribution-spec's own conformance suite against `galley registry serve`.
#
#   test/conformance/distribution.sh CHECKOUT [RESULTS]
#
# CHECKOUT is a clone of opencontainers/distribution-spec, where `go run` can build conformance/, or where it was built already
# (conformance/conformance). RESULTS is a directory for the suite's reports. OCI_VERSION=dev adds what the next version of the
# specification will have; all other variables of the suite work too. The status is 1 where a test fails.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
checkout=$(realpath "${1:?usage: test/conformance/distribution.sh CHECKOUT [RESULTS]}")
storage=$(mktemp -d)
results=${2:-$storage/results}
mkdir -p "$results"
results=$(realpath "$results")

"${GALLEY:-$here/../../bin/galley}" registry serve --listen 127.0.0.1:0 --root "$storage/registry" 2> "$storage/log" </dev/null &
server=$!
trap 'kill $server; wait $server || :; rm -rf "$storage"' EXIT
for _ in $(seq 100); do grep -q '^listening on' "$storage/log" && break; sleep 0.1; done
address=$(sed -n 's,^listening on http://,,p' "$storage/log")
[ -n "$address" ] || { cat "$storage/log" >&2; exit 1; }

suite=$checkout/conformance/conformance
[ -x "$suite" ] || (cd "$checkout/conformance" && go build -o conformance .)
cd "$storage"
OCI_REGISTRY=$address OCI_TLS=disabled OCI_RESULTS_DIR=$results "$suite" > "$storage/report" 2>&1 || { cat "$storage/report"; exit 1; }
# What is not well is named; then come the counts.
grep -E ': (FAIL|Error|Skip)$' "$storage/report" || :
grep -E '^  (Disabled|Skip|Pass|FAIL|Error|Total)\.+:' "$storage/report"
! grep -q 'Result: FAIL' "$storage/report"
