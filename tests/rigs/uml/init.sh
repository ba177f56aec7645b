#!/bin/bash
# The first process of a user-mode Linux node: what it needs of its own over the machine's file system (which is there,
# read-only), modules, network; then it carries out commands. $zea_work and $zea_node come from the kernel's command line;
# $zea_work/node.$zea_node says the rest: boot=NUMBER address=IP/BITS agent=IP/PORT modules="MODULE...".
# A command comes over a connection that the node opens, one for each command, and the next one is opened at once:
# "COMMAND\0" comes in, output goes out, and "\0CODE\0" at its end. So nothing waits for a command that hangs.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/run TERM=dumb
. "$zea_work/node.$zea_node"
# Few programs: each costs 50 to 100 ms here.
mount -a -T "$zea_work/fstab" || echo "init: a mount failed"
echo "$zea_node" >/proc/sys/kernel/hostname
modprobe -a $modules || echo "init: a module is missing"
printf '%s\n' "link set lo up" "addr add $address dev vec0" "link set vec0 up" | ip -batch -
stty -opost -F /dev/tty1
cd /run

serve() {
    local command
    exec 3<>"/dev/tcp/$agent" || return
    printf '%s %s\0' "$zea_node" "$boot" >&3
    if IFS= read -r -d '' command <&3; then
        {
            (eval "$command")
            printf '\0%d\0' "$?"
        } </dev/null >&3 2>&3 3>&- &
    fi
    exec 3>&-
}

while :; do
    serve || sleep 0.1
done
