//! Service provider information and version discovery (csp-access 7 and 1.3).

use crate::client::{Client, unexpected};
use crate::error::Error;
use crate::refusal::Refusal;
use crate::transport::{Transport, TransportOptions};
use bytes::Bytes;
use hamlet_csp::elements::{
    GetSPInfoRequest, Logo, VersionDiscoveryRequest, VersionDiscoveryResponse, VersionList,
};
use hamlet_csp::{
    Document, Primitive, SessionDescriptor, Syntax, Text, Version, WriteOptions, decode, encode,
};

/// Who runs the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceProvider {
    /// Name.
    pub name: String,
    /// Text about the service.
    pub description: Option<String>,
    /// Home page.
    pub url: Option<String>,
    /// Logo.
    pub logo: Option<Logo>,
}

impl Client {
    /// Asks who runs the server; needs no login.
    pub async fn sp_info(&mut self) -> Result<ServiceProvider, Error> {
        let request = GetSPInfoRequest {
            client_id: Some(self.config.client_id.clone()),
        };
        let session = self
            .inband()
            .unwrap_or_else(|_| SessionDescriptor::outband());
        let id = self.next_transaction_id();
        match self.request(session, &id, request.into()).await? {
            Primitive::GetSPInfoResponse(response) => Ok(ServiceProvider {
                name: response.name.map(String::from).unwrap_or_default(),
                description: response.description.map(String::from),
                url: response.url.map(String::from),
                logo: response.logo,
            }),
            Primitive::Status(status) => Err(Error::Refused(Refusal::from(status.result))),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks which of the versions 1.1 to 1.3 the server speaks, in this client's version and
    /// syntax.
    pub async fn discover_versions(&mut self) -> Result<VersionDiscoveryResponse, Error> {
        match self.post(&discovery(&Version::ALL)).await? {
            Some(Document::VersionDiscoveryResponse(response)) => Ok(response),
            _ => Err(Error::Unexpected("no version discovery response".into())),
        }
    }
}

/// Asks a server for its versions before there is a client: the common ones, newest first.
/// Empty when the server names none of them.
pub async fn discover_versions(
    url: &str,
    syntax: Syntax,
    options: TransportOptions,
) -> Result<Vec<Version>, Error> {
    let mut transport = Transport::new(url, options)?;
    // Version discovery began with 1.2.
    let version = Version::V1_2;
    let body = encode(
        &discovery(&Version::ALL),
        syntax,
        version,
        &WriteOptions::default(),
    );
    let reply = transport
        .post(syntax.media_type(version), &[], Bytes::from(body))
        .await?;
    if reply.status != 200 {
        return Err(Error::Http(reply.status));
    }
    let decoded = decode(&reply.body, syntax).map_err(|error| Error::Decode(error.to_string()))?;
    let Document::VersionDiscoveryResponse(response) = decoded.document else {
        return Err(Error::Unexpected("no version discovery response".into()));
    };
    let names = response
        .version_list
        .map(|list| list.session_ns_name)
        .unwrap_or_default();
    let spoken = |version: &Version| {
        let own = version.session_namespace();
        names.iter().any(|name| *name == own)
    };
    Ok(Version::ALL.into_iter().rev().filter(spoken).collect())
}

fn discovery(versions: &[Version]) -> Document {
    let newest_first = || versions.iter().rev();
    Document::VersionDiscoveryRequest(VersionDiscoveryRequest {
        version_list: Some(VersionList {
            session_ns_name: newest_first()
                .map(|version| Text::from(version.session_namespace()))
                .collect(),
            transaction_ns_name: newest_first()
                .map(|version| Text::from(version.transaction_namespace()))
                .collect(),
            presence_attribute_ns_name: newest_first()
                .map(|version| Text::from(version.presence_namespace()))
                .collect(),
        }),
        extended_data: Vec::new(),
    })
}
