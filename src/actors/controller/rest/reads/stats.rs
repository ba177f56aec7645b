//! The controller's version, properties and configuration, key-value stores, counts, and what is always empty yet.

use std::sync::LazyLock;

use super::super::dispatch::Call;
use super::super::{API_RELEASE, Api, Listing, Reply};
use super::{Read, json, missing, name};
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::encryption::waiting;
use crate::model::names::KvsName;
use crate::model::props::PropertyOwner;
use crate::protocols::rest::command::levels_of;
use crate::protocols::rest::controller::{
    ControllerConfig, ControllerDb, ControllerLog, ControllerVersion, Listener, REST_API_VERSION,
};
use crate::protocols::rest::openapi;
use crate::protocols::rest::own::{EncryptionState, WaitingVolume};
use crate::protocols::rest::query::Page;
use crate::protocols::rest::render::json::Json;
use crate::protocols::rest::render::node::scrape_targets;
use crate::protocols::rest::render::props::{catalogue, catalogues, key_value_store};
use crate::telemetry::LogControl;

/// Where DRBD's reactor shows its metrics on every node.
const REACTOR_METRICS_PORT: u16 = 9942;
/// What a known page tests for when nobody tracks space.
const NO_SPACE_TRACKING: &str = "The SpaceTracking service is not installed.";

static OPENAPI: LazyLock<String> = LazyLock::new(openapi::text);

pub fn read(api: &Api, cluster: &Cluster, call: &Call) -> Option<Read> {
    Some(Ok(match call.route.operation {
        "controllerVersion" => json(|json| json.value(&version())),
        "controllerPropertyList" => json(|json| json.prop_map(&cluster.controller.props)),
        "controllerPropertiesInfo" => json(|json| catalogue(json, PropertyOwner::Controller)),
        "allPropertiesInfo" => json(catalogues),
        "controllerConfig" => json(|json| json.value(&config(api))),
        "keyValueStoresList" => {
            Reply::list(Listing::of(cluster.key_value_stores.clone(), Page::default(), |json, _, record, _| {
                key_value_store(json, record)
            }))
        }
        "keyValueStoreList" => return Some(store(cluster, call)),
        "nodeStats" => count(cluster.nodes.len()),
        "storagePoolsStats" => count(cluster.nodes.values().map(|node| node.pools.len()).sum()),
        "resourceGroupStats" => count(cluster.groups.len()),
        "resourceDefinitionStats" => count(cluster.definitions.len()),
        "resourcesStats" => count(cluster.on_node.values().map(imbl::OrdSet::len).sum()),
        "passphraseStatus" => json(|json| json.object(|json| json.must("status", cluster.lock().as_str()))),
        "zeaEncryption" => json(|json| json.value(&encryption(cluster))),
        "remoteList" => json(|json| json.object(|_| {})),
        "remoteS3List" | "remoteLinstorList" | "remoteEbsList" => json(|json| json.list(|_| {})),
        "spaceReport" => json(|json| json.object(|json| json.must("reportText", NO_SPACE_TRACKING))),
        "metricsScrapeTargets" => json(|json| scrape_targets(json, cluster, REACTOR_METRICS_PORT)),
        "zeaOpenapi" => Reply::json(OPENAPI.as_bytes().to_vec()),
        _ => return None,
    }))
}

fn encryption(cluster: &Cluster) -> EncryptionState {
    let waiting = waiting(cluster).into_iter().map(|volume| WaitingVolume {
        resource: volume.rsc.to_string(),
        node: volume.node.to_string(),
        volume_number: volume.number.get().into(),
        why: volume.want.to_string(),
    });
    EncryptionState {
        status: cluster.lock().as_str().to_owned(),
        encrypted: i64::try_from(cluster.encrypted.len()).unwrap_or(i64::MAX),
        waiting: waiting.collect(),
    }
}

/// One number.
pub fn count(number: usize) -> Reply {
    json(|json: &mut Json| json.object(|json| json.size("count", number as u64)))
}

fn version() -> ControllerVersion {
    ControllerVersion {
        version: API_RELEASE.to_owned(),
        git_hash: git_hash().to_owned(),
        build_time: build_time().to_owned(),
        rest_api_version: REST_API_VERSION.to_owned(),
    }
}

/// The commit that was built, where the build knows it.
pub fn git_hash() -> &'static str {
    option_env!("ZEA_GIT_HASH").unwrap_or("unknown")
}

/// When it was built, where the build says so: builds are to be the same bytes every time.
pub fn build_time() -> &'static str {
    option_env!("ZEA_BUILD_TIME").unwrap_or("1970-01-01T00:00:00+00:00")
}

fn config(api: &Api) -> ControllerConfig {
    let filter = api.log.as_ref().map(LogControl::filter).unwrap_or_default();
    let (level, level_linstor) = levels_of(&filter);
    let listen = api.about.listen;
    ControllerConfig {
        log: Some(ControllerLog {
            level_global: level.clone(),
            level_linstor_global: level_linstor.clone(),
            level,
            level_linstor,
            ..ControllerLog::default()
        }),
        db: Some(ControllerDb { connection_url: api.about.store.clone(), ..ControllerDb::default() }),
        http: Some(Listener {
            enabled: Some(true),
            listen_address: listen.map(|listen| listen.ip().to_string()).unwrap_or_default(),
            port: listen.map(|listen| listen.port().into()),
        }),
        https: Some(Listener { enabled: Some(false), ..Listener::default() }),
        ..ControllerConfig::default()
    }
}

/// One store, as a list of one.
fn store(cluster: &Cluster, call: &Call) -> Read {
    let wanted = name(KvsName::parse(call.param("instance")), code::FAIL_NOT_FOUND_KVS)?;
    let Some(found) = cluster.key_value_stores.get(&wanted) else {
        return Err(missing(code::FAIL_NOT_FOUND_KVS, format!("There is no key-value store {wanted}")));
    };
    Ok(json(|json| json.list(|json| key_value_store(json, found))))
}
