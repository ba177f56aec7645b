//! Named refusals of the actor port, and the counters of a link. Counting never fails and never blocks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a connection, or what came over it, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no TLS.
    #[error("not TLS: {0}. The actor port speaks TLS only; is this the right port?")]
    NotTls(String),
    /// TLS without a client certificate.
    #[error("no certificate was presented. Give the peer one that our authority issued")]
    NoCertificate,
    /// The certificate comes from another authority.
    #[error("the certificate comes from another authority. Issue one by the authority of this cluster")]
    ForeignCertificate,
    /// The certificate is ours but cannot be used, for example because it has expired.
    #[error("the certificate cannot be used: {0}. Issue a new one")]
    UnusableCertificate(String),
    /// TLS failed in another way.
    #[error("TLS failed: {0}")]
    TlsFailed(String),
    /// The certificate does not carry the name that the peer goes by, or that was expected.
    #[error("the certificate does not carry the name {0:?}. Issue one for this name")]
    WrongName(String),
    /// The first frame is no hello.
    #[error("the first frame does not begin with the protocol's magic. Is this another program's port?")]
    WrongMagic,
    /// No common protocol version.
    #[error("the peer speaks versions {oldest} to {newest} of the link protocol, none of ours. Upgrade the older one")]
    WrongVersion {
        /// The oldest version that the peer speaks.
        oldest: u16,
        /// The newest one.
        newest: u16,
    },
    /// A frame that is no JSON of the known shape.
    #[error("malformed frame: {0}")]
    Malformed(String),
    /// A frame header above the limit; its body was neither read nor given memory.
    #[error("a frame is larger than {limit} bytes")]
    FrameTooLarge {
        /// What is allowed at this point of the conversation.
        limit: usize,
    },
    /// TLS or hello did not come in time.
    #[error("no complete handshake in time")]
    HelloTimeout,
    /// The listener is at its limit.
    #[error("too many connections: {limit} are open. Raise the limit or find out who opens them")]
    TooManyConnections {
        /// The limit.
        limit: usize,
    },
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// [`Refusal::NotTls`].
    NotTls,
    /// [`Refusal::NoCertificate`].
    NoCertificate,
    /// [`Refusal::ForeignCertificate`].
    ForeignCertificate,
    /// [`Refusal::UnusableCertificate`].
    UnusableCertificate,
    /// [`Refusal::TlsFailed`].
    TlsFailed,
    /// [`Refusal::WrongName`].
    WrongName,
    /// [`Refusal::WrongMagic`].
    WrongMagic,
    /// [`Refusal::WrongVersion`].
    WrongVersion,
    /// [`Refusal::Malformed`].
    Malformed,
    /// [`Refusal::FrameTooLarge`].
    FrameTooLarge,
    /// [`Refusal::HelloTimeout`].
    HelloTimeout,
    /// [`Refusal::TooManyConnections`].
    TooManyConnections,
    /// Connections that came up.
    Up,
    /// Connections that went down after they had been up.
    Down,
    /// Messages for a name that is not exported.
    UnknownActor,
    /// Messages whose body is not understood: a newer peer's, or nonsense.
    UnreadableBody,
    /// Frames of a kind that is not known here: a newer peer's.
    UnknownFrame,
    /// Tells that the exported actor did not accept.
    LostTell,
}

const NAMES: [(Counter, &str); 18] = [
    (Counter::NotTls, "not_tls"),
    (Counter::NoCertificate, "no_certificate"),
    (Counter::ForeignCertificate, "foreign_certificate"),
    (Counter::UnusableCertificate, "unusable_certificate"),
    (Counter::TlsFailed, "tls_failed"),
    (Counter::WrongName, "wrong_name"),
    (Counter::WrongMagic, "wrong_magic"),
    (Counter::WrongVersion, "wrong_version"),
    (Counter::Malformed, "malformed"),
    (Counter::FrameTooLarge, "frame_too_large"),
    (Counter::HelloTimeout, "hello_timeout"),
    (Counter::TooManyConnections, "too_many_connections"),
    (Counter::Up, "up"),
    (Counter::Down, "down"),
    (Counter::UnknownActor, "unknown_actor"),
    (Counter::UnreadableBody, "unreadable_body"),
    (Counter::UnknownFrame, "unknown_frame"),
    (Counter::LostTell, "lost_tell"),
];

impl Refusal {
    /// Where it is counted.
    #[must_use]
    pub fn counter(&self) -> Counter {
        match self {
            Self::NotTls(_) => Counter::NotTls,
            Self::NoCertificate => Counter::NoCertificate,
            Self::ForeignCertificate => Counter::ForeignCertificate,
            Self::UnusableCertificate(_) => Counter::UnusableCertificate,
            Self::TlsFailed(_) => Counter::TlsFailed,
            Self::WrongName(_) => Counter::WrongName,
            Self::WrongMagic => Counter::WrongMagic,
            Self::WrongVersion { .. } => Counter::WrongVersion,
            Self::Malformed(_) => Counter::Malformed,
            Self::FrameTooLarge { .. } => Counter::FrameTooLarge,
            Self::HelloTimeout => Counter::HelloTimeout,
            Self::TooManyConnections { .. } => Counter::TooManyConnections,
        }
    }
}

/// The counters of an endpoint, since it was made.
#[derive(Debug, Default)]
pub struct LinkMetrics {
    counts: [AtomicU64; NAMES.len()],
}

impl LinkMetrics {
    /// One counter.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.counts[counter as usize].load(Ordering::Relaxed)
    }

    /// All counters by name, for metrics and people.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        NAMES.iter().map(|(counter, name)| (*name, self.get(*counter))).collect()
    }

    pub(super) fn count(&self, counter: Counter) {
        self.counts[counter as usize].fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_its_own_place_and_name() {
        let metrics = LinkMetrics::default();
        for (at, (counter, _)) in NAMES.iter().enumerate() {
            assert_eq!(*counter as usize, at);
            (0..=at).for_each(|_| metrics.count(*counter));
        }
        let counts: Vec<u64> = metrics.all().into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, (1..=NAMES.len() as u64).collect::<Vec<_>>());
        assert_eq!(metrics.get(Refusal::WrongMagic.counter()), 7);
    }
}
