//! Addresses inside primitives: users, clients, groups, contact lists (data-types 1).

use super::Facts;
use super::result::text_of;
use hamlet_csp::elements::{
    ClientId as ClientIdElement, ContactListIdList, Group, ScreenName, User, UserIdList,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::presence::Targets;
use hamlet_model::{ApplicationId, ClientId, ContactListId, GroupId, MessageParty, UserId};

/// The client that an element names; `None` for an empty one.
pub fn client(element: &ClientIdElement) -> Option<ClientId> {
    let given = |text: &Option<Text>| text.clone().filter(|text| !text.is_empty());
    let id = ClientId {
        url: given(&element.url),
        msisdn: given(&element.msisdn),
    };
    (id != ClientId::default()).then_some(id)
}

/// The element that names a client.
pub fn client_element(id: &ClientId) -> ClientIdElement {
    ClientIdElement {
        url: id.url.clone(),
        msisdn: id.msisdn.clone(),
    }
}

/// Collects whom a presence request is about; both forms of naming are read in every
/// version, also mixed (csp-presence 4.2). Empty elements name nobody.
pub fn targets(
    (users, user_ids): (&[User], Option<&UserIdList>),
    (lists, list_ids): (&[Text], Option<&ContactListIdList>),
    facts: &Facts<'_>,
) -> Targets {
    let mut targets = Targets::default();
    let named = users.iter().filter_map(|user| user.user_id.as_ref());
    let listed = user_ids.into_iter().flat_map(|list| &list.user_id);
    for text in named.chain(listed).filter(|text| !text.is_empty()) {
        match UserId::parse(text, facts.home) {
            Ok(user) => push_new(&mut targets.users, user),
            Err(_) => targets.malformed_users.push(text.to_string()),
        }
    }
    let listed = list_ids.into_iter().flat_map(|list| &list.contact_list);
    for text in lists.iter().chain(listed).filter(|text| !text.is_empty()) {
        match ContactListId::parse(text, facts.home) {
            Ok(list) => push_new(&mut targets.contact_lists, list),
            Err(_) => targets.malformed_lists.push(text.to_string()),
        }
    }
    targets
}

/// Whether they name nobody at all.
pub fn nobody(targets: &Targets) -> bool {
    *targets == Targets::default()
}

fn push_new<T: PartialEq>(all: &mut Vec<T>, new: T) {
    if !all.contains(&new) {
        all.push(new);
    }
}

/// A party as the one User or Group of Sender and Recipient (csp-im 2.2, 2.3).
pub enum Party {
    /// User.
    User(User),
    /// Group.
    Group(Group),
}

/// Writes a party: ApplicationID only in 1.3, where it excludes ClientID.
pub fn party(party: &MessageParty, version: Version) -> Party {
    match party {
        MessageParty::User {
            user,
            client,
            application,
        } => {
            let application = application
                .as_ref()
                .filter(|_| version == Version::V1_3)
                .map(|id| Text::new(id.as_str()));
            let client = match application {
                Some(_) => None,
                None => client.as_ref().map(client_element),
            };
            Party::User(User {
                user_id: Some(text_of(user)),
                friendly_name: None,
                application_id: application,
                client_id: client,
            })
        }
        MessageParty::Group(group) => Party::Group(Group {
            group_id: Some(text_of(group)),
            screen_name: None,
        }),
        MessageParty::ScreenName { name, group } => Party::Group(Group {
            group_id: None,
            screen_name: Some(ScreenName {
                sname: Some(name.into()),
                group_id: Some(text_of(group)),
            }),
        }),
    }
}

/// The user that a User element names, and what it narrows him to. `None` without a UserID;
/// an error holds the text that is no address.
pub fn user_party(element: &User, facts: &Facts<'_>) -> Option<Result<MessageParty, String>> {
    let text = element.user_id.as_ref().filter(|text| !text.is_empty())?;
    let application = element.application_id.as_ref().filter(|id| !id.is_empty());
    Some(match UserId::parse(text, facts.home) {
        Ok(user) => Ok(MessageParty::User {
            user,
            client: element.client_id.as_ref().and_then(client),
            application: application.map(ApplicationId::new),
        }),
        Err(_) => Err(text.to_string()),
    })
}

/// The group of this address; an error holds the text that is none.
pub fn group(text: &str, facts: &Facts<'_>) -> Result<GroupId, String> {
    GroupId::parse(text, facts.home).map_err(|_| text.to_owned())
}
