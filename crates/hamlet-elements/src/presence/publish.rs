//! UpdatePresence (csp-presence 4.1).

use crate::elements::Inner;
use crate::failure::refusal;
use crate::presence::legal::legal;
use crate::presence::notify::presence_parcel;
use crate::presence::{Change, UpdatePresence};
use crate::service::{Answer, Event, Outcome, Requestor, Response};
use hamlet_model::presence::{
    Attribute, AttributeName, AttributeSet, AttributeValue, ExtensionAttribute,
};
use hamlet_model::refusal::Failures;
use hamlet_model::{ClientId, Refusal, StatusCode};
use hamlet_store::StoreError;

impl Inner {
    pub(crate) async fn update_presence(
        &self,
        requestor: Requestor,
        request: UpdatePresence,
    ) -> Answer {
        let mut failures = Failures::new();
        if !request.unknown.is_empty() {
            failures.describe(StatusCode::INVALID_PRESENCE_ATTRIBUTE, &request.unknown);
        }
        let mut attributes = Vec::with_capacity(request.attributes.len());
        for attribute in request.attributes {
            let name = attribute.name;
            match legal(attribute, &self.config.presence) {
                Some(attribute) => attributes.push(self.own(attribute, &requestor)),
                None => failures.describe(StatusCode::INVALID_PRESENCE_VALUE, &[name.as_str()]),
            }
        }
        if attributes.is_empty() && !failures.is_empty() {
            let code = failures.overall(false);
            return Err(Refusal {
                code,
                description: code.description().to_owned(),
                details: failures.into_details(),
            });
        }
        if !attributes.is_empty() {
            self.publish(&requestor, attributes)
                .await
                .map_err(|error| refusal(&error))?;
        }
        Ok(Response::Done(Outcome {
            details: failures.into_details(),
        }))
    }

    /// What is about a client is about one of the publisher's own: the one that he names if
    /// it is, else that of his session.
    fn own(&self, attribute: Attribute, requestor: &Requestor) -> Attribute {
        if !attribute.name.is_client_status() {
            return Attribute {
                client: None,
                ..attribute
            };
        }
        let state = self.hub.lock();
        let is_own = |client: &ClientId| {
            !state.is_home(&requestor.user)
                || state
                    .sessions_of(&requestor.user)
                    .any(|session| session.client == *client)
        };
        let client = attribute
            .client
            .filter(is_own)
            .or_else(|| requestor.client.clone())
            .unwrap_or_default();
        Attribute {
            client: Some(client),
            ..attribute
        }
    }

    async fn publish(
        &self,
        requestor: &Requestor,
        attributes: Vec<Attribute>,
    ) -> Result<(), StoreError> {
        let user = requestor.user.clone();
        self.load_watchers(std::slice::from_ref(&user)).await?;
        let names: AttributeSet = attributes.iter().map(|a| a.name).collect();
        let elsewhere = self.hub.lock().domain_watchers(&user, names);
        let tickets = self.hub.tickets();
        let tell_relay = !elsewhere.is_empty();
        let max_extensions = self.config.presence.max_extensions;
        let change = self
            .store
            .write(move |tx| {
                let known = tx.presence(&user)?;
                let rows: Vec<Attribute> = attributes
                    .iter()
                    .filter_map(|attribute| row(attribute, &known, max_extensions))
                    .collect();
                tx.put_presence(&user, &rows)?;
                for subscriber in &elsewhere {
                    tx.put_outbox(&presence_parcel(&user, subscriber)?)?;
                }
                Change::read(tx, &tickets, std::slice::from_ref(&user), &[])
            })
            .await?;
        self.note(change);
        self.emit(tell_relay.then_some(Event::Outbox));
        Ok(())
    }

    /// Notes a committed change and tells whom it concerns.
    pub(crate) fn note(&self, change: Change) {
        let mut state = self.hub.lock();
        let events = state.apply(change);
        self.emit(events);
    }
}

