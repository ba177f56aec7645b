//! `zea` against a controller that answers from a script: exit codes, fail-over, what is printed where; against a real
//! store; and that its committed reference is current. ZEA_BLESS=1 rewrites the reference.

mod placement;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use zea::cli::passphrase::Passphrases;
use zea::cli::{Surroundings, reference, run};
use zea::protocols::rest::shape::Secret;

/// What a scripted controller does with one request.
#[derive(Clone)]
enum Reply {
    /// Answers.
    Json(u16, &'static str),
    /// Sends its client elsewhere.
    Redirect(&'static str),
    /// Reads the request and hangs up.
    HangUp,
}

/// A controller that gives one reply after another, and remembers what it was asked.
struct Controller {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Controller {
    fn start(replies: &[Reply]) -> Controller {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (mut replies, log) = (VecDeque::from(replies.to_vec()), Arc::clone(&asked));
        std::thread::spawn(move || {
            while let Some(reply) = replies.pop_front() {
                let (stream, _) = listener.accept().unwrap();
                serve(stream, &reply, &log);
            }
        });
        Controller { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads one request, remembers it as `METHOD target body`, replies and closes.
fn serve(mut stream: TcpStream, reply: &Reply, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    reader.read_line(&mut head).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let target = head.trim().trim_end_matches(" HTTP/1.1").to_owned();
    log.lock().unwrap().push(format!("{target} {}", String::from_utf8(body).unwrap()).trim().to_owned());
    let answer = match reply {
        Reply::HangUp => return,
        Reply::Json(status, body) => format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Reply::Redirect(to) => {
            format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
    };
    stream.write_all(answer.as_bytes()).unwrap();
}

/// An address where nobody listens.
fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

struct Outcome {
    code: u8,
    out: String,
    err: String,
}

/// What somebody types who is asked for passphrases: the first one, the second one.
#[derive(Default)]
struct Typed(usize);

impl Passphrases for Typed {
    fn known(&mut self, _prompt: &str) -> Result<Secret, String> {
        self.0 += 1;
        Ok(Secret::new(format!("hunter{}", self.0)))
    }

    fn fresh(&mut self, prompt: &str) -> Result<Secret, String> {
        self.known(prompt)
    }
}

fn zea(line: &str) -> Outcome {
    let words: Vec<OsString> = std::iter::once("zea").chain(line.split_whitespace()).map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(
        words,
        Surroundings {
            out: &mut out,
            err: &mut err,
            out_is_terminal: false,
            err_is_terminal: false,
            variable: &|_| None,
            passphrases: &mut Typed::default(),
        },
    );
    Outcome { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// Runs a line against controllers, in this order.
fn zea_at(controllers: &[&str], line: &str) -> Outcome {
    zea(&format!("--controllers {} --ascii {line}", controllers.join(",")))
}

const ADDED: &str = r#"[{"ret_code":20709377,"message":"node alpha added","created_at":""}]"#;
const NO_NODES: &str = r#"[{"ret_code":-4611686018407201820,"message":"Not enough nodes","cause":"1 of 2 fit",
    "details":"alpha/ssd: chosen\nbeta/ssd: no room","correction":"add a node","error_report_ids":["1-2-3"],
    "created_at":""}]"#;
const VIEW: &str = include_str!("../fixtures/rest/view_resources.json");

#[test]
fn a_change_is_done_and_told() {
    let controller = Controller::start(&[Reply::Json(201, ADDED)]);
    let outcome = zea_at(&[&controller.address], "node create alpha 10.0.0.1");
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "DONE     node alpha added\n", ""));
    let body = r#"{"name":"alpha","type":"SATELLITE","net_interfaces":[{"name":"default","address":"10.0.0.1","is_active":true}]}"#;
    assert_eq!(controller.asked(), [format!("POST /v1/nodes {body}")]);
}

#[test]
fn a_refusal_is_told_on_standard_error_in_full() {
    let controller = Controller::start(&[Reply::Json(500, NO_NODES), Reply::Json(201, NO_NODES)]);
    for _ in 0..2 {
        let outcome = zea_at(&[&controller.address], "resource autoplace res1 -c 2");
        assert_eq!((outcome.code, outcome.out.as_str()), (10, ""));
        let expected = "\
ERROR    Not enough nodes
         cause:      1 of 2 fit
         details:
           alpha/ssd: chosen
           beta/ssd: no room
         correction: add a node
         reports:    1-2-3 (zea errors show 1-2-3)
";
        assert_eq!(outcome.err, expected);
    }
}

#[test]
fn json_comes_out_as_it_came_in() {
    let controller =
        Controller::start(&[Reply::Json(200, VIEW), Reply::Json(500, NO_NODES), Reply::Json(404, NO_NODES)]);
    let outcome = zea_at(&[&controller.address], "-m resource list");
    assert_eq!((outcome.code, outcome.out.trim_end()), (0, VIEW.trim_end()));
    for line in ["resource autoplace res1 --output json", "property list node/x -m"] {
        let outcome = zea_at(&[&controller.address], line);
        assert_eq!((outcome.code, outcome.out.trim_end(), outcome.err.as_str()), (10, NO_NODES, ""), "{line}");
    }
}

#[test]
fn the_first_controller_that_answers_is_used() {
    let (gone, second) = (nobody(), Controller::start(&[Reply::Json(200, "[]"), Reply::Json(201, ADDED)]));
    let outcome = zea_at(&[&gone, &second.address], "node list");
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(outcome.out.starts_with("There are no nodes."), "{}", outcome.out);
    // A change may go on to the next one as well, as long as it never left.
    assert_eq!(zea_at(&[&gone, &second.address], "node reconnect a1").code, 0);
}

#[test]
fn when_nobody_answers_each_is_named_with_its_reason() {
    let (gone, broken) = (nobody(), Controller::start(&[Reply::HangUp]));
    let outcome = zea_at(&[&gone, &broken.address, "host.invalid"], "node list");
    assert_eq!((outcome.code, outcome.out.as_str()), (20, ""));
    for part in [&format!("http://{gone}: nobody listens there"), &format!("http://{}: ", broken.address)] {
        assert!(outcome.err.contains(part.as_str()), "{part} in {}", outcome.err);
    }
    assert!(outcome.err.contains("http://host.invalid:3370: ") && outcome.err.contains("--controllers"));
}

#[test]
fn a_change_that_may_have_arrived_is_not_sent_again() {
    let (broken, other) = (Controller::start(&[Reply::HangUp]), Controller::start(&[Reply::Json(200, ADDED)]));
    let outcome = zea_at(&[&broken.address, &other.address], "node delete alpha");
    assert_eq!(outcome.code, 20);
    assert!(outcome.err.contains("may have been carried out"), "{}", outcome.err);
    assert_eq!((broken.asked().len(), other.asked().len()), (1, 0));
    let broken = Controller::start(&[Reply::HangUp]);
    assert_eq!(zea_at(&[&broken.address, &other.address], "-m node list").code, 0);
}

#[test]
fn silence_ends_at_the_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let outcome = zea_at(&[&address], "--timeout 1 node list");
    assert_eq!(outcome.code, 20);
    assert!(outcome.err.contains("did not answer in time"), "{}", outcome.err);
}

#[test]
fn other_answers_are_told_as_strange() {
    let controller = Controller::start(&[
        Reply::Json(200, "<html>hello</html>"),
        Reply::Json(502, "bad gateway"),
        Reply::Json(200, "[{\"name\":7}]"),
        Reply::Redirect("https://alpha:3371/v1/nodes"),
        Reply::Json(500, "[]"),
    ]);
    for says in ["expected value", "bad gateway", "invalid type", "https://alpha:3371/v1/nodes", "status 500"] {
        let outcome = zea_at(&[&controller.address], "node list");
        assert_eq!((outcome.code, outcome.out.as_str()), (10, ""), "{says}");
        assert!(outcome.err.contains(says), "{says} in {}", outcome.err);
    }
}

#[test]
fn make_prints_the_device_alone() {
    let controller = Controller::start(&[Reply::Json(201, ADDED), Reply::Json(200, VIEW), Reply::Json(201, ADDED)]);
    let outcome = zea_at(&[&controller.address], "make res1 1G --group gold");
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "/dev/drbd1000\n"));
    assert!(outcome.err.starts_with("DONE"), "{}", outcome.err);
    let asked = controller.asked();
    assert!(asked[0].starts_with("POST /v1/resource-groups/gold/spawn "), "{asked:?}");
    assert_eq!(asked[1], "GET /v1/view/resources?resources=res1");

    let there = Reply::Json(200, r#"{"name":"res1"}"#);
    let controller = Controller::start(&[Reply::Json(201, ADDED), Reply::Json(200, "[]"), there]);
    let outcome = zea_at(&[&controller.address], "make res1 1G");
    assert_eq!((outcome.code, outcome.out.as_str()), (10, ""));
    assert!(outcome.err.contains("zea explain res1"), "{}", outcome.err);
}

#[test]
fn make_makes_as_many_volumes_as_sizes_are_given() {
    let controller = Controller::start(&[Reply::Json(201, ADDED), Reply::Json(200, VIEW)]);
    assert_eq!(zea_at(&[&controller.address], "make res1 10M 20M 30M").code, 0);
    let asked = controller.asked();
    assert!(asked[0].contains(r#""volume_sizes":[10240,20480,30720]"#), "{asked:?}");
    assert!(asked[0].contains(r#""partial":true"#), "{asked:?}");
}

const NO_DEFINITION: &str = r#"[{"ret_code":-4611686018427387603,"message":"There is no nope",
    "correction":"Look at the list","created_at":""}]"#;

#[test]
fn what_was_never_made_does_not_exist() {
    let missing = || Reply::Json(404, NO_DEFINITION);
    let controller = Controller::start(&[Reply::Json(200, "[]"), missing(), missing()]);
    let outcome = zea_at(&[&controller.address], "device nope");
    assert_eq!((outcome.code, outcome.out.as_str()), (10, ""));
    assert_eq!(
        outcome.err,
        "ERROR    There is no nope\n         correction: Look at the list\n         list:       zea definition list\n"
    );
    assert_eq!(controller.asked()[1], "GET /v1/resource-definitions/nope");
    let outcome = zea_at(&[&controller.address], "explain nope");
    assert_eq!(outcome.code, 10);
    for says in ["There is no nope", "never made", "zea group spawn GROUP nope SIZE --definitions-only"] {
        assert!(outcome.err.contains(says), "{says} in {}", outcome.err);
    }
    let controller = Controller::start(&[Reply::Json(200, "[]"), missing()]);
    let outcome = zea_at(&[&controller.address], "-m device nope");
    assert_eq!((outcome.code, outcome.out.trim_end()), (10, NO_DEFINITION));
}

#[test]
fn nodes_are_shown_with_the_link_that_they_have() {
    const NODE: &str = r#"[{"name":"alpha","type":"SATELLITE","connection_status":"ONLINE","net_interfaces":[
        {"name":"default","address":"10.0.0.1","satellite_port":3367,"satellite_encryption_type":"PLAIN"}]}]"#;
    let actors = |json| Controller::start(&[Reply::Json(200, NODE), json]);
    let zea = actors(Reply::Json(200, r#"[{"path":"controller","state":"running"}]"#));
    assert!(zea_at(&[&zea.address], "node list").out.contains("10.0.0.1:3367 (mutual TLS)"));
    assert_eq!(zea.asked(), ["GET /v1/nodes", "GET /v1/zea/actors"]);
    let other = actors(Reply::Json(404, "[]"));
    assert!(zea_at(&[&other.address], "node list").out.contains("10.0.0.1:3367 (PLAIN)"));
    let json = actors(Reply::HangUp);
    assert_eq!(zea_at(&[&json.address], "-m node list").out.trim_end(), NODE);
    assert_eq!(json.asked(), ["GET /v1/nodes"]);
}

#[test]
fn tls_to_a_server_without_is_told_as_that() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 64]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        // Closed only when the client has gone: a reset could overtake the answer.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let outcome = zea(&format!("--controllers https://{address} node reconnect a1"));
    server.join().unwrap();
    assert_eq!(outcome.code, 20);
    assert!(outcome.err.contains("plain HTTP") && outcome.err.contains("http:// instead"), "{}", outcome.err);
}

#[test]
fn rm_asks_before_it_removes_snapshots() {
    const TWO: &str = r#"[{"name":"s1","resource_name":"res1"},{"name":"s2","resource_name":"res1"}]"#;
    let controller = Controller::start(&[Reply::Json(200, TWO)]);
    let outcome = zea_at(&[&controller.address], "rm res1");
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("(s1, s2)") && outcome.err.contains("--yes"), "{}", outcome.err);
    assert_eq!(controller.asked().len(), 1);

    let done = || Reply::Json(200, ADDED);
    let controller = Controller::start(&[Reply::Json(200, TWO), done(), done(), done()]);
    assert_eq!(zea_at(&[&controller.address], "rm res1 --yes").code, 0);
    let expected = [
        "GET /v1/resource-definitions/res1/snapshots",
        "DELETE /v1/resource-definitions/res1/snapshots/s1",
        "DELETE /v1/resource-definitions/res1/snapshots/s2",
        "DELETE /v1/resource-definitions/res1",
    ];
    assert_eq!(controller.asked(), expected);

    let controller = Controller::start(&[Reply::Json(200, "[]"), done()]);
    assert_eq!(zea_at(&[&controller.address], "rm res1").code, 0);
    assert_eq!(controller.asked().len(), 2);
}

#[test]
fn a_list_of_what_nobody_has_is_no_empty_list() {
    const MISSING: &str = r#"[{"ret_code":-4611686018427387612,"message":"Node 'nix' not found","created_at":""}]"#;
    let empty = Reply::Json(200, "[]");
    let controller = Controller::start(&[empty.clone(), Reply::Json(404, MISSING)]);
    let outcome = zea_at(&[&controller.address], "pool list --nodes nix");
    assert!(outcome.code == 10 && outcome.out.is_empty() && outcome.err.contains("'nix' not found"), "{}", outcome.err);
    assert_eq!(controller.asked(), ["GET /v1/view/storage-pools?nodes=nix", "GET /v1/nodes/nix"]);

    let there = Reply::Json(200, r#"{"name":"res1"}"#);
    let controller = Controller::start(&[empty.clone(), there]);
    let outcome = zea_at(&[&controller.address], "resource list res1");
    assert!(outcome.code == 0 && outcome.out.contains("There are no"), "{}", outcome.out);
    let controller = Controller::start(&[empty]);
    assert_eq!(zea_at(&[&controller.address], "resource list").code, 0);
    assert_eq!(controller.asked().len(), 1, "nothing was named");
}

#[test]
fn help_is_a_word_too() {
    for (line, says) in [("help", "Usage: zea"), ("help volume resize", "Usage: zea volume resize")] {
        let outcome = zea(line);
        assert!(outcome.code == 0 && outcome.out.contains(says), "{line}: {}{}", outcome.out, outcome.err);
    }
    assert_eq!(zea("help nix").code, 2);
    let outcome = zea("volume resize web 2G");
    assert!(outcome.code == 2 && outcome.err.contains("such as 0 2G"), "{}", outcome.err);
}

#[test]
fn an_object_is_named_in_one_word_or_several() {
    for line in ["property list definition/res1", "property list definition res1"] {
        let controller = Controller::start(&[Reply::Json(200, r#"{"name":"res1","props":{"Aux/a":"1"}}"#)]);
        let outcome = zea_at(&[&controller.address], line);
        assert!(outcome.code == 0 && outcome.out.contains("Aux/a"), "{line}: {}", outcome.err);
        assert_eq!(controller.asked(), ["GET /v1/resource-definitions/res1"]);
    }
    let outcome = zea_at(&[&nobody()], "property list definition");
    assert!(outcome.code == 2 && outcome.err.contains("definition/RESOURCE"), "{}", outcome.err);
}

#[test]
fn rm_takes_failed_snapshots_along() {
    const FAILED: &str = r#"[{"name":"s1","resource_name":"res1","flags":["FAILED_DEPLOYMENT"]}]"#;
    let done = || Reply::Json(200, ADDED);
    let controller = Controller::start(&[Reply::Json(200, FAILED), done(), done()]);
    assert_eq!(zea_at(&[&controller.address], "rm res1").code, 0);
    let expected = ["DELETE /v1/resource-definitions/res1/snapshots/s1", "DELETE /v1/resource-definitions/res1"];
    assert_eq!(controller.asked()[1..], expected);

    const BOTH: &str = r#"[{"name":"s1","resource_name":"res1","flags":["FAILED_DISCONNECT"]},
        {"name":"s2","resource_name":"res1","flags":["SUCCESSFUL"]}]"#;
    let controller = Controller::start(&[Reply::Json(200, BOTH)]);
    let outcome = zea_at(&[&controller.address], "rm res1");
    assert!(outcome.code == 2 && outcome.err.contains("(s2)"), "{}", outcome.err);
}

#[test]
fn a_copy_is_awaited() {
    const BEGUN: &str = r#"{"location":"/x","source_name":"res1","clone_name":"res2","messages":[
        {"ret_code":20447233,"message":"begun","created_at":""}]}"#;
    let state = |text| Reply::Json(200, text);
    let begun = Reply::Json(201, BEGUN);
    let controller =
        Controller::start(&[begun.clone(), state(r#"{"status":"CLONING"}"#), state(r#"{"status":"COMPLETE"}"#)]);
    let outcome = zea_at(&[&controller.address], "definition clone res1 res2");
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "DONE     begun\n"));
    assert_eq!(controller.asked()[2], "GET /v1/resource-definitions/res1/clone/res2");

    let controller = Controller::start(&[begun.clone(), state(r#"{"status":"FAILED"}"#)]);
    assert_eq!(zea_at(&[&controller.address], "rd clone res1 res2").code, 10);
    let controller = Controller::start(&[begun]);
    assert_eq!(zea_at(&[&controller.address], "rd clone res1 res2 --no-wait").code, 0);

    const REFUSED: &str = r#"{"location":"","source_name":"res1","clone_name":"res2","messages":[
        {"ret_code":-4611686018406940171,"message":"res2 is taken","created_at":""}]}"#;
    let controller = Controller::start(&[Reply::Json(500, REFUSED)]);
    let outcome = zea_at(&[&controller.address], "rd clone res1 res2");
    assert_eq!((outcome.code, outcome.err.as_str()), (10, "ERROR    res2 is taken\n"));
}

#[test]
fn a_restore_that_fails_leaves_nothing_behind() {
    const SOURCE: &str = r#"{"name":"res1","resource_group_name":"gold"}"#;
    let done = || Reply::Json(200, ADDED);
    let there = || Reply::Json(200, r#"{"name":"s1","resource_name":"res1"}"#);
    let controller = Controller::start(&[there(), Reply::Json(200, SOURCE), done(), done(), done()]);
    assert_eq!(zea_at(&[&controller.address], "snapshot restore res1 s1 res2").code, 0);
    let asked = controller.asked();
    let expected = [
        "GET /v1/resource-definitions/res1/snapshots/s1",
        "GET /v1/resource-definitions/res1",
        r#"POST /v1/resource-definitions {"resource_definition":{"name":"res2","resource_group_name":"gold"}}"#,
        r#"POST /v1/resource-definitions/res1/snapshot-restore-volume-definition/s1 {"to_resource":"res2"}"#,
        r#"POST /v1/resource-definitions/res1/snapshot-restore-resource/s1 {"to_resource":"res2"}"#,
    ];
    assert_eq!(asked, expected);

    let refused = Reply::Json(500, NO_NODES);
    let controller = Controller::start(&[there(), done(), refused.clone(), done()]);
    let outcome = zea_at(&[&controller.address], "snapshot restore res1 s1 res2 --group silver");
    assert_eq!(outcome.code, 10);
    assert!(outcome.err.contains("removed again") && outcome.err.contains("Not enough nodes"), "{}", outcome.err);
    assert_eq!(controller.asked()[3], "DELETE /v1/resource-definitions/res2");

    let controller = Controller::start(&[Reply::Json(404, NO_NODES)]);
    assert_eq!(zea_at(&[&controller.address], "snapshot restore res1 nix res2").code, 10);
    assert_eq!(controller.asked().len(), 1, "nothing is made for a snapshot that is not there");

    let controller = Controller::start(&[done(), refused]);
    assert_eq!(zea_at(&[&controller.address], "snapshot restore res1 s1 res2 --existing").code, 10);
    assert_eq!(controller.asked().len(), 2, "what was there before stays");
}

#[test]
fn properties_of_any_object() {
    let controller = Controller::start(&[
        Reply::Json(200, r#"{"name":"alpha","type":"SATELLITE","props":{"Aux/site":"a"}}"#),
        Reply::Json(200, ADDED),
        Reply::Json(201, ADDED),
        Reply::Json(200, r#"{"Aux/x":{"prop_type":"string","info":"free"},"Other":{"info":"not"}}"#),
    ]);
    let at = [controller.address.as_str()];
    assert!(zea_at(&at, "property list node/alpha").out.contains("| Aux/site | a     |"));
    assert_eq!(zea_at(&at, "property set volume/res1/0 a b").code, 0);
    assert_eq!(zea_at(&at, "property unset controller a b").code, 0);
    let keys = zea_at(&at, "property keys node aux").out;
    assert!(keys.contains("Aux/x") && !keys.contains("Other"), "{keys}");
    let expected = [
        "GET /v1/nodes/alpha",
        r#"PUT /v1/resource-definitions/res1/volume-definitions/0 {"override_props":{"a":"b"}}"#,
        r#"POST /v1/controller/properties {"delete_props":["a","b"]}"#,
        "GET /v1/nodes/properties/info",
    ];
    assert_eq!(controller.asked(), expected);
}

#[test]
fn url_names_who_answers() {
    const VERSION: &str = r#"{"version":"1.0.0","git_hash":"","build_time":"","rest_api_version":"1.28.0"}"#;
    let controller = Controller::start(&[Reply::Json(200, VERSION)]);
    let outcome = zea_at(&[&nobody(), &controller.address], "url");
    assert_eq!(outcome.out, format!("http://{}\n", controller.address));
}

#[test]
fn wrong_arguments_and_help() {
    let outcome = zea("make res1 10");
    assert_eq!((outcome.code, outcome.out.as_str()), (2, ""));
    assert!(outcome.err.contains("has no unit"), "{}", outcome.err);
    for line in ["make res1 -5G", "volume resize res1 0 -1.5T", "group spawn g1 res1 1G -5", "make res1 -- -5G"] {
        let outcome = zea(line);
        assert!(outcome.code == 2 && outcome.err.contains("cannot be negative"), "{line}: {}", outcome.err);
    }
    assert!(zea("property set node/a k -5").err.contains("-- -5"), "other values may be negative");
    assert_eq!(zea("--controllers ftp://x node list").code, 2);
    for line in ["--help", "node create --help", "--version", "completions bash"] {
        let outcome = zea(line);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{line}");
        assert!(outcome.out.contains("zea"), "{line}: {}", outcome.out);
    }
}

#[test]
fn a_store_is_checked_exported_and_imported() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (old, new, file) = (path("old"), path("new"), path("export"));
    {
        use zea::store::{Record, RecordKey, RecordKind, Redb, Store as _, Write};
        let store = Redb::open(Path::new(&old)).unwrap();
        store.load().unwrap();
        let key = RecordKey::new(RecordKind::ALL[0], "alpha");
        let record = Record::new(key, "{}");
        store.commit(&[vec![Write::Put(record)]]).unwrap();
    }
    let check = zea(&format!("store check {old} --ascii"));
    assert_eq!((check.code, check.err.as_str()), (0, ""), "{}", check.out);
    assert!(check.out.contains("| 1       |"), "{}", check.out);
    assert_eq!(zea(&format!("store export {old} {file}")).code, 0);
    let again = zea(&format!("store export {old} {file}"));
    assert_eq!(again.code, 10, "a file that is there is left alone");
    assert!(again.err.contains("exists already") && again.err.contains("name another file"), "{}", again.err);
    assert_eq!(zea(&format!("store export {old}")).out, std::fs::read_to_string(&file).unwrap());

    assert_eq!(zea(&format!("store import {new} {}", path("none"))).code, 10);
    assert!(!Path::new(&new).exists(), "no store is made for an export that is not there");
    std::fs::write(path("bad"), "no export\n").unwrap();
    assert_eq!(zea(&format!("store import {new} {}", path("bad"))).code, 10);
    assert!(!Path::new(&new).exists(), "nor for one that cannot be read");
    let import = zea(&format!("store import {new} {file}"));
    assert!(import.code == 0 && import.out.starts_with("1 records imported"), "{}{}", import.out, import.err);
    let second = zea(&format!("store import {new} {file}"));
    assert!(second.code == 10 && second.err.contains("holds 1 records"), "{}", second.err);
    assert!(second.err.contains("--replace"), "{}", second.err);
    assert_eq!(zea(&format!("store import {new} {} --replace", path("bad"))).code, 10);
    assert_eq!(zea(&format!("store check {new}")).code, 0, "what was there stays");
    assert_eq!(zea(&format!("store import {new} {file} --replace")).code, 0);
    let missing = zea(&format!("store check {}", path("none")));
    assert!(missing.code == 10 && missing.err.contains("does not exist"), "{}", missing.err);
}

#[test]
fn an_error_report_that_is_not_there_is_a_failure() {
    let report = r#"[{"node_name":"alpha","error_time":1,"filename":"ErrorReport-1-2-3.log","text":"boom"}]"#;
    let controller = Controller::start(&[Reply::Json(200, "[]"), Reply::Json(200, report), Reply::Json(200, "[]")]);
    let missing = zea_at(&[&controller.address], "errors show 9-9-9");
    assert!(missing.code == 10 && missing.err.contains("no such error report"), "{}{}", missing.out, missing.err);
    let found = zea_at(&[&controller.address], "errors show 1-2-3");
    assert!(found.code == 0 && found.out.contains("boom"), "{}{}", found.out, found.err);
    assert_eq!(zea_at(&[&controller.address], "--output json errors show 9-9-9").code, 10);
}

#[test]
fn the_program_itself_gives_the_exit_codes() {
    let zea = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_zea")).args(arguments).env("HOME", "/nonexistent").output();
        output.unwrap().status.code().unwrap()
    };
    let controller = Controller::start(&[Reply::Json(200, "[]"), Reply::Json(500, NO_NODES)]);
    assert_eq!(zea(&["--controllers", &controller.address, "node", "list"]), 0);
    assert_eq!(zea(&["--controllers", &controller.address, "node", "list"]), 10);
    assert_eq!(zea(&["--controllers", &nobody(), "node", "list"]), 20);
    assert_eq!(zea(&["node", "frobnicate"]), 2);
}

#[test]
fn the_committed_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/zea.md");
    let current = reference::text();
    if std::env::var_os("ZEA_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &current).expect("docs/reference can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "{} is old: run this test once with ZEA_BLESS=1", path.display());
}

#[test]
fn passphrases_are_asked_for_and_go_into_the_body_alone() {
    for (line, request) in [
        ("encryption create-passphrase", r#"POST /v1/encryption/passphrase {"new_passphrase":"hunter1"}"#),
        ("encryption enter", r#"PATCH /v1/encryption/passphrase "hunter1""#),
        (
            "encryption modify",
            r#"PUT /v1/encryption/passphrase {"new_passphrase":"hunter2","old_passphrase":"hunter1"}"#,
        ),
        (
            "volume passphrase web 0",
            r#"PUT /v1/resource-definitions/web/volume-definitions/0/encryption-passphrase {"new_passphrase":"hunter1"}"#,
        ),
    ] {
        let controller = Controller::start(&[Reply::Json(200, ADDED)]);
        let outcome = zea_at(&[&controller.address], line);
        assert_eq!((outcome.code, controller.asked()), (0, vec![request.to_owned()]), "{line}");
        assert!(!outcome.out.contains("hunter") && !outcome.err.contains("hunter"), "{line}");
    }
}

#[test]
fn the_state_of_the_lock_is_told_with_what_waits_for_it() {
    const WAITING: &str = r#"{"status":"locked","encrypted":2,"waiting":[
        {"resource":"web","node":"alpha","volume_number":0,"why":"the master passphrase was not entered"}]}"#;
    let replies = [Reply::Json(200, r#"{"status":"locked"}"#), Reply::Json(200, WAITING)];
    let outcome = zea_at(&[&Controller::start(&replies).address], "encryption status");
    assert_eq!(outcome.code, 0);
    for word in ["zea encryption enter", "volumes: 2", "web", "alpha", "was not entered"] {
        assert!(outcome.out.contains(word), "{word}: {}", outcome.out);
    }
    // A controller that is not ours tells the state alone.
    let replies = [Reply::Json(200, r#"{"status":"unset"}"#), Reply::Json(404, "[]")];
    let outcome = zea_at(&[&Controller::start(&replies).address], "encryption status");
    assert!(outcome.code == 0 && outcome.out.contains("create-passphrase"), "{}", outcome.out);
}
