//! One connection from hello to end, the same for both ends. Everything it reads is foreign until proven.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::length_delimited::LengthDelimitedCodecError;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::endpoint::Shared;
use super::frame::{Frame, Kind, MAX_FRAME_BYTES, MAX_HELLO_BYTES, codec};
use super::hello::{Hello, Rejected, encode_refusal};
use super::metrics::{Counter, Refusal};
use super::peer::{Connection, Link, deadline_of};
use super::{DownReason, PeerIdentity};
use crate::actors::system::message::AskError;
use crate::tls;

/// Frames that are written before a flush: one system call for a burst.
const WRITTEN_AT_ONCE: usize = 64;

/// A stream cut into frames.
pub(super) struct Wire<S> {
    reader: FramedRead<ReadHalf<S>, LengthDelimitedCodec>,
    writer: Writer<WriteHalf<S>>,
}

struct Writer<W>(BufWriter<W>);

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Into the buffer, or on to the stream if it is full.
    async fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.0.write_all(&length.to_be_bytes()).await?;
        self.0.write_all(bytes).await
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.feed(bytes).await?;
        self.0.flush().await
    }
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    /// For a peer that is not known yet.
    fn new(stream: S) -> Self {
        let (read, write) = tokio::io::split(stream);
        Self { reader: FramedRead::new(read, codec()), writer: Writer(BufWriter::new(write)) }
    }

    fn known(mut self) -> Self {
        self.reader.decoder_mut().set_max_frame_length(MAX_FRAME_BYTES);
        self
    }
}

/// A connection that TLS has accepted.
pub(super) struct Handshake<'a> {
    pub shared: &'a Shared,
    pub address: SocketAddr,
    pub certificate: CertificateDer<'static>,
    pub until: Instant,
}

impl Handshake<'_> {
    /// Greets first: for the end that dialled.
    pub async fn greet<S>(&self, stream: S, expected: &str) -> Result<(Wire<S>, PeerIdentity), DownReason>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut wire = Wire::new(stream);
        wire.writer.send(&self.shared.hello().encode()).await.map_err(|error| broken(&error, MAX_HELLO_BYTES))?;
        let peer = self.hear(&mut wire).await?;
        if peer.node != expected {
            return Err(DownReason::Refused(Refusal::WrongName(peer.node)));
        }
        Ok((wire.known(), peer))
    }

    /// Waits to be greeted, and says why if it refuses: for the end that listens.
    pub async fn welcome<S>(&self, stream: S) -> Result<(Wire<S>, PeerIdentity), DownReason>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut wire = Wire::new(stream);
        match self.hear(&mut wire).await {
            Ok(peer) => {
                let greeted = wire.writer.send(&self.shared.hello().encode()).await;
                greeted.map_err(|error| broken(&error, MAX_HELLO_BYTES))?;
                Ok((wire.known(), peer))
            }
            Err(reason) => {
                if let DownReason::Refused(refusal) = &reason {
                    let told = async {
                        wire.writer.send(&encode_refusal(refusal)).await?;
                        wire.writer.0.shutdown().await
                    };
                    // The peer may be gone, or be no peer at all.
                    let _ = timeout_at(self.until, told).await;
                }
                Err(reason)
            }
        }
    }

    async fn hear<S: AsyncRead + AsyncWrite + Unpin>(&self, wire: &mut Wire<S>) -> Result<PeerIdentity, DownReason> {
        let first = match timeout_at(self.until, wire.reader.next()).await {
            Err(_) => return Err(DownReason::Refused(Refusal::HelloTimeout)),
            Ok(None) => return Err(DownReason::Closed),
            Ok(Some(first)) => first.map_err(|error| broken(&error, MAX_HELLO_BYTES))?,
        };
        let hello = Hello::decode(&first).map_err(|rejected| match rejected {
            Rejected::ByUs(refusal) => DownReason::Refused(refusal),
            Rejected::ByPeer(text) => DownReason::RefusedByPeer(text),
        })?;
        if !tls::certificate_carries(&self.certificate, &hello.node) {
            return Err(DownReason::Refused(Refusal::WrongName(hello.node)));
        }
        Ok(PeerIdentity {
            node: hello.node,
            build: hello.build,
            protocol: hello.version,
            incarnation: hello.incarnation,
            fingerprint: tls::fingerprint(&self.certificate),
            address: self.address,
        })
    }
}

/// Runs a greeted connection to its end.
pub(super) async fn run<S>(shared: &Arc<Shared>, link: &Link, wire: Wire<S>, peer: PeerIdentity) -> DownReason
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (connection, to_write) = Connection::new(shared.options.calls_in_flight);
    shared.metrics.count(Counter::Up);
    link.attach(&connection, peer.clone(), |event| shared.publish(&event));
    let session = Session { shared, connection: &connection, peer: &peer };
    let reason = tokio::select! {
        reason = connection.closed() => reason,
        reason = session.read(wire.reader) => reason,
        reason = session.write(wire.writer, to_write) => reason,
        () = link.lasting.stopped.cancelled() => DownReason::Stopped,
    };
    shared.metrics.count(Counter::Down);
    link.detach(&connection, reason.clone(), |event| shared.publish(&event));
    reason
}

