//! Rows of the table of routes: nodes, their interfaces and pairs of nodes. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    One Get "/v1/nodes" nodeList ?"nodes* props* limit offset" Nothing => 200 Many("Node")
        "Lists the nodes.";
    One Post "/v1/nodes" nodeAdd One("NodeCreate") => 201 Entries
        "Registers a node; whether it comes online shows later.";
    One Get "/v1/nodes/{node}" nodeGet Nothing => 200 One("Node")
        "Shows a node.";
    One Put "/v1/nodes/{node}" nodeModify One("NodeModify") => 200 Entries
        "Changes a node's kind and properties.";
    One Delete "/v1/nodes/{node}" nodeDelete Nothing => 200 Entries
        "Removes a node once its satellite has cleaned up.";
    Three Delete "/v1/nodes/{node}/lost" nodeLost Nothing => 200 Entries
        "Forgets a node that is gone for good, with all that it had.";
    One Put "/v1/nodes/{node}/reconnect" nodeReconnect Nothing => 200 Entries
        "Closes the link to the satellite and opens it anew.";
    Three Put "/v1/nodes/{node}/restore" nodeRestore Optional("NodeRestore") => 200 Entries
        "Takes back a node that was evicted or evacuated.";
    Three Put "/v1/nodes/{node}/evict" nodeEvict Nothing => 200 Entries
        "Gives up a node that is offline.";
    Three Put "/v1/nodes/{node}/evacuate" nodeEvacuate Optional("NodeEvacuate") => 200 Entries
        "Moves everything away from a node.";
    Four Get "/v1/nodes/{node}/config" satelliteConfig Nothing => 200 One("SatelliteConfig")
        "Shows a satellite's configuration.";
    Four Put "/v1/nodes/{node}/config" satelliteSetConfig One("SatelliteConfig") => 200 Entries
        "Sets a satellite's log levels.";
    NotBuilt Post "/v1/nodes/ebs" nodeAddEbs Any => 201 Entries
        "Registers a stand-in node for EBS volumes.";
    Four Get "/v1/nodes/properties/info" nodePropertiesInfo Nothing => 200 Map("PropsInfo")
        "Tells which properties a node takes.";
    Four Get "/v1/stats/nodes" nodeStats Nothing => 200 One("Stats")
        "Counts the nodes.";
    One Get "/v1/nodes/{node}/net-interfaces" netinterfaceList ?"limit offset"
        Nothing => 200 Many("NetInterface")
        "Lists a node's network interfaces.";
    One Post "/v1/nodes/{node}/net-interfaces" netinterfaceCreate One("NetInterface") => 201 Entries
        "Adds a network interface.";
    One Get "/v1/nodes/{node}/net-interfaces/{netif}" netinterfaceGet
        Nothing => 200 One("NetInterface")
        "Shows a network interface.";
    One Put "/v1/nodes/{node}/net-interfaces/{netif}" netinterfaceModified
        One("NetInterfaceModify") => 200 Entries
        "Changes a network interface.";
    One Delete "/v1/nodes/{node}/net-interfaces/{netif}" netinterfaceDelete Nothing => 200 Entries
        "Removes a network interface.";
    NotBuilt Post "/v1/nodes/exec/drbd-reactorctl/status" nodeExecDrbdReactorStatus Any => 200 Json
        "Asks drbd-reactor on nodes how it is.";
    NotBuilt Post "/v1/nodes/exec/drbd-reactorctl/evict" nodeExecDrbdReactorEvict Any => 200 Json
        "Has drbd-reactor move a service away.";
    NotBuilt Post "/v1/nodes/exec/drbd-reactorctl/disable" nodeExecDrbdReactorDisable
        Any => 200 Json
        "Turns a plugin of drbd-reactor off.";
    NotBuilt Post "/v1/nodes/exec/drbd-reactorctl/enable" nodeExecDrbdReactorEnable Any => 200 Json
        "Turns a plugin of drbd-reactor on.";
    NotBuilt Post "/v1/nodes/exec/drbd-reactorctl/restart" nodeExecDrbdReactorRestart
        Any => 200 Json
        "Restarts a plugin of drbd-reactor.";
    One Get "/v1/node-connections" nodeConnectionsList ?"node_a node_b"
        Nothing => 200 Many("NodeConnection")
        "Lists the pairs of nodes, or shows one pair.";
    One Put "/v1/node-connections/{node_a}/{node_b}" nodeConnectionModify
        One("PropsModify") => 200 Entries
        "Sets properties of a pair of nodes.";
};
