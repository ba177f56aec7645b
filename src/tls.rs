//! TLS identities of the inside protocol: one crypto provider, an authority that issues, identities that are loaded.
//! It never reads the system's trust store: a peer is trusted because our own authority issued its certificate.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The subject of every authority that this program makes. Fixed, because an issuer must name it exactly.
const AUTHORITY_NAME: &str = "Zea internal authority";

/// Only the owner reads a private key.
const KEY_MODE: u32 = 0o600;
const CERTIFICATE_MODE: u32 = 0o644;

/// What goes wrong with certificates and keys.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} holds no usable {what}: {reason}. Replace it, or remove it to have a new one made")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// "certificate" or "private key".
        what: &'static str,
        /// The parser's words.
        reason: String,
    },
    /// One of the two files of an authority is missing.
    #[error("{0} is missing while its counterpart is there: restore it, or remove both to have a new authority made")]
    HalfAuthority(PathBuf),
    /// A certificate cannot be issued.
    #[error("cannot issue a certificate for {name:?}: {source}")]
    Issue {
        /// For whom.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// Not a DNS name.
    #[error("{name:?} is no DNS name, so no certificate can carry it: {source}")]
    Name {
        /// What was given.
        name: String,
        /// Why.
        source: InvalidDnsNameError,
    },
    /// Certificate, key and authority do not fit together.
    #[error("certificate, key and authority do not fit together: {0}")]
    Mismatch(String),
}

/// Installs ring as the one crypto provider of this process. Harmless when called again.
pub fn install() {
    // An error says that a provider is installed already; there is only this one to install.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A certificate and its key as PEM texts.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key. Never to be logged.
    pub key: String,
}

