//! LUKS by cryptsetup (facts: `satellite.md` §2.9). Passphrases go by standard input, with the end of a line behind each,
//! as LINSTOR gives them; never as an argument.
//!
//! A header is made in memory and written to the device at last with its first page: a device never has half a header
//! whatever happens, so that one without is known to hold nothing of ours.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::sys::memfd::{MFdFlags, memfd_create};
use zeroize::Zeroizing;

use super::super::devices;
use super::super::exec::{CommandLine, ExecError};
use super::{Runner, Site, dm, io_error, problem};
use crate::model::desired::LuksKey;
use crate::model::plan::LayerAct;
use crate::model::report::Problem;
use crate::model::secret::Secret;
use crate::model::size::{Cryptsetup, Kib, luks_header, split_options};
use crate::model::stack::LUKS_FORMAT_OPTIONS;
use crate::protocols::headers::{self, BLANK_BYTES, HEAD_BYTES, Head};

/// Memory that deriving a key may take, KiB: what a node has to spare for each volume that is opened (LINSTOR's value).
const PBKDF_MEMORY_KIB: &str = "262144";
const PBKDF_MEMORY: &str = "--pbkdf-memory";
/// Sector of a device that does not tell its own.
const SECTOR_BYTES: &str = "512";
/// Exit code of cryptsetup for a passphrase that opens nothing.
const WRONG_KEY: i32 = 2;
/// Exit code of `cryptsetup close` for a name that is not open.
const NOT_OPEN: i32 = 4;
/// What is wiped of a header whose end is not known: that of LUKS2 as it is by default.
const USUAL_HEADER: Kib = Kib::from_mib(16);
/// Pieces in which a header is copied.
const PIECE_BYTES: u64 = 1 << 20;

pub(super) fn act(site: &Site<'_>, act: LayerAct, runner: Runner<'_>) -> Result<(), Problem> {
    match act {
        LayerAct::Format => format(site, runner),
        LayerAct::ChangeKey => change_key(site, runner),
        LayerAct::Open => open(site, runner),
        LayerAct::Resize => resize(site, runner),
        LayerAct::Resume => dm::resume(site, runner),
        LayerAct::Close | LayerAct::Drop => close(site, runner),
        LayerAct::Reset => Ok(()),
        LayerAct::WipeHeader => wipe(site),
    }
}

/// Where the data begins, if the sizes of the device and of what it stands on show that the header is the usual one.
pub(super) fn usual_offset(site: &Site<'_>, size: Kib) -> Option<Kib> {
    let options = site.option(LUKS_FORMAT_OPTIONS).unwrap_or_default();
    let usual = luks_header(options, Cryptsetup { major: 2, minor: 1 }, 0).ok()?;
    let below = site.base.as_ref()?.size;
    (below.minus(size) == Some(usual)).then_some(usual)
}

fn key<'a>(site: &'a Site<'_>) -> Result<(&'a Secret, Option<&'a Secret>), Problem> {
    match &site.volume.luks {
        Some(LuksKey::Known { passphrase, previous }) => Ok((passphrase, previous.as_ref())),
        _ => Err(problem(
            site.message("cannot be opened"),
            "its key is locked until the master passphrase is entered",
            "Enter the master passphrase; then it is done by itself.",
        )),
    }
}

