//! Keeping, fetching and removing content (architecture document 5.3.5).

use super::media_type::file_name;
use super::{ContentConfig, ContentError, Kept, MediaType, NewContent};
use crate::elements::Inner;
use hamlet_model::{Timestamp, UserId};
use hamlet_store::{ContentPut, ContentQuota, StoreError, StoredContent};
use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

/// The folder of content in URLs.
pub(crate) const FOLDER: &str = "content";

/// Shortest life of content.
const MIN_LIFE: Duration = Duration::from_secs(60);

/// Octets of an identifier: more than anybody can guess.
const ID_LENGTH: usize = 20;

impl Inner {
    fn content_config(&self) -> Result<&ContentConfig, ContentError> {
        self.config.content.as_ref().ok_or(ContentError::Off)
    }

    /// Keeps content; what is kept already for the same purpose is not kept again.
    pub(crate) async fn keep_content(
        &self,
        new: NewContent,
        octets: Vec<u8>,
    ) -> Result<Kept, ContentError> {
        let config = self.content_config()?;
        let id = new_id().ok_or(StoreError::Busy)?;
        let stored = stored(config, id, new, octets.len())?;
        let quota = quota(config, stored.purpose.is_some());
        let (kept, put) = self
            .store
            .write(move |tx| {
                if let Some(purpose) = &stored.purpose
                    && let Some(kept) = tx.content_for(&stored.owner, purpose)?
                {
                    if kept.expires > stored.created {
                        return Ok((Some(kept), ContentPut::Kept));
                    }
                    tx.remove_content(&kept.id)?;
                }
                let put = tx.put_content(&stored, &octets, &quota)?;
                Ok((tx.content(&stored.id)?, put))
            })
            .await?;
        done(config, kept, put)
    }

    /// Replaces content of an owner under the same URL.
    pub(crate) async fn replace_content(
        &self,
        id: String,
        new: NewContent,
        octets: Vec<u8>,
    ) -> Result<Kept, ContentError> {
        let config = self.content_config()?;
        let stored = stored(config, id, new, octets.len())?;
        let quota = quota(config, false);
        let now = Timestamp::now();
        let done_with = self.store.write(move |tx| {
            let known = tx.content(&stored.id)?.filter(|kept| kept.expires > now);
            let Some(known) = known else {
                return Ok(Err(ContentError::NotFound));
            };
            // What somebody has sent stays as he has sent it.
            if known.owner != stored.owner || known.purpose.is_some() {
                return Ok(Err(ContentError::NotOwner));
            }
            let put = tx.put_content(&stored, &octets, &quota)?;
            Ok(Ok((tx.content(&stored.id)?, put)))
        });
        let (kept, put) = done_with.await??;
        done(config, kept, put)
    }

    /// Removes content of an owner.
    pub(crate) async fn remove_content(
        &self,
        owner: &UserId,
        id: &str,
    ) -> Result<(), ContentError> {
        self.content_config()?;
        let (owner, id) = (owner.clone(), id.to_owned());
        let removed = self.store.write(move |tx| match tx.content(&id)? {
            None => Ok(Err(ContentError::NotFound)),
            Some(kept) if kept.owner != owner => Ok(Err(ContentError::NotOwner)),
            Some(_) => tx.remove_content(&id).map(|_| Ok(())),
        });
        removed.await?
    }

    /// What is said about content that is kept.
    pub(crate) async fn content(&self, id: &str) -> Result<Kept, ContentError> {
        let config = self.content_config()?;
        let id = id.to_owned();
        let kept = self.store.read(move |tx| tx.content(&id)).await?;
        let now = Timestamp::now();
        let kept = kept.filter(|kept| kept.expires > now);
        kept.map(|kept| shown(config, kept))
            .ok_or(ContentError::NotFound)
    }

    /// Some octets of content in the state that was told; `NotFound` when it was replaced since.
    pub(crate) async fn content_octets(
        &self,
        kept: &Kept,
        range: Range<u64>,
    ) -> Result<Vec<u8>, ContentError> {
        let (id, revision) = (kept.id.clone(), kept.revision);
        let read = self.store.read(move |tx| {
            let same = tx
                .content(&id)?
                .is_some_and(|kept| kept.revision == revision);
            match same {
                true => tx.content_octets(&id, range.clone()).map(Some),
                false => Ok(None),
            }
        });
        read.await?.ok_or(ContentError::NotFound)
    }

    /// What a user keeps, oldest first.
    pub(crate) async fn contents_of(&self, owner: &UserId) -> Result<Vec<Kept>, ContentError> {
        let config = self.content_config()?;
        let limit = usize::try_from(config.max_items).unwrap_or(usize::MAX);
        let owner = owner.clone();
        let all = self.store.read(move |tx| tx.contents_of(&owner, limit));
        let now = Timestamp::now();
        let live = all.await?.into_iter().filter(|kept| kept.expires > now);
        Ok(live.map(|kept| shown(config, kept)).collect())
    }

