//! Which pools could hold a replica at all: every node is looked at, then every pool of those that pass; who does not
//! pass gets a reason.
//!
//! The first rule that is broken is told, and rules come in the order in which people can do something about them:
//! what the node is, whether it is there, what the request wants, what there is room for.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::constraint::{Constraints, Value};
use super::estimate::{Estimate, estimate_of, room_for};
use super::facts::Facts;
use super::minimum::check_minimum;
use super::mixing::{self, Mixable};
use super::reason::{Reason, Standing, Switch};
use super::request::{Mode, Request};
use super::standing::{StandingReplica, standing};
use super::story::{Entry, Fate};
use crate::model::definition::ResourceDefinition;
use crate::model::kinds::{LayerKind, NodeFlags, Provisioning};
use crate::model::names::{NodeName, RscName};
use crate::model::node::{Node, StoragePool};
use crate::model::observed::NodeStatus;
use crate::model::usage::PoolUsage;

/// Property that keeps automatic placement away (node, controller; pool).
const AUTOPLACE_TARGET: &str = "AutoplaceTarget";
/// Memory that a compiled do-not-place-with expression may take: far more than sane ones need (a few KiB), and little
/// enough that a nasty one harms nobody.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A pool that passed.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    /// Its line in the story.
    pub(super) entry: usize,
    pub(super) node: &'a Node,
    pub(super) pool: &'a StoragePool,
    pub(super) estimate: Estimate,
    pub(super) usage: PoolUsage,
    pub(super) score: f64,
    pub(super) mixable: Mixable,
    /// Values in which all chosen ones must agree.
    pub(super) agreement: Vec<u32>,
    /// Value for each limit.
    pub(super) values: Vec<Value>,
}

/// The cluster, looked through for a request.
pub(super) struct Survey<'a> {
    /// By node, then pool. Those of candidates await their score.
    pub(super) entries: Vec<Entry>,
    /// In the same order.
    pub(super) candidates: Vec<Candidate<'a>>,
    pub(super) constraints: Constraints<'a>,
    /// The property allows to mix kinds.
    pub(super) mixing: bool,
}

struct Filter<'a> {
    request: &'a Request<'a>,
    facts: Facts<'a>,
    standing: Vec<StandingReplica<'a>>,
    /// Sorted.
    nodes: Vec<&'a NodeName>,
    layers: Vec<LayerKind>,
    neighbours: Vec<&'a Arc<ResourceDefinition>>,
    regex: Option<Result<Regex, Reason>>,
}

/// Looks at every node and pool.
pub(super) fn survey<'a>(request: &'a Request<'a>) -> Survey<'a> {
    let standing = standing(request);
    let mut survey = Survey {
        entries: Vec::with_capacity(request.cluster.nodes.len()),
        candidates: Vec::new(),
        constraints: Constraints::compile(request, &standing),
        mixing: mixing::allowed(request, &standing),
    };
    let mut filter = Filter::new(request, standing);
    match request.only_node {
        None => {
            survey.candidates.reserve(request.cluster.nodes.len());
            for node in request.cluster.nodes.values() {
                survey.look_at(&mut filter, node);
            }
        }
        Some(name) => match request.cluster.nodes.get(name) {
            Some(node) => survey.look_at(&mut filter, node),
            None => survey.turn_down(name, None, Reason::NoSuchNode),
        },
    }
    survey
}

impl<'a> Survey<'a> {
    fn turn_down(&mut self, node: &NodeName, pool: Option<&StoragePool>, reason: Reason) {
        self.entries.push(entry(node, pool, Fate::TurnedDown(reason)));
    }

