//! Reads numbers of requests: each has a range and a code of its own. Never rounds and never cuts off.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::parse::{illegal, shown};
use crate::model::code::*;
use crate::model::kinds::EncryptionKind;
use crate::model::names::VolumeNumber;
use crate::model::node::SatellitePort;
use crate::model::refusal::Refusal;
use crate::model::size::Kib;

/// Minor numbers that Linux has.
const MINORS: RangeInclusive<i32> = 0..=(1 << 20) - 1;
/// DRBD's numbers of nodes.
const NODE_IDS: RangeInclusive<i32> = 0..=31;
/// DRBD's most peers.
const PEER_SLOTS: RangeInclusive<i32> = 1..=31;
/// TCP ports.
const PORTS: RangeInclusive<i32> = 1..=65535;
/// Where a satellite listens without TLS when nobody says otherwise.
const PLAIN_PORT: u16 = 3366;
/// Where it listens with TLS.
const SSL_PORT: u16 = 3367;

const VOLUME_NUMBER_CURE: &str = "Use a volume number from 0 to 65534";

fn within<T: TryFrom<i32>>(value: i32, range: RangeInclusive<i32>, of: (u16, &str)) -> Result<T, Refusal> {
    let (code, noun) = of;
    let fitting = T::try_from(value).ok().filter(|_| range.contains(&value));
    fitting.ok_or_else(|| out_of_range(code, noun, &value, (range.start(), range.end())))
}

fn out_of_range(code: u16, noun: &str, value: &impl Display, range: (&i32, &i32)) -> Refusal {
    Refusal::new(code, format!("{value} is no valid {noun}"))
        .because(format!("It has to be from {} to {}", range.0, range.1))
        .cure(format!("Give a {noun} within these limits, or leave it out"))
}

/// A number of replicas and the like, not negative.
pub(super) fn count(value: i32, noun: &str) -> Result<u32, Refusal> {
    within(value, 0..=i32::MAX, (FAIL_INVLD_PLACE_COUNT, noun))
}

pub(super) fn peer_slots(value: Option<i32>) -> Result<Option<u8>, Refusal> {
    value.map(|value| within(value, PEER_SLOTS, (FAIL_INVLD_REQUEST, "number of DRBD peer slots"))).transpose()
}

pub(super) fn node_id(value: Option<i32>) -> Result<Option<u8>, Refusal> {
    value.map(|value| within(value, NODE_IDS, (FAIL_INVLD_NODE_ID, "DRBD node id"))).transpose()
}

pub(super) fn minor(value: Option<i32>) -> Result<Option<u32>, Refusal> {
    value.map(|value| within(value, MINORS, (FAIL_INVLD_MINOR_NR, "DRBD minor number"))).transpose()
}

/// The number of a volume in a body.
pub(super) fn volume(value: i32) -> Result<VolumeNumber, Refusal> {
    let number = u32::try_from(value)
        .map_err(|_| out_of_range(FAIL_INVLD_VLM_NR, "volume number", &value, (&0, &i32::from(VolumeNumber::MAX))))?;
    VolumeNumber::new(number).map_err(|error| illegal(FAIL_INVLD_VLM_NR, &error, VOLUME_NUMBER_CURE))
}

/// The number of a volume in a path.
pub(super) fn volume_in_path(text: &str) -> Result<VolumeNumber, Refusal> {
    let number: i32 = text.parse().map_err(|_| {
        Refusal::new(FAIL_INVLD_VLM_NR, format!("'{}' is no volume number", shown(text)))
            .because("It is no whole number, or far too large")
            .cure(VOLUME_NUMBER_CURE)
    })?;
    volume(number)
}

/// A size in KiB. How small and how large a volume may be is decided elsewhere.
pub(super) fn size(kib: i64) -> Result<Kib, Refusal> {
    u64::try_from(kib).map(Kib).map_err(|_| {
        Refusal::new(FAIL_INVLD_VLM_SIZE, format!("A volume cannot have {kib} KiB"))
            .because("The size is negative")
            .cure("Give the size in KiB, at least 4")
    })
}

/// Where a satellite listens, of which a request can say the port, the protection, both or nothing. What it leaves out
/// stays as it is in `known`; without that it is what satellites do by themselves.
pub(super) fn satellite_port(
    port: Option<i32>,
    encryption: Option<EncryptionKind>,
    known: Option<&SatellitePort>,
) -> Result<Option<SatellitePort>, Refusal> {
    let port: Option<u16> = port.map(|port| within(port, PORTS, (FAIL_INVLD_NET_PORT, "TCP port"))).transpose()?;
    if port.is_none() && encryption.is_none() {
        return Ok(None);
    }
    let encryption = encryption.or(known.map(|known| known.encryption)).unwrap_or(EncryptionKind::Plain);
    let usual = if encryption == EncryptionKind::Ssl { SSL_PORT } else { PLAIN_PORT };
    let port = port.or(known.map(|known| known.port)).unwrap_or(usual);
    Ok(Some(SatellitePort { port, encryption }))
}