/// Passphrases, a line each.
fn lines(secrets: &[&Secret]) -> Zeroizing<Vec<u8>> {
    // As large as it will be, so that nothing is left behind where it would have been moved from.
    let mut bytes = Zeroizing::new(Vec::with_capacity(secrets.iter().map(|secret| secret.expose().len() + 1).sum()));
    for secret in secrets {
        bytes.extend_from_slice(secret.expose().as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

fn format(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let device = site.base()?;
    match devices::head(device).map_err(|error| io_error(site, "cannot be made", device, &error))? {
        Head::Luks(_) => return Ok(()),
        Head::Blank => {}
        other => {
            return Err(problem(
                site.message("cannot be made"),
                format!("{} holds {} already", device.display(), super::name_of(&other)),
                "Nothing is written over it. Move it away; then the layer is made by itself.",
            ));
        }
    }
    let (passphrase, _) = key(site)?;
    let failed = |error: io::Error| io_error(site, "cannot be made", device, &error);
    let size = site.base.as_ref().map_or(0, |base| base.size.bytes());
    let draft = draft(size).map_err(failed)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), draft.as_raw_fd());
    let line = format_line(site.option(LUKS_FORMAT_OPTIONS).unwrap_or_default(), sector_bytes(device), &path);
    let line = line.with_stdin(lines(&[passphrase]));
    runner.run(&line).map_err(|error| error.into_problem(site.message("cannot be made")))?;
    put(&draft, device).map_err(failed)
}

/// Memory that cryptsetup takes for a device of that size.
fn draft(size: u64) -> io::Result<File> {
    let file = File::from(memfd_create(c"luks-header", MFdFlags::MFD_CLOEXEC)?);
    file.set_len(size)?;
    Ok(file)
}

/// Sector of the device: cryptsetup would take that of the memory, a page, and volumes may end within one.
fn sector_bytes(device: &Path) -> String {
    let name = devices::kernel_name(device);
    let bytes = name.and_then(|name| devices::attribute(&name, "queue/logical_block_size"));
    bytes.unwrap_or_else(|| SECTOR_BYTES.to_owned())
}

fn format_line(options: &str, sector: String, device: &str) -> CommandLine {
    let options = split_options(options);
    let mut args = vec!["-q".to_owned(), "luksFormat".to_owned()];
    let given = |name: &str| options.iter().any(|option| option.starts_with(name));
    let mut more = Vec::new();
    if !given("--sector-size") && !options.iter().any(|option| option.contains("luks1")) {
        more.extend(["--sector-size".to_owned(), sector]);
    }
    if !given(PBKDF_MEMORY) {
        more.extend([PBKDF_MEMORY.to_owned(), PBKDF_MEMORY_KIB.to_owned()]);
    }
    args.extend(options);
    args.extend(more);
    args.push(device.to_owned());
    CommandLine::new("cryptsetup", args)
}

/// Writes a header to its device, the first page last.
fn put(draft: &File, device: &Path) -> io::Result<()> {
    let mut head = vec![0; HEAD_BYTES];
    draft.read_exact_at(&mut head, 0)?;
    let end = match headers::read(&head) {
        Head::Luks(luks) => luks.offset.unwrap_or(USUAL_HEADER.bytes()),
        _ => return Err(io::Error::other("cryptsetup made no header that can be read")),
    };
    let target = devices::open_for_writing(device)?;
    let begin = BLANK_BYTES as u64;
    let mut piece = vec![0; usize::try_from(PIECE_BYTES).unwrap_or(BLANK_BYTES)];
    let mut at = begin;
    while at < end {
        let length = usize::try_from((end - at).min(PIECE_BYTES)).map_err(io::Error::other)?;
        draft.read_exact_at(&mut piece[..length], at)?;
        target.write_all_at(&piece[..length], at)?;
        at += length as u64;
    }
    target.sync_all()?;
    target.write_all_at(&head[..BLANK_BYTES], 0)?;
    target.sync_all()
}

fn open(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let device = site.base()?;
    if dm::is_open(site) {
        return Ok(());
    }
    let (passphrase, _) = key(site)?;
    let line = open_line(site, device).with_stdin(lines(&[passphrase]));
    match runner.run(&line) {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(site, "cannot be opened", error)),
    }
}

fn open_line(site: &Site<'_>, device: &Path) -> CommandLine {
    let mut args = vec!["open".to_owned()];
    args.extend(split_options(site.option("StorDriver/LuksOpenOptions").unwrap_or_default()));
    if site.option("Luks/AllowDiscards").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        args.push("--allow-discards".to_owned());
    }
    args.extend(["--tries", "1", &device.to_string_lossy(), &site.name].map(str::to_owned));
    CommandLine::new("cryptsetup", args)
}

/// The error of a command that needs the key; says so where it is the key that is wrong.
fn refused(site: &Site<'_>, what: &str, error: ExecError) -> Problem {
    let wrong = matches!(&error, ExecError::Exit { output, .. } if output.code == WRONG_KEY);
    let mut problem = error.into_problem(site.message(what));
    if wrong {
        super::WRONG_KEY.clone_into(&mut problem.cause);
        "The header is of another volume, or its key was changed by hand: bring the right header back (cryptsetup \
         luksHeaderRestore), or give it the key that is known (cryptsetup luksAddKey)."
            .clone_into(&mut problem.correction);
    }
    problem
}

fn resize(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let (passphrase, _) = key(site)?;
    let line = CommandLine::new("cryptsetup", ["resize", &site.name]).with_stdin(lines(&[passphrase]));
    runner.run(&line).map(drop).map_err(|error| refused(site, "cannot be resized", error))
}

