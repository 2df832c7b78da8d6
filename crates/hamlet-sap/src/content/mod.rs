//! The content store by HTTP (architecture document 5.3.5): everybody who has a URL fetches,
//! users keep, replace and remove what is theirs.
//!
//! What is kept says a service element; here stand HTTP, who may, and memory. The folder is
//! part of the HTTP listener: `POST …/content` keeps, `GET …/content` lists, and `GET`, `HEAD`,
//! `PUT` and `DELETE …/content/ID.ending` are about one piece.

mod answer;
mod head;
mod who;

use crate::Sap;
use crate::suspicion::Suspicion;
use crate::transport::gateway::origin;
use crate::transport::http::{Held, Peer, Unread, bare, closing, read};
use answer::{created, listed, refused, said};
use bytes::Bytes;
use hamlet_elements::content::{ContentError, Kept, NewContent};
use hamlet_model::{Refusal, UserId};
use head::{Part, Wishes, part, query, wishes};
use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;

/// What a path is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// All content.
    Folder,
    /// One piece, by its name.
    Piece(&'a str),
}

/// The place of a path, whatever comes before it: a proxy may have cut something off or not.
pub(crate) fn place(path: &str) -> Option<Place<'_>> {
    const FOLDER: &str = "content";
    let (rest, last) = path.rsplit_once('/')?;
    if last == FOLDER {
        return Some(Place::Folder);
    }
    let folder = rest.rsplit('/').next();
    if folder != Some(FOLDER) {
        return None;
    }
    match last.split('.').next() {
        None | Some("") => Some(Place::Folder),
        Some(id) => Some(Place::Piece(id)),
    }
}

/// Answers one request for content.
pub(crate) async fn answer(
    sap: &Arc<Sap>,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let method = head.method.clone();
    match (place(&path), method) {
        (Some(Place::Piece(id)), Method::GET | Method::HEAD) => fetch(sap, peer, &head, id).await,
        (Some(Place::Piece(id)), Method::PUT) => keep(sap, peer, &head, body, Some(id)).await,
        (Some(Place::Folder), Method::POST) => keep(sap, peer, &head, body, None).await,
        (Some(Place::Piece(id)), Method::DELETE) => match who(sap, peer, &head).await {
            Ok(user) => match sap.elements.remove_content(&user, id).await {
                Ok(()) => bare(StatusCode::NO_CONTENT),
                Err(error) => failed(sap, error),
            },
            Err(response) => response,
        },
        (Some(Place::Folder), Method::GET) => match who(sap, peer, &head).await {
            Ok(user) => match sap.elements.contents_of(&user).await {
                Ok(all) => listed(&all),
                Err(error) => failed(sap, error),
            },
            Err(response) => response,
        },
        (place, _) => {
            let allowed = match place {
                Some(Place::Piece(_)) => "GET, HEAD, PUT, DELETE",
                _ => "GET, POST",
            };
            let mut response = closing(bare(StatusCode::METHOD_NOT_ALLOWED));
            let allowed = HeaderValue::from_static(allowed);
            response.headers_mut().insert(ALLOW, allowed);
            response
        }
    }
}

/// Who asks, or what he is answered who does not say or may not.
async fn who(sap: &Sap, peer: Peer, head: &Parts) -> Result<UserId, Response<Full<Bytes>>> {
    let from = origin(peer, &head.headers, &sap.config.http.gateways).address;
    match sap.keeper(&head.headers, Some(from)).await {
        Ok(Some(user)) => Ok(user),
        Ok(None) => {
            let mut response = closing(bare(StatusCode::UNAUTHORIZED));
            let realm = format!("Basic realm=\"{}\", charset=\"UTF-8\"", sap.config.domain);
            if let Ok(realm) = HeaderValue::try_from(realm) {
                response.headers_mut().insert(WWW_AUTHENTICATE, realm);
            }
            Err(response)
        }
        Err(Refusal { code, .. }) => Err(closing(match code {
            hamlet_model::StatusCode::SERVICE_UNAVAILABLE => bare(StatusCode::SERVICE_UNAVAILABLE),
            hamlet_model::StatusCode::INTERNAL_ERROR => bare(StatusCode::INTERNAL_SERVER_ERROR),
            _ => said(StatusCode::FORBIDDEN, "You may not keep content here"),
        })),
    }
}

