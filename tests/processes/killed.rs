//! kill -9 of a standalone at random moments under load: what was acknowledged is there, what was deleted is gone, what
//! was under way is there or gone, and in the end nothing is left over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use zea::store::{Frozen, RecordKind, Store, admin};

use super::harness::{Answer, Client, Place, Zead, can_run, free_port, names, wait_for};

const CLIENTS: u64 = 8;
const SMALL_KIB: u64 = 4096;
const LARGE_KIB: u64 = 8192;

/// What a client knows of a volume of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Acknowledged, with this size at least.
    There(u64),
    Gone,
    /// Asked for, and no answer came.
    Open,
}

type Book = Arc<Mutex<BTreeMap<String, Known>>>;

/// What came of a request: done, refused, or nobody knows.
fn outcome(answer: Option<&Answer>) -> Option<bool> {
    answer.map(Answer::is_ok)
}

struct Worker {
    client: Client,
    book: Book,
    stop: Arc<AtomicBool>,
    random: fastrand::Rng,
    prefix: String,
    next: u64,
}

impl Worker {
    fn note(&self, name: &str, known: Known) {
        self.book.lock().unwrap().insert(name.to_owned(), known);
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        self.client.try_call(method, path, Some(body))
    }

    fn run(mut self) {
        while !self.stop.load(Ordering::SeqCst) {
            if !self.step() {
                return;
            }
        }
    }

    /// One request; false when the daemon is gone.
    fn step(&mut self) -> bool {
        let there: Vec<String> = {
            let book = self.book.lock().unwrap();
            let mine = book.iter().filter(|(name, _)| name.starts_with(&self.prefix));
            mine.filter(|(_, known)| matches!(known, Known::There(_))).map(|(name, _)| name.clone()).collect()
        };
        let chosen = self.random.choice(&there).cloned();
        match (self.random.u8(..10), chosen) {
            (0..=3, _) | (_, None) => self.create(),
            (4, Some(name)) => self.resize(&name),
            (5, Some(name)) => self.restore(&name),
            (6, Some(name)) => {
                let snapshot = format!("/v1/resource-definitions/{name}/snapshots/s{}", self.random.u8(..3));
                self.call("DELETE", &snapshot, &json!({})).is_some()
            }
            (_, Some(name)) => self.delete(&name),
        }
    }

    fn create(&mut self) -> bool {
        self.next += 1;
        let name = format!("{}{}", self.prefix, self.next);
        self.note(&name, Known::Open);
        let body = json!({"resource_definition_name": name, "volume_sizes": [SMALL_KIB]});
        let answer = self.call("POST", "/v1/resource-groups/local/spawn", &body);
        match outcome(answer.as_ref()) {
            Some(true) => self.note(&name, Known::There(SMALL_KIB)),
            Some(false) => panic!("{name} was refused: {answer:?}"),
            None => return false,
        }
        true
    }

    fn resize(&self, name: &str) -> bool {
        let body = json!({"size_kib": LARGE_KIB});
        let answer = self.call("PUT", &format!("/v1/resource-definitions/{name}/volume-definitions/0"), &body);
        if outcome(answer.as_ref()) == Some(true) {
            self.note(name, Known::There(LARGE_KIB));
        }
        answer.is_some()
    }

    /// A snapshot, and a volume of it.
    fn restore(&mut self, name: &str) -> bool {
        let snapshot = format!("s{}", self.random.u8(..3));
        let base = format!("/v1/resource-definitions/{name}");
        if self.call("POST", &format!("{base}/snapshots"), &json!({"name": snapshot})).is_none() {
            return false;
        }
        self.next += 1;
        let new = format!("{}{}", self.prefix, self.next);
        self.note(&new, Known::Open);
        let definition = json!({"resource_definition": {"name": new, "resource_group_name": "local"}});
        let target = json!({"to_resource": new});
        let steps = [
            ("/v1/resource-definitions".to_owned(), &definition),
            (format!("{base}/snapshot-restore-volume-definition/{snapshot}"), &target),
            (format!("{base}/snapshot-restore-resource/{snapshot}"), &target),
        ];
        for (path, body) in steps {
            match self.call("POST", &path, body) {
                None => return false,
                // The snapshot may be gone, or older than the volume's size: then the definition stays, open.
                Some(answer) if !answer.is_ok() => return true,
                Some(_) => {}
            }
        }
        self.note(&new, Known::There(SMALL_KIB));
        true
    }

