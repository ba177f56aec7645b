//! Requests about resource definitions and their clones. Never looks whether they exist.

use super::encryption::secrets;
use super::numbers::{peer_slots, size};
use super::parse::{each, given, group, layer, layers, naming, new_props, props, rsc, unknown_word};
use super::unbuilt::{Wish, refuse_wishes};
use super::{Call, Request, Untranslated, calls};
use crate::model::code::FAIL_INVLD_TRANSPORT_TYPE;
use crate::model::command::{CloneOrder, Command, DefinitionCommand, NewDefinition};
use crate::model::names::RscName;
use crate::model::refusal::Refusal;
use crate::model::secret::Secret;
use crate::protocols::rest::definition::{
    CloneRequest, ResourceDefinitionCreate, ResourceDefinitionModify, ResourceDefinitionSpec,
};

pub(super) const CALLS: &[Call] = calls! {
    resourceDefinitionCreate Commit => create;
    resourceDefinitionModify Nodes => modify;
    resourceDefinitionDelete Nodes => |request| Ok(Command::Definition(DefinitionCommand::Delete { name: of(request)? }));
    resourceDefinitionClone Commit => clone;
};

/// The transports that DRBD connections are made with.
const TRANSPORTS: [&str; 1] = ["IP"];

/// The resource definition of the path.
pub(super) fn of(request: &Request) -> Result<RscName, Refusal> {
    rsc(request.param("rd"))
}

fn port_wish(port: Option<i32>) -> Wish {
    (port.is_some(), "drbd_port", "Leave it out: ports are chosen from the range of the property TcpPortAutoRange.")
}

fn create(request: &Request) -> Result<Command, Untranslated> {
    let wire: ResourceDefinitionCreate = request.read()?;
    refuse_wishes(&[port_wish(wire.drbd_port)])?;
    refuse_transport(wire.drbd_transport_type.as_deref())?;
    let spec: ResourceDefinitionSpec = wire.resource_definition;
    let kinds: Vec<String> = spec.layer_data.into_iter().map(|layer| layer.kind).collect();
    Ok(Command::Definition(DefinitionCommand::Create(NewDefinition {
        name: naming(spec.name.as_ref(), spec.external_name.as_ref())?,
        group: given(spec.resource_group_name.as_ref(), group)?,
        layers: Some(each(&kinds, layer)?).filter(|layers| !layers.is_empty()),
        props: new_props(spec.props),
        peer_slots: peer_slots(wire.drbd_peer_slots)?,
        secret: wire
            .drbd_secret
            .as_ref()
            .map(|secret| secret.expose())
            .filter(|text| !text.is_empty())
            .map(Secret::new),
    })))
}

fn refuse_transport(name: Option<&str>) -> Result<(), Refusal> {
    let unknown = name.filter(|name| !name.is_empty() && !TRANSPORTS.iter().any(|it| it.eq_ignore_ascii_case(name)));
    unknown.map_or(Ok(()), |name| Err(unknown_word(FAIL_INVLD_TRANSPORT_TYPE, "DRBD transport", name, &TRANSPORTS)))
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let mut wire: ResourceDefinitionModify = request.read()?;
    refuse_wishes(&[port_wish(wire.drbd_port)])?;
    let props = props(wire.take_props());
    Ok(Command::Definition(DefinitionCommand::Modify {
        name: of(request)?,
        props,
        group: given(wire.resource_group.as_ref(), group)?,
        layers: layers(wire.layer_stack.as_ref())?,
        peer_slots: peer_slots(wire.drbd_peer_slots)?,
    }))
}

fn clone(request: &Request) -> Result<Command, Untranslated> {
    let mut wire: CloneRequest = request.read()?;
    let sizes = wire.volume_sizes.iter().flatten().map(|kib| size(*kib)).collect::<Result<Vec<_>, _>>()?;
    refuse_wishes(&[(
        sizes.iter().any(|size| size.get() != 0),
        "volume_sizes",
        "Leave it out, and grow the volumes of the clone when it is complete.",
    )])?;
    let props = props(wire.take_props());
    Ok(Command::Definition(DefinitionCommand::Clone(CloneOrder {
        source: of(request)?,
        name: naming(wire.name.as_ref(), wire.external_name.as_ref())?,
        group: given(wire.resource_group.as_ref(), group)?,
        layers: layers(wire.layer_list.as_ref())?,
        props,
        passphrases: secrets(wire.volume_passphrases.as_ref()),
    })))
}