    fn look_at(&mut self, filter: &mut Filter<'a>, node: &'a Node) {
        let status = match filter.check_node(node, &mut self.constraints) {
            Ok(status) => status,
            Err(reason) => return self.turn_down(&node.name, None, reason),
        };
        let mode = filter.request.mode;
        let mut pools = node.pools.values().filter(|pool| mode_of(pool) == mode).peekable();
        if pools.peek().is_none() {
            return self.turn_down(&node.name, None, no_pool(mode));
        }
        let copes = self.mixing && mixing::copes(Some(status));
        for pool in pools {
            let mixable = Mixable { provider: pool.provider, copes };
            match filter.check_pool(node, pool, status, mixable) {
                Err(reason) => self.turn_down(&node.name, Some(pool), reason),
                Ok((estimate, usage)) => {
                    self.candidates.push(Candidate {
                        entry: self.entries.len(),
                        node,
                        pool,
                        estimate,
                        usage,
                        score: 0.0,
                        mixable,
                        agreement: self.constraints.agreement(node),
                        values: self.constraints.values(node),
                    });
                    let fate = Fate::Eligible { score: 0.0, conflict: None };
                    self.entries.push(entry(&node.name, Some(pool), fate));
                }
            }
        }
    }
}

fn entry(node: &NodeName, pool: Option<&StoragePool>, fate: Fate) -> Entry {
    let pool = pool.map(|pool| (pool.name.clone(), pool.provider));
    Entry { node: node.clone(), pool, fate }
}

fn no_pool(mode: Mode) -> Reason {
    match mode {
        Mode::Diskful => Reason::NoPoolAtAll,
        Mode::Diskless => Reason::NoDisklessPool,
    }
}

/// The mode of replicas that the pool is for.
pub(super) fn mode_of(pool: &StoragePool) -> Mode {
    match pool.provider.provisioning() {
        Provisioning::Without => Mode::Diskless,
        _ => Mode::Diskful,
    }
}

impl<'a> Filter<'a> {
    fn new(request: &'a Request<'a>, standing: Vec<StandingReplica<'a>>) -> Self {
        let cluster = request.cluster;
        let mut nodes: Vec<&NodeName> = request.filter.nodes.iter().flatten().collect();
        nodes.sort_unstable();
        let not_with = request.filter.not_with.iter().flatten();
        let known = |name: &String| cluster.definitions.get(&RscName::parse(name).ok()?);
        Self {
            request,
            facts: match request.only_node {
                Some(_) => Facts::Some(cluster),
                None => Facts::of_all(cluster),
            },
            standing,
            nodes,
            layers: required_layers(request),
            neighbours: not_with.filter_map(known).collect(),
            regex: request.filter.not_with_regex.as_deref().map(compile_regex_or_reason),
        }
    }

