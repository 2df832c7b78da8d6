//! A PresenceSubList that only names attributes (csp-presence 3.1 use 1).

use crate::elements::PresenceSubList;
use hamlet_model::presence::{AttributeName as Name, AttributeSet};

impl PresenceSubList {
    /// A list of empty elements. Attributes of other namespaces are not among them: which they
    /// are is not known.
    pub fn naming(attributes: AttributeSet) -> Self {
        fn one<T: Default>(named: bool) -> Vec<T> {
            Vec::from_iter(named.then(T::default))
        }
        fn it<T: Default>(named: bool) -> Option<T> {
            named.then(T::default)
        }
        let has = |name| attributes.contains(name);
        Self {
            online_status: one(has(Name::OnlineStatus)),
            registration: one(has(Name::Registration)),
            client_info: one(has(Name::ClientInfo)),
            time_zone: one(has(Name::TimeZone)),
            geo_location: one(has(Name::GeoLocation)),
            address: one(has(Name::Address)),
            free_text_location: one(has(Name::FreeTextLocation)),
            plmn: one(has(Name::PLMN)),
            comm_cap: one(has(Name::CommCap)),
            user_availability: it(has(Name::UserAvailability)),
            preferred_contacts: it(has(Name::PreferredContacts)),
            preferred_language: it(has(Name::PreferredLanguage)),
            status_text: it(has(Name::StatusText)),
            status_mood: it(has(Name::StatusMood)),
            alias: it(has(Name::Alias)),
            status_content: it(has(Name::StatusContent)),
            contact_info: it(has(Name::ContactInfo)),
            info_link: it(has(Name::InfoLink)),
            foreign: Vec::new(),
        }
    }

    /// The attributes of CSP that the list names, whatever their content.
    pub fn named(&self) -> AttributeSet {
        [
            (Name::OnlineStatus, !self.online_status.is_empty()),
            (Name::Registration, !self.registration.is_empty()),
            (Name::ClientInfo, !self.client_info.is_empty()),
            (Name::TimeZone, !self.time_zone.is_empty()),
            (Name::GeoLocation, !self.geo_location.is_empty()),
            (Name::Address, !self.address.is_empty()),
            (Name::FreeTextLocation, !self.free_text_location.is_empty()),
            (Name::PLMN, !self.plmn.is_empty()),
            (Name::CommCap, !self.comm_cap.is_empty()),
            (Name::UserAvailability, self.user_availability.is_some()),
            (Name::PreferredContacts, self.preferred_contacts.is_some()),
            (Name::PreferredLanguage, self.preferred_language.is_some()),
            (Name::StatusText, self.status_text.is_some()),
            (Name::StatusMood, self.status_mood.is_some()),
            (Name::Alias, self.alias.is_some()),
            (Name::StatusContent, self.status_content.is_some()),
            (Name::ContactInfo, self.contact_info.is_some()),
            (Name::InfoLink, self.info_link.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, named)| named.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_is_made_to_name_it_names() {
        for name in AttributeSet::STANDARD.iter() {
            let alone = AttributeSet::from_iter([name]);
            assert_eq!(PresenceSubList::naming(alone).named(), alone);
        }
        let all = PresenceSubList::naming(AttributeSet::ALL);
        assert_eq!(all.named(), AttributeSet::STANDARD);
    }
}
