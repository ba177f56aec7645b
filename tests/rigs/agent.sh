# How a node of either kind carries out commands, read by its first process. $zea_node and $boot say who it is, $agent where to
# ask, IP/PORT. A command comes over a connection that the node opens, one for each command, and the next one is opened at once:
# "COMMAND\0" comes in, output goes out, and "\0CODE\0" at its end. So nothing waits for a command that hangs. "!COMMAND" is
# carried out by this process itself, within a millisecond or two: for bash's own commands that end at once.
serve() {
    local command
    exec 3<>"/dev/tcp/$agent" || return
    printf '%s %s\0' "$zea_node" "$boot" >&3
    IFS= read -r -d '' command <&3 || command=
    if [ "${command:0:1}" = '!' ]; then
        eval "${command:1}" >&3 2>&3
        printf '\0%d\0' "$?" >&3
    elif [ -n "$command" ]; then
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
