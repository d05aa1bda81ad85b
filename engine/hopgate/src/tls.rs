//! One TLS configuration for calls to services (not devices): the platform's authorities, ring, nothing process-global.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::ring;

/// An HTTP client for services, with a time-out on everything.
pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder().timeout(timeout).no_proxy();
    match platform_tls() {
        Ok(config) => builder.tls_backend_preconfigured(config).build(),
        // Without authorities only plain http can work; https then fails with its own message when it is used.
        Err(_) => builder.build(),
    }
}

fn platform_tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let verifier = rustls_platform_verifier::Verifier::new(provider)?;
    Ok(versions
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
