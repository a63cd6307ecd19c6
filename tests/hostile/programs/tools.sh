#!/bin/sh
# What an attacker types first: the system's own tools. The interface is that of escape.c.

list() {
  printf '%s\t%s\t%s\n' \
    unshare-tool 'unshare --user --map-root-user' TOOLS \
    nsenter-tool 'nsenter into the namespaces of pid 1' TOOLS \
    raising-tools 'su, sudo, pkexec, newuidmap, mount, chsh without a password' TOOLS \
    persistence 'cron tables, systemd units, profiles, ld.so.preload' TOOLS \
    sockets-of-daemons 'Docker, containerd, D-Bus and systemd sockets' TOOLS
}

escaped() { echo "ESCAPED: $*"; exit 1; }
refused() { echo "refused: TOOLS $*"; exit 0; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$("$@" 2>/dev/null </dev/null)" = 0 ]; }

case $1 in
  --list) list ;;
  unshare-tool)
    have unshare || { echo 'unsupported: no unshare'; exit 77; }
    is_root unshare --user --map-root-user id -u && escaped 'root in a user namespace'
    refused 'no user namespace'
    ;;
  nsenter-tool)
    have nsenter || { echo 'unsupported: no nsenter'; exit 77; }
    for kind in mount pid net user ipc uts; do
      nsenter --target 1 "--$kind" true 2>/dev/null </dev/null && escaped "entered the $kind namespace of pid 1"
    done
    refused 'no namespace of pid 1'
    ;;
  raising-tools)
    is_root su -c 'id -u' && escaped 'su'
    is_root sudo -n id -u && escaped 'sudo'
    is_root pkexec --disable-internal-agent id -u && escaped 'pkexec'
    have newuidmap && newuidmap $$ 0 0 1 2>/dev/null && escaped 'newuidmap'
    mount -t tmpfs escape /tmp 2>/dev/null && escaped 'mount'
    refused 'no tool raises'
    ;;
  persistence)
    for file in /etc/crontab /etc/cron.d/escape /var/spool/cron/crontabs/root /etc/ld.so.preload /etc/profile.d/escape.sh \
      /etc/systemd/system/escape.service /usr/local/bin/escape /root/.bashrc /root/.ssh/authorized_keys; do
      [ -e "$file" ] && fresh= || fresh=yes
      (: >>"$file") 2>/dev/null || continue
      [ "$fresh" ] && rm -f "$file"
      escaped "wrote $file"
    done
    refused 'nothing that somebody else runs can be written'
    ;;
  sockets-of-daemons)
    for socket in /run/docker.sock /var/run/docker.sock /run/containerd/containerd.sock /run/dbus/system_bus_socket \
      /run/systemd/private /run/podman/podman.sock /run/crio/crio.sock; do
      [ -S "$socket" ] && escaped "$socket is visible"
    done
    refused 'no daemon of the host'
    ;;
  *)
    echo 'usage: tools.sh NAME | tools.sh --list' >&2
    exit 2
    ;;
esac
