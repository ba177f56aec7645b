//! The one table of keys: path, meaning, and the place in [`Config`]. Reading, printing and spelling help all come from it.

use super::settings::Config;
use super::value::Setting;

/// One key of the configuration.
pub(super) struct Key {
    /// `section.key`, as in the file.
    pub path: &'static str,
    /// What it does, for the comment above it: one line, or several.
    pub about: &'static str,
    /// Where its value stands.
    pub slot: fn(&mut Config) -> &mut dyn Setting,
}

impl Key {
    pub(super) fn section(&self) -> &'static str {
        self.path.split('.').next().unwrap_or(self.path)
    }

    pub(super) fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// The sections in the order of the printed file, with the comment above each.
pub(super) const SECTIONS: [(&str, &str); 8] = [
    ("node", "Who this machine is, and where it keeps what it must not lose."),
    ("rest", "The outside API: LINSTOR's REST API and Zea's own routes, without TLS."),
    ("link", "The inside protocol between processes: mutual TLS, satellites listen and the controller connects."),
    ("controller", "The cluster's model and its only writer."),
    ("satellite", "The node's agent, and the external commands it runs."),
    ("standalone", "What `zead standalone` makes at its first start."),
    ("log", "What is told on standard error, and where error reports lie."),
    ("metrics", "Prometheus metrics."),
];

pub(super) const KEYS: &[Key] = &[
    Key {
        path: "node.name",
        about: "The node's name in the cluster; empty: the machine's host name.",
        slot: |c| &mut c.node.name,
    },
    Key {
        path: "node.data",
        about: "The folder of the store, the certificates, the error reports and the standalone's pool.",
        slot: |c| &mut c.node.data,
    },
    Key {
        path: "node.core_dumps",
        about: "Whether the kernel may write core files, for those who look for a fault. They hold all keys and passphrases that\nthe process knows; so does what other processes of the same user may read then.",
        slot: |c| &mut c.node.core_dumps,
    },
    Key {
        path: "rest.listen",
        about: "Address and port. Who reaches it rules the cluster: keep it on a network that you trust.\nPort 0: the kernel chooses.",
        slot: |c| &mut c.rest.listen,
    },
    Key { path: "rest.max_body", about: "The longest request body that is read.", slot: |c| &mut c.rest.max_body },
    Key {
        path: "rest.inject_panic",
        about: "For tests of supervision: whether POST /v1/zea/actors/inject-panic lets an actor panic.",
        slot: |c| &mut c.rest.inject_panic,
    },
    Key { path: "link.listen", about: "Where a satellite awaits its controller.", slot: |c| &mut c.link.listen },
    Key {
        path: "link.certificate",
        about: "PEM files: certificate chain, private key, and the authority of the other side. All three or none;\nnone: those that lie in the identity folder. Without any a satellite does not start, and a controller reaches none;\na standalone needs none.",
        slot: |c| &mut c.link.certificate,
    },
    Key { path: "link.key", about: "", slot: |c| &mut c.link.key },
    Key { path: "link.ca", about: "", slot: |c| &mut c.link.ca },
    Key {
        path: "link.heartbeat",
        about: "How often each side of a silent connection shows that it lives.",
        slot: |c| &mut c.link.heartbeat,
    },
    Key {
        path: "controller.store",
        about: "The store's file; empty: zea.redb in the data folder.",
        slot: |c| &mut c.controller.store,
    },
    Key {
        path: "controller.commit_batch",
        about: "The most commands and reports that one durable write carries.",
        slot: |c| &mut c.controller.commit_batch,
    },
    Key {
        path: "controller.commit_queue",
        about: "The most commands that wait for a write; further ones are answered 503: ask again.",
        slot: |c| &mut c.controller.commit_queue,
    },
    Key {
        path: "controller.request_deadline",
        about: "How long a request waits for what it asked for. Past it the answer says so; the work goes on.",
        slot: |c| &mut c.controller.request_deadline,
    },
    Key {
        path: "controller.passphrase_file",
        about: "A file whose one line is the master passphrase, entered at the start, and created at the first. Before it come\nsystemd's credential master-passphrase and the variable MASTER_PASSPHRASE. Empty: it is entered by hand.",
        slot: |c| &mut c.controller.passphrase_file,
    },
    Key {
        path: "satellite.pool_scan",
        about: "How often the free space of the pools is measured when nothing changes.",
        slot: |c| &mut c.satellite.pool_scan,
    },
    Key {
        path: "satellite.wait_timeout",
        about: "How long an external command may take, then after SIGTERM, then after SIGKILL.",
        slot: |c| &mut c.satellite.wait_timeout,
    },
    Key { path: "satellite.term_timeout", about: "", slot: |c| &mut c.satellite.term_timeout },
    Key { path: "satellite.kill_timeout", about: "", slot: |c| &mut c.satellite.kill_timeout },
    Key {
        path: "satellite.io_stall_timeout",
        about: "Commands that take as long as the disk is big (mkfs, create-md) are judged by progress instead:\nhow long they may read and write nothing, and how often that is looked at.",
        slot: |c| &mut c.satellite.io_stall_timeout,
    },
    Key { path: "satellite.io_poll_interval", about: "", slot: |c| &mut c.satellite.io_poll_interval },
    Key { path: "standalone.pool", about: "The storage pool's name.", slot: |c| &mut c.standalone.pool },
    Key {
        path: "standalone.pool_dir",
        about: "The pool's folder; empty: pool in the data folder.",
        slot: |c| &mut c.standalone.pool_dir,
    },
    Key {
        path: "standalone.pool_size",
        about: "The size of the file system image made for the pool where its folder has no reflink;\nempty: what is free there. The image is sparse: it takes what is written.",
        slot: |c| &mut c.standalone.pool_size,
    },
    Key {
        path: "standalone.simulated_nodes",
        about: "Above 0: that many satellites without devices instead of this machine's disks, to try the API without root.",
        slot: |c| &mut c.standalone.simulated_nodes,
    },
    Key {
        path: "standalone.silent_nodes",
        about: "Of the simulated nodes, the last so many never answer: to see what works while nodes are away.",
        slot: |c| &mut c.standalone.silent_nodes,
    },
    Key {
        path: "log.level",
        about: "error, warn, info, debug, trace or off; or a list such as \"info,zea::store=debug\".\nThe HTTP server's own lines are told from warn on, unless the list names actix_server.",
        slot: |c| &mut c.log.level,
    },
    Key {
        path: "log.format",
        about: "\"text\" for people, \"json\" for collectors: one object a line.",
        slot: |c| &mut c.log.format,
    },
    Key {
        path: "log.error_reports",
        about: "The error reports' folder; empty: error-reports in the data folder.",
        slot: |c| &mut c.log.error_reports,
    },
    Key {
        path: "metrics.enabled",
        about: "Whether the controller's /metrics answers; a satellite has none.",
        slot: |c| &mut c.metrics.enabled,
    },
    Key {
        path: "metrics.listen",
        about: "An address for /metrics alone; empty: the REST address serves it.",
        slot: |c| &mut c.metrics.listen,
    },
];

