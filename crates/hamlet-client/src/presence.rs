//! Presence: publishing, asking, subscribing (csp-presence 4).

use crate::client::{Client, refusal, unexpected};
use crate::error::Error;
use crate::refusal::Refusal;
use hamlet_csp::elements::{
    self, Alias, ContactListIdList, GetPresenceRequest, OnlineStatus, PresenceSubList, StatusMood,
    StatusText, SubscribePresenceRequest, UnsubscribePresenceRequest, UpdatePresenceRequest, User,
    UserAvailability, UserIdList,
};
use hamlet_csp::{Primitive, Text, Version};

/// What is known of one user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presence {
    /// The user.
    pub user: String,
    /// The attributes as they came; several lists of one user are merged, the first value of
    /// an attribute counts.
    pub attributes: PresenceSubList,
}

/// Willingness to communicate (csp-presence 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Availability {
    /// AVAILABLE.
    Available,
    /// DISCREET: reachable, not to be disturbed.
    Discreet,
    /// NOT_AVAILABLE.
    NotAvailable,
}

macro_rules! moods {
    ($($name:ident = $text:literal,)*) => {
        /// The values of StatusMood.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Mood {
            $(#[doc = $text] $name,)*
        }

        impl Mood {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The value.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads a value, in any letter case.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|mood| mood.as_str().eq_ignore_ascii_case(text))
            }
        }
    };
}

moods! {
    Angry = "ANGRY",
    Anxious = "ANXIOUS",
    Ashamed = "ASHAMED",
    Bored = "BORED",
    Excited = "EXCITED",
    Happy = "HAPPY",
    InLove = "IN_LOVE",
    Invincible = "INVINCIBLE",
    Jealous = "JEALOUS",
    Sad = "SAD",
    Sleepy = "SLEEPY",
}

impl Availability {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Available, Self::Discreet, Self::NotAvailable];

    /// The value of UserAvailability.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Discreet => "DISCREET",
            Self::NotAvailable => "NOT_AVAILABLE",
        }
    }

    /// Reads a value, in any letter case; NOTAVAILABLE is NOT_AVAILABLE.
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("NOTAVAILABLE") {
            return Some(Self::NotAvailable);
        }
        Self::ALL
            .into_iter()
            .find(|value| value.as_str().eq_ignore_ascii_case(text))
    }
}

/// Attributes to publish; what is not named stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PresenceUpdate(PresenceSubList);

/// Users and contact lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    users: Vec<Text>,
    contact_lists: Vec<Text>,
}

impl Client {
    /// Publishes own attributes (csp-presence 4.1). The details name what was not taken.
    pub async fn update_presence(
        &mut self,
        update: impl Into<PresenceSubList>,
    ) -> Result<Refusal, Error> {
        self.ask_status(UpdatePresenceRequest {
            presence_sub_list: Some(update.into()),
        })
        .await
    }