/// The row that an attribute leaves in the store. A value that is withdrawn, or published
/// without being said, stays as it is (csp-presence 3.2).
fn row(attribute: &Attribute, known: &[Attribute], max_extensions: usize) -> Option<Attribute> {
    let before = known
        .iter()
        .find(|k| k.name == attribute.name && k.client == attribute.client);
    if attribute.name == AttributeName::OnlineStatus {
        // Whether the client is online is not its to say; whether it wants to be seen is
        // (csp-presence 3.3). The value is what its domain has told of it.
        return Some(Attribute {
            qualifier: attribute.qualifier && attribute.value != AttributeValue::Flag(false),
            value: before.map_or(AttributeValue::None, |b| b.value.clone()),
            ..attribute.clone()
        });
    }
    if let AttributeValue::Extension(new) = &attribute.value {
        return Some(Attribute {
            value: AttributeValue::Extension(extensions(before, new, max_extensions)),
            ..attribute.clone()
        });
    }
    if attribute.value != AttributeValue::None {
        return Some(attribute.clone());
    }
    match before {
        Some(before) => Some(Attribute {
            qualifier: attribute.qualifier && before.value != AttributeValue::None,
            ..before.clone()
        }),
        None => (!attribute.qualifier).then(|| attribute.clone()),
    }
}

/// Attributes of other namespaces are replaced one by one; the oldest go when there are too
/// many (csp-presence 3.6).
fn extensions(
    before: Option<&Attribute>,
    new: &[ExtensionAttribute],
    max: usize,
) -> Vec<ExtensionAttribute> {
    let mut all = match before.map(|before| &before.value) {
        Some(AttributeValue::Extension(before)) => before.clone(),
        _ => Vec::new(),
    };
    for one in new {
        all.retain(|known| (&known.namespace, &known.name) != (&one.namespace, &one.name));
        if !one.content.is_empty() {
            all.push(one.clone());
        }
    }
    all.drain(..all.len().saturating_sub(max));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_other_namespaces_are_replaced_one_by_one() {
        let one = |name: &str, content: &str| ExtensionAttribute {
            namespace: "urn:vendor".into(),
            name: name.into(),
            content: content.into(),
        };
        let value = |all: Vec<_>| {
            attribute(
                AttributeName::Extension,
                true,
                AttributeValue::Extension(all),
            )
        };
        let known = [value(vec![one("a", "1"), one("b", "2")])];
        for (new, kept) in [
            (vec![one("b", "3")], vec![one("a", "1"), one("b", "3")]),
            (vec![one("a", "")], vec![one("b", "2")]),
            (vec![one("c", "4")], vec![one("b", "2"), one("c", "4")]),
        ] {
            assert_eq!(row(&value(new), &known, 2), Some(value(kept)));
        }
    }

    fn attribute(name: AttributeName, qualifier: bool, value: AttributeValue) -> Attribute {
        Attribute {
            name,
            qualifier,
            client: None,
            value,
        }
    }

    #[test]
    fn a_withdrawn_value_is_kept_until_it_is_published_again() {
        use AttributeName::{Alias, OnlineStatus};
        let text = |text: &str| AttributeValue::Text(text.into());
        let none = || AttributeValue::None;
        let published = attribute(Alias, true, text("Anna"));
        let withdrawn = attribute(Alias, false, text("Anna"));
        let known = std::slice::from_ref(&published);
        assert_eq!(
            row(&attribute(Alias, false, none()), known, 8),
            Some(withdrawn.clone())
        );
        let again = row(&attribute(Alias, true, none()), &[withdrawn], 8);
        assert_eq!(again, Some(published.clone()));
        assert_eq!(row(&attribute(Alias, true, none()), &[], 8), None);
        let replaced = attribute(Alias, true, text("Annie"));
        assert_eq!(row(&replaced, known, 8), Some(replaced));
        for (qualifier, flag, visible) in [
            (true, Some(true), true),
            (true, None, true),
            (true, Some(false), false),
            (false, None, false),
        ] {
            let value = flag.map_or(AttributeValue::None, AttributeValue::Flag);
            let row = row(&attribute(OnlineStatus, qualifier, value), &[], 8).unwrap();
            assert_eq!((row.qualifier, row.value), (visible, none()));
        }
    }
}
