//! Contact lists that a client takes for granted (clients MOV-10, MOV-11).

use crate::Sap;
use crate::session::Session;
use hamlet_elements::contact_list::{CreateContactList, PropertyChanges};
use hamlet_elements::{Call, Request};
use hamlet_model::ContactListId;

/// Of the phonebook profile: every account has them on the server that the client knows.
const PHONEBOOK_LISTS: [&str; 2] = ["~pep1.0_privatelist", "~pep1.0_subscriptions"];

impl Sap {
    /// Makes those of the client's lists that are not there yet.
    pub(crate) async fn make_lists_of_client(&self, session: &Session) {
        if !session.settings().profile.pep_lists {
            return;
        }
        for name in PHONEBOOK_LISTS {
            let Ok(list) = ContactListId::of(&session.user.id, name) else {
                continue;
            };
            let call = Call {
                requestor: session.requestor(),
                request: Request::CreateContactList(CreateContactList {
                    list,
                    members: Vec::new(),
                    malformed: Vec::new(),
                    properties: PropertyChanges::default(),
                }),
                key: None,
            };
            // It is refused when the list exists, and the login does not depend on it.
            if let Err(refusal) = self.elements.call(call).await {
                tracing::debug!(%name, code = refusal.code.0, "list not made");
            }
        }
    }
}