/// The authority that issues the identities of all processes of a cluster.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority that lives in memory only: for standalone and tests.
    ///
    /// # Errors
    /// The key cannot be generated.
    pub fn in_memory() -> Result<Self, TlsError> {
        Ok(Self::generate()?.0)
    }

    /// The authority in `folder` (`ca.crt`, `ca.key`), made there if neither file exists.
    ///
    /// # Errors
    /// Files that cannot be read or written, or only one of the two.
    pub fn open(folder: &Path) -> Result<Self, TlsError> {
        let (certificate_path, key_path) = (folder.join("ca.crt"), folder.join("ca.key"));
        match (certificate_path.exists(), key_path.exists()) {
            (true, true) => Self::load(&certificate_path, &key_path),
            (true, false) => Err(TlsError::HalfAuthority(key_path)),
            (false, true) => Err(TlsError::HalfAuthority(certificate_path)),
            (false, false) => {
                fs::create_dir_all(folder).map_err(|source| TlsError::File { path: folder.to_owned(), source })?;
                let (authority, key) = Self::generate()?;
                write(&key_path, KEY_MODE, &key)?;
                write(&certificate_path, CERTIFICATE_MODE, &authority.certificate)?;
                Ok(authority)
            }
        }
    }

    fn load(certificate_path: &Path, key_path: &Path) -> Result<Self, TlsError> {
        let certificate = read(certificate_path)?;
        let unreadable = |source: rcgen::Error| TlsError::Unreadable {
            path: key_path.to_owned(),
            what: "private key",
            reason: source.to_string(),
        };
        let key = KeyPair::from_pem(&read(key_path)?).map_err(unreadable)?;
        let authority = Self { certificate, issuer: Issuer::new(authority_params(), key) };
        // Issues once, so that a key that does not belong to the certificate is found now and not by a peer.
        let trial = authority.identity("localhost")?;
        trial.verify_own_chain()?;
        Ok(authority)
    }

    fn generate() -> Result<(Self, String), TlsError> {
        let issue = |source| TlsError::Issue { name: AUTHORITY_NAME.to_owned(), source };
        let key = KeyPair::generate().map_err(issue)?;
        let pem = key.serialize_pem();
        let certificate = authority_params().self_signed(&key).map_err(issue)?.pem();
        Ok((Self { certificate, issuer: Issuer::new(authority_params(), key) }, pem))
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for `name` (and for localhost and 127.0.0.1), good for both ends of a connection.
    ///
    /// # Errors
    /// `name` is no DNS name.
    pub fn issue(&self, name: &str) -> Result<Issued, TlsError> {
        server_name(name)?;
        let fail = |source| TlsError::Issue { name: name.to_owned(), source };
        let mut names = vec![name.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
        names.dedup();
        let mut params = CertificateParams::new(names).map_err(fail)?;
        params.distinguished_name = common_name(name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// Issues into `folder`: `name.crt`, and `name.key` that only its owner reads. Existing ones are replaced whole.
    ///
    /// # Errors
    /// As [`Self::issue`], and files that cannot be written.
    pub fn issue_into(&self, folder: &Path, name: &str) -> Result<(PathBuf, PathBuf), TlsError> {
        let issued = self.issue(name)?;
        let (certificate, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
        write(&key, KEY_MODE, &issued.key)?;
        write(&certificate, CERTIFICATE_MODE, &issued.certificate)?;
        Ok((certificate, key))
    }

    /// A new identity that lives in memory only.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn identity(&self, name: &str) -> Result<Identity, TlsError> {
        let issued = self.issue(name)?;
        Identity::from_pem(&issued.certificate, &issued.key, &self.certificate)
    }
}

/// Who a process is towards its peers, and whom it believes.
#[derive(Clone)]
pub struct Identity {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    leaf: CertificateDer<'static>,
    roots: Arc<RootCertStore>,
}

impl Identity {
    /// Loads PEM files: the own certificate with its chain, its key, and the authority that peers must come from.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit together.
    pub fn load(certificate: &Path, key: &Path, authority: &Path) -> Result<Self, TlsError> {
        let certificates = read(certificate)?;
        let chain = parse_certificates(&certificates).map_err(|reason| unusable(certificate, "certificate", reason))?;
        let key_pem = read(key)?;
        let key = parse_key(&key_pem).map_err(|reason| unusable(key, "private key", reason))?;
        let roots = parse_certificates(&read(authority)?).map_err(|e| unusable(authority, "certificate", e))?;
        Self::new(chain, key, roots)
    }

    /// As [`Self::load`], from PEM texts.
    ///
    /// # Errors
    /// Texts that hold no certificate or key, or that do not fit together.
    pub fn from_pem(certificate: &str, key: &str, authority: &str) -> Result<Self, TlsError> {
        let chain = parse_certificates(certificate).map_err(TlsError::Mismatch)?;
        let key = parse_key(key).map_err(TlsError::Mismatch)?;
        Self::new(chain, key, parse_certificates(authority).map_err(TlsError::Mismatch)?)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, TlsError> {
        install();
        let mismatch = |error: &dyn std::fmt::Display| TlsError::Mismatch(error.to_string());
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority).map_err(|error| mismatch(&error))?;
        }
        let roots = Arc::new(roots);
        let leaf = chain.first().cloned().ok_or_else(|| TlsError::Mismatch("no certificate".to_owned()))?;
        let verifier = WebPkiClientVerifier::builder(Arc::clone(&roots)).build().map_err(|error| mismatch(&error))?;
        let server = ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(|error| mismatch(&error))?;
        let client = ClientConfig::builder()
            .with_root_certificates(Arc::clone(&roots))
            .with_client_auth_cert(chain, key)
            .map_err(|error| mismatch(&error))?;
        Ok(Self { server: Arc::new(server), client: Arc::new(client), leaf, roots })
    }

    /// For the end that listens: demands a client certificate of the same authority.
    #[must_use]
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// For the end that dials: verifies the server against the authority and the expected name.
    #[must_use]
    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }

    /// Whether the own certificate carries `name`.
    #[must_use]
    pub fn carries(&self, name: &str) -> bool {
        certificate_carries(&self.leaf, name)
    }

    fn verify_own_chain(&self) -> Result<(), TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), provider).build();
        let now = rustls::pki_types::UnixTime::now();
        let verified =
            verifier.map_err(|error| TlsError::Mismatch(error.to_string()))?.verify_client_cert(&self.leaf, &[], now);
        verified.map(drop).map_err(|error| TlsError::Mismatch(format!("ca.key did not sign ca.crt ({error})")))
    }
}

