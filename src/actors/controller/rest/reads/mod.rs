//! Everything that only reads the view, and what concerns this process alone (error reports, actors). Answers `None`
//! for calls that change the cluster.

mod definitions;
mod groups;
mod nodes;
mod pools;
mod process;
mod resources;
mod snapshots;
mod stats;

use std::fmt::Display;

use super::answer::{answer_with, now_text, parse_failure};
use super::dispatch::Call;
use super::{Api, Reply};
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::definition::ResourceDefinition;
use crate::model::group::ResourceGroup;
use crate::model::names::{GroupName, NameError, NodeName, RscName, VolumeNumber};
use crate::model::node::Node;
use crate::model::refusal::Note;
use crate::protocols::rest::query::{Page, QueryError};
use crate::protocols::rest::rc::ApiCallRc;
use crate::protocols::rest::render::json::Json;

/// Why a read has no answer; boxed, as it is rare and a reply is large.
type Failure = Box<Reply>;
/// What a read comes to.
type Read = Result<Reply, Failure>;

/// Answers a call that changes nothing in the cluster.
pub async fn read(api: &Api, call: &Call<'_>) -> Option<Reply> {
    let found = match process::read(api, call).await {
        Some(found) => Some(found),
        None => {
            pools::refresh(api, call).await;
            from_view(api, call)
        }
    };
    found.map(|read| read.unwrap_or_else(|failure| *failure))
}

fn from_view(api: &Api, call: &Call<'_>) -> Option<Read> {
    let cluster = api.view.load();
    stats::read(api, &cluster, call)
        .or_else(|| nodes::read(&cluster, call))
        .or_else(|| pools::read(&cluster, call))
        .or_else(|| groups::read(&cluster, call))
        .or_else(|| definitions::read(&cluster, call))
        .or_else(|| resources::read(&cluster, call))
        .or_else(|| snapshots::read(&cluster, call))
}

/// One JSON value as an answer.
fn json(write: impl FnOnce(&mut Json)) -> Reply {
    let mut json = Json::default();
    write(&mut json);
    Reply::json(json.into_bytes())
}

/// The answer that something is not there: status 404, without operation and object.
fn missing(code: u16, message: impl Display) -> Failure {
    let note = Note::new(code::Kind::Error, code, message.to_string())
        .cure("Look at the list for what there is; names are found in any case of letters");
    Box::new(answer_with(None, 200, &[note]))
}

/// The page that a list asks for.
fn page(call: &Call) -> Result<Page, Failure> {
    call.query.page().map_err(|error| bad_query(&error))
}

fn bad_query(error: &QueryError) -> Failure {
    let entry = ApiCallRc::new(code::API_CALL_PARSE_ERROR, error.to_string(), &now_text());
    Box::new(Reply { status: 400, body: super::ReplyBody::Rc(vec![entry]) })
}

/// A body that may be left out.
fn optional_body<T: serde::de::DeserializeOwned + Default>(call: &Call) -> Result<T, Failure> {
    crate::protocols::rest::body::read_optional(call.request.body).map_err(|error| Box::new(parse_failure(&error)))
}

/// A name in the path; one that cannot be a name names nothing.
fn name<T>(parsed: Result<T, NameError>, code: u16) -> Result<T, Failure> {
    parsed.map_err(|error| missing(code, error))
}

fn node<'a>(cluster: &'a Cluster, text: &str) -> Result<&'a Node, Failure> {
    let name = name(NodeName::parse(text), code::FAIL_NOT_FOUND_NODE)?;
    let found = cluster.nodes.get(&name).map(AsRef::as_ref);
    found.ok_or_else(|| missing(code::FAIL_NOT_FOUND_NODE, format!("There is no node {name}")))
}

fn definition<'a>(cluster: &'a Cluster, text: &str) -> Result<&'a ResourceDefinition, Failure> {
    let name = name(RscName::parse(text), code::FAIL_NOT_FOUND_RSC_DFN)?;
    let found = cluster.definitions.get(&name).map(AsRef::as_ref);
    found.ok_or_else(|| missing(code::FAIL_NOT_FOUND_RSC_DFN, format!("There is no resource definition {name}")))
}

fn group<'a>(cluster: &'a Cluster, text: &str) -> Result<&'a ResourceGroup, Failure> {
    let name = name(GroupName::parse(text), code::FAIL_NOT_FOUND_RSC_GRP)?;
    let found = cluster.groups.get(&name).map(AsRef::as_ref);
    found.ok_or_else(|| missing(code::FAIL_NOT_FOUND_RSC_GRP, format!("There is no resource group {name}")))
}

fn volume_number(text: &str, code: u16) -> Result<VolumeNumber, Failure> {
    let number = text.parse().ok().and_then(|number| VolumeNumber::new(number).ok());
    number.ok_or_else(|| missing(code, format!("{text:?} is no volume number; they go from 0 to 65534")))
}
