//! Version discovery (csp-access 1.3). Pure.

use hamlet_csp::elements::{VersionDiscoveryRequest, VersionDiscoveryResponse, VersionList};
use hamlet_csp::{Text, Version};

/// The response, with the version whose namespace its root gets: the best common one.
pub(crate) fn respond(request: &VersionDiscoveryRequest) -> (VersionDiscoveryResponse, Version) {
    let asked = request.version_list.as_ref();
    let common: Vec<_> = best_first()
        .filter(|version| asked.is_none_or(|list| names(list, *version)))
        .collect();
    let versions = match common.is_empty() {
        true => best_first().collect(),
        false => common,
    };
    // Discovery itself exists from 1.2 on (csp-messages 1.6).
    let best = versions.first().copied().unwrap_or(Version::V1_2);
    let list = |of: fn(Version) -> String| versions.iter().map(|v| Text::from(of(*v))).collect();
    let response = VersionDiscoveryResponse {
        version_list: Some(VersionList {
            session_ns_name: list(Version::session_namespace),
            transaction_ns_name: list(Version::transaction_namespace),
            presence_attribute_ns_name: list(Version::presence_namespace),
        }),
        ..VersionDiscoveryResponse::default()
    };
    (response, best.max(Version::V1_2))
}

fn best_first() -> impl Iterator<Item = Version> {
    Version::ALL.into_iter().rev()
}

/// Whether the list offers the version; one that lists nothing asks for everything.
fn names(list: &VersionList, version: Version) -> bool {
    let all = [
        (&list.session_ns_name, version.session_namespace()),
        (&list.transaction_ns_name, version.transaction_namespace()),
        (
            &list.presence_attribute_ns_name,
            version.presence_namespace(),
        ),
    ];
    all.iter()
        .all(|(names, own)| names.is_empty() || names.iter().any(|name| name == own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(asked: Option<&[Version]>) -> Vec<String> {
        let request = VersionDiscoveryRequest {
            version_list: asked.map(|versions| VersionList {
                session_ns_name: versions
                    .iter()
                    .map(|v| v.session_namespace().into())
                    .collect(),
                ..VersionList::default()
            }),
            ..VersionDiscoveryRequest::default()
        };
        let (response, _) = respond(&request);
        let list = response.version_list.unwrap();
        list.session_ns_name
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_common_versions_are_listed_best_first() {
        let of = |versions: &[Version]| -> Vec<String> {
            versions.iter().map(|v| v.session_namespace()).collect()
        };
        let all = of(&[Version::V1_3, Version::V1_2, Version::V1_1]);
        assert_eq!(sessions(None), all);
        assert_eq!(sessions(Some(&[])), all);
        let two = [Version::V1_1, Version::V1_2];
        assert_eq!(sessions(Some(&two)), of(&[Version::V1_2, Version::V1_1]));
    }

    #[test]
    fn without_a_common_version_everything_is_listed() {
        let request = VersionDiscoveryRequest {
            version_list: Some(VersionList {
                session_ns_name: vec!["http://example.org/CSP9.9".into()],
                ..VersionList::default()
            }),
            ..VersionDiscoveryRequest::default()
        };
        let (response, best) = respond(&request);
        assert_eq!(response.version_list.unwrap().session_ns_name.len(), 3);
        assert_eq!(best, Version::V1_3);
    }
}