/// Keeps a new piece, or another in place of one.
async fn keep(
    sap: &Arc<Sap>,
    peer: Peer,
    head: &Parts,
    body: Incoming,
    id: Option<&str>,
) -> Response<Full<Bytes>> {
    // Nobody makes the server hold octets who may not keep them.
    let owner = match who(sap, peer, head).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let media_type = head.headers.get(CONTENT_TYPE);
    let Some(media_type) = media_type.and_then(|text| text.to_str().ok()) else {
        return closing(refused(&ContentError::Type));
    };
    let max_size = sap.config.content.as_ref().map_or(0, |c| c.max_size);
    let (octets, _held) = match read(body, sap, max_size).await {
        Ok(read) => read,
        Err(Unread(status, what)) => {
            if let Some(what) = what {
                let from = origin(peer, &head.headers, &sap.config.http.gateways).address;
                sap.suspicions.note(Some(from), what, status.as_u16());
            }
            return closing(bare(status));
        }
    };
    let life = query(&head.uri, "life").and_then(|secs| secs.parse().ok());
    let new = NewContent {
        owner,
        media_type: media_type.to_owned(),
        name: query(&head.uri, "name").unwrap_or_default(),
        life: life.map(Duration::from_secs),
        purpose: None,
    };
    let octets = octets.to_vec();
    let kept = match id {
        None => sap.elements.keep_content(new, octets).await,
        Some(id) => sap.elements.replace_content(id, new, octets).await,
    };
    match kept {
        Ok(kept) => {
            sap.metrics.content_kept.inc();
            created(&kept, id.is_none())
        }
        Err(error) => failed(sap, error),
    }
}

/// Answers GET and HEAD.
async fn fetch(sap: &Arc<Sap>, peer: Peer, head: &Parts, id: &str) -> Response<Full<Bytes>> {
    let kept = match sap.elements.content(id).await {
        Ok(kept) => kept,
        Err(ContentError::NotFound) => {
            let from = origin(peer, &head.headers, &sap.config.http.gateways).address;
            let about = id.get(..8).unwrap_or(id);
            sap.suspicions
                .note(Some(from), Suspicion::UnknownContent, about);
            return bare(StatusCode::NOT_FOUND);
        }
        Err(error) => return failed(sap, error),
    };
    let Wishes { not_changed, range } = wishes(&head.headers, &kept);
    if not_changed {
        return answer::not_modified(&kept);
    }
    let part = match range {
        Some(range) => part(&range, kept.size),
        None => Part::Whole,
    };
    if head.method == Method::HEAD {
        return answer::content(&kept, Part::Whole, None);
    }
    let wanted = match part {
        Part::Whole => 0..kept.size,
        Part::Range(from, to) => from..to,
        Part::Unsatisfiable => return answer::unsatisfiable(&kept),
    };
    let count = usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX);
    let Some(held) = Held::of(sap.clone(), count) else {
        return bare(StatusCode::SERVICE_UNAVAILABLE);
    };
    match sap.elements.content_octets(&kept, wanted).await {
        Ok(octets) if octets.len() == count => {
            sap.metrics.content_fetched.inc();
            answer::content(&kept, part, Some(held.with(octets)))
        }
        Ok(_) => failed(sap, ContentError::NotFound),
        Err(error) => failed(sap, error),
    }
}

fn failed(sap: &Sap, error: ContentError) -> Response<Full<Bytes>> {
    note_refusal(sap, &error);
    refused(&error)
}

/// Something was not kept or fetched: the operator can know.
pub(crate) fn note_refusal(sap: &Sap, error: &ContentError) {
    match error {
        ContentError::Failed(error) => drop(sap.store_failed("content", error)),
        ContentError::Full => {
            tracing::warn!("the content store is full: content.quota_total");
        }
        _ => {}
    }
    sap.metrics.content_refused(answer::name(error));
}

/// For tests and answers: the entity tag of content.
fn entity_tag(kept: &Kept) -> String {
    format!("\"{}\"", kept.revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_content_are_told_from_others() {
        for (path, expected) in [
            ("/content", Some(Place::Folder)),
            ("/content/", Some(Place::Folder)),
            ("/imps/content", Some(Place::Folder)),
            ("/content/abc.jpg", Some(Place::Piece("abc"))),
            ("/imps/content/abc", Some(Place::Piece("abc"))),
            ("/content/.htaccess", Some(Place::Folder)),
            ("/", None),
            ("/contents", None),
            ("/content/a/b", None),
            ("/map/abc.png", None),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
