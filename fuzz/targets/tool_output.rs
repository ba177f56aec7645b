//! What other programs and the kernel print: blkid's export, LVM's listings and errors, mountinfo, superblocks at the beginning
//! of a device, zfs and zpool. Mounts written as the kernel writes them are read as they are; a file system has a name of one
//! line; a listing of ZFS is read wholly or not at all, and comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::protocols::blkid::{known_signature, parse_export};
use zea::protocols::lvm;
use zea::protocols::mountinfo::{Mount, of_device, parse};
use zea::protocols::superblock::{HEAD_BYTES, recognise};
use zea::protocols::zfs;

/// As the kernel writes a path (proc_pid_mountinfo(5)): these bytes in octal.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            ' ' | '\t' | '\n' | '\\' | '#' => out.push_str(&format!("\\{:03o}", letter as u32)),
            _ => out.push(letter),
        }
    }
    out
}

/// What a field means, by the manual: a backslash and three octal digits are a byte, all else stands for itself.
fn meant(field: &str) -> String {
    let bytes = field.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits =
            bytes.get(at + 1..at + 4).filter(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        let value = digits.map(|digits| digits.iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0')));
        match value.and_then(|value| u8::try_from(value).ok()).filter(|_| bytes[at] == b'\\') {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn mounts(text: &str) {
    let found = parse(text);
    assert!(found.len() <= text.lines().count());
    for (mount, line) in found.iter().zip(text.lines().filter(|line| parse(line).len() == 1)) {
        let fields: Vec<&str> = line.split(' ').collect();
        assert_eq!(mount.point, meant(fields[4]), "{line}");
        assert!(of_device(text, &mount.device, "").contains(mount));
    }
}

fn a_mount_comes_back(text: &str) {
    let mut words = text.split('\0');
    let (Some(point), Some(source)) = (words.next(), words.next()) else { return };
    let line = format!("36 35 98:0 / {} rw,noatime shared:1 - ext3 {} rw", escaped(point), escaped(source));
    let mount = Mount { device: "98:0".to_owned(), point: point.to_owned(), source: source.to_owned() };
    assert_eq!(parse(&line), [mount], "{line}");
}

/// A dataset as `zfs list` prints it.
fn zfs_line(name: &str, found: &zfs::Dataset) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    let kind = match found.kind {
        zfs::Kind::FileSystem => "filesystem",
        zfs::Kind::Volume => "volume",
        zfs::Kind::Snapshot => "snapshot",
    };
    [
        name.to_owned(),
        kind.to_owned(),
        number(found.volsize),
        number(found.volblocksize),
        found.referenced.to_string(),
        word(&found.origin),
        found.created.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string()),
        if found.hidden { "none" } else { "default" }.to_owned(),
        if found.marked { "true" } else { "-" }.to_owned(),
        word(&found.remains_of),
        word(&found.owner),
    ]
    .join("\t")
}

fn zfs_says(text: &str) {
    match zfs::parse_list(text) {
        Ok(known) => {
            assert!(known.len() <= text.split_terminator('\n').count());
            let lines: String = known.iter().map(|(name, found)| zfs_line(name, found) + "\n").collect();
            assert_eq!(zfs::parse_list(&lines), Ok(known), "{lines}");
        }
        Err(bad) => assert_eq!(text.split_terminator('\n').nth(bad.number - 1), Some(bad.line.as_str())),
    }
    if let Ok(zpools) = zfs::parse_pools(text) {
        assert_eq!(zpools.len(), text.split_terminator('\n').count());
    }
    assert!(zfs::parse_properties(text).len() <= text.lines().count());
    let _ = (zfs::parse_room(text), zfs::parse_dry_run(text), zfs::failure(text));
}

/// Where superblocks begin: of xfs, of ext2 to ext4, of btrfs.
const SUPERBLOCKS: [usize; 3] = [0, 1024, 64 << 10];

/// What is recognised at the beginning of a device is recognised in a longer piece of it, too.
fn superblocks(data: &[u8]) {
    for at in SUPERBLOCKS {
        let mut head = vec![0; HEAD_BYTES];
        let end = HEAD_BYTES.min(at + data.len());
        head[at..end].copy_from_slice(&data[..end - at]);
        let whole = recognise(&head);
        assert!(whole.is_none_or(|found| !found.kind.is_empty()));
        assert!(recognise(&head[..end]).is_none() || whole.is_some(), "{at}");
    }
}

/// LVM's listings: each line is read or spoils the listing, and what is read is in the text.
fn listings(text: &str) {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    if let Ok(groups) = lvm::parse_volumes(text) {
        assert!(groups.values().map(|listed| listed.volumes.len()).sum::<usize>() <= lines);
        for listed in groups.values() {
            for (name, volume) in &listed.volumes {
                assert!(text.contains(name.as_str()) && volume.data.is_none_or(|data| data < u32::MAX));
                assert!(lvm::mapper_uuid(&listed.group, volume).starts_with("LVM-"));
                assert!(lvm::cow_size(volume.size, listed.group.extent).0 >= volume.size.0.min(u64::MAX / 8));
            }
        }
    }
    assert!(lvm::parse_groups(text).is_ok_and(|groups| groups.len() <= lines) || lines > 0);
    if let Ok(disks) = lvm::parse_disks(text) {
        assert!(disks.values().flatten().all(|disk| disk.starts_with('/') && text.contains(disk.as_str())));
    }
    let _ = lvm::failure(text);
    assert!(lvm::not_found(text).iter().all(|name| text.contains(name)));
}

fuzz_target!(|data: &[u8]| {
    let _ = known_signature(data);
    superblocks(data);
    let Some(text) = zea_fuzz::text(data) else { return };
    if let Some(kind) = parse_export(text) {
        assert!(!kind.is_empty() && !kind.contains('\n') && text.contains(&kind));
    }
    zfs_says(text);
    listings(text);
    mounts(text);
    a_mount_comes_back(text);
});