struct Session<'a> {
    shared: &'a Arc<Shared>,
    connection: &'a Arc<Connection>,
    peer: &'a PeerIdentity,
}

impl Session<'_> {
    async fn read<R>(&self, mut stream: R) -> DownReason
    where
        R: StreamExt<Item = io::Result<BytesMut>> + Unpin,
    {
        loop {
            let frame = match timeout(self.shared.options.silence, stream.next()).await {
                Err(_) => return DownReason::Silent,
                Ok(None) => return DownReason::Closed,
                Ok(Some(Err(error))) => return broken(&error, MAX_FRAME_BYTES),
                Ok(Some(Ok(bytes))) => Frame::decode(&bytes),
            };
            match frame {
                Ok(frame) => self.receive(frame),
                Err(refusal) => return DownReason::Refused(refusal),
            }
        }
    }

    async fn write<W>(&self, mut writer: Writer<W>, mut to_write: mpsc::UnboundedReceiver<Bytes>) -> DownReason
    where
        W: AsyncWrite + Unpin,
    {
        let options = &self.shared.options;
        let mut batch = Vec::new();
        loop {
            let idle = timeout(options.heartbeat, to_write.recv_many(&mut batch, WRITTEN_AT_ONCE)).await.is_err();
            if idle {
                match Frame::new(Kind::Heartbeat).encode() {
                    Ok(heartbeat) => batch.push(heartbeat),
                    Err(error) => return DownReason::Broken(error.to_string()),
                }
            }
            let connection = self.connection;
            let written = async {
                for bytes in batch.drain(..) {
                    writer.feed(&bytes).await?;
                    if !idle {
                        connection.written(bytes.len());
                    }
                }
                writer.0.flush().await
            };
            match timeout(options.silence, written).await {
                Err(_) => return DownReason::Silent,
                Ok(Err(error)) => return broken(&error, MAX_FRAME_BYTES),
                Ok(Ok(())) => {}
            }
        }
    }

    fn receive(&self, frame: Frame) {
        match frame.kind {
            Kind::Heartbeat => {}
            Kind::Unknown => self.shared.metrics.count(Counter::UnknownFrame),
            Kind::Tell => self.told(&frame),
            Kind::Call => self.called(&frame),
            Kind::Answer => {
                let answer = match (frame.body, frame.failure) {
                    (_, Some(failure)) => Err(failure),
                    (Some(body), None) => Ok(body),
                    // `null` is read as no body: the answer of type `()`.
                    (None, None) => Ok(null()),
                };
                self.connection.answered(frame.id, answer);
            }
        }
    }

    fn told(&self, frame: &Frame) {
        let told = match self.shared.exports.get(&frame.to) {
            None => Err(Counter::UnknownActor),
            Some(actor) => actor.tell(self.peer, frame.body.as_deref().unwrap_or(&null())),
        };
        if let Err(counter) = told {
            self.shared.metrics.count(counter);
            tracing::warn!(peer = %self.peer.node, to = %frame.to, why = ?counter, "a message from a peer was lost");
        }
    }

    fn called(&self, frame: &Frame) {
        let id = frame.id;
        let Ok(permit) = Arc::clone(&self.connection.inbound).try_acquire_owned() else {
            return self.answer(id, AskError::Overloaded);
        };
        let Some(actor) = self.shared.exports.get(&frame.to) else {
            self.shared.metrics.count(Counter::UnknownActor);
            let text = format!("{} exports no actor called {:?}", self.shared.node, frame.to);
            return self.answer(id, AskError::Refused(text));
        };
        let body = frame.body.as_deref().map_or_else(null, ToOwned::to_owned);
        let pending = match actor.call(self.peer, &body, deadline_of(frame)) {
            Ok(pending) => pending,
            Err(error) => {
                self.shared.metrics.count(Counter::UnreadableBody);
                return self.answer(id, error);
            }
        };
        let connection = Arc::clone(self.connection);
        self.shared.workers.spawn(async move {
            let answer = Frame::answer(id, pending.await);
            drop(permit);
            send_answer(&connection, &answer);
        });
    }

    fn answer(&self, id: u64, error: AskError) {
        send_answer(self.connection, &Frame::answer(id, Err(error)));
    }
}

/// An answer that does not fit is replaced by the reason; one that cannot be queued is lost, as a link may.
fn send_answer(connection: &Connection, answer: &Frame) {
    if let Err(error @ AskError::Refused(_)) = connection.send(answer) {
        // Only a full queue or a broken link is left to fail, and then the caller hears Deadline or LinkDown.
        let _ = connection.send(&Frame::answer(answer.id, Err(error)));
    }
}

fn null() -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::NULL.to_owned()
}

/// What an error of the codec or of the stream means.
pub(super) fn broken(error: &io::Error, limit: usize) -> DownReason {
    let inner = error.get_ref();
    if inner.is_some_and(|inner| inner.is::<LengthDelimitedCodecError>()) {
        return DownReason::Refused(Refusal::FrameTooLarge { limit });
    }
    if let Some(rustls::Error::AlertReceived(alert)) = inner.and_then(|inner| inner.downcast_ref()) {
        return DownReason::RefusedByPeer(format!("TLS alert {alert:?}: is our certificate of the peer's authority?"));
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return DownReason::Closed; // without a farewell: its process died
    }
    DownReason::Broken(error.to_string())
}
