//! Who the server is and who may ask: a certificate for loopback, and the administrator's token.

use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Error;

/// What the embedded clusters of this process prove who they are with.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The authority's certificate, as clients are given it.
    pub authority_pem: String,
    /// How connections are encrypted.
    pub tls: Arc<rustls::ServerConfig>,
}

/// The certificate of this process: made once, shared by all its clusters, never written to a disk.
///
/// # Errors
/// When the system gives no random numbers.
pub fn certificate() -> Result<Certificate, Error> {
    static MADE: OnceLock<Certificate> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made.clone());
    }
    let made = make().map_err(|error| Error::Certificate(error.to_string()))?;
    Ok(MADE.get_or_init(|| made).clone())
}

fn make() -> Result<Certificate, Box<dyn std::error::Error>> {
    let name = |common: &str| {
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, common);
        name
    };
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name = name("foredeck-ca");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let names = ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let mut server = CertificateParams::new(names.map(str::to_owned).to_vec())?;
    server.distinguished_name = name("foredeck-apiserver");
    let server_key = KeyPair::generate()?;
    let server_certificate = server.signed_by(&server_key, &issuer)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![server_certificate.der().clone()], key)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Certificate { authority_pem: authority_certificate.pem(), tls: Arc::new(tls) })
}

/// A secret that is asked for with every request.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(…)")
    }
}

impl Token {
    /// A token that nobody can guess.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).map_err(Error::Random)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether somebody knows it, found out in the same time for every wrong guess of its length.
    pub fn is(&self, guess: &str) -> bool {
        let (own, guess) = (self.0.as_bytes(), guess.as_bytes());
        own.len() == guess.len() && own.iter().zip(guess).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_knows_itself_alone() {
        let token = Token::random().unwrap();
        assert!(token.is(token.text()));
        assert!(!token.is(""));
        assert!(!token.is(Token::random().unwrap().text()));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn the_certificate_is_made_once() {
        assert_eq!(certificate().unwrap().authority_pem, certificate().unwrap().authority_pem);
    }
}
