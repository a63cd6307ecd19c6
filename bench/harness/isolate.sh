#!/bin/sh
# Runs a command in its own network and mount namespace (root needed): loopback
# only, no iptables rules of the host, and origin.test (with h0 to h399 under it)
# in /etc/hosts.
#   ./isolate.sh node bench.mjs ...
set -eu
# Kept: nothing can be mounted over a file that is mounted but was removed, and a sandbox covers /etc/hosts.
hosts=$(dirname "$0")/hosts
{
  echo '127.0.0.1 localhost origin.test'
  seq 0 399 | sed 's/.*/127.0.0.1 h&.origin.test/' # hosts no proxy has a certificate for yet
} > "$hosts"
chmod 644 "$hosts"
exec unshare --net --mount --propagation private sh -c '
  mount --bind "$1" /etc/hosts
  ip link set lo up
  shift
  exec "$@"' isolate "$hosts" "$@"
