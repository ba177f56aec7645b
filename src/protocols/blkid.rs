//! `blkid -o export <device>`, and the few signatures that are cheap to know without it.

/// The `TYPE=` that blkid found, or the kind of a partition table.
#[must_use]
pub fn parse_export(text: &str) -> Option<String> {
    let value = |key: &str| {
        let found = text.lines().find_map(|line| line.trim().strip_prefix(key));
        found.map(str::to_owned).filter(|value| !value.is_empty())
    };
    value("TYPE=").or_else(|| value("PTTYPE="))
}

/// How much of a device's beginning [`known_signature`] looks at, in bytes.
pub const SIGNATURE_BYTES: usize = 2048;

/// The file system whose signature stands at the beginning of a device: `xfs` or one of ext2 to ext4, which is called
/// `ext4`. `None` says nothing: ask blkid.
#[must_use]
pub fn known_signature(head: &[u8]) -> Option<&'static str> {
    if head.get(..4) == Some(b"XFSB") {
        return Some("xfs");
    }
    if head.get(1080..1082) == Some(&[0x53, 0xEF]) {
        return Some("ext4");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_exports() {
        let ext4 = include_str!("../../tests/fixtures/blkid-ext4.txt");
        assert_eq!(parse_export(ext4).as_deref(), Some("ext4"));
        let mbr = include_str!("../../tests/fixtures/blkid-mbr.txt");
        assert_eq!(parse_export(mbr).as_deref(), Some("dos"));
        assert_eq!(parse_export(""), None);
        assert_eq!(parse_export("DEVNAME=/dev/loop0\nTYPE=\n"), None);
    }

    #[test]
    fn signatures() {
        let mut head = vec![0; SIGNATURE_BYTES];
        assert_eq!(known_signature(&head), None);
        head[1080..1082].copy_from_slice(&[0x53, 0xEF]);
        assert_eq!(known_signature(&head), Some("ext4"));
        head[..4].copy_from_slice(b"XFSB");
        assert_eq!(known_signature(&head), Some("xfs"));
        assert_eq!(known_signature(b"XF"), None);
    }
}
