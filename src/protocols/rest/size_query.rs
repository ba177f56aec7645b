//! Questions for the largest volume that fits, on the wire. Sizes are in KiB. Never computes one.

use std::collections::BTreeMap;

use super::group::AutoSelectFilter;
use super::rc::ApiCallRc;

/// How far thin pools may be overbooked when nobody set a limit.
pub const DEFAULT_OVERSUBSCRIPTION_RATIO: f64 = 20.0;

shapes! {
    /// The largest volumes that fit.
    MaxVolumeSizes {
        must {
            /// How far thin pools may be overbooked when nobody set a limit.
            default_max_oversubscription_ratio: f64,
        }
        may {
            /// The ways to place one.
            candidates: Vec<MaxVolumeSizeCandidate>,
        }
    }

    /// One way to place a volume.
    MaxVolumeSizeCandidate {
        must {
            /// The pool.
            storage_pool: String,
            /// The largest volume, in KiB.
            max_volume_size_kib: i64,
            /// Whether all these pools are thin.
            all_thin: bool,
        }
        may {
            /// The nodes.
            node_names: Vec<String>,
        }
    }

    /// Asks a group what still fits.
    QuerySizeInfoRequest {
        may {
            /// What to do differently from the group's filter.
            select_filter: Option<AutoSelectFilter>,
            /// An answer younger than so many seconds will do; -1 never.
            ignore_cache_older_than_sec: Option<i32>,
        }
    }

    /// What still fits.
    QuerySizeInfoResponse {
        may {
            /// The sizes; absent when they could not be told.
            space_info: Option<SpaceInfo>,
            /// Why they could not be told.
            reports: Vec<ApiCallRc>,
        }
    }

    /// Sizes of what still fits.
    SpaceInfo {
        must {
            /// The largest volume, in KiB.
            max_vlm_size_in_kib: i64,
            /// KiB available.
            available_size_in_kib: i64,
            /// KiB in all.
            capacity_in_kib: i64,
            /// How far thin pools may be overbooked when nobody set a limit.
            default_max_oversubscription_ratio: f64,
            /// Where the next resource would go; emitted even when that is nowhere.
            next_spawn_result: Vec<NextSpawn>,
        }
        may {
            /// How far thin pools may be overbooked.
            max_oversubscription_ratio: Option<f64>,
            /// The same, by free space.
            max_free_capacity_oversubscription_ratio: Option<f64>,
            /// The same, by space in all.
            max_total_capacity_oversubscription_ratio: Option<f64>,
        }
    }

    /// A pool where a replica of the next resource would go.
    NextSpawn {
        must {
            /// The node.
            node_name: String,
            /// The pool.
            stor_pool_name: String,
            /// How far it may be overbooked.
            stor_pool_oversubscription_ratio: f64,
        }
        may {
            /// The same, by free space.
            stor_pool_free_capacity_oversubscription_ratio: Option<f64>,
            /// The same, by space in all.
            stor_pool_total_capacity_oversubscription_ratio: Option<f64>,
        }
    }

    /// What still fits, for every group.
    QueryAllSizeInfoResponse {
        may {
            /// By group.
            result: BTreeMap<String, QuerySizeInfoResponse>,
            /// Why it could not be told.
            reports: Vec<ApiCallRc>,
        }
    }
}
