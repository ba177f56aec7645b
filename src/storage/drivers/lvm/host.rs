//! LVM of this machine: runs its commands, each with a filter that names the disks of the groups it is about, and keeps the
//! one listing that all pools share. No lock is held while a command runs: those of one resource wait for nobody else but
//! for LVM's own locks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::commands::{self, Config, Nodes, Options};
use super::device;
use super::failure::{self, About};
use super::listing::{Listing, Look, Looking};
use crate::model::report::Problem;
use crate::protocols::lvm::{self, Failure, Group, Listed, Volume};
use crate::storage::exec::{Breaker, CommandLine, Exec, Output};

/// How often a command is tried again that failed because a volume was busy, and after what time (facts: `satellite.md` §0).
const BUSY_TRIES: u32 = 3;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// LVM of this machine; all pools share one.
#[derive(Debug)]
pub struct Lvm {
    runner: Arc<Runner>,
    listing: Listing,
    /// Of commands about one volume, or about a group.
    breakers: Mutex<BTreeMap<String, Breaker>>,
    /// Tags of groups, where they were asked for; nobody else sets ours.
    group_tags: Mutex<BTreeMap<String, Vec<String>>>,
}

/// What runs commands.
#[derive(Debug)]
struct Runner {
    exec: Arc<Exec>,
    nodes: Nodes,
    /// Disks of groups.
    disks: Mutex<BTreeMap<String, Vec<String>>>,
    /// Of looks: by group, and of the common one under no name.
    breakers: Mutex<BTreeMap<String, Breaker>>,
}

impl Lvm {
    /// Runs commands with this.
    #[must_use]
    pub fn new(exec: Arc<Exec>) -> Self {
        let runner =
            Arc::new(Runner { exec, nodes: Nodes::here(), disks: Mutex::default(), breakers: Mutex::default() });
        let listing = Listing::new(Arc::new(Looker(Arc::downgrade(&runner))));
        Self { runner, listing, breakers: Mutex::default(), group_tags: Mutex::default() }
    }

    /// A group that is looked at with the others from now on.
    pub(super) fn add(&self, group: &str) {
        self.listing.add(group);
    }

    /// Reads what is known of a group.
    pub(super) fn read<R>(&self, group: &str, age: Duration, read: impl FnOnce(&Listed) -> R) -> Result<R, Problem> {
        self.listing.read(group, age, read)
    }

    /// Runs a command about a volume of a group, or about the group itself; `line` makes it with a filter.
    pub(super) fn run(&self, about: About<'_>, line: impl Fn(&Config) -> CommandLine) -> Result<Output, Problem> {
        self.run_with(about, line, |_| false)
    }

    /// `is_fine` tells of a failure that it is none.
    fn run_with(
        &self,
        about: About<'_>,
        line: impl Fn(&Config) -> CommandLine,
        is_fine: impl Fn(&Output) -> bool,
    ) -> Result<Output, Problem> {
        let breaker = breaker(&self.breakers, &about.place());
        let mut busy = BUSY_TRIES;
        let mut disks_looked_at = false;
        loop {
            let config = self.runner.config_blocking(about.group, &breaker)?;
            let line = line(&config);
            let output = match self.runner.exec.run_any_blocking(&line, &breaker) {
                Ok(output) if output.code == 0 || is_fine(&output) => return Ok(output),
                Ok(output) => output,
                Err(error) => {
                    self.mend(about);
                    return Err(error.into_problem(about.message.to_owned()));
                }
            };
            match lvm::failure(&output.stderr) {
                Some(Failure::Unchanged) => return Ok(output),
                Some(Failure::Busy) if busy > 0 => {
                    busy -= 1;
                    std::thread::sleep(BUSY_PAUSE);
                }
                // The disks may be others than they were.
                Some(Failure::NoGroup | Failure::DiskMissing) if !disks_looked_at => {
                    disks_looked_at = true;
                    lock(&self.runner.disks).remove(about.group);
                }
                known => {
                    self.mend(about);
                    return Err(failure::problem_of(about, known, &line, &output));
                }
            }
        }
    }

    /// The same of a command after which the volume is gone; already gone is success.
    pub(super) fn run_unless_gone(
        &self,
        about: About<'_>,
        line: impl Fn(&Config) -> CommandLine,
    ) -> Result<(), Problem> {
        let gone = |output: &Output| lvm::failure(&output.stderr) == Some(Failure::NoVolume);
        self.run_with(about, line, gone).map(drop)
    }

    /// What is done after every failure: nothing that was known is believed, and no I/O stays suspended.
    fn mend(&self, about: About<'_>) {
        self.listing.forget(about.group);
        lock(&self.runner.disks).remove(about.group);
        lock(&self.group_tags).remove(about.group);
        let path = device::path(about.group, about.volume);
        if !about.volume.is_empty() && device::is_suspended(&path) {
            let line = CommandLine::new("dmsetup", ["resume".to_owned(), path.to_string_lossy().into_owned()]);
            let resumed = self.runner.exec.run_blocking(&line, &Breaker::default());
            tracing::warn!(device = %path.display(), resumed = resumed.is_ok(), "resuming what a failed command left suspended");
        }
    }

