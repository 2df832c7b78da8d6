//! Certificates for the TLS listeners, which can be replaced while the server runs.

use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM file of the kind that it should be.
    #[error("cannot read {}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// The file holds no certificate.
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    /// The certificate and the key are of no use together.
    #[error("the certificate {} and the key {} cannot be used: {source}", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// A certificate with its key, as the files have it or had it when they were last good.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads both files.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: RwLock::new(Arc::new(read(certificate, key)?)),
        }))
    }

    /// Reads both files again. After an error the old certificate stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = Arc::new(read(&self.certificate, &self.key)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// How listeners with this certificate speak TLS.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<rustls::ServerConfig>, TlsError> {
        let unusable = |source| TlsError::Unusable {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        };
        let mut config =
            rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(unusable)?
                .with_no_client_auth()
                .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(
            self.current
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::Empty(certificate.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|source| {
        TlsError::Unusable {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (certificate, key)
    }

    fn leaf(certificate: &Certificate) -> Vec<u8> {
        certificate.current.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn a_new_certificate_is_taken_and_a_bad_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (cert_path, key_path) = write(directory.path(), "first.example");
        let certificate = Certificate::load(&cert_path, &key_path).unwrap();
        certificate.server_config().unwrap();
        let first = leaf(&certificate);
        write(directory.path(), "second.example");
        certificate.reload().unwrap();
        let second = leaf(&certificate);
        assert_ne!(first, second);
        std::fs::write(&cert_path, "nonsense").unwrap();
        let error = certificate.reload().unwrap_err();
        assert!(matches!(error, TlsError::Empty(_)), "{error}");
        assert_eq!(leaf(&certificate), second);
    }

    #[test]
    fn a_key_that_does_not_belong_to_the_certificate_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (cert_path, key_path) = write(directory.path(), "first.example");
        let other = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
        std::fs::write(&key_path, other.signing_key.serialize_pem()).unwrap();
        assert!(matches!(
            Certificate::load(&cert_path, &key_path),
            Err(TlsError::Unusable { .. })
        ));
        let missing = directory.path().join("none.pem");
        let error = Certificate::load(&cert_path, &missing)
            .unwrap_err()
            .to_string();
        assert!(error.contains("none.pem"), "{error}");
    }
}
