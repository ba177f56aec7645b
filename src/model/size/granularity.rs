//! Rounding to what a storage pool can allocate. Never asks a pool.

use super::error::SizeError;
use super::kib::Kib;
use super::options::{split_options, value_of};

/// LVM stripes over at most so many devices.
const MAX_STRIPES: u32 = 128;

/// The multiple that a volume's size must have: the definition's own (remembered from where its data came), or the
/// pool's unit for every stripe, whichever is larger; 1 KiB where neither is known.
///
/// # Errors
/// `Overflow`.
pub fn granularity(definition: Option<Kib>, pool: Option<Kib>, stripes: u32) -> Result<Kib, SizeError> {
    let pool = pool.unwrap_or(Kib::new(1)).times(u64::from(stripes.max(1)))?;
    Ok(pool.max(definition.unwrap_or(Kib::new(1))).max(Kib::new(1)))
}

/// Stripes that `StorDriver/LvcreateOptions` ask for (`-i N`, `-iN`, `--stripes N`, `--stripes=N`); 1 without.
///
/// # Errors
/// `Option` when the number is none, or not 1 to 128.
pub fn stripes(lvcreate_options: &str) -> Result<u32, SizeError> {
    let arguments = split_options(lvcreate_options);
    let Some(value) = value_of(&arguments, "--stripes", Some("-i")) else { return Ok(1) };
    let number = value.parse().ok().filter(|number| (1..=MAX_STRIPES).contains(number));
    number.ok_or_else(|| SizeError::Option {
        option: "--stripes",
        value: value.to_owned(),
        expected: "number from 1 to 128",
    })
}

#[cfg(test)]
mod tests {
    use super::super::DrbdGeometry;
    use super::*;

    #[test]
    fn the_larger_granularity_counts() {
        for (definition, pool, stripes, result) in [
            (None, None, 1, 1),
            (None, Some(4096), 1, 4096),
            (None, Some(4096), 3, 12_288),
            (Some(65_536), Some(4096), 3, 65_536),
            (Some(8), None, 1, 8),
            (Some(0), Some(0), 0, 1),
        ] {
            let kib = |size: Option<u64>| size.map(Kib::new);
            assert_eq!(granularity(kib(definition), kib(pool), stripes), Ok(Kib::new(result)));
        }
        assert_eq!(granularity(None, Some(Kib::new(u64::MAX)), 2), Err(SizeError::Overflow));
    }

    #[test]
    fn stripes_from_options() {
        for (options, result) in
            [("", Some(1)), ("-i 2", Some(2)), ("--type raid10 -m1 -i4", Some(4)), ("--stripes=3 -I 64", Some(3))]
        {
            assert_eq!(stripes(options).ok(), result, "{options}");
        }
        for options in ["-i x", "-i0", "--stripes=129", "-i -1", "--stripes="] {
            assert!(stripes(options).is_err(), "{options}");
        }
    }

    /// 100 MiB for 7 peers on extents of 4 MiB: DRBD gets the larger device and shows what fits on it.
    #[test]
    fn rounding_up_gives_drbd_more() {
        let drbd = DrbdGeometry::default();
        let gross = drbd.gross(Kib::from_mib(100)).expect("good");
        let unit = granularity(None, Some(Kib::new(4096)), 1).expect("good");
        let allocated = gross.ceil_to(unit).expect("good");
        assert_eq!((gross, allocated), (Kib::new(102_460), Kib::new(106_496)));
        assert!(drbd.net(allocated).expect("room") >= Kib::from_mib(100));
    }
}