    /// Looks at volumes anew after commands on them.
    pub(super) fn look_at(&self, group: &str, names: &[&str]) -> Result<(), Problem> {
        let full: Vec<String> = names.iter().map(|name| format!("{group}/{name}")).collect();
        let about =
            About { group, volume: names.first().copied().unwrap_or_default(), message: "Volumes cannot be listed" };
        let breaker = breaker(&self.breakers, &about.place());
        let config = self.runner.config_blocking(group, &breaker)?;
        let line = commands::list(&config, &full);
        let looked = self.runner.exec.run_any_blocking(&line, &breaker);
        let output = looked.map_err(|error| self.forgetting(group, error.into_problem(about.message.to_owned())))?;
        let absent = lvm::not_found(&output.stderr);
        if output.code != 0 && absent.is_empty() {
            let known = lvm::failure(&output.stderr);
            return Err(self.forgetting(group, failure::problem_of(about, known, &line, &output)));
        }
        let mut found = lvm::parse_volumes(&output.stdout)
            .map_err(|error| self.forgetting(group, failure::unreadable(about, &line, &error)))?;
        let found = found.remove(group);
        let new = found.as_ref().map(|found| found.group.clone());
        let mut volumes = found.map(|found| found.volumes).unwrap_or_default();
        let missing = full
            .iter()
            .zip(names)
            .find(|(full, name)| !volumes.contains_key(**name) && !absent.contains(&full.as_str()));
        if missing.is_some() {
            return Err(
                self.forgetting(group, failure::problem_of(about, lvm::failure(&output.stderr), &line, &output))
            );
        }
        let patch: Vec<(String, Option<Volume>)> =
            names.iter().map(|name| ((*name).to_owned(), volumes.remove(*name))).collect();
        self.listing.patch(group, patch, new.as_ref());
        Ok(())
    }

    fn forgetting(&self, group: &str, problem: Problem) -> Problem {
        self.listing.forget(group);
        problem
    }

    /// Takes in that volumes were removed.
    pub(super) fn removed(&self, group: &str, names: &[&str]) {
        self.listing.patch(group, names.iter().map(|name| ((*name).to_owned(), None)).collect(), None);
        let mut breakers = lock(&self.breakers);
        for name in names {
            breakers.remove(&format!("{group}/{name}"));
        }
    }

    /// Whether the free room of a group has changed since it was listed.
    pub(super) fn is_room_stale(&self, group: &str) -> bool {
        self.listing.is_room_stale(group)
    }

    /// Looks at a group anew where its free room has changed.
    pub(super) fn renew_room(&self, group: &str) -> Result<(), Problem> {
        if self.listing.is_room_stale(group) {
            let found = self.look_at_group(group)?;
            self.listing.patch(group, Vec::new(), Some(&found));
        }
        Ok(())
    }

    fn look_at_group(&self, group: &str) -> Result<Group, Problem> {
        let about = About { group, volume: "", message: "The room of the storage pool cannot be asked" };
        let names = [group.to_owned()];
        let output = self.run(about, |config| commands::groups(config, &names))?;
        let found = lvm::parse_groups(&output.stdout);
        let line = CommandLine::new("vgs", names);
        let mut found = found.map_err(|error| failure::unreadable(about, &line, &error))?;
        found.remove(group).ok_or_else(|| super::listing::absent(group))
    }

    /// Tags of a group; asked once.
    pub(super) fn group_tags(&self, group: &str) -> Result<Vec<String>, Problem> {
        let known = lock(&self.group_tags).get(group).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = self.look_at_group(group)?.tags;
        lock(&self.group_tags).insert(group.to_owned(), found.clone());
        Ok(found)
    }

    /// Changes tags of a group.
    pub(super) fn tag_group(&self, about: About<'_>, gone: &[String], new: Option<&str>) -> Result<(), Problem> {
        self.run(about, |config| commands::tag_group(config, about.group, (gone, new)))?;
        let mut known = lock(&self.group_tags);
        if let Some(tags) = known.get_mut(about.group) {
            tags.retain(|tag| !gone.contains(tag));
            tags.extend(new.map(str::to_owned));
        }
        Ok(())
    }

    /// Disks of a group in the order in which a new volume is to take them; none where LVM may choose.
    pub(super) fn disks_in_order(&self, about: About<'_>, selection: &str) -> Result<Vec<String>, Problem> {
        let several = lock(&self.runner.disks).get(about.group).is_some_and(|disks| disks.len() > 1);
        if selection.trim().is_empty() || !several {
            return Ok(Vec::new());
        }
        let options = Options::parse(selection);
        let output = self.run(about, |config| commands::disks_in_order(config, about.group, &options))?;
        let line = CommandLine::new("pvs", [about.group]);
        let mut found = lvm::parse_disks(&output.stdout).map_err(|error| failure::unreadable(about, &line, &error))?;
        Ok(found.remove(about.group).unwrap_or_default())
    }

