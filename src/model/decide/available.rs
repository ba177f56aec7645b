//! "I need this device on that node": whatever is missing is made; asked twice, it is done once.

use super::draft::Draft;
use super::resource::{Placement, add, build, refuse_layers, refuse_node};
use crate::model::code::*;
use crate::model::desired::Origin;
use crate::model::kinds::{LayerKind, ResourceFlags};
use crate::model::names::{NodeName, PoolName, RscName};
use crate::model::node::DISKLESS_POOL;
use crate::model::placement::{Request, place};
use crate::model::refusal::{Note, Refusal};

/// What a replica that is asked for shall be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    /// With a disk of its own.
    pub diskful: bool,
    /// Its layers, where they differ from the definition's.
    pub layers: Option<&'a [LayerKind]>,
}

pub(super) fn make_available(draft: &mut Draft, rsc: &RscName, node: &NodeName, wish: Wish<'_>) -> Result<(), Refusal> {
    let Wish { diskful, layers } = wish;
    let definition = draft.definition(rsc)?;
    super::resource::refuse_definition(&definition)?;
    let record = draft.node(node)?;
    let Some(resource) = definition.resources.get(node) else {
        refuse_node(&record)?;
        refuse_layers(draft, &record, layers.unwrap_or(&definition.layers))?;
        let others = definition.diskful().next().is_some();
        return match others && !diskful && definition.has_layer(LayerKind::Drbd) {
            true => create_diskless(draft, rsc, node),
            false => create_diskful(draft, rsc, node, others),
        };
    };
    if resource.is_deleting() {
        return Err(Refusal::new(FAIL_RSC_BUSY, format!("Resource '{rsc}' on node '{node}' is being deleted"))
            .cure("Ask again when it is gone"));
    }
    if !resource.is_active() {
        let command = crate::model::command::ResourceCommand::Activate { rsc: rsc.clone(), node: node.clone() };
        return super::resource::decide(draft, &command);
    }
    if diskful && !resource.is_diskful() {
        let choice = choose_on(draft, rsc, node)?;
        return super::toggle::to_diskful(draft, rsc, node, &choice);
    }
    if resource.flags.has(ResourceFlags::TIE_BREAKER) {
        return keep_as_diskless(draft, rsc, node);
    }
    draft.note(
        Note::success(MODIFIED, format!("Resource '{rsc}' is available on node '{node}' already"))
            .about("RscDfn", rsc)
            .about("Node", node),
    );
    Ok(())
}

/// A tie-breaker becomes a replica that a user asked for.
pub(super) fn keep_as_diskless(draft: &mut Draft, rsc: &RscName, node: &NodeName) -> Result<(), Refusal> {
    let mut definition = super::resource::find(draft, rsc, node)?;
    let resource = definition.resources.get_mut(node).expect("found above");
    resource.flags = resource.flags.without(ResourceFlags::TIE_BREAKER).with(ResourceFlags::DRBD_DISKLESS);
    draft.put_definition(definition);
    draft.note(
        Note::success(MODIFIED, format!("The tie-breaker of '{rsc}' on node '{node}' stays as a diskless resource"))
            .about("RscDfn", rsc)
            .about("Node", node),
    );
    Ok(())
}

/// A replica that reads from other nodes' disks.
pub(super) fn create_diskless(draft: &mut Draft, rsc: &RscName, node: &NodeName) -> Result<(), Refusal> {
    let definition = draft.definition(rsc)?;
    let pool = PoolName::parse(DISKLESS_POOL).expect("the constant is a legal name");
    let place = Placement { node, pool, flags: ResourceFlags::DRBD_DISKLESS, origin: &|_| Origin::Blank };
    let resource = build(draft, &definition, &place)?;
    add(draft, rsc, node, resource)
}

fn create_diskful(draft: &mut Draft, rsc: &RscName, node: &NodeName, others: bool) -> Result<(), Refusal> {
    let definition = draft.definition(rsc)?;
    if others && !definition.has_layer(LayerKind::Drbd) {
        return Err(Refusal::new(
            FAIL_INVLD_LAYER_STACK,
            format!("Resource '{rsc}' cannot be brought to node '{node}'"),
        )
        .because("Its data is on another node, and nothing in its layer stack carries it over")
        .cure("Use it where it is, or make it with DRBD in the stack"));
    }
    let pool = choose_on(draft, rsc, node)?;
    let place = Placement { node, pool, flags: ResourceFlags::NONE, origin: &|_| Origin::Blank };
    let mut resource = build(draft, &definition, &place)?;
    super::definition::set_own_prop(&mut resource.props, "DiskfulBy", "make-available")?;
    add(draft, rsc, node, resource)
}

/// The best pool of the node, by the group's filter.
fn choose_on(draft: &Draft, rsc: &RscName, node: &NodeName) -> Result<PoolName, Refusal> {
    let definition = draft.definition(rsc)?;
    let group = draft.cluster.groups.get(&definition.group);
    let filter = group.map(|group| group.filter.clone()).unwrap_or_default();
    let mut request = Request::new(&draft.cluster, &filter);
    request.definition = Some(&definition);
    request.layers = &definition.layers;
    request.size = super::room::data_size(&draft.cluster, &definition);
    request.count = 1;
    request.only_node = Some(node);
    let skip = [node.clone()];
    request.skip_nodes = &skip;
    let placed = place(&request).map_err(|not| super::autoplace::refuse_placement(rsc, &not, &filter))?;
    let choice = placed.choices.into_iter().next();
    Ok(choice.expect("one was asked for, and less is a refusal").pool)
}