fn close(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    if !dm::is_open(site) {
        return Ok(());
    }
    dm::assert_unused(site)?;
    let line = CommandLine::new("cryptsetup", ["close", &site.name]);
    match runner.run_any(&line) {
        Ok(output) if output.code == 0 || output.code == NOT_OPEN => Ok(()),
        Ok(output) => {
            let error = ExecError::Exit { command: line.to_string(), output };
            Err(error.into_problem(site.message("cannot be closed")))
        }
        Err(error) => Err(error.into_problem(site.message("cannot be closed"))),
    }
}

/// Tries the new passphrase first: a crash may have come after the change.
fn change_key(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let device = site.base()?.to_string_lossy().into_owned();
    let (passphrase, Some(previous)) = key(site)? else { return Ok(()) };
    let failed = |error: ExecError| refused(site, "cannot be given its new key", error);
    let test = CommandLine::new("cryptsetup", ["open", "--test-passphrase", "--tries", "1", &device]);
    let tried = runner.run_any(&test.clone().with_stdin(lines(&[passphrase]))).map_err(failed)?;
    match tried.code {
        0 => return Ok(()),
        WRONG_KEY => {}
        _ => return Err(failed(ExecError::Exit { command: test.to_string(), output: tried })),
    }
    let args = ["luksChangeKey", PBKDF_MEMORY, PBKDF_MEMORY_KIB, "--tries", "1", &device, "-S", "0"];
    let line = CommandLine::new("cryptsetup", args).with_stdin(lines(&[previous, passphrase]));
    runner.run(&line).map(drop).map_err(failed)
}

/// Noise, then zeros. A disk that cannot be written any more keeps what it has: it is no reason to keep the volume.
fn wipe(site: &Site<'_>) -> Result<(), Problem> {
    let device = site.base()?;
    let done = match devices::head(device) {
        Ok(Head::Luks(luks)) => {
            let bytes = luks.offset.unwrap_or(USUAL_HEADER.bytes());
            let bytes = bytes.min(site.base.as_ref().map_or(bytes, |base| base.size.bytes()));
            wipe_beginning(device, bytes)
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        tracing::warn!(layer = %site.name, %error, "the header of a removed volume cannot be wiped");
    }
    Ok(())
}

fn wipe_beginning(device: &Path, bytes: u64) -> io::Result<()> {
    let mut noise = File::open("/dev/urandom")?;
    devices::overwrite(device, bytes, &mut |piece| io::Read::read_exact(&mut noise, piece))?;
    devices::blank(device, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        let line = |options| format_line(options, "512".to_owned(), "/dev/x").to_string();
        assert_eq!(line(""), "cryptsetup -q luksFormat --sector-size 512 --pbkdf-memory 262144 /dev/x");
        assert_eq!(
            line("--cipher 'aes-xts-plain64' --pbkdf-memory=65536"),
            "cryptsetup -q luksFormat --cipher aes-xts-plain64 --pbkdf-memory=65536 --sector-size 512 /dev/x"
        );
        assert_eq!(line("--type luks1"), "cryptsetup -q luksFormat --type luks1 --pbkdf-memory 262144 /dev/x");
        assert!(line("--sector-size=4096").contains("--sector-size=4096 --pbkdf"));
    }

    #[test]
    fn passphrases_are_lines() {
        let (one, two) = (Secret::new("one"), Secret::new("two"));
        assert_eq!(*lines(&[&one, &two]), b"one\ntwo\n");
    }

    #[test]
    fn a_header_is_put_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("folder");
        let device = folder.path().join("device");
        std::fs::write(&device, vec![9; 3 << 20]).expect("written");
        let header = draft(3 << 20).expect("memory");
        assert!(put(&header, &device).is_err(), "none was made");
        assert_eq!(std::fs::read(&device).expect("read"), vec![9; 3 << 20]);
        let mut head = vec![0; HEAD_BYTES];
        head[..8].copy_from_slice(b"LUKS\xba\xbe\0\x01");
        head[104..108].copy_from_slice(&4096_u32.to_be_bytes());
        header.write_all_at(&head, 0).expect("written");
        put(&header, &device).expect("put");
        let found = std::fs::read(&device).expect("read");
        assert!(found.starts_with(&head) && found[2 << 20..] == [9; 1 << 20]);
        assert!(found[HEAD_BYTES..2 << 20].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_wiped_header_is_none() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), vec![9; 2 << 20]).expect("written");
        wipe_beginning(file.path(), 1 << 20).expect("wiped");
        let found = std::fs::read(file.path()).expect("read");
        assert!(found[..1 << 20].iter().all(|byte| *byte == 0) && found[1 << 20..] == [9; 1 << 20]);
    }
}
