#!/bin/sh
# Runs manager.sh or containerd.sh with a manager of its own: daemons, state, sockets and images are in namespaces and on file systems that
# end with this script, whatever becomes of them. Nothing is asked of the network.
#
#   test/conformance/private.sh podman|docker|containerd RUNTIME ARCHIVE
#
# RUNTIME is a path or a name that is found in PATH; ARCHIVE holds busybox:latest, as `galley save` or `docker save` write it.
# Needs root, and the manager's programs.
set -u

usage='usage: test/conformance/private.sh podman|docker|containerd RUNTIME ARCHIVE'
here=$(cd "$(dirname "$0")" && pwd)

# outside: the second half, as first process of its pid namespace, so that its end is everybody's; then the cgroups.
if [ "${1:-}" != --inside ]; then
  manager=${1:?$usage}; runtime=$(command -v "${2:?$usage}"); archive=$(realpath "${3:?$usage}")
  cgroup=galley-conformance-$$
  unshare --mount --net --pid --fork --kill-child --mount-proc sh "$0" --inside "$manager" "$runtime" "$archive" "$cgroup"
  status=$?
  find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null
  exit $status
fi

manager=$2 runtime=$3 archive=$4 cgroup=$5
mount --make-rprivate / && mount -t tmpfs -o mode=755 private /run && cd /run || exit 1
ip link set lo up 2>/dev/null || true
image=docker.io/library/busybox:latest
mkdir -p lock private/tmp; export TMPDIR=/run/private/tmp

# Of cgroup v1 the hierarchies are the machine's, the directory of them is not: podman makes directories in it for those that are not mounted.
own_hierarchies() {
  [ "$(stat -f -c %T /sys/fs/cgroup)" = tmpfs ] || return 0
  mkdir hierarchies && mount -t tmpfs -o mode=755 hierarchies hierarchies || return
  for each in /sys/fs/cgroup/*; do
    if [ -h "$each" ]; then cp -d "$each" hierarchies
    elif mountpoint -q "$each"; then mkdir "hierarchies/${each##*/}" && mount --bind "$each" "hierarchies/${each##*/}"
    fi || return
  done
  mount --move hierarchies /sys/fs/cgroup
}
own_hierarchies || exit 1

# started LOG COMMAND...: a daemon in the background.
started() { log=$1; shift; "$@" >"$log" 2>&1 & }
# await LOG COMMAND...: until it succeeds, half a minute at most.
await() {
  log=$1; shift
  for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "in vain: $*" >&2; tail -n 20 "$log" >&2; exit 1
}

containerd() {
  cat > containerd.toml <<EOT
version = 2
root = "/run/private/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/containerd.sock"
EOT
  started containerd.log command containerd --config containerd.toml
  await containerd.log ctr --address /run/containerd.sock version
}

case $manager in
podman)
  # Limits that can be set where the caller's own are lower than podman's.
  printf '[containers]\ndefault_ulimits=["nofile=1024:4096","nproc=4096:4096"]\n' > containers.conf
  export CONTAINERS_CONF=/run/containers.conf PODMAN_IGNORE_CGROUPSV1_WARNING=1
  podman="podman --root /run/private/podman --runroot /run/private/podman-run --tmpdir /run/private/libpod --storage-driver overlay --cgroup-manager cgroupfs --events-backend file --runtime $runtime"
  $podman load -q -i "$archive" >/dev/null || exit 1
  # The first call of a podman makes its files.
  sh "$here/manager.sh" "$podman" "$podman run --cgroup-parent /$cgroup" "$image" ;;
docker)
  containerd
  docker=$(PATH=/usr/bin:$PATH command -v docker)
  started dockerd.log dockerd --host unix:///run/docker.sock --containerd /run/containerd.sock --data-root /run/private/docker \
    --exec-root /run/private/docker-exec --pidfile /run/docker.pid --storage-driver overlay2 --bridge none --iptables=false --ip6tables=false \
    --ip-forward=false --cgroup-parent "/$cgroup" --add-runtime "tested=$runtime"
  docker="$docker --host unix:///run/docker.sock"
  await dockerd.log $docker version
  $docker load -q -i "$archive" >/dev/null || exit 1
  sh "$here/manager.sh" "$docker" "$docker run --runtime tested" "$image" ;;
containerd)
  containerd
  ctr="ctr --address /run/containerd.sock --namespace $cgroup"
  $ctr images import "$archive" >/dev/null || exit 1
  sh "$here/containerd.sh" "$ctr" "$runtime" "$image" ;;
*)
  echo "$usage" >&2; exit 1 ;;
esac