    /// Asks once for presence (csp-presence 4.2); `wanted` holds empty attributes, `None` asks
    /// for all.
    pub async fn get_presence(
        &mut self,
        of: impl Into<Targets>,
        wanted: Option<PresenceSubList>,
    ) -> Result<(Vec<Presence>, Refusal), Error> {
        let form = self.target_form(of.into());
        let request = GetPresenceRequest {
            user_id_list: form.user_ids,
            contact_list_id_list: form.list_ids,
            presence_sub_list: wanted,
            user: form.users,
            contact_list: form.lists,
        };
        match self.ask(request).await? {
            Primitive::GetPresenceResponse(response) => {
                if refusal(response.result.as_ref()).is_some() {
                    return Err(Error::Refused(Refusal::from(response.result)));
                }
                let presences = response.presence.into_iter().map(Presence::from);
                Ok((presences.collect(), Refusal::from(response.result)))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Subscribes (csp-presence 4.3): notifications follow as [`crate::Incoming::Presence`].
    /// `auto` (1.2 and later) follows changes of the contact lists.
    pub async fn subscribe(
        &mut self,
        to: impl Into<Targets>,
        wanted: Option<PresenceSubList>,
        auto: bool,
    ) -> Result<Refusal, Error> {
        let form = self.target_form(to.into());
        self.ask_status(SubscribePresenceRequest {
            user_id_list: form.user_ids,
            contact_list_id_list: form.list_ids,
            presence_sub_list: wanted,
            auto_subscribe: (self.version() > Version::V1_1).then_some(auto),
            user: form.users,
            contact_list: form.lists,
        })
        .await
    }

    /// Ends subscriptions (csp-presence 4.6).
    pub async fn unsubscribe(&mut self, from: impl Into<Targets>) -> Result<Refusal, Error> {
        let form = self.target_form(from.into());
        self.ask_status(UnsubscribePresenceRequest {
            user_id_list: form.user_ids,
            contact_list_id_list: form.list_ids,
            user: form.users,
            contact_list: form.lists,
            ..UnsubscribePresenceRequest::default()
        })
        .await
    }

    /// 1.3 has lists of identifiers where the others have User and ContactList.
    fn target_form(&self, targets: Targets) -> TargetForm {
        if self.version() == Version::V1_3 {
            let user_ids = Some(targets.users).filter(|list| !list.is_empty());
            let list_ids = Some(targets.contact_lists).filter(|list| !list.is_empty());
            TargetForm {
                user_ids: user_ids.map(|user_id| UserIdList { user_id }),
                list_ids: list_ids.map(|contact_list| ContactListIdList { contact_list }),
                ..TargetForm::default()
            }
        } else {
            let user = |id: Text| User {
                user_id: Some(id),
                ..User::default()
            };
            TargetForm {
                users: targets.users.into_iter().map(user).collect(),
                lists: targets.contact_lists,
                ..TargetForm::default()
            }
        }
    }
}

#[derive(Default)]
struct TargetForm {
    user_ids: Option<UserIdList>,
    list_ids: Option<ContactListIdList>,
    users: Vec<User>,
    lists: Vec<Text>,
}

impl Targets {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// And this user.
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.users.push(Text::new(user));
        self
    }

    /// And everybody in this own contact list.
    pub fn contact_list(mut self, list: impl AsRef<str>) -> Self {
        self.contact_lists.push(Text::new(list));
        self
    }
}

/// A user.
impl From<&str> for Targets {
    fn from(user: &str) -> Self {
        Self::new().user(user)
    }
}

impl PresenceUpdate {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows or hides that the user is online.
    pub fn online(mut self, online: bool) -> Self {
        self.0.online_status = vec![OnlineStatus {
            qualifier: Some(true),
            presence_value: Some(Text::new(if online { "T" } else { "F" })),
            client_id: None,
        }];
        self
    }

    /// Willingness to communicate.
    pub fn availability(mut self, availability: Availability) -> Self {
        self.0.user_availability = Some(UserAvailability {
            qualifier: Some(true),
            presence_value: Some(Text::new(availability.as_str())),
        });
        self
    }

    /// Free text; an empty one takes it back.
    pub fn status_text(mut self, text: impl AsRef<str>) -> Self {
        self.0.status_text = Some(StatusText {
            qualifier: Some(true),
            presence_value: Some(Text::new(text)),
        });
        self
    }

    /// Mood; `None` takes it back.
    pub fn mood(mut self, mood: Option<Mood>) -> Self {
        self.0.status_mood = Some(StatusMood {
            qualifier: Some(mood.is_some()),
            presence_value: mood.map(|mood| Text::new(mood.as_str())),
        });
        self
    }

    /// Display name.
    pub fn alias(mut self, name: impl AsRef<str>) -> Self {
        self.0.alias = Some(Alias {
            qualifier: Some(true),
            presence_value: Some(Text::new(name)),
        });
        self
    }
}

impl From<PresenceUpdate> for PresenceSubList {
    fn from(update: PresenceUpdate) -> Self {
        update.0
    }
}

impl From<elements::Presence> for Presence {
    fn from(presence: elements::Presence) -> Self {
        let mut lists = presence.presence_sub_list.into_iter();
        let mut attributes = lists.next().unwrap_or_default();
        lists.for_each(|more| merge(&mut attributes, more));
        Self {
            user: presence
                .user_id
                .or(presence.contact_list)
                .map(String::from)
                .unwrap_or_default(),
            attributes,
        }
    }
}

/// 1.3 allows several lists for one user.
fn merge(into: &mut PresenceSubList, more: PresenceSubList) {
    into.online_status.extend(more.online_status);
    into.registration.extend(more.registration);
    into.client_info.extend(more.client_info);
    into.time_zone.extend(more.time_zone);
    into.geo_location.extend(more.geo_location);
    into.address.extend(more.address);
    into.free_text_location.extend(more.free_text_location);
    into.plmn.extend(more.plmn);
    into.comm_cap.extend(more.comm_cap);
    fn keep<T>(into: &mut Option<T>, more: Option<T>) {
        if into.is_none() {
            *into = more;
        }
    }
    keep(&mut into.user_availability, more.user_availability);
    keep(&mut into.preferred_contacts, more.preferred_contacts);
    keep(&mut into.preferred_language, more.preferred_language);
    keep(&mut into.status_text, more.status_text);
    keep(&mut into.status_mood, more.status_mood);
    keep(&mut into.alias, more.alias);
    keep(&mut into.status_content, more.status_content);
    keep(&mut into.contact_info, more.contact_info);
    keep(&mut into.info_link, more.info_link);
}

impl Presence {
    /// Whether any client of the user is online; `None` when nothing is said or known.
    pub fn online(&self) -> Option<bool> {
        let mut known = self
            .attributes
            .online_status
            .iter()
            .filter_map(|status| valid(status.qualifier, &status.presence_value))
            .peekable();
        known.peek()?;
        Some(known.any(|value| value.eq_ignore_ascii_case("T")))
    }

    /// Willingness to communicate.
    pub fn availability(&self) -> Option<Availability> {
        let attribute = self.attributes.user_availability.as_ref()?;
        Availability::parse(valid(attribute.qualifier, &attribute.presence_value)?)
    }

    /// Free text.
    pub fn status_text(&self) -> Option<&str> {
        let attribute = self.attributes.status_text.as_ref()?;
        valid(attribute.qualifier, &attribute.presence_value)
    }

    /// Mood.
    pub fn mood(&self) -> Option<Mood> {
        let attribute = self.attributes.status_mood.as_ref()?;
        Mood::parse(valid(attribute.qualifier, &attribute.presence_value)?)
    }

    /// Display name.
    pub fn alias(&self) -> Option<&str> {
        let attribute = self.attributes.alias.as_ref()?;
        valid(attribute.qualifier, &attribute.presence_value)
    }
}

/// A value counts unless its Qualifier is F (csp-presence 3.2).
fn valid(qualifier: Option<bool>, value: &Option<Text>) -> Option<&str> {
    value.as_deref().filter(|_| qualifier != Some(false))
}
