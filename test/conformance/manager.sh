#!/bin/sh
# Drives a runtime through a manager with docker's commands, and prints what comes of it: for Galley and for runc that must be the same.
#
#   test/conformance/manager.sh docker 'docker run --runtime galley' IMAGE
#   test/conformance/manager.sh 'podman --runtime PATH --cgroup-manager cgroupfs' 'podman --runtime PATH --cgroup-manager cgroupfs run' IMAGE
#
# The first argument is the manager, the second how it runs a container with the runtime, the third a busybox image that it has.
# dockerd knows a runtime by its name: dockerd --add-runtime galley=/path/galley-runtime. Needs root.
set -u

usage='usage: test/conformance/manager.sh MANAGER RUN IMAGE'
manager=${1:?$usage}
run=${2:?$usage}
image=${3:?$usage}
name=galley-conformance

said() { echo "status $?"; }

$manager rm -f "$name" >/dev/null 2>&1
$run --rm "$image" echo hello; said
$run --rm "$image" sh -c 'exit 7'; said
$run --rm "$image" nosuchcommand 2>&1 | sed -n 's/.*\(exec: .*\)/\1/p'
$run --rm -t "$image" tty; said
$run --rm --init --user 1:1 --read-only --cap-drop all "$image" sh -c 'id -u; grep CapEff /proc/self/status'; said
$run --rm --privileged "$image" grep Seccomp: /proc/self/status; said
$run --rm --memory 20m --memory-swap 20m "$image" sh -c 'exec tail /dev/zero'; said

$run -d --name "$name" "$image" sleep 1000 >/dev/null; said
$manager exec "$name" sh -c 'echo inside; exit 3'; said
$manager exec -t "$name" tty; said
$manager pause "$name"; $manager inspect -f '{{.State.Status}}' "$name"
$manager unpause "$name"; $manager inspect -f '{{.State.Status}}' "$name"
$manager update --memory 100m --memory-swap 200m "$name" >/dev/null; said
$manager restart -t 0 "$name"; said
$manager kill "$name"; $manager wait "$name"
$manager inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$name"
$manager rm "$name"