/// The key of this path, exactly.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether a section has this name.
pub(super) fn is_section(name: &str) -> bool {
    SECTIONS.iter().any(|(section, _)| *section == name)
}

/// What was probably meant by an unknown path of a key: a similar name in its section, else the same or a similar one elsewhere.
pub(super) fn nearest_key(path: &str) -> Option<&'static str> {
    let (section, name) = path.split_once('.').unwrap_or(("", path));
    let section = nearest_section(section).unwrap_or(section);
    let within: Vec<&Key> = KEYS.iter().filter(|key| key.section() == section).collect();
    let anywhere: Vec<&Key> = KEYS.iter().collect();
    nearest_name(name, &within).or_else(|| nearest_name(name, &anywhere))
}

fn nearest_name(name: &str, keys: &[&'static Key]) -> Option<&'static str> {
    let meant = nearest(name, keys.iter().map(|key| key.name()))?;
    keys.iter().find(|key| key.name() == meant).map(|key| key.path)
}

/// What was probably meant by an unknown section.
pub(super) fn nearest_section(name: &str) -> Option<&'static str> {
    nearest(name, SECTIONS.iter().map(|(section, _)| *section))
}

fn nearest(word: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // A third of the letters may be wrong: more, and the guess would be as odd as the key.
    let limit = (word.len() / 3).max(1);
    let ranked = known.map(|key| (strsim::damerau_levenshtein(word, key), key));
    ranked.filter(|(distance, _)| *distance <= limit).min().map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_has_one_row_and_a_known_section() {
        let paths: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
        assert_eq!(paths.len(), KEYS.len());
        for key in KEYS {
            assert!(is_section(key.section()), "{}", key.path);
            assert_eq!(format!("{}.{}", key.section(), key.name()), key.path);
        }
    }

    #[test]
    fn every_row_has_a_place_of_its_own() {
        let mut config = Config::default();
        let mut places = BTreeSet::new();
        for key in KEYS {
            let place = std::ptr::from_mut((key.slot)(&mut config)).cast::<u8>() as usize;
            assert!(places.insert(place), "{} writes where another key does", key.path);
        }
    }

    #[test]
    fn a_misspelt_key_finds_its_neighbour() {
        for (written, meant) in [
            ("rest.lisen", Some("rest.listen")),
            ("rest.maxbody", Some("rest.max_body")),
            ("rest.level", Some("log.level")),
            ("listen", Some("rest.listen")),
            ("satellite.wait_timout", Some("satellite.wait_timeout")),
            ("linkk.listen", Some("link.listen")),
            ("controller.colour", None),
        ] {
            assert_eq!(nearest_key(written), meant, "{written}");
        }
        assert_eq!(nearest_section("satelite"), Some("satellite"));
        assert_eq!(nearest_section("database"), None);
    }
}
