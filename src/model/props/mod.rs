//! Properties: the key-value settings that every object of the cluster carries, the catalogue of what may be set where,
//! and how one object's setting comes down to another. Never persists, logs or asks anybody.
//!
//! [`Props`] is the container. [`apply`] is the only way in for what people and clients send: it knows the catalogue and
//! changes everything or nothing. What the system itself notes down (`Internal/…`, reported pool facts) goes in by
//! [`Props::set`]. [`Lookup`] says which objects are asked for a setting, in which order.

mod apply;
mod catalogue;
mod check;
mod container;
mod error;
mod info;
mod inherit;
mod key;
mod owner;
mod rule;
mod scope;

pub use apply::{MAX_CHANGES_PER_REQUEST, MAX_PROPS, MAX_PROPS_BYTES, PropsChange, PropsModify, apply};
pub use check::{MAX_VALUE_BYTES, check, is_deprecated};
pub use container::Props;
pub use error::PropError;
pub use info::{PropInfo, info, info_all};
pub use inherit::{Level, Levels, Lookup, first};
pub use key::{MAX_KEY_CHARS, is_key_material, is_secret, key_path};
pub use owner::PropertyOwner;
pub use scope::{ControllerScope, controller_scope, for_satellites};

/// What DRBD needs to be allowed to write: `off`, `majority`, `all` or a number of nodes.
pub const QUORUM: &str = "DrbdOptions/Resource/quorum";
/// Who chose [`QUORUM`]: [`SET_BY_USER`], else the controller manages it.
pub const QUORUM_SET_BY: &str = "Internal/Drbd/QuorumSetBy";
/// Value of [`QUORUM_SET_BY`] when a person chose.
pub const SET_BY_USER: &str = "user";
