//! The reserve that thin pools keep: `Autoplacer/MinThinFreeSpace`, a share of the total or a size.

use super::estimate::Estimate;
use super::reason::Reason;
use super::request::Request;
use crate::model::kinds::Provisioning;
use crate::model::node::{Node, StoragePool};
use crate::model::size::Kib;

/// Property of pool, definition, group, node and controller, in this order.
const MIN_THIN_FREE: &str = "Autoplacer/MinThinFreeSpace";
/// The reserve where nobody says otherwise.
const DEFAULT_MIN_THIN_FREE: &str = "10%";

/// Turns a thin pool down whose estimate is below the reserve.
pub(super) fn check_minimum(
    request: &Request,
    node: &Node,
    pool: &StoragePool,
    estimate: &Estimate,
) -> Result<(), Reason> {
    let (Some(free), Some(total)) = (estimate.free_estimate, estimate.total) else {
        return Ok(());
    };
    if pool.provider.provisioning() != Provisioning::Thin {
        return Ok(());
    }
    let setting = setting(request, node, pool);
    let tenth = Kib(total.0.div_ceil(10));
    // The common case is not worth reading a text for each pool.
    let minimum = match setting {
        DEFAULT_MIN_THIN_FREE => tenth,
        text => minimum(text, total).unwrap_or(tenth),
    };
    if free >= minimum {
        return Ok(());
    }
    Err(Reason::ThinFreeBelowMinimum { estimate: Box::new(*estimate), setting: setting.to_owned(), minimum })
}

fn setting<'a>(request: &'a Request, node: &'a Node, pool: &'a StoragePool) -> &'a str {
    let get = |props: &'a crate::model::props::Props| props.get(MIN_THIN_FREE);
    let definition = request.definition.and_then(|definition| get(&definition.props));
    get(&pool.props)
        .or(definition)
        .or_else(|| request.group().and_then(|group| get(&group.props)))
        .or_else(|| get(&node.props))
        .or_else(|| get(&request.cluster.controller.props))
        .unwrap_or(DEFAULT_MIN_THIN_FREE)
}

/// A share (`10%`), or a size with a unit: `K`, `KiB` and the like are binary, `KB` decimal, `b` bytes, `s` sectors,
/// none KiB. `None` when it cannot be read.
fn minimum(text: &str, total: Kib) -> Option<Kib> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    #[allow(clippy::cast_precision_loss)]
    let kib = match unit.trim().to_ascii_lowercase().as_str() {
        "%" => total.0 as f64 * number / 100.0,
        "b" => number / 1024.0,
        "s" => number / 2.0,
        "" | "k" | "kib" => number,
        "m" | "mib" => number * 1024.0,
        "g" | "gib" => number * 1024.0 * 1024.0,
        "t" | "tib" => number * 1024.0 * 1024.0 * 1024.0,
        "kb" => number * 1e3 / 1024.0,
        "mb" => number * 1e6 / 1024.0,
        "gb" => number * 1e9 / 1024.0,
        "tb" => number * 1e12 / 1024.0,
        _ => return None,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(Kib(kib.ceil() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserves() {
        for (text, kib) in [
            ("10%", Some(100)),
            ("0.05 %", Some(1)),
            ("5", Some(5)),
            ("2k", Some(2)),
            ("1.5MiB", Some(1536)),
            ("7kib", Some(7)),
            ("2 m", Some(2 << 10)),
            ("2g", Some(2 << 20)),
            ("2GiB", Some(2 << 20)),
            ("3t", Some(3 << 30)),
            ("3 TiB", Some(3 << 30)),
            ("512KB", Some(500)),
            ("512mb", Some(500_000)),
            ("1GB", Some(976_563)),
            ("2tb", Some(1_953_125_000)),
            ("3s", Some(2)),
            ("5s", Some(3)),
            ("2048b", Some(2)),
            ("lots", None),
            ("5 parsec", None),
        ] {
            assert_eq!(minimum(text, Kib(1000)), kib.map(Kib), "{text}");
        }
    }
}
