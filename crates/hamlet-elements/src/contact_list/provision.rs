//! What every account begins with.

use crate::contact_list::{CreateContactList, PropertyChanges};
use crate::elements::{Inner, PresenceHome};
use crate::outbox::Parcel;
use crate::service::{Event, Request};
use hamlet_model::{ContactListId, Timestamp, UserId};
use hamlet_store::{ContactList, StoreError};
use std::time::Duration;

/// Most phones cannot work without a list (csp-presence 2.4).
const FIRST_LIST: &str = "friends";

/// How long the home of presence may be out of reach.
const LIFE: Duration = Duration::from_secs(7 * 86_400);

impl Inner {
    /// Gives a user without contact lists his first.
    pub(crate) async fn provision(&self, user: &UserId) -> Result<(), StoreError> {
        let Ok(id) = ContactListId::of(user, FIRST_LIST) else {
            // An address with no room for the name of a list.
            return Ok(());
        };
        let user = user.clone();
        if let PresenceHome::At(domain) = &self.config.presence_home {
            let request = Request::CreateContactList(CreateContactList {
                list: id,
                members: Vec::new(),
                malformed: Vec::new(),
                properties: PropertyChanges::default(),
            });
            let expires = Timestamp::now().plus(LIFE);
            let entry = Parcel::request(user, request).entry(domain.clone(), expires)?;
            self.store.write(move |tx| tx.put_outbox(&entry)).await?;
            self.emit([Event::Outbox]);
            return Ok(());
        }
        self.store
            .write(move |tx| {
                if !tx.contact_lists(&user)?.is_empty() {
                    return Ok(());
                }
                tx.create_contact_list(&ContactList {
                    id: id.clone(),
                    display_name: None,
                    do_not_notify: false,
                    default: true,
                })?;
                Ok(())
            })
            .await
    }
}
