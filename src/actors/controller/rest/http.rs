//! Requests and answers as bytes of HTTP: limits on what comes in, compression and headers on what goes out.

use std::io::Write;
use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, stream};

use super::answer::now_text;
use super::dispatch::{Request, dispatch};
use super::{Api, Listing, Reply, ReplyBody};
use crate::model::code;
use crate::protocols::rest::events::{LAST_EVENT_ID, MEDIA_TYPE};
use crate::protocols::rest::rc::ApiCallRc;

/// Bytes from which an answer is compressed, as known controllers do.
const COMPRESS_FROM_BYTES: usize = 1000;
/// How long a client may take to send a body.
const BODY_DEADLINE: Duration = Duration::from_secs(60);

const JSON: &str = "application/json";
const CORS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "origin, content-type, accept, authorization"),
    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD"),
];

/// Why a body did not arrive.
#[derive(Debug, thiserror::Error)]
enum BodyLost {
    #[error("the request's body is longer than {0} bytes")]
    TooLong(usize),
    #[error("the request's body did not come within {} seconds", BODY_DEADLINE.as_secs())]
    TooSlow,
    #[error("the request's body broke off: {0}")]
    CutOff(String),
}

impl BodyLost {
    fn cure(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "Send less at once, or raise rest.max_body in the configuration.",
            Self::TooSlow => "Send it again, faster: look at the network between client and controller.",
            Self::CutOff(_) => {
                "Send it again: the connection ended before the whole body was there, or its Content-Length is wrong."
            }
        }
    }
}

/// Serves one request of HTTP.
pub async fn handle(api: &Api, max_body: usize, request: HttpRequest, payload: Payload) -> HttpResponse {
    if is_preflight(&request) {
        return builder(StatusCode::OK).finish();
    }
    let body = match tokio::time::timeout(BODY_DEADLINE, collect(&request, payload, max_body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(lost)) => return body_lost(&lost),
        Err(_) => return body_lost(&BodyLost::TooSlow),
    };
    let last_event_id = request.headers().get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let reply = dispatch(
        api,
        Request {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.uri().query().unwrap_or_default(),
            last_event_id,
            body: &body,
        },
    )
    .await;
    respond(reply, accepts_gzip(request.headers()))
}

/// What browsers ask first; all other OPTIONS are calls.
fn is_preflight(request: &HttpRequest) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

async fn collect(request: &HttpRequest, mut payload: Payload, max_body: usize) -> Result<Vec<u8>, BodyLost> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > max_body as u64) {
        return Err(BodyLost::TooLong(max_body));
    }
    let mut body = Vec::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|error| BodyLost::CutOff(error.to_string()))?;
        if body.len() + part.len() > max_body {
            return Err(BodyLost::TooLong(max_body));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn body_lost(lost: &BodyLost) -> HttpResponse {
    let status = match lost {
        BodyLost::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyLost::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BodyLost::CutOff(_) => StatusCode::BAD_REQUEST,
    };
    let entry = ApiCallRc::new(code::API_CALL_PARSE_ERROR, lost.to_string(), &now_text())
        .correction(format!("Nothing was changed. {}", lost.cure()));
    let body = serde_json::to_vec(&[entry]).unwrap_or_default();
    builder(status).content_type(JSON).force_close().body(body)
}

fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    for (name, value) in CORS {
        builder.insert_header((name, HeaderValue::from_static(value)));
    }
    builder
}

/// Whether the client takes gzip: names it, or everything, and not with `q=0`.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused =
            parts.any(|part| matches!(part.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        named && !refused
    })
}

fn respond(reply: Reply, gzip: bool) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = builder(status);
    match reply.body {
        ReplyBody::Json(bytes) => whole(&mut builder, JSON, bytes, gzip),
        ReplyBody::Rc(entries) => whole(&mut builder, JSON, serde_json::to_vec(&entries).unwrap_or_default(), gzip),
        ReplyBody::Text(_, text) if text.is_empty() => builder.finish(),
        ReplyBody::Text(media_type, text) => whole(&mut builder, media_type, text.into_bytes(), gzip),
        ReplyBody::List(listing) => pieces(&mut builder, listing, gzip),
        ReplyBody::Events(events) => {
            builder.content_type(MEDIA_TYPE).insert_header((header::CACHE_CONTROL, "no-cache"));
            builder.streaming(events.map(|frame| Ok::<_, actix_web::Error>(Bytes::from(frame))))
        }
    }
}

fn whole(builder: &mut HttpResponseBuilder, media_type: &str, bytes: Vec<u8>, gzip: bool) -> HttpResponse {
    builder.content_type(media_type);
    if !gzip || bytes.len() < COMPRESS_FROM_BYTES {
        return builder.body(bytes);
    }
    let mut encoder = Gzip::new();
    let mut packed = encoder.pack(&bytes);
    packed.extend(encoder.finish());
    compressed(builder).body(packed)
}

fn compressed(builder: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    builder.insert_header((header::CONTENT_ENCODING, "gzip")).insert_header((header::VARY, "accept-encoding"))
}

/// A list: at once with its length if it is one piece, else piece by piece.
fn pieces(builder: &mut HttpResponseBuilder, mut listing: Listing, gzip: bool) -> HttpResponse {
    let first = listing.piece().unwrap_or_default();
    if listing.is_done() {
        return whole(builder, JSON, first, gzip);
    }
    builder.content_type(JSON);
    let encoder = gzip.then(Gzip::new);
    if gzip {
        compressed(builder);
    }
    let state = (Some(first), listing, encoder);
    builder.streaming(stream::unfold(state, |(first, mut listing, mut encoder)| async move {
        let piece = first.or_else(|| listing.piece());
        let bytes = match (piece, &mut encoder) {
            (Some(piece), Some(encoder)) => encoder.pack(&piece),
            (Some(piece), None) => piece,
            (None, Some(_)) => encoder.take()?.finish(),
            (None, None) => return None,
        };
        Some((Ok::<_, actix_web::Error>(Bytes::from(bytes)), (None, listing, encoder)))
    }))
}

/// Compresses piece by piece, fast rather than small: the time of a worker is dearer than bytes on a storage network.
struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    fn pack(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.write_all(bytes).and_then(|()| self.0.flush()).expect("a buffer takes all");
        std::mem::take(self.0.get_mut())
    }

    fn finish(self) -> Vec<u8> {
        self.0.finish().expect("a buffer takes all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cure_fits_what_became_of_the_body() {
        let table = [
            (BodyLost::TooLong(9), "rest.max_body", true),
            (BodyLost::TooSlow, "rest.max_body", false),
            (BodyLost::CutOff("eof".into()), "rest.max_body", false),
            (BodyLost::CutOff("eof".into()), "Send it again", true),
        ];
        for (lost, words, said) in table {
            assert_eq!(lost.cure().contains(words), said, "{lost}: {}", lost.cure());
        }
    }

    #[test]
    fn gzip_is_offered_or_not() {
        for (offer, yes) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("identity", false),
            ("gzip; q=0, deflate", false),
            ("xgzip", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(offer).unwrap());
            assert_eq!(accepts_gzip(&headers), yes, "{offer}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn packed_pieces_unpack_to_the_whole() {
        use std::io::Read;
        let mut encoder = Gzip::new();
        let mut packed = Vec::new();
        for piece in [&b"[1"[..], b",2", b"]"] {
            packed.extend(encoder.pack(piece));
        }
        packed.extend(encoder.finish());
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "[1,2]");
    }
}
