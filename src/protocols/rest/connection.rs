//! Pairs of nodes and pairs of replicas on the wire. Never sorts a pair: whoever fills one in does.

use super::shape::Props;

shapes! {
    /// A pair of nodes, in the order of their names.
    NodeConnection {
        must {
            /// The one.
            node_a: String,
            /// The other.
            node_b: String,
        }
        may {
            /// Properties, such as paths between them.
            props: Props,
        }
    }

    /// A pair of replicas of one resource.
    ResourceConnection {
        must {
            /// The node of the one.
            node_a: String,
            /// The node of the other.
            node_b: String,
        }
        may {
            /// Properties.
            props: Props,
            /// `DELETED`, `LOCAL_DRBD_PROXY`.
            flags: Vec<String>,
            /// The proxy's TCP port at the one.
            drbd_proxy_port_a: Option<i32>,
            /// The proxy's TCP port at the other.
            drbd_proxy_port_b: Option<i32>,
        }
    }
}
