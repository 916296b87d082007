#!/bin/sh
# Drives a runtime through podman, and prints what comes of it: the output for Galley and for runc must be the same.
#
#   test/conformance/podman.sh RUNTIME IMAGE
#
# RUNTIME is the path of a runtime, IMAGE a busybox that podman has. Needs root.
set -u

runtime=${1:?usage: test/conformance/podman.sh RUNTIME IMAGE}
image=${2:?usage: test/conformance/podman.sh RUNTIME IMAGE}
name=galley-conformance

pod() { podman --runtime "$runtime" --cgroup-manager cgroupfs "$@"; }
said() { echo "status $?"; }

pod rm -f -i "$name" >/dev/null
pod run --rm "$image" echo hello; said
pod run --rm "$image" sh -c 'exit 7'; said
pod run --rm "$image" nosuchcommand 2>&1 | sed -n 's/.*\(exec: .*\)/\1/p'
pod run --rm -t "$image" tty; said
pod run --rm --init --user 1:1 --read-only --cap-drop all "$image" sh -c 'id -u; grep CapEff /proc/self/status'; said
pod run --rm --privileged "$image" grep Seccomp: /proc/self/status; said
pod run --rm --memory 20m --memory-swap 20m "$image" sh -c 'exec tail /dev/zero'; said

pod run -d --name "$name" "$image" sleep 1000 >/dev/null; said
pod exec "$name" sh -c 'echo inside; exit 3'; said
pod exec -t "$name" tty; said
pod pause "$name"; pod inspect -f '{{.State.Status}}' "$name"
pod unpause "$name"; pod inspect -f '{{.State.Status}}' "$name"
pod update --memory 100m --memory-swap 200m "$name" >/dev/null; said
pod restart -t 0 "$name"; said
pod kill "$name"; pod wait "$name"
pod inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$name"
pod rm "$name"