/// The name that a certificate is expected to carry.
///
/// # Errors
/// It is no DNS name.
pub fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|source| TlsError::Name { name: name.to_owned(), source })
}

/// Whether a certificate carries `name` as a DNS name. Says nothing about who issued it.
#[must_use]
pub fn certificate_carries(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let (Ok(parsed), Ok(name)) = (ParsedCertificate::try_from(certificate), server_name(name)) else { return false };
    verify_server_name(&parsed, &name).is_ok()
}

/// The SHA-256 of a certificate in lower-case hexadecimal digits: by it people recognise a peer in a log.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let hash = suite.tls13().expect("the suite is one of TLS 1.3").common.hash_provider.hash(certificate);
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

fn parse_certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = parsed.map_err(|error| error.to_string())?;
    if certificates.is_empty() { Err("no PEM section CERTIFICATE".to_owned()) } else { Ok(certificates) }
}

fn parse_key(pem: &str) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())
}

fn unusable(path: &Path, what: &'static str, reason: String) -> TlsError {
    TlsError::Unreadable { path: path.to_owned(), what, reason }
}

fn read(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

/// Writes beside and renames, so that a reader never sees half a file, nor a key with a wider mode.
fn write(path: &Path, mode: u32, text: &str) -> Result<(), TlsError> {
    let fail = |source| TlsError::File { path: path.to_owned(), source };
    let beside = path.with_extension("new");
    // One that a crash left behind has an unknown mode. There is nothing to remove otherwise.
    let _ = fs::remove_file(&beside);
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    fs::rename(&beside, path).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_authority_is_made_once_and_loaded_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::open(folder.path()).unwrap();
        let second = Authority::open(folder.path()).unwrap();
        assert_eq!(first.certificate(), second.certificate());
        let (certificate, key) = second.issue_into(folder.path(), "node-1").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&key), mode(&folder.path().join("ca.key")), mode(&certificate)), (0o600, 0o600, 0o644));
        let identity = Identity::load(&certificate, &key, &folder.path().join("ca.crt")).unwrap();
        identity.verify_own_chain().unwrap();
        assert!(identity.carries("node-1") && identity.carries("localhost") && identity.carries("127.0.0.1"));
        assert!(!identity.carries("node-2") && !identity.carries("") && !identity.carries("no name"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (ours, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Authority::open(ours.path()).unwrap();
        Authority::open(other.path()).unwrap();
        let (certificate, key) = (ours.path().join("ca.crt"), ours.path().join("ca.key"));
        fs::copy(other.path().join("ca.key"), &key).unwrap();
        assert!(matches!(Authority::open(ours.path()), Err(TlsError::Mismatch(_))));
        fs::write(&key, "nonsense").unwrap();
        assert!(matches!(Authority::open(ours.path()), Err(TlsError::Unreadable { what: "private key", .. })));
        fs::remove_file(&key).unwrap();
        assert!(matches!(Authority::open(ours.path()), Err(TlsError::HalfAuthority(path)) if path == key));
        assert!(
            matches!(Identity::load(&certificate, &key, &certificate), Err(TlsError::File { path, .. }) if path == key)
        );
    }

    #[test]
    fn names_that_no_certificate_can_carry_are_refused() {
        let authority = Authority::in_memory().unwrap();
        for name in ["", "two words", "../etc/passwd", "-dash", &"x".repeat(300)] {
            assert!(matches!(authority.issue(name), Err(TlsError::Name { .. })), "{name}");
        }
        assert!(authority.issue("node_1.example.com").is_ok());
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_certificate() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, "abc"
        assert_eq!(fingerprint(&CertificateDer::from_slice(b"abc")), known);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let authority = Authority::in_memory().unwrap();
        let (a, b) = (authority.issue("a").unwrap(), authority.issue("b").unwrap());
        let mixed = Identity::from_pem(&a.certificate, &b.key, authority.certificate());
        assert!(matches!(mixed, Err(TlsError::Mismatch(_))));
    }
}