    fn delete(&self, name: &str) -> bool {
        for snapshot in ["s0", "s1", "s2"] {
            let path = format!("/v1/resource-definitions/{name}/snapshots/{snapshot}");
            if self.call("DELETE", &path, &json!({})).is_none() {
                return false;
            }
        }
        self.note(name, Known::Open);
        let answer = self.call("DELETE", &format!("/v1/resource-definitions/{name}"), &json!({}));
        if outcome(answer.as_ref()) == Some(true) {
            self.note(name, Known::Gone);
        }
        answer.is_some()
    }
}

fn load(zead: &Zead, book: &Book, (seed, life): (u64, u64)) -> (Arc<AtomicBool>, Vec<std::thread::JoinHandle<()>>) {
    let stop = Arc::new(AtomicBool::new(false));
    let start = |worker: u64| {
        let worker = Worker {
            client: Client::new(zead.rest),
            book: Arc::clone(book),
            stop: Arc::clone(&stop),
            random: fastrand::Rng::with_seed(seed ^ (life << 8) ^ worker),
            prefix: format!("v{worker}-{life}-"),
            next: 0,
        };
        std::thread::spawn(move || worker.run())
    };
    let workers = (0..CLIENTS).map(start).collect();
    (stop, workers)
}

/// Compares what the clients know with what is there.
fn compare(client: &Client, book: &Book, when: &str) {
    let listed = client.get("/v1/resource-definitions?with_volume_definitions=true");
    let there = names(&listed);
    let book = book.lock().unwrap();
    for (name, known) in book.iter() {
        let found = there.contains(name);
        match known {
            Known::There(size) => {
                assert!(found, "{when}: {name} was acknowledged and is lost");
                let own = listed.as_array().unwrap().iter().find(|one| one["name"] == **name).unwrap();
                let now = own["volume_definitions"][0]["size_kib"].as_u64().unwrap_or(0);
                assert!(now >= *size, "{when}: {name} had {size} KiB, now {now}");
            }
            Known::Gone => assert!(!found, "{when}: {name} was deleted and is there again"),
            Known::Open => {}
        }
    }
    for name in &there {
        assert!(book.contains_key(name), "{when}: nobody asked for {name}");
    }
    for (name, _) in book.iter().filter(|(_, known)| matches!(known, Known::There(_))) {
        wait_for(&format!("{when}: the device of {name}"), || client.device(name));
    }
}

fn delete_all(client: &Client) {
    wait_for("the end of all", || {
        for snapshot in client.get("/v1/view/snapshots").as_array().into_iter().flatten() {
            let (rsc, name) = (snapshot["resource_name"].as_str().unwrap(), snapshot["name"].as_str().unwrap());
            client.call("DELETE", &format!("/v1/resource-definitions/{rsc}/snapshots/{name}"), None);
        }
        for name in client.definitions() {
            client.delete(&name);
        }
        client.definitions().is_empty().then_some(())
    });
}

#[test]
fn kill_9_under_load_loses_nothing_and_leaves_nothing() {
    if !can_run("kill -9 of a standalone under load") {
        return;
    }
    let kills = super::times("kills of a standalone under load", 50, 8);
    let seed = std::env::var("ZEA_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed} (ZEA_SEED={seed} repeats it)");
    let mut random = fastrand::Rng::with_seed(seed);
    let (place, rest, book) = (Place::new(), free_port(), Book::default());
    let mut zead = Zead::standalone(&place, rest);
    for life in 0..kills {
        let (stop, workers) = load(&zead, &book, (seed, life));
        std::thread::sleep(Duration::from_millis(random.u64(50..2500)));
        zead.kill();
        stop.store(true, Ordering::SeqCst);
        workers.into_iter().for_each(|worker| worker.join().expect("no request was refused without reason"));
        zead = Zead::standalone(&place, rest);
        compare(&zead.client(), &book, &format!("after kill {life}"));
    }
    let volumes = book.lock().unwrap().len();
    let figures = format!("{kills} kills, {volumes} volumes asked for, seed {seed} (ZEA_SEED={seed} repeats it)");
    crate::rigs::series("kill -9 of a standalone under load", figures);
    delete_all(&zead.client());
    assert_eq!(place.loops(), [], "loop devices are left over");
    assert_eq!(place.files(), Vec::<String>::new(), "files are left over");
    zead.terminate();
    assert_eq!(zead.ended().code(), Some(0));
    let store = Frozen::read(place.path()).unwrap();
    let report = admin::check(&store).unwrap();
    assert!(report.is_clean(), "{report:?}");
    let of_volumes = [RecordKind::ResourceDefinition, RecordKind::Snapshot];
    let left: Vec<_> = store.peek().unwrap().records.into_iter().map(|record| record.key).collect();
    assert!(!left.iter().any(|key| of_volumes.contains(&key.kind)), "records are left over: {left:?}");
}
