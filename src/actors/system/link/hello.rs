//! The hello: the first frame in each direction. Says who and which version; refuses by name. Pure.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::metrics::Refusal;

/// What the first frame begins with.
pub const MAGIC: [u8; 4] = *b"ZEAL";

/// The version of the link protocol that this build speaks best.
pub const PROTOCOL_VERSION: u16 = 1;

/// The oldest version that it still speaks.
pub const OLDEST_VERSION: u16 = 1;

const PREFIX: usize = MAGIC.len() + size_of::<u16>();

/// Who greets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    #[serde(skip)]
    pub version: u16,
    /// The oldest version that the sender speaks.
    pub oldest: u16,
    /// The sender's name; its certificate must carry it.
    pub node: String,
    /// The sender's build, for people.
    #[serde(default)]
    pub build: String,
    /// Grows with each start of the sender's process.
    #[serde(default)]
    pub incarnation: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Greeting {
    Hello(Hello),
    Refused(String),
}

/// What came instead of a usable hello.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    /// We refuse the peer.
    ByUs(Refusal),
    /// The peer refuses us, in its words.
    ByPeer(String),
}

impl Hello {
    pub fn encode(&self) -> Bytes {
        encode(self.version, &Greeting::Hello(self.clone()))
    }

    /// Reads the first frame of a peer, and whether there is a version that both speak.
    pub fn decode(bytes: &[u8]) -> Result<Self, Rejected> {
        let refuse = |refusal| Err(Rejected::ByUs(refusal));
        if bytes.len() < PREFIX || bytes[..MAGIC.len()] != MAGIC {
            return refuse(Refusal::WrongMagic);
        }
        let version = u16::from_be_bytes([bytes[4], bytes[5]]);
        let unspoken = |oldest| Refusal::WrongVersion { oldest, newest: version };
        match serde_json::from_slice(&bytes[PREFIX..]) {
            Ok(Greeting::Refused(text)) => Err(Rejected::ByPeer(text)),
            Ok(Greeting::Hello(hello)) if version < OLDEST_VERSION || hello.oldest > PROTOCOL_VERSION => {
                refuse(unspoken(hello.oldest))
            }
            Ok(Greeting::Hello(hello)) => Ok(Self { version, ..hello }),
            // A far version may greet in another shape.
            Err(_) if version != PROTOCOL_VERSION => refuse(unspoken(version)),
            Err(error) => refuse(Refusal::Malformed(error.to_string())),
        }
    }
}

/// The frame by which a peer is told why it is refused.
pub(super) fn encode_refusal(refusal: &Refusal) -> Bytes {
    encode(PROTOCOL_VERSION, &Greeting::Refused(refusal.to_string()))
}

fn encode(version: u16, greeting: &Greeting) -> Bytes {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(version.to_be_bytes());
    bytes.extend(serde_json::to_vec(greeting).expect("a greeting holds texts and numbers only"));
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: u16, oldest: u16) -> Hello {
        Hello { version, oldest, node: "node-1".into(), build: "0.1.0".into(), incarnation: 5 }
    }

    #[test]
    fn a_hello_comes_back_as_it_went_also_from_a_newer_peer() {
        for hello in [hello(1, 1), hello(2, 1)] {
            assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        }
        let newer = [b"ZEAL\0\x02".as_slice(), br#"{"hello":{"oldest":1,"node":"n","mood":"good"}}"#].concat();
        assert_eq!(Hello::decode(&newer).unwrap().node, "n");
    }

    #[test]
    fn each_fault_has_its_name() {
        let refused = |bytes: &[u8]| match Hello::decode(bytes) {
            Err(Rejected::ByUs(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(b""), Refusal::WrongMagic);
        assert_eq!(refused(b"GET / HTTP/1.1\r\n"), Refusal::WrongMagic);
        assert_eq!(refused(&hello(9, 8).encode()), Refusal::WrongVersion { oldest: 8, newest: 9 });
        assert_eq!(refused(&hello(0, 0).encode()), Refusal::WrongVersion { oldest: 0, newest: 0 });
        assert_eq!(refused(b"ZEAL\x00\x07other"), Refusal::WrongVersion { oldest: 7, newest: 7 });
        assert!(matches!(refused(b"ZEAL\x00\x01other"), Refusal::Malformed(_)));
    }

    #[test]
    fn a_refusal_is_understood_whatever_the_version() {
        let mut bytes = encode_refusal(&Refusal::NoCertificate).to_vec();
        bytes[5] = 99;
        assert_eq!(Hello::decode(&bytes), Err(Rejected::ByPeer(Refusal::NoCertificate.to_string())));
    }
}