    /// Removes what is kept no longer; how much.
    pub(crate) async fn expire_content(&self, now: Timestamp) -> Result<usize, StoreError> {
        let gone = self.store.write(move |tx| {
            let gone = tx.purge_content(now)?;
            Ok(usize::try_from(gone).unwrap_or(usize::MAX))
        });
        gone.await
    }
}

impl ContentConfig {
    /// The URL of content of this type.
    fn url(&self, id: &str, media_type: &str) -> String {
        let ending = MediaType::parse(media_type).map_or("bin", |media_type| media_type.ending());
        format!("{}/{FOLDER}/{id}.{ending}", self.base_url)
    }

    /// The content that a URL leads to, if it is one of these.
    pub(crate) fn id_in<'a>(&self, url: &'a str) -> Option<&'a str> {
        let path = url.strip_prefix(self.base_url.as_str())?;
        let file = path.strip_prefix('/')?.strip_prefix(FOLDER)?;
        let id = file.strip_prefix('/')?.split('.').next()?;
        (!id.is_empty()).then_some(id)
    }
}

/// How much may be kept. What the server keeps for an owner leaves him half of what is his: what
/// others send him does not crowd out what he keeps himself.
fn quota(config: &ContentConfig, for_purpose: bool) -> ContentQuota {
    let share = if for_purpose { 2 } else { 1 };
    ContentQuota {
        owner_octets: config.quota_user / share,
        owner_items: config.max_items / share,
        total_octets: config.quota_total,
    }
}

/// What is to be stored, if it may be.
fn stored(
    config: &ContentConfig,
    id: String,
    new: NewContent,
    size: usize,
) -> Result<StoredContent, ContentError> {
    let media_type = MediaType::parse(&new.media_type).ok_or(ContentError::Type)?;
    if !media_type.is_among(&config.types) {
        return Err(ContentError::Type);
    }
    if size > config.max_size {
        return Err(ContentError::TooLarge);
    }
    let created = Timestamp::now();
    let life = new.life.unwrap_or(config.default_life);
    // What is kept for something ends with that.
    let least = match new.purpose {
        Some(_) => Duration::ZERO,
        None => MIN_LIFE,
    };
    Ok(StoredContent {
        id,
        owner: new.owner,
        purpose: new.purpose,
        media_type: media_type.as_str().to_owned(),
        name: file_name(&new.name),
        size: size as u64,
        revision: 1,
        created,
        expires: created.plus(life.clamp(least, config.max_life.max(MIN_LIFE))),
    })
}

fn done(
    config: &ContentConfig,
    kept: Option<StoredContent>,
    put: ContentPut,
) -> Result<Kept, ContentError> {
    match (put, kept) {
        (ContentPut::Kept, Some(kept)) => Ok(shown(config, kept)),
        (ContentPut::Kept, None) => Err(ContentError::NotFound),
        (ContentPut::OwnerFull, _) => Err(ContentError::OwnerFull),
        (ContentPut::Full, _) => Err(ContentError::Full),
    }
}

fn shown(config: &ContentConfig, kept: StoredContent) -> Kept {
    Kept {
        url: config.url(&kept.id, &kept.media_type),
        id: kept.id,
        owner: kept.owner,
        media_type: kept.media_type,
        name: kept.name,
        size: kept.size,
        revision: kept.revision,
        expires: kept.expires,
    }
}

/// An identifier that nobody can guess; `None` when the system has no randomness.
fn new_id() -> Option<String> {
    let mut octets = [0; ID_LENGTH];
    getrandom::fill(&mut octets).ok()?;
    let mut id = String::with_capacity(2 * ID_LENGTH);
    for octet in octets {
        write!(id, "{octet:02x}").ok()?;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_content_and_others_do_not() {
        let config = ContentConfig {
            base_url: "http://h:8080/x".into(),
            ..ContentConfig::default()
        };
        let url = config.url("abc", "image/jpeg; q=1");
        assert_eq!(url, "http://h:8080/x/content/abc.jpg");
        assert_eq!(config.id_in(&url), Some("abc"));
        for other in [
            "http://h:8080/x/content/",
            "http://h:8080/content/abc.jpg",
            "http://other/x/content/abc.jpg",
            "http://h:8080/x/contents/abc",
            "",
        ] {
            assert_eq!(config.id_in(other), None, "{other}");
        }
        assert_ne!(new_id(), new_id());
        assert_eq!(new_id().map(|id| id.len()), Some(40));
    }
}