    fn check_node(&mut self, node: &'a Node, rules: &mut Constraints<'a>) -> Result<&'a Arc<NodeStatus>, Reason> {
        if !node.has_satellite() {
            return Err(Reason::NotASatellite(node.kind));
        }
        check_flags(node.flags)?;
        let status = match self.facts.node(&node.name) {
            Some(status) if status.is_online() => status,
            Some(status) => return Err(Reason::Offline { status: Arc::clone(status) }),
            None => return Err(Reason::Offline { status: Arc::new(NodeStatus::unknown()) }),
        };
        if self.request.exclude_nodes.contains(&node.name) {
            return Err(Reason::Excluded);
        }
        if !self.nodes.is_empty() && self.nodes.binary_search(&&node.name).is_err() {
            return Err(Reason::NotInNodeList);
        }
        let skipped = self.request.skip_nodes.contains(&node.name);
        if !skipped {
            self.check_replica(node)?;
        }
        rules.check(node)?;
        self.check_target(node)?;
        self.check_layers(status)?;
        if !skipped {
            self.check_neighbours(node)?;
        }
        Ok(status)
    }

    fn check_replica(&self, node: &Node) -> Result<(), Reason> {
        let replica = self.request.definition.and_then(|definition| definition.resources.get(&node.name));
        match replica {
            None => Ok(()),
            Some(rsc) if rsc.is_deleting() => Err(Reason::AlreadyHasReplica(Standing::Deleting)),
            Some(rsc) if rsc.is_diskful() => Err(Reason::AlreadyHasReplica(Standing::Diskful)),
            Some(_) => Err(Reason::AlreadyHasReplica(Standing::Diskless)),
        }
    }

    fn check_target(&self, node: &Node) -> Result<(), Reason> {
        let controller = &self.request.cluster.controller.props;
        match (node.props.get(AUTOPLACE_TARGET), controller.get(AUTOPLACE_TARGET)) {
            (Some(text), _) if is_false(text) => Err(Reason::AutoplaceOff(Switch::Node)),
            (None, Some(text)) if is_false(text) => Err(Reason::AutoplaceOff(Switch::Controller)),
            _ => Ok(()),
        }
    }

    fn check_layers(&self, status: &Arc<NodeStatus>) -> Result<(), Reason> {
        let Some(facts) = &status.facts else {
            return Ok(());
        };
        match self.layers.iter().find(|layer| !facts.layers.contains(layer)) {
            Some(layer) => Err(Reason::LacksLayer { layer: *layer, status: Arc::clone(status) }),
            None => Ok(()),
        }
    }

    fn check_neighbours(&self, node: &Node) -> Result<(), Reason> {
        let stays = |definition: &ResourceDefinition| {
            definition.resources.get(&node.name).is_some_and(|rsc| !rsc.is_deleting())
        };
        if let Some(definition) = self.neighbours.iter().find(|definition| stays(definition)) {
            return Err(Reason::StandsWith(definition.name.clone()));
        }
        let regex = match &self.regex {
            None => return Ok(()),
            Some(Err(reason)) => return Err(reason.clone()),
            Some(Ok(regex)) => regex,
        };
        let cluster = self.request.cluster;
        let mut names = cluster.on_node.get(&node.name).into_iter().flatten();
        let hit = names
            .find(|name| regex.is_match(name.as_str()) && cluster.definitions.get(*name).is_some_and(|d| stays(d)));
        match hit {
            Some(name) => Err(Reason::RegexMatches { resource: name.clone(), regex: regex.as_str().to_owned() }),
            None => Ok(()),
        }
    }

    fn check_pool(
        &mut self,
        node: &'a Node,
        pool: &'a StoragePool,
        status: &Arc<NodeStatus>,
        mixable: Mixable,
    ) -> Result<(Estimate, PoolUsage), Reason> {
        self.check_pool_wanted(pool)?;
        if pool.props.get(AUTOPLACE_TARGET).is_some_and(is_false) {
            return Err(Reason::AutoplaceOff(Switch::Pool));
        }
        check_provider(pool, status)?;
        self.check_beside_standing(pool, mixable)?;
        let (seen, usage) = self.facts.pool(&node.name, &pool.name);
        let estimate = estimate_of(self.request.cluster, pool, seen, usage);
        room_for(&estimate, pool, seen, self.request.size)?;
        check_minimum(self.request, node, pool, &estimate)?;
        Ok((estimate, usage))
    }

    fn check_pool_wanted(&self, pool: &StoragePool) -> Result<(), Reason> {
        let filter = self.request.filter;
        let names = match self.request.mode {
            Mode::Diskful => &filter.pools,
            Mode::Diskless => &filter.diskless_pools,
        };
        if names.as_ref().is_some_and(|names| !names.is_empty() && !names.contains(&pool.name)) {
            return Err(Reason::WrongPoolName);
        }
        let kinds = filter.providers.as_ref().filter(|kinds| !kinds.is_empty() && self.request.mode == Mode::Diskful);
        match kinds {
            Some(kinds) if !kinds.contains(&pool.provider) => Err(Reason::WrongProvider(pool.provider)),
            _ => Ok(()),
        }
    }

    fn check_beside_standing(&self, pool: &StoragePool, mixable: Mixable) -> Result<(), Reason> {
        if self.request.mode == Mode::Diskless {
            return Ok(());
        }
        for replica in &self.standing {
            if let Some(space) = &pool.shared_space
                && replica.spaces.contains(&space)
            {
                return Err(Reason::SharedSpaceUsed(space.clone()));
            }
            // The standing ones' DRBD was looked at when mixing was allowed.
            let goes = |other: &_| mixing::may_mix(mixable, Mixable { provider: *other, copes: mixable.copes });
            if let Some(other) = replica.providers.iter().find(|other| !goes(other)) {
                return Err(mixing::reason(pool.provider, &replica.node.name, *other));
            }
        }
        Ok(())
    }
}

