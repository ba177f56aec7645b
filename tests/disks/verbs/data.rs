//! Contents of volumes: what is written is random from its label, what is there is compared by checksum.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::process::Command;

use super::Done;
use super::states::{device, sized_device};
use crate::disks::stage::{Content, PATIENCE, Stage};

/// The content of this label, of that size if it is a new one; it lies at `/run/rig/content.<label>` for the nodes.
fn content(stage: &Stage, label: &str, bytes: u64) -> Result<Content, String> {
    let mut contents = stage.contents.lock().unwrap();
    if let Some(known) = contents.get(label) {
        return Ok(known.clone());
    }
    let mut hasher = DefaultHasher::new();
    label.hash(&mut hasher);
    let mut random = fastrand::Rng::with_seed(hasher.finish());
    let path = stage.folder.work().join(format!("content.{label}"));
    let fail = |error: std::io::Error| format!("content {label}: {error}");
    let mut file = std::fs::File::create_new(&path).map_err(fail)?;
    let mut block = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        random.fill(&mut block);
        let now = usize::try_from(left.min(1 << 20)).expect("at most a MiB");
        file.write_all(&block[..now]).map_err(fail)?;
        left -= now as u64;
    }
    let output = Command::new("sha256sum").arg(&path).output().map_err(fail)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let sum = text.split(' ').next().unwrap_or_default().to_owned();
    let made = Content { bytes, sum };
    contents.insert(label.to_owned(), made.clone());
    Ok(made)
}

fn write_command(label: &str, path: &str) -> String {
    format!("dd if=/run/rig/content.{label} of={path} bs=1M oflag=direct conv=notrunc,fsync status=none")
}

/// Fills a volume.
pub fn write(stage: &Stage, words: &[&str]) -> Done {
    let (rsc, node, label) = (words[0], words[1], words[2]);
    let (path, bytes) = sized_device(stage, rsc, node)?;
    content(stage, label, bytes)?;
    stage.on(node, &write_command(label, &path)).map(drop)
}

pub fn is(stage: &Stage, words: &[&str]) -> Done {
    let (rsc, node, label) = (words[0], words[1], words[2]);
    let known = stage.contents.lock().unwrap().get(label).cloned();
    let known = known.ok_or_else(|| format!("{label} was never written"))?;
    let path = device(stage, rsc, node)?;
    let read = format!("dd if={path} bs=1M count={} iflag=direct,count_bytes status=none | sha256sum", known.bytes);
    let text = stage.on(node, &format!("set -o pipefail; {read}"))?;
    let sum = text.split(' ').next().unwrap_or_default();
    if sum == known.sum {
        return Ok(());
    }
    let contents = stage.contents.lock().unwrap();
    let other = contents.iter().find(|(_, other)| other.sum == sum).map(|(label, _)| label.as_str());
    Err(format!("{rsc} on {node} is not {label}, but {}", other.unwrap_or("nothing that was written")))
}

/// Grows a volume while it is written again and again, and once more when it has grown.
pub fn grow_while_written(stage: &Stage, words: &[&str]) -> Done {
    let [rsc, size, label, node] = words else { unreachable!("the pattern has four") };
    let (path, bytes) = sized_device(stage, rsc, node)?;
    content(stage, label, bytes)?;
    let (write, mark) = (write_command(label, &path), format!("/run/writer.{rsc}"));
    let begin = format!(
        "rm -f {mark}.*; {{ while [ ! -e {mark}.stop ]; do {write} || {{ touch {mark}.failed; break; }}; done; \
        {write} || touch {mark}.failed; touch {mark}.done; }} </dev/null >{mark}.log 2>&1 &"
    );
    stage.on(node, &begin)?;
    super::objects::grow(stage, &[rsc, size])?;
    let end = format!(
        "touch {mark}.stop; while [ ! -e {mark}.done ]; do sleep 0.05; done; cat {mark}.log; [ ! -e {mark}.failed ]"
    );
    stage.run(node, &end, PATIENCE)?.ok("writing while it grew").map(drop)
}
