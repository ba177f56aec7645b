//! 16 clients that make a definition, at once its volume, and at once list it: nothing of their own is missed.

use serde_json::json;

use super::harness::{Client, Place, Zead, free_port, names};

const CLIENTS: u64 = 16;

fn round(client: &Client, name: &str) {
    let body = json!({"resource_definition": {"name": name}});
    client.call("POST", "/v1/resource-definitions", Some(&body)).ok(name);
    let volumes = format!("/v1/resource-definitions/{name}/volume-definitions");
    client.call("POST", &volumes, Some(&json!({"volume_definition": {"size_kib": 4096}}))).ok(name);
    let listed = client.get("/v1/resource-definitions?with_volume_definitions=true");
    assert!(names(&listed).iter().any(|found| found == name), "{name} is missed in the list");
    let own = client.get(&volumes);
    assert_eq!(own[0]["size_kib"], 4096, "the volume of {name} is missed");
}

#[test]
fn nobody_misses_what_they_made_themselves() {
    let place = Place::new();
    let zead = Zead::start(&place, free_port(), &["standalone", "--simulated-nodes", "3"], &[]);
    let rounds = super::times("rounds of 16 clients", 5000, 500);
    let workers: Vec<_> = (0..CLIENTS)
        .map(|worker| {
            let client = Client::new(zead.rest);
            std::thread::spawn(move || {
                for number in (worker..rounds).step_by(usize::try_from(CLIENTS).unwrap()) {
                    let name = format!("mine-{worker}-{number}");
                    round(&client, &name);
                    // The list stays short, so that its length is not what is measured.
                    if number % 3 != 0 {
                        client.delete(&name).ok(&name);
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("no client missed anything");
    }
    let left = u64::try_from(zead.client().definitions().len()).unwrap();
    assert_eq!(left, (0..rounds).filter(|number| number % 3 == 0).count() as u64);
}
