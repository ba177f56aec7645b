//! The header that LUKS puts before the data. Never runs cryptsetup.

use super::error::SizeError;
use super::kib::Kib;
use super::options::{split_options, value_of};

/// Header of LUKS1 and of cryptsetup before 2.1.
const OLD_HEADER: Kib = Kib::from_mib(2);
/// Header of LUKS2: two copies of the metadata, and the key slots.
const HEADER: Kib = Kib::from_mib(16);
/// One copy of LUKS2's metadata.
const METADATA_BYTES: u64 = 16 * 1024;
/// Data begins at a multiple of this at least.
const ALIGNMENT_BYTES: u64 = 1024 * 1024;
/// Unit of `--offset` and `--align-payload`.
const SECTOR_BYTES: u64 = 512;

/// Version of cryptsetup, as far as it matters: LUKS2 with 16 MiB is the default from 2.1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cryptsetup {
    pub major: u32,
    pub minor: u32,
}

/// Size of the header that `luksFormat` makes with the options of `StorDriver/LuksFormatOptions` on a device whose
/// optimal I/O size is `opt_io_bytes` (0 where unknown).
///
/// # Errors
/// `Option` for values that are no numbers, `Overflow`.
pub fn luks_header(options: &str, version: Cryptsetup, opt_io_bytes: u64) -> Result<Kib, SizeError> {
    let arguments = split_options(options);
    if let Some(bytes) = sectors(&arguments, "--offset", Some("-o"))? {
        return Ok(Kib::from_bytes_ceil(bytes));
    }
    let first_format = value_of(&arguments, "--type", None).is_some_and(|kind| kind.eq_ignore_ascii_case("luks1"));
    if first_format || version < (Cryptsetup { major: 2, minor: 1 }) {
        return Ok(OLD_HEADER);
    }
    let metadata = size(&arguments, "--luks2-metadata-size")?;
    let key_slots = size(&arguments, "--luks2-keyslots-size")?;
    let alignment = sectors(&arguments, "--align-payload", None)?;
    if metadata.is_none() && key_slots.is_none() && alignment.is_none() {
        return Ok(HEADER);
    }
    let copies = metadata.unwrap_or(METADATA_BYTES).checked_mul(2).ok_or(SizeError::Overflow)?;
    // Key slots take what the default header leaves beside the metadata.
    let key_slots = key_slots.unwrap_or(HEADER.exact_bytes()?.saturating_sub(copies));
    let bytes = copies.checked_add(key_slots).ok_or(SizeError::Overflow)?;
    let alignment = alignment.filter(|bytes| *bytes > 0).unwrap_or(ALIGNMENT_BYTES.max(opt_io_bytes));
    let aligned = bytes.checked_next_multiple_of(alignment).ok_or(SizeError::Overflow)?;
    Ok(Kib::from_bytes_ceil(aligned))
}

/// Device for `net` of data behind the header.
///
/// # Errors
/// `Overflow`.
pub fn luks_gross(net: Kib, header: Kib) -> Result<Kib, SizeError> {
    net.plus(header)
}

/// Data behind the header on a device.
///
/// # Errors
/// `NoRoom`.
pub fn luks_net(gross: Kib, header: Kib) -> Result<Kib, SizeError> {
    let net = gross.minus(header).filter(|net| *net > Kib::ZERO);
    net.ok_or(SizeError::NoRoom { what: "LUKS header", gross, overhead: header })
}

/// Bytes of an option that counts sectors.
fn sectors(arguments: &[String], option: &'static str, short: Option<&str>) -> Result<Option<u64>, SizeError> {
    let Some(value) = value_of(arguments, option, short) else { return Ok(None) };
    let bytes = value.parse().ok().and_then(|sectors: u64| sectors.checked_mul(SECTOR_BYTES));
    bytes.map(Some).ok_or_else(|| bad(option, value, "number of sectors"))
}

/// Bytes of an option that takes a suffix (`32k`, `16M`).
fn size(arguments: &[String], option: &'static str) -> Result<Option<u64>, SizeError> {
    let Some(value) = value_of(arguments, option, None) else { return Ok(None) };
    let digits = value.trim_end_matches(|char: char| !char.is_ascii_digit());
    let factor = match value[digits.len()..].to_ascii_lowercase().as_str() {
        "" => Some(1),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        _ => None,
    };
    let bytes = digits.parse().ok().zip(factor).and_then(|(number, factor): (u64, u64)| number.checked_mul(factor));
    bytes.map(Some).ok_or_else(|| bad(option, value, "size such as 16M"))
}

fn bad(option: &'static str, value: &str, expected: &'static str) -> SizeError {
    SizeError::Option { option, value: value.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Cryptsetup = Cryptsetup { major: 2, minor: 6 };

    #[test]
    fn header_variants() {
        let old = Cryptsetup { major: 2, minor: 0 };
        for (options, version, opt_io, kib) in [
            ("", NEW, 0, 16_384),
            ("", Cryptsetup { major: 2, minor: 1 }, 0, 16_384),
            ("", old, 0, 2048),
            ("--type luks1", NEW, 0, 2048),
            ("--type=luks2 --cipher aes-xts-plain64", NEW, 0, 16_384),
            ("--offset 65536", NEW, 0, 32_768),
            ("--offset=65536", old, 0, 32_768),
            ("-o 4096 --type luks1", NEW, 0, 2048),
            ("--luks2-keyslots-size 8M", NEW, 0, 9216),
            ("--luks2-metadata-size 64k --luks2-keyslots-size=16m", NEW, 0, 17_408),
            ("--luks2-metadata-size 64k", NEW, 0, 16_384),
            ("--luks2-keyslots-size 8M", NEW, 4 << 20, 12_288),
            ("--luks2-keyslots-size 8M --align-payload 8192", NEW, 1 << 20, 12_288),
            ("--luks2-keyslots-size 8388608 --align-payload 0", NEW, 0, 9216),
        ] {
            assert_eq!(luks_header(options, version, opt_io), Ok(Kib::new(kib)), "{options} {version:?}");
        }
    }

    #[test]
    fn bad_options_are_refused() {
        for options in [
            "--offset x",
            "--offset=-1",
            "--offset 18446744073709551615",
            "--luks2-keyslots-size 8X",
            "--luks2-keyslots-size 18446744073709551615G",
            "--luks2-metadata-size µ",
            "--luks2-metadata-size 18446744073709551615",
        ] {
            assert!(luks_header(options, NEW, 0).is_err(), "{options}");
        }
    }

    #[test]
    fn net_and_gross() {
        let header = luks_header("", NEW, 0).expect("the default");
        assert_eq!(luks_gross(Kib::from_mib(100), header), Ok(Kib::from_mib(116)));
        assert_eq!(luks_net(Kib::from_mib(116), header), Ok(Kib::from_mib(100)));
        assert!(matches!(luks_net(header, header), Err(SizeError::NoRoom { .. })));
        assert_eq!(luks_gross(Kib::new(u64::MAX), header), Err(SizeError::Overflow));
    }
}
