//! Contact lists (csp-presence 2).

use crate::client::{Client, refusal, unexpected};
use crate::error::Error;
use crate::refusal::Refusal;
use hamlet_csp::elements::{
    ContactListProperties, CreateListRequest, DeleteListRequest, ListManageRequest,
    ListManageResponse, NickMember, NickMembers, NickName, Property, RemoveNickList,
};
use hamlet_csp::{Primitive, Text, Version};

/// The user's contact lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactLists {
    /// All but the default list.
    pub others: Vec<String>,
    /// The default list.
    pub default: Option<String>,
}

/// One member of a contact list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// Address.
    pub user: String,
    /// The owner's private name for the contact; may be empty.
    pub nickname: String,
}

/// A contact list as the server returned it.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactList {
    /// Members; `None` when the server did not list them.
    pub members: Option<Vec<Contact>>,
    /// Properties by name, such as DisplayName and Default.
    pub properties: Vec<(String, String)>,
    /// 200, or 201 with what failed.
    pub result: Refusal,
}

/// What to do with a contact list (csp-presence 2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListChange {
    /// Only read it.
    Read,
    /// Add members, or change nicknames.
    Add(Vec<Contact>),
    /// Take members off.
    Remove(Vec<String>),
    /// Set properties.
    Properties(Vec<(String, String)>),
}

impl Client {
    /// The user's contact lists (csp-presence 2.4).
    pub async fn get_lists(&mut self) -> Result<ContactLists, Error> {
        match self.ask(Primitive::GetListRequest).await? {
            Primitive::GetListResponse(response) => {
                let listed = response
                    .contact_list_id_list
                    .map(|list| list.contact_list)
                    .unwrap_or_default();
                let default = response.default_contact_list.map(String::from);
                let others = listed
                    .into_iter()
                    .chain(response.contact_list)
                    .map(String::from)
                    .filter(|list| Some(list) != default.as_ref());
                Ok(ContactLists {
                    others: others.collect(),
                    default,
                })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Makes a contact list (csp-presence 2.5). With 201 the list exists and the details name
    /// the contacts that were not taken.
    pub async fn create_list(
        &mut self,
        list: &str,
        members: Vec<Contact>,
        properties: Vec<(String, String)>,
    ) -> Result<Refusal, Error> {
        let request = CreateListRequest {
            contact_list: Some(Text::new(list)),
            nick_list: (!members.is_empty()).then(|| nick_members(members)),
            contact_list_properties: (!properties.is_empty()).then(|| to_properties(properties)),
        };
        match self.ask(request).await? {
            Primitive::Status(status) => Ok(Refusal::from(status.result)),
            Primitive::CreateListResponse(_) => {
                Ok(Refusal::new(hamlet_model::StatusCode::OK, String::new()))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Deletes a contact list (csp-presence 2.6).
    pub async fn delete_list(&mut self, list: &str) -> Result<(), Error> {
        self.ask_status(DeleteListRequest {
            contact_list: Some(Text::new(list)),
        })
        .await
        .map(|_| ())
    }

    /// Reads or changes a contact list (csp-presence 2.7) and answers what is in it then.
    pub async fn manage_list(
        &mut self,
        list: &str,
        change: ListChange,
    ) -> Result<ContactList, Error> {
        let mut request = ListManageRequest {
            contact_list: Some(Text::new(list)),
            receive_list: (self.version() > Version::V1_1).then_some(true),
            ..ListManageRequest::default()
        };
        match change {
            ListChange::Read => {}
            ListChange::Add(members) => request.add_nick_list = Some(nick_members(members)),
            ListChange::Remove(users) => {
                request.remove_nick_list = Some(RemoveNickList {
                    user_id: users.into_iter().map(Text::from).collect(),
                });
            }
            ListChange::Properties(properties) => {
                request.contact_list_properties = Some(to_properties(properties));
            }
        }
        match self.ask(request).await? {
            Primitive::ListManageResponse(response) => {
                if refusal(response.result.as_ref()).is_some() {
                    return Err(Error::Refused(Refusal::from(response.result)));
                }
                Ok((*response).into())
            }
            Primitive::Status(status) => Ok(ContactList {
                members: None,
                properties: Vec::new(),
                result: Refusal::from(status.result),
            }),
            other => Err(unexpected(&other)),
        }
    }
}

impl Contact {
    /// A contact without a nickname.
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            nickname: String::new(),
        }
    }

    /// A contact with a nickname.
    pub fn named(user: impl Into<String>, nickname: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            nickname: nickname.into(),
        }
    }
}

impl ContactLists {
    /// All of them, the default list first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.default.iter().chain(&self.others).map(String::as_str)
    }
}

impl From<ListManageResponse> for ContactList {
    fn from(response: ListManageResponse) -> Self {
        let members = response.nick_list.map(|list| {
            let contact = |member| match member {
                NickMember::Nick(nick) => Contact {
                    user: nick.user_id.map(String::from).unwrap_or_default(),
                    nickname: nick.name.map(String::from).unwrap_or_default(),
                },
                NickMember::User(user) => Contact::new(user),
            };
            list.members.into_iter().map(contact).collect()
        });
        let properties = response
            .contact_list_properties
            .map(|list| list.property)
            .unwrap_or_default();
        Self {
            members,
            properties: properties
                .into_iter()
                .map(|property| {
                    let text = |text: Option<Text>| text.map(String::from).unwrap_or_default();
                    (text(property.name), text(property.value))
                })
                .collect(),
            result: Refusal::from(response.result),
        }
    }
}

/// Each with a NickName, an empty one where there is none: some parsers know no other form.
fn nick_members(members: Vec<Contact>) -> NickMembers {
    let nick = |contact: Contact| {
        NickMember::Nick(NickName {
            name: Some(Text::from(contact.nickname)),
            user_id: Some(Text::from(contact.user)),
        })
    };
    NickMembers {
        members: members.into_iter().map(nick).collect(),
    }
}

fn to_properties(properties: Vec<(String, String)>) -> ContactListProperties {
    let property = |(name, value): (String, String)| Property {
        name: Some(Text::from(name)),
        value: Some(Text::from(value)),
    };
    ContactListProperties {
        property: properties.into_iter().map(property).collect(),
    }
}