    /// Volumes that have changed since they were last listed: they are gone, or take more or less room.
    pub(in crate::storage) fn look_around(&self) -> Vec<String> {
        let before = self.listing.all();
        let mut changed = Vec::new();
        for (group, old) in before {
            let new = self.listing.read(&group, Duration::ZERO, |listed| listed.volumes.clone());
            let Ok(new) = new else { continue };
            let differs = |(name, volume): (&String, &Volume)| {
                let now = new.get(name).map(|now| (now.size, now.data, now.active));
                (now != Some((volume.size, volume.data, volume.active))).then(|| name.clone())
            };
            changed.extend(old.volumes.iter().filter_map(differs));
        }
        changed
    }
}

impl Runner {
    fn known_config(&self, groups: &[String]) -> Option<Config> {
        let disks = lock(&self.disks);
        let all: Option<Vec<&Vec<String>>> = groups.iter().map(|group| disks.get(group)).collect();
        all.map(|all| Config::of_disks(all.into_iter().flatten(), self.nodes))
    }

    fn config_blocking(&self, group: &str, breaker: &Breaker) -> Result<Config, Problem> {
        tokio::runtime::Handle::current().block_on(self.config(&[group.to_owned()], breaker))
    }

    /// Configuration for groups; looks for their disks where they are not known.
    async fn config(&self, groups: &[String], breaker: &Breaker) -> Result<Config, Problem> {
        if let Some(known) = self.known_config(groups) {
            return Ok(known);
        }
        let line = commands::disks(self.nodes);
        let message = "The disks of volume groups cannot be looked for";
        let output = self.exec.run(&line, breaker).await.map_err(|error| error.into_problem(message))?;
        let about = About { group: "", volume: "", message };
        let found = lvm::parse_disks(&output.stdout).map_err(|error| failure::unreadable(about, &line, &error))?;
        let mut disks = lock(&self.disks);
        disks.extend(found);
        // A group without a disk is looked for among none: it is not there.
        let of = |group: &String| disks.get(group).cloned().unwrap_or_default();
        let all: Vec<String> = groups.iter().flat_map(of).collect();
        Ok(Config::of_disks(&all, self.nodes))
    }

    async fn look(&self, groups: Vec<String>) -> Result<BTreeMap<String, Listed>, Problem> {
        let name = if let [group] = groups.as_slice() { group.clone() } else { String::new() };
        let breaker = breaker(&self.breakers, &name);
        let looked = self.look_with(&groups, &breaker).await;
        if looked.is_err() && !name.is_empty() {
            lock(&self.disks).remove(&name);
        }
        looked
    }

    async fn look_with(&self, groups: &[String], breaker: &Breaker) -> Result<BTreeMap<String, Listed>, Problem> {
        let group = groups.first().map_or("", String::as_str);
        let about = About { group, volume: "", message: "The volumes of the storage pool cannot be listed" };
        let config = self.config(groups, breaker).await?;
        let line = commands::list(&config, groups);
        let output = self.ask(about, &line, breaker).await?;
        let mut found =
            lvm::parse_volumes(&output.stdout).map_err(|error| failure::unreadable(about, &line, &error))?;
        let empty: Vec<String> = groups.iter().filter(|group| !found.contains_key(*group)).cloned().collect();
        if !empty.is_empty() {
            let line = commands::groups(&config, &empty);
            let output = self.ask(about, &line, breaker).await?;
            let groups =
                lvm::parse_groups(&output.stdout).map_err(|error| failure::unreadable(about, &line, &error))?;
            found.extend(groups.into_iter().map(|(name, group)| (name, Listed { group, volumes: BTreeMap::new() })));
        }
        let incomplete = found.iter().filter(|(_, listed)| listed.group.disks_missing > 0).map(|(name, _)| name);
        // A disk that came back is found the next time.
        incomplete.for_each(|name| drop(lock(&self.disks).remove(name)));
        Ok(found)
    }

    async fn ask(&self, about: About<'_>, line: &CommandLine, breaker: &Breaker) -> Result<Output, Problem> {
        let output =
            self.exec.run_any(line, breaker).await.map_err(|error| error.into_problem(about.message.to_owned()))?;
        match output.code {
            0 => Ok(output),
            _ => Err(failure::problem_of(about, lvm::failure(&output.stderr), line, &output)),
        }
    }
}

/// Looks for the listing.
struct Looker(Weak<Runner>);

impl Look for Looker {
    fn look(&self, groups: Vec<String>) -> Looking {
        let runner = self.0.upgrade();
        Box::pin(async move {
            match runner {
                Some(runner) => runner.look(groups).await,
                None => Err(super::listing::absent(&groups.join(", "))),
            }
        })
    }
}

fn breaker(breakers: &Mutex<BTreeMap<String, Breaker>>, name: &str) -> Breaker {
    lock(breakers).entry(name.to_owned()).or_default().clone()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