fn check_provider(pool: &StoragePool, status: &Arc<NodeStatus>) -> Result<(), Reason> {
    let lacks = status.facts.as_ref().is_some_and(|facts| !facts.providers.contains(&pool.provider));
    if lacks && mode_of(pool) == Mode::Diskful {
        return Err(Reason::LacksProvider { provider: pool.provider, status: Arc::clone(status) });
    }
    Ok(())
}

fn check_flags(flags: NodeFlags) -> Result<(), Reason> {
    // EVICTED contains DELETE: it is asked for first.
    if flags.has(NodeFlags::EVICTED) {
        return Err(Reason::Evicted);
    }
    if flags.has(NodeFlags::DELETE) {
        return Err(Reason::Deleting);
    }
    if flags.has(NodeFlags::EVACUATE) {
        return Err(Reason::Evacuating);
    }
    Ok(())
}

/// Layers that the node itself must offer: of an NVMe stack those on the target's side, of a replica without disk the
/// one that reaches the data. STORAGE is everywhere.
fn required_layers(request: &Request) -> Vec<LayerKind> {
    let at = |kind| request.layers.iter().position(|layer| *layer == kind);
    let nvme = at(LayerKind::Nvme);
    let layers = match (request.mode, nvme) {
        (Mode::Diskful, Some(nvme)) => &request.layers[nvme..],
        (Mode::Diskful, None) => request.layers,
        (Mode::Diskless, Some(nvme)) if at(LayerKind::Drbd).is_none() => &request.layers[nvme..=nvme],
        (Mode::Diskless, _) => &[LayerKind::Drbd],
    };
    layers.iter().copied().filter(|layer| *layer != LayerKind::Storage).collect()
}

fn is_false(text: &str) -> bool {
    text.eq_ignore_ascii_case("false")
}

/// Compiles a do-not-place-with expression: unanchored, without case.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn compile_regex(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).case_insensitive(true).size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too big".to_owned(),
        error => error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
    })
}

fn compile_regex_or_reason(text: &str) -> Result<Regex, Reason> {
    compile_regex(text).map_err(|error| Reason::RegexUnreadable { regex: text.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::group::SelectFilter;
    use crate::model::testkit::cluster;
    use LayerKind::{Drbd, Luks, Nvme, Storage};

    #[test]
    fn a_node_needs_the_layers_of_its_part_of_the_stack() {
        let (cluster, filter) = (cluster(""), SelectFilter::default());
        for (layers, diskful, diskless) in [
            (&[Drbd, Storage][..], &[Drbd][..], &[Drbd][..]),
            (&[Drbd, Luks, Storage], &[Drbd, Luks], &[Drbd]),
            (&[Nvme, Luks, Storage], &[Nvme, Luks], &[Nvme]),
            (&[Drbd, Nvme, Storage], &[Nvme], &[Drbd]),
            (&[Luks, Storage], &[Luks], &[Drbd]),
            (&[Storage], &[], &[Drbd]),
        ] {
            for (mode, expected) in [(Mode::Diskful, diskful), (Mode::Diskless, diskless)] {
                let request = Request { layers, mode, ..Request::new(&cluster, &filter) };
                assert_eq!(required_layers(&request), expected, "{layers:?} {mode:?}");
            }
        }
    }
}
