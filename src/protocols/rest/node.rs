//! Nodes and their network interfaces on the wire. Never checks a name or an address.

use std::collections::BTreeMap;

use super::shape::Props;

shapes! {
    /// A node.
    Node {
        must {
            /// Name as it was given.
            name: String,
            /// `SATELLITE`, `COMBINED`, `CONTROLLER`, `AUXILIARY`, `REMOTE_SPDK` or `EBS_TARGET`.
            #[serde(rename = "type")]
            kind: String,
            /// `ONLINE`, `OFFLINE`, `CONNECTED`, `VERSION_MISMATCH`, `FULL_SYNC_FAILED`, `AUTHENTICATION_ERROR`,
            /// `UNKNOWN`, `HOSTNAME_MISMATCH`, `OTHER_CONTROLLER`, `NO_STLT_CONN` or `MISSING_EXT_TOOLS`.
            connection_status: String,
        }
        may {
            /// `DELETE`, `EVICTED` (then with `DELETE`), `EVACUATE`, `QIGNORE`.
            flags: Vec<String>,
            /// Properties.
            props: Props,
            /// Addresses of the node.
            net_interfaces: Vec<NetInterface>,
            /// Unique id.
            uuid: String,
            /// Kinds of storage pool that the node can hold; absent while it is not connected.
            storage_providers: Vec<String>,
            /// Layers that the node can build; absent while it is not connected.
            resource_layers: Vec<String>,
            /// Why the other kinds of pool cannot be had.
            unsupported_providers: BTreeMap<String, Vec<String>>,
            /// Why the other layers cannot be had.
            unsupported_layers: BTreeMap<String, Vec<String>>,
            /// When the node will be evicted, in milliseconds since the epoch.
            eviction_timestamp: Option<i64>,
            /// `LINUX` or `WINDOWS`.
            platform: String,
            /// The operating system's flavour.
            os_variant: String,
        }
    }

    /// Registers a node.
    NodeCreate {
        must {
            /// Name; a host name.
            name: String,
            /// Kind of node, in any case of letters.
            #[serde(rename = "type")]
            kind: String,
        }
        may {
            /// Addresses. The first one leads to the satellite unless another is active.
            net_interfaces: Vec<NetInterface>,
            /// Properties.
            props: Props,
        }
    }

    /// Changes a node.
    NodeModify modifies Props {
        may {
            /// New kind of node.
            node_type: Option<String>,
        }
    }

    /// Takes a node back that was evicted or evacuated.
    NodeRestore {
        may {
            /// Delete the resources that it still has.
            delete_resources: Option<bool>,
            /// Delete the snapshots that it still has.
            delete_snapshots: Option<bool>,
        }
    }

    /// Moves everything away from a node.
    NodeEvacuate {
        may {
            /// Nodes to move to; none means any.
            target: Vec<String>,
            /// Nodes never to move to.
            do_not_target: Vec<String>,
        }
    }

    /// A network interface of a node.
    NetInterface {
        must {
            /// Name.
            name: String,
            /// A literal IP address, never a host name: clients fail on the whole list otherwise.
            address: String,
        }
        may {
            /// TCP port of the satellite, if this interface leads to it.
            satellite_port: Option<i32>,
            /// `PLAIN` or `SSL`, if this interface leads to the satellite.
            satellite_encryption_type: String,
            /// Whether the satellite is reached through this interface.
            is_active: bool,
            /// Unique id.
            uuid: String,
        }
    }

    /// Changes a network interface; the path names it.
    NetInterfaceModify {
        may {
            /// Name; the one in the path wins.
            name: Option<String>,
            /// New address.
            address: Option<String>,
            /// New TCP port of the satellite.
            satellite_port: Option<i32>,
            /// `PLAIN` or `SSL`, in any case of letters.
            satellite_encryption_type: Option<String>,
            /// Reach the satellite through this interface.
            is_active: Option<bool>,
        }
    }

    /// A satellite's configuration.
    SatelliteConfig {
        may {
            /// Where its files are.
            config: Option<ConfigFiles>,
            /// Debugging.
            debug: Option<ConfigDebug>,
            /// Logging.
            log: Option<SatelliteLog>,
            /// Name that the satellite goes by instead of the host's.
            stlt_override_node_name: String,
            /// Whether it stands for a remote SPDK target.
            remote_spdk: Option<bool>,
            /// Whether it stands for an EBS target.
            ebs: Option<bool>,
            /// Whether it is one of those special ones.
            special_satellite: Option<bool>,
            /// Names of DRBD resource files that are left alone.
            drbd_keep_res_pattern: String,
            /// Where it listens.
            net: Option<SatelliteNet>,
        }
    }

    /// Where configuration files are.
    ConfigFiles {
        may {
            /// The folder.
            dir: String,
        }
    }

    /// Debugging.
    ConfigDebug {
        may {
            /// Whether there is a console.
            console_enabled: Option<bool>,
        }
    }

    /// A satellite's logging.
    SatelliteLog {
        may {
            /// Whether failures are logged with their stack.
            print_stack_trace: Option<bool>,
            /// The folder of log files.
            directory: String,
            /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`, for everything.
            level: String,
            /// The same, for our own messages only.
            level_linstor: String,
        }
    }

    /// Where a satellite listens.
    SatelliteNet {
        may {
            /// Address.
            bind_address: String,
            /// TCP port.
            port: Option<i32>,
            /// `PLAIN` or `SSL`.
            com_type: String,
        }
    }
}
