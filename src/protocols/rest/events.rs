//! Server-sent events: how they look on the wire. Never keeps a stream.

use serde::Serialize;

use super::node::Node;

/// Media type of the stream.
pub const MEDIA_TYPE: &str = "text/event-stream";
/// Header by which a client says where it left off.
pub const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Value of [`LAST_EVENT_ID`] that asks for the present state of everything first.
pub const CURRENT: &str = "current";
/// A comment that keeps a stream from being taken for dead; clients pass it over.
pub const KEEP_ALIVE: &str = ":\n\n";

/// What streams tell.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiEvent {
    /// Whether a replica could be promoted has changed.
    MayPromote {
        /// Name of the resource definition.
        resource_name: String,
        /// The node.
        node_name: String,
        /// Whether it could be promoted.
        may_promote: bool,
    },
    /// A node was registered.
    NodeCreate(Box<Node>),
    /// A node is gone.
    NodeDelete(Box<Node>),
    /// A node is being emptied.
    NodeEvacuate(Box<Node>),
    /// A node was given up.
    NodeEvicted(Box<Node>),
    /// A node was taken back.
    NodeRestored(Box<Node>),
    /// A node has changed.
    NodeModified {
        /// As it was.
        old_node: Box<Node>,
        /// As it is.
        new_node: Box<Node>,
    },
    /// The stream ends for a reason.
    Error(String),
}

#[derive(Serialize)]
struct MayPromote<'a> {
    resource_name: &'a str,
    node_name: &'a str,
    may_promote: bool,
}

#[derive(Serialize)]
struct OneNode<'a> {
    node: &'a Node,
}

#[derive(Serialize)]
struct TwoNodes<'a> {
    old_node: &'a Node,
    new_node: &'a Node,
}

impl ApiEvent {
    /// The event's name.
    pub fn name(&self) -> &'static str {
        match self {
            ApiEvent::MayPromote { .. } => "may-promote-change",
            ApiEvent::NodeCreate(_) => "node-create",
            ApiEvent::NodeDelete(_) => "node-delete",
            ApiEvent::NodeEvacuate(_) => "node-evacuate",
            ApiEvent::NodeEvicted(_) => "node-evicted",
            ApiEvent::NodeRestored(_) => "node-restored",
            ApiEvent::NodeModified { .. } => "node-modified",
            ApiEvent::Error(_) => "error",
        }
    }

    /// The event as it goes out, with the empty line that ends it.
    pub fn to_wire(&self) -> String {
        frame(self.name(), &self.data())
    }

    fn data(&self) -> String {
        match self {
            ApiEvent::MayPromote { resource_name, node_name, may_promote } => {
                json(&MayPromote { resource_name, node_name, may_promote: *may_promote })
            }
            ApiEvent::NodeCreate(node)
            | ApiEvent::NodeDelete(node)
            | ApiEvent::NodeEvacuate(node)
            | ApiEvent::NodeEvicted(node)
            | ApiEvent::NodeRestored(node) => json(&OneNode { node }),
            ApiEvent::NodeModified { old_node, new_node } => json(&TwoNodes { old_node, new_node }),
            ApiEvent::Error(reason) => reason.clone(),
        }
    }
}

fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("a shape has text keys only")
}

/// One event. Every line of the data gets a prefix of its own, so that no text in it can end the event.
fn frame(name: &str, data: &str) -> String {
    let mut wire = format!("event: {name}\n");
    for line in data.split(['\n', '\r']) {
        wire.push_str("data: ");
        wire.push_str(line);
        wire.push('\n');
    }
    wire.push('\n');
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> Box<Node> {
        let (kind, connection_status) = ("SATELLITE".to_owned(), "ONLINE".to_owned());
        Box::new(Node { name: name.to_owned(), kind, connection_status, ..Node::default() })
    }

    #[test]
    fn promotion() {
        let event = ApiEvent::MayPromote { resource_name: "res1".into(), node_name: "alpha".into(), may_promote: true };
        assert_eq!(
            event.to_wire(),
            "event: may-promote-change\n\
             data: {\"resource_name\":\"res1\",\"node_name\":\"alpha\",\"may_promote\":true}\n\n"
        );
    }

    #[test]
    fn nodes() {
        let alpha = r#"{"name":"alpha","type":"SATELLITE","connection_status":"ONLINE"}"#;
        for (event, name) in [
            (ApiEvent::NodeCreate(node("alpha")), "node-create"),
            (ApiEvent::NodeDelete(node("alpha")), "node-delete"),
            (ApiEvent::NodeEvacuate(node("alpha")), "node-evacuate"),
            (ApiEvent::NodeEvicted(node("alpha")), "node-evicted"),
            (ApiEvent::NodeRestored(node("alpha")), "node-restored"),
        ] {
            assert_eq!(event.to_wire(), format!("event: {name}\ndata: {{\"node\":{alpha}}}\n\n"));
        }
        let modified = ApiEvent::NodeModified { old_node: node("alpha"), new_node: node("alpha") };
        let expected = format!("event: node-modified\ndata: {{\"old_node\":{alpha},\"new_node\":{alpha}}}\n\n");
        assert_eq!(modified.to_wire(), expected);
    }

    #[test]
    fn no_text_ends_an_event_early() {
        let wire = ApiEvent::Error("gone\n\nevent: node-delete\r\rdata: {}".into()).to_wire();
        assert_eq!(wire, "event: error\ndata: gone\ndata: \ndata: event: node-delete\ndata: \ndata: data: {}\n\n");
        assert_eq!(wire.matches("\n\n").count(), 1);
    }
}
