//! placeholder
use super::*;
use crate::model::names::NodeName;
use crate::model::observed::Sighting;
use crate::model::report::Report;
/// x
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// x
    pub sightings: Vec<Sighting>,
    /// x
    pub changes: Vec<Change>,
}
/// x
pub fn observe(_c: &Cluster, _n: &NodeName, _r: &Report, _m: Moment) -> Observation {
    Observation::default()
}
/// x
pub fn node_went_away(_c: &Cluster, _n: &NodeName, _m: Moment) -> Vec<Change> {
    Vec::new()
}
