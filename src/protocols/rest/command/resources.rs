//! Requests about replicas and pairs of replicas. Never places anything.

use super::definitions::of;
use super::filter::filter;
use super::nodes::{self, pair_of};
use super::numbers::node_id;
use super::parse::{flags, layers, new_props, node, props};
use super::unbuilt::{Wish, names_something, refuse_wishes, snapshot_wishes};
use super::{Call, Request, Untranslated, calls};
use crate::model::code::{FAIL_INVLD_NODE_NAME, FAIL_INVLD_REQUEST};
use crate::model::command::{Command, NewResource, ResourceCommand};
use crate::model::kinds::ResourceFlags;
use crate::model::names::NodeName;
use crate::model::refusal::Refusal;
use crate::protocols::rest::resource::{AutoPlaceRequest, ResourceCreate, ResourceMakeAvailable, ResourceModify};

pub(super) const CALLS: &[Call] = calls! {
    resourceCreate Nodes => create_list;
    resourceCreateOnNode Nodes => create_one;
    resourceModify Nodes => modify;
    resourceDelete Nodes => delete;
    resourceAutoplace Nodes => autoplace;
    resourceMakeAvailableOnNode Nodes => make_available;
    resourceActivate Nodes => activate;
    resourceDeactivate Nodes => deactivate;
    resourceConnectionModify Nodes => connection_modify;
};

/// What a request can say of a new replica by flags.
const FLAGS: &[(&str, ResourceFlags)] = &[
    ("DISKLESS", ResourceFlags::DISKLESS),
    ("DRBD_DISKLESS", ResourceFlags::DRBD_DISKLESS),
    ("NVME_INITIATOR", ResourceFlags::NVME_INITIATOR),
    ("EBS_INITIATOR", ResourceFlags::EBS_INITIATOR),
    ("INACTIVE", ResourceFlags::INACTIVE),
];

const PORTS_INSTEAD: &str = "Leave it out: ports are chosen from the range of the property TcpPortAutoRange.";
const CLIENT_INSTEAD: &str = "Ask for a replica without a disk (flag DRBD_DISKLESS).";
const TIE_BREAKER_INSTEAD: &str = "Leave tie-breakers to the controller: they are made and removed as needed.";
const DUAL_INSTEAD: &str = "Set the property DrbdOptions/Net/allow-two-primaries of the definition meanwhile.";

fn create_list(request: &Request) -> Result<Command, Untranslated> {
    let list: Vec<ResourceCreate> = request.read()?;
    if list.is_empty() {
        return Err(Refusal::new(FAIL_INVLD_REQUEST, "The list of resources to create is empty")
            .because("Nothing would be made")
            .cure("Give one object for each node, with resource.node_name")
            .into());
    }
    let wishes = list.into_iter().enumerate().map(|(at, wire)| {
        let name = wire.resource.as_ref().and_then(|spec| spec.node_name.as_deref());
        let named = name.ok_or_else(|| no_node(at))?;
        wish(node(named)?, wire)
    });
    let wishes = wishes.collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Command::Resource(ResourceCommand::Create { rsc: of(request)?, wishes }))
}

fn no_node(at: usize) -> Refusal {
    Refusal::new(FAIL_INVLD_NODE_NAME, format!("The resource at [{at}] names no node"))
        .because("The path of this call holds no node")
        .cure(format!("Give [{at}].resource.node_name"))
}

fn create_one(request: &Request) -> Result<Command, Untranslated> {
    let wire: ResourceCreate = request.read_optional()?;
    let wishes = vec![wish(nodes::of(request)?, wire)?];
    Ok(Command::Resource(ResourceCommand::Create { rsc: of(request)?, wishes }))
}

fn wish(node: NodeName, wire: ResourceCreate) -> Result<NewResource, Refusal> {
    refuse_wishes(&[
        (wire.drbd_tcp_port_count.is_some(), "drbd_tcp_port_count", PORTS_INSTEAD),
        ports_wish(wire.drbd_tcp_ports.as_ref()),
        (wire.drbd_client == Some(true), "drbd_client", CLIENT_INSTEAD),
    ])?;
    refuse_wishes(&snapshot_wishes(wire.snap_names.as_ref(), wire.copy_all_snaps))?;
    let spec = wire.resource.unwrap_or_default();
    Ok(NewResource {
        node,
        flags: flags(&spec.flags, FLAGS, ResourceFlags::with, ResourceFlags::NONE)?,
        props: new_props(spec.props),
        layers: layers(wire.layer_list.as_ref())?,
        node_id: node_id(wire.drbd_node_id)?,
    })
}

fn ports_wish(ports: Option<&Vec<i32>>) -> Wish {
    (names_something(ports), "drbd_tcp_ports", PORTS_INSTEAD)
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let mut wire: ResourceModify = request.read()?;
    refuse_wishes(&[
        (wire.drbd_tiebreaker.is_some(), "drbd_tiebreaker", TIE_BREAKER_INSTEAD),
        (wire.drbd_client == Some(true), "drbd_client", CLIENT_INSTEAD),
    ])?;
    let props = props(wire.take_props());
    Ok(Command::Resource(ResourceCommand::Modify { rsc: of(request)?, node: nodes::of(request)?, props }))
}

fn delete(request: &Request) -> Result<Command, Untranslated> {
    let keep_tiebreaker = request.query.flag("keep_tiebreaker", false);
    Ok(Command::Resource(ResourceCommand::Delete { rsc: of(request)?, node: nodes::of(request)?, keep_tiebreaker }))
}

/// What stands beside the filter outranks what stands in it.
fn autoplace(request: &Request) -> Result<Command, Untranslated> {
    let wire: AutoPlaceRequest = request.read_optional()?;
    refuse_wishes(&snapshot_wishes(wire.snap_names.as_ref(), wire.copy_all_snaps))?;
    let mut filter = filter(wire.select_filter)?;
    filter.diskless_on_remaining = wire.diskless_on_remaining.or(filter.diskless_on_remaining);
    filter.layers = layers(wire.layer_list.as_ref())?.or(filter.layers);
    Ok(Command::Resource(ResourceCommand::Autoplace { rsc: of(request)?, filter }))
}

fn make_available(request: &Request) -> Result<Command, Untranslated> {
    let wire: ResourceMakeAvailable = request.read_optional()?;
    refuse_wishes(&[
        ports_wish(wire.drbd_tcp_ports.as_ref()),
        (wire.auto_manage_dual_primary == Some(true), "auto_manage_dual_primary", DUAL_INSTEAD),
    ])?;
    refuse_wishes(&snapshot_wishes(wire.snap_names.as_ref(), wire.copy_all_snaps))?;
    Ok(Command::Resource(ResourceCommand::MakeAvailable {
        rsc: of(request)?,
        node: nodes::of(request)?,
        diskful: wire.diskful,
        layers: layers(wire.layer_list.as_ref())?,
    }))
}

fn activate(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Resource(ResourceCommand::Activate { rsc: of(request)?, node: nodes::of(request)? }))
}

fn deactivate(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Resource(ResourceCommand::Deactivate { rsc: of(request)?, node: nodes::of(request)? }))
}

fn connection_modify(request: &Request) -> Result<Command, Untranslated> {
    let (a, b) = pair_of(request)?;
    let props = props(request.read()?);
    Ok(Command::Resource(ResourceCommand::ConnectionModify { rsc: of(request)?, a, b, props }))
}
