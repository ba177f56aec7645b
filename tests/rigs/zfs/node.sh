#!/bin/bash
# The first process of a node with ZFS, once its init has the machine's files: what it needs of its own, udev, modules, network;
# then it carries out commands. /media/node.$zea_node says the rest: boot=NUMBER address=IP/BITS agent=IP/PORT
# modules="MODULE..." udev=yes|no. /media/fstab has the mounts of every node; some of them are here already, or have another name.
export PATH=/run/faults:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/run TERM=dumb
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro work /media
. "/media/node.$zea_node"
grep -vE '^(proc|sys|run|tmp|rig) |/lib/modules ' /media/fstab | sed 's|^/dev/ubda|/dev/vda|' >/run/fstab
mkdir -p /run/rig
mount --bind /media /run/rig
mount -a -T /run/fstab || echo "node.sh: a mount failed"
echo "$zea_node" >/proc/sys/kernel/hostname
# Where a satellite's log goes on every node.
stty -opost -F /dev/ttyS1
mount --bind /dev/ttyS1 /dev/tty1
if [ "${udev:-yes}" = yes ]; then
    # Without it `zpool create` on a whole disk waits half a minute and fails.
    /lib/systemd/systemd-udevd --daemon
    udevadm trigger --subsystem-match=block
fi
modprobe -a $modules || echo "node.sh: a module is missing"
printf '%s\n' "link set lo up" "addr add $address dev eth0" "link set eth0 up" | ip -batch -
[ "${udev:-yes}" = no ] || udevadm settle
cd /run
. "$zea_rig/agent.sh"
