#!/bin/sh
# Drives a runtime through dockerd, and prints what comes of it: the output for Galley and for runc must be the same.
#
#   test/conformance/docker.sh RUNTIME IMAGE
#
# RUNTIME is a name that the running dockerd knows (--add-runtime galley=/path/galley-runtime), IMAGE a busybox that it has. Needs root.
set -u

runtime=${1:?usage: test/conformance/docker.sh RUNTIME IMAGE}
image=${2:?usage: test/conformance/docker.sh RUNTIME IMAGE}
name=galley-conformance

run() { docker run --runtime "$runtime" "$@"; }
said() { echo "status $?"; }

docker rm -f "$name" >/dev/null 2>&1
run --rm "$image" echo hello; said
run --rm "$image" sh -c 'exit 7'; said
run --rm "$image" nosuchcommand 2>&1 | sed -n 's/.*\(exec: .*\)/\1/p'
run --rm -t "$image" tty; said
run --rm --init --user 1:1 --read-only --cap-drop all "$image" sh -c 'id -u; grep CapEff /proc/self/status'; said
run --rm --privileged "$image" grep Seccomp: /proc/self/status; said
run --rm --memory 20m --memory-swap 20m "$image" sh -c 'exec tail /dev/zero'; said

run -d --name "$name" "$image" sleep 1000 >/dev/null; said
docker exec "$name" sh -c 'echo inside; exit 3'; said
docker exec -t "$name" tty; said
docker pause "$name"; docker inspect -f '{{.State.Status}}' "$name"
docker unpause "$name"; docker inspect -f '{{.State.Status}}' "$name"
docker update --memory 100m --memory-swap 200m "$name" >/dev/null; said
docker restart -t 0 "$name"; said
docker kill "$name"; docker wait "$name"
docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$name"
docker rm "$name"
