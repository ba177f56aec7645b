//! Rules between replicas: properties in which they must agree or differ, compiled once for a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reason::Reason;
use super::request::Request;
use super::standing::StandingReplica;
use crate::model::node::Node;

/// Number of a property's value; `None` where a node has no such property.
pub(super) type Value = Option<u32>;

/// The values of one property, numbered in the order in which they were met.
#[derive(Debug, Default)]
struct Values<'a> {
    numbers: BTreeMap<&'a str, u32>,
    texts: Vec<&'a str>,
}

impl<'a> Values<'a> {
    fn number(&mut self, text: &'a str) -> u32 {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let next = u32::try_from(self.texts.len()).expect("fewer values than nodes, and those fit in memory");
        self.numbers.insert(text, next);
        self.texts.push(text);
        next
    }
}

/// All replicas must have the same value of a property.
#[derive(Debug)]
struct Same<'a> {
    key: Arc<str>,
    wants: Wanted<'a>,
    values: Values<'a>,
}

/// The value in which all must agree.
#[derive(Debug)]
enum Wanted<'a> {
    /// This one.
    Exactly(&'a str),
    /// Any; the first replica decides.
    Any,
    /// Those that stand disagree.
    Torn(Vec<&'a str>),
}

/// At most `limit` replicas for each value of a property.
#[derive(Debug)]
pub(super) struct Limit<'a> {
    pub(super) key: Arc<str>,
    pub(super) limit: u32,
    /// Whether all groups but one must be full (x-replicas).
    pub(super) fills_groups: bool,
    /// Replicas that stand, by value.
    pub(super) used: Vec<u32>,
    values: Values<'a>,
}

/// All rules of a request.
#[derive(Debug)]
pub(super) struct Constraints<'a> {
    same: Vec<Same<'a>>,
    prohibited: Vec<(Arc<str>, &'a str)>,
    pub(super) limits: Vec<Limit<'a>>,
}

impl<'a> Constraints<'a> {
    /// Compiles the filter's rules against the replicas that stand already.
    pub(super) fn compile(request: &Request<'a>, standing: &[StandingReplica<'a>]) -> Self {
        let filter = request.filter;
        let same = filter.same.iter().flatten().map(|text| compile_same(text, standing));
        let different = filter.different.iter().flatten();
        let prohibited = different.clone().filter_map(|text| text.split_once('='));
        let x = filter.x_different.iter().flatten();
        let counted = |key: &str| filter.x_different.as_ref().is_some_and(|x| x.contains_key(key));
        let plain = different.filter(|text| !text.contains('=') && !counted(text));
        let ones = plain.map(|key| compile_limit(key, 1, standing));
        let many = x.map(|(key, limit)| compile_limit(key, *limit, standing));
        Self {
            same: same.collect(),
            prohibited: prohibited.map(|(key, value)| (Arc::from(key), value)).collect(),
            limits: ones.chain(many).collect(),
        }
    }

    /// Why a replica on the node would break a rule, whatever else is chosen.
    pub(super) fn check(&mut self, node: &'a Node) -> Result<(), Reason> {
        for same in &self.same {
            same.check(node)?;
        }
        for (key, value) in &self.prohibited {
            if node.props.get(key) == Some(value) {
                return Err(Reason::ValueProhibited { key: Arc::clone(key), value: (*value).to_owned() });
            }
        }
        for limit in &mut self.limits {
            limit.check(node)?;
        }
        Ok(())
    }

    /// Values in which replicas that are chosen together must agree. Empty when nothing is open.
    pub(super) fn agreement(&mut self, node: &'a Node) -> Vec<u32> {
        let open = self.same.iter_mut().filter(|same| matches!(same.wants, Wanted::Any));
        open.filter_map(|same| Some(same.values.number(node.props.get(&same.key)?))).collect()
    }

    /// The node's value for each limit.
    pub(super) fn values(&mut self, node: &'a Node) -> Vec<Value> {
        let limits = self.limits.iter_mut();
        limits.map(|limit| limit.number(node)).collect()
    }

    /// Why two nodes with these agreements cannot be chosen together.
    pub(super) fn disagreement(&self, has: &[u32], wants: &[u32]) -> Option<Reason> {
        let open = self.same.iter().filter(|same| matches!(same.wants, Wanted::Any));
        let mut pairs = open.zip(has.iter().zip(wants));
        let (same, (has, wants)) = pairs.find(|(_, (has, wants))| has != wants)?;
        let text = |number: u32| same.values.texts[number as usize].to_owned();
        Some(Reason::PropertyDiffers { key: Arc::clone(&same.key), has: text(*has), wants: text(*wants) })
    }

    /// Keys that nobody can satisfy any more, since those that stand disagree.
    pub(super) fn is_torn(&self) -> bool {
        self.same.iter().any(|same| matches!(same.wants, Wanted::Torn(_)))
    }
}

impl Same<'_> {
    fn check(&self, node: &Node) -> Result<(), Reason> {
        let key = || Arc::clone(&self.key);
        let has = node.props.get(&self.key);
        match (&self.wants, has) {
            (Wanted::Torn(values), _) => {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                Err(Reason::Undecidable { key: key(), values })
            }
            (_, None) => Err(Reason::PropertyMissing { key: key() }),
            (Wanted::Exactly(wants), Some(has)) if has != *wants => Err(Reason::PropertyDiffers {
                key: key(),
                has: has.to_owned(),
                wants: (*wants).to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

impl<'a> Limit<'a> {
    fn number(&mut self, node: &'a Node) -> Value {
        let number = self.values.number(node.props.get(&self.key)?);
        if self.used.len() <= number as usize {
            self.used.resize(number as usize + 1, 0);
        }
        Some(number)
    }

    fn check(&mut self, node: &'a Node) -> Result<(), Reason> {
        match self.number(node) {
            Some(number) if self.used[number as usize] >= self.limit => Err(self.used_up(number)),
            _ => Ok(()),
        }
    }

    pub(super) fn used_up(&self, number: u32) -> Reason {
        Reason::ValueUsedUp {
            key: Arc::clone(&self.key),
            value: self.values.texts[number as usize].to_owned(),
            limit: self.limit,
        }
    }

    pub(super) fn half_full(&self) -> Reason {
        Reason::LeavesGroupsHalfFull { key: Arc::clone(&self.key), limit: self.limit }
    }
}

fn compile_same<'a>(text: &'a str, standing: &[StandingReplica<'a>]) -> Same<'a> {
    let (key, wants) = match text.split_once('=') {
        Some((key, value)) => (key, Wanted::Exactly(value)),
        None => (text, agreed(text, standing)),
    };
    Same { key: Arc::from(key), wants, values: Values::default() }
}

/// The value that those that stand have in common.
fn agreed<'a>(key: &str, standing: &[StandingReplica<'a>]) -> Wanted<'a> {
    let mut values: Vec<&str> = standing.iter().filter_map(|replica| replica.node.props.get(key)).collect();
    values.sort_unstable();
    values.dedup();
    match values[..] {
        [] => Wanted::Any,
        [only] => Wanted::Exactly(only),
        _ => Wanted::Torn(values),
    }
}

fn compile_limit<'a>(key: &str, limit: u32, standing: &[StandingReplica<'a>]) -> Limit<'a> {
    let mut compiled = Limit {
        key: Arc::from(key),
        limit,
        fills_groups: limit > 1,
        used: Vec::new(),
        values: Values::default(),
    };
    for replica in standing {
        if let Some(number) = compiled.number(replica.node) {
            compiled.used[number as usize] += 1;
        }
    }
    compiled
}
