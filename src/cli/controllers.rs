//! Where controllers are: how people write their addresses, in which order they are tried. Never opens a connection.

use std::fmt;

/// Where a controller is looked for when nobody says.
pub const DEFAULT: &str = "127.0.0.1:3370";

/// Port of the API without TLS.
const PLAIN_PORT: u16 = 3370;
/// Port of the API with TLS.
const TLS_PORT: u16 = 3371;

/// Most addresses that are tried: each may cost a connection's time-out.
const MAX_CONTROLLERS: usize = 32;

/// An address that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no address of a controller: {why}. Write host, host:port, [IPv6]:port, or one of them behind http://, \
     https://, linstor:// or linstor+ssl://, several with commas between"
)]
pub struct AddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Whether the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// It is not.
    Http,
    /// By TLS.
    Https,
}

/// A controller's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether the connection is encrypted.
    pub scheme: Scheme,
    /// Host name or IP address; an IPv6 address stands in brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Reads a list of addresses with commas between.
pub fn parse_list(text: &str) -> Result<Vec<Address>, AddressError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let found = parts.map(parse).collect::<Result<Vec<_>, _>>()?;
    let wrong = |why| Err(AddressError { text: text.to_owned(), why });
    match found.len() {
        0 => wrong("it is empty"),
        1..=MAX_CONTROLLERS => Ok(found),
        _ => wrong("there are more than 32"),
    }
}

fn parse(text: &str) -> Result<Address, AddressError> {
    let wrong = |why| AddressError { text: text.to_owned(), why };
    let (scheme, rest) = match text.split_once("://") {
        None => (Scheme::Http, text),
        Some(("http" | "linstor", rest)) => (Scheme::Http, rest),
        Some(("https" | "linstor+ssl", rest)) => (Scheme::Https, rest),
        Some(_) => return Err(wrong("its scheme is unknown")),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@', ' ']) {
        return Err(wrong("there is more than a host and a port"));
    }
    let (host, port) = divide(rest).ok_or_else(|| wrong("its host cannot be read"))?;
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| wrong("its port is no number"))?,
        None if scheme == Scheme::Http => PLAIN_PORT,
        None => TLS_PORT,
    };
    Ok(Address { scheme, host, port })
}

/// Host and port; an IPv6 address in brackets, or alone without a port.
fn divide(text: &str) -> Option<(String, Option<&str>)> {
    if text.matches(':').count() > 1 && !text.starts_with('[') {
        text.parse::<std::net::Ipv6Addr>().ok()?;
        return Some((format!("[{text}]"), None));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
        return Some((format!("[{host}]"), port));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!host.is_empty() && host.chars().all(letter)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let found = parse_list(text).expect(text);
        found.iter().map(Address::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn addresses() {
        for (text, urls) in [
            (DEFAULT, "http://127.0.0.1:3370"),
            ("alpha", "http://alpha:3370"),
            ("alpha:80", "http://alpha:80"),
            ("linstor://alpha", "http://alpha:3370"),
            ("linstor+ssl://alpha", "https://alpha:3371"),
            ("http://alpha:3370/", "http://alpha:3370"),
            ("https://a.example", "https://a.example:3371"),
            ("https://a.example:443", "https://a.example:443"),
            ("::1", "http://[::1]:3370"),
            ("[fd00::2]:99", "http://[fd00::2]:99"),
            ("http://[::1]", "http://[::1]:3370"),
            ("a, b:1 ,,linstor://c", "http://a:3370 http://b:1 http://c:3370"),
        ] {
            assert_eq!(read(text), urls, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, why) in [
            ("", "empty"),
            (" , ", "empty"),
            ("ftp://a", "scheme"),
            ("a:b", "port"),
            ("a:0", "port"),
            ("a:65536", "port"),
            ("a:", "port"),
            (":3370", "host"),
            ("[::1", "host"),
            ("[::1]x", "host"),
            ("[alpha]:1", "host"),
            ("a::b::c", "host"),
            ("http://a/v1", "more than a host"),
            ("http://user@a", "more than a host"),
            ("ä", "host"),
        ] {
            let error = parse_list(text).expect_err(text).to_string();
            assert!(error.contains(why) && error.contains("host:port"), "{text}: {error}");
        }
        assert!(parse_list(&"a,".repeat(33)).is_err());
    }
}
