#!/bin/bash
# The first process of a user-mode Linux node: what it needs of its own over the machine's file system (which is there,
# read-only), modules, network; then it carries out commands. $zea_work and $zea_node come from the kernel's command line;
# $zea_work/node.$zea_node says the rest: boot=NUMBER address=IP/BITS agent=IP/PORT modules="MODULE...". $zea_work/fstab has the
# mounts.
export PATH=/run/faults:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/run TERM=dumb
# Few programs: each costs 50 to 100 ms here. The folder may lie where the node has something of its own: /dev, /tmp.
mount -t hostfs -o "$zea_work" rig /media
. "/media/node.$zea_node"
mount -a -T /media/fstab || echo "init: a mount failed"
echo "$zea_node" >/proc/sys/kernel/hostname
modprobe -a $modules || echo "init: a module is missing"
printf '%s\n' "link set lo up" "addr add $address dev vec0" "link set vec0 up" | ip -batch -
stty -opost -F /dev/tty1
cd /run

. "${BASH_SOURCE%/*}/../agent.sh"
