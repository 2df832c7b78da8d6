//! A client of the Client-Server Protocol over HTTP and HTTPS (csp-access 18).
//!
//! [`Client::builder`] takes the server's URL and the account, [`Client::open`] logs in and
//! negotiates, and then there is one method per transaction. What the server sends on its own
//! comes from [`Client::poll`] or [`Client::next`] as [`Incoming`] and is answered by
//! [`Client::acknowledge`]. One client is one session on one connection; CSP 1.1, 1.2 and 1.3,
//! XML and WBXML. No user interface and no storage here.
//!
//! ```no_run
//! # async fn chat() -> Result<(), hamlet_client::Error> {
//! use hamlet_client::{Client, Digest, Incoming, Syntax, Version};
//! use std::time::Duration;
//!
//! let mut client = Client::builder("http://127.0.0.1:8080/")
//!     .version(Version::V1_3)
//!     .syntax(Syntax::Wbxml)
//!     .user("wv:alice@localhost")
//!     .password("secret")
//!     .digest(Digest::Sha)
//!     .connect()
//!     .await?;
//! client.open().await?;
//! client.send("wv:bob@localhost", "hello").await?;
//! while let Some(incoming) = client.next(Duration::from_secs(60)).await? {
//!     if let Incoming::Message(message) = &incoming {
//!         let _text = message.text();
//!     }
//!     client.acknowledge(&incoming).await?;
//! }
//! client.logout().await
//! # }
//! ```

#![forbid(unsafe_code)]

mod authorization;
mod builder;
mod client;
mod contacts;
mod digest;
mod error;
mod groups;
mod im;
mod incoming;
mod info;
mod invitations;
mod login;
mod negotiate;
mod presence;
mod refusal;
mod transport;
mod waiting;
mod wake_up;

#[cfg(test)]
mod tests;

pub use authorization::{AuthorizationRequest, Watcher};
pub use builder::Builder;
pub use client::Client;
pub use contacts::{Contact, ContactList, ContactLists, ListChange};
pub use digest::{Digest, digest_bytes};
pub use error::Error;
pub use groups::{GroupMembers, JoinedGroup};
pub use im::{Outgoing, Recipients, SendResult};
pub use incoming::{DeliveryReport, Incoming, Message, Notification, Other, PresenceNotice};
pub use info::{ServiceProvider, discover_versions};
pub use invitations::{Invitation, InvitationAnswer, InvitationWithdrawn};
pub use login::{Login, SessionState};
pub use negotiate::{Capabilities, Services};
pub use presence::{Availability, Mood, Presence, PresenceUpdate, Targets};
pub use refusal::{Detail, Refusal};
pub use transport::{Reply, Transport, TransportOptions};
pub use waiting::{Delivery, Waiting};

pub use hamlet_csp::{Primitive, Syntax, Version, elements};
pub use hamlet_model::presence::{AttributeName, AttributeSet};
pub use hamlet_model::{MessageId, SessionId, StatusCode, TransactionId};
