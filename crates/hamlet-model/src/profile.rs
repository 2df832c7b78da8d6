//! What is known of a user beside his presence: the public profile of 1.3 (data-types 4.4),
//! what else search elements ask for (data-types 5), and whether he may be found.

use crate::msisdn;
use serde::{Deserialize, Serialize};

/// Longest text of a profile, characters (data-types 4.4).
pub const MAX_TEXT: usize = 255;

/// Largest age that is believed, years.
pub const MAX_AGE: u32 = 150;

/// The property by which a user says whether he wants to be found; nobody else sees it
/// (csp-access 11.1).
const FINDABLE: &str = "X_FINDABLE";

/// The profile of a user. What he has not said is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The name that others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    /// Years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u32>,
    /// Gender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// Marital status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marital_status: Option<MaritalStatus>,
    /// ISO 3166 code, or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// What he looks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intention: Option<String>,
    /// Interests and hobbies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interests: Option<String>,
    /// Anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_text: Option<String>,
    /// First name; searched, never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name; searched, never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address; searched, never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone number in the form of [`msisdn::normalise`]; searched, never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// He does not want to be found by any search.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unfindable: bool,
}

macro_rules! letters {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $letter:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $letter)] $variant,)* }

        impl $name {
            /// The letter that stands for it.
            pub fn letter(self) -> &'static str {
                match self { $(Self::$variant => $letter,)* }
            }

            /// What a letter stands for, in either case.
            pub fn from_letter(text: &str) -> Option<Self> {
                match text.to_ascii_uppercase().as_str() {
                    $($letter => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

letters! {
    /// PP_GENDER.
    Gender {
        /// Male.
        Male = "M",
        /// Female.
        Female = "F",
        /// Undisclosed.
        Undisclosed = "U",
    }
}

letters! {
    /// PP_MARITAL_STATUS.
    MaritalStatus {
        /// Cohabitant.
        Cohabitant = "C",
        /// Divorced.
        Divorced = "D",
        /// Engaged.
        Engaged = "E",
        /// Married.
        Married = "M",
        /// Single.
        Single = "S",
        /// Undisclosed.
        Undisclosed = "U",
        /// Widowed.
        Widowed = "W",
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $property:expr;)*) => {
        /// A field of a profile.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProfileField { $($(#[$doc])* $variant,)* }

        impl ProfileField {
            /// Every field; the public profile first.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name by which an operator calls it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name of its property in the public profile; `None` for what is not public.
            pub fn property(self) -> Option<&'static str> {
                match self { $(Self::$variant => $property,)* }
            }
        }
    };
}

fields! {
    /// See [`Profile::friendly_name`].
    FriendlyName, "friendly-name", Some("PP_FRIENDLY_NAME");
    /// See [`Profile::age`].
    Age, "age", Some("PP_AGE");
    /// See [`Profile::gender`].
    Gender, "gender", Some("PP_GENDER");
    /// See [`Profile::marital_status`].
    MaritalStatus, "marital-status", Some("PP_MARITAL_STATUS");
    /// See [`Profile::country`].
    Country, "country", Some("PP_COUNTRY");
    /// See [`Profile::city`].
    City, "city", Some("PP_CITY");
    /// See [`Profile::intention`].
    Intention, "intention", Some("PP_INTENTION");
    /// See [`Profile::interests`].
    Interests, "interests", Some("PP_INTERESTS");
    /// See [`Profile::free_text`].
    FreeText, "free-text", Some("PP_FREE_TEXT");
    /// See [`Profile::first_name`].
    FirstName, "first-name", None;
    /// See [`Profile::last_name`].
    LastName, "last-name", None;
    /// See [`Profile::email`].
    Email, "email", None;
    /// See [`Profile::mobile`].
    Mobile, "mobile", None;
    /// See [`Profile::unfindable`]: `no` for somebody who does not want to be found.
    Findable, "findable", None;
}

impl ProfileField {
    /// The field that an operator calls so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// The field of a property that its user may set, in any case (data-types 2): those of
    /// the public profile, and whether he is found.
    pub fn from_property(name: &str) -> Option<Self> {
        let is_it = |field: &Self| {
            let own = match field {
                Self::Findable => Some(FINDABLE),
                public => public.property(),
            };
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        Self::ALL.iter().copied().find(is_it)
    }

    /// What its values look like, for people.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Age => "a number of years up to 150",
            Self::Gender => "M, F or U",
            Self::MaritalStatus => "C, D, E, M, S, U or W",
            Self::Email => "an address with an @",
            Self::Mobile => "a phone number of at most 15 digits",
            Self::Findable => "yes or no",
            _ => "a text of at most 255 characters",
        }
    }
}

/// A value that a field cannot have (status 702).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} takes {}", .0.name(), .0.expected())]
pub struct BadValue(pub ProfileField);

impl Profile {
    /// Sets a field from its text form; an empty text removes what is there. Local phone
    /// numbers are completed with `country_code` ([`msisdn::normalise`]).
    pub fn set(
        &mut self,
        field: ProfileField,
        text: &str,
        country_code: &str,
    ) -> Result<(), BadValue> {
        let text = text.trim();
        let bad = BadValue(field);
        let is_plain = |text: &str| {
            text.chars().count() <= MAX_TEXT
                && !text.contains(|c: char| c.is_control() && c != '\n')
        };
        if !is_plain(text) {
            return Err(bad);
        }
        let given = (!text.is_empty()).then_some(text);
        match field {
            ProfileField::Age => self.age = given.map(|text| age(text).ok_or(bad)).transpose()?,
            ProfileField::Gender => {
                let gender = given.map(|text| Gender::from_letter(text).ok_or(bad));
                self.gender = gender.transpose()?;
            }
            ProfileField::MaritalStatus => {
                let status = given.map(|text| MaritalStatus::from_letter(text).ok_or(bad));
                self.marital_status = status.transpose()?;
            }
            ProfileField::Mobile => {
                let number = given.map(|text| msisdn::normalise(text, country_code).ok_or(bad));
                self.mobile = number.transpose()?;
            }
            ProfileField::Email => {
                if given
                    .is_some_and(|text| !text.contains('@') || text.contains(char::is_whitespace))
                {
                    return Err(bad);
                }
                self.email = given.map(str::to_owned);
            }
            ProfileField::Findable => {
                self.unfindable = match text.to_ascii_lowercase().as_str() {
                    "" | "yes" | "true" | "t" => false,
                    "no" | "false" | "f" => true,
                    _ => return Err(bad),
                };
            }
            ProfileField::FriendlyName
            | ProfileField::Country
            | ProfileField::City
            | ProfileField::Intention
            | ProfileField::Interests
            | ProfileField::FreeText
            | ProfileField::FirstName
            | ProfileField::LastName => {
                if let Some(place) = self.text_mut(field) {
                    *place = given.map(str::to_owned);
                }
            }
        }
        Ok(())
    }

    /// The text form of a field; `None` when it is not set.
    pub fn get(&self, field: ProfileField) -> Option<String> {
        match field {
            ProfileField::FriendlyName => self.friendly_name.clone(),
            ProfileField::Age => self.age.map(|years| years.to_string()),
            ProfileField::Gender => self.gender.map(|gender| gender.letter().to_owned()),
            ProfileField::MaritalStatus => self.marital_status.map(|m| m.letter().to_owned()),
            ProfileField::Country => self.country.clone(),
            ProfileField::City => self.city.clone(),
            ProfileField::Intention => self.intention.clone(),
            ProfileField::Interests => self.interests.clone(),
            ProfileField::FreeText => self.free_text.clone(),
            ProfileField::FirstName => self.first_name.clone(),
            ProfileField::LastName => self.last_name.clone(),
            ProfileField::Email => self.email.clone(),
            ProfileField::Mobile => self.mobile.clone(),
            ProfileField::Findable => Some(if self.unfindable { "no" } else { "yes" }.to_owned()),
        }
    }

    /// Only what others may see.
    pub fn public(&self) -> Self {
        Self {
            first_name: None,
            last_name: None,
            email: None,
            mobile: None,
            unfindable: false,
            ..self.clone()
        }
    }

    /// Removes the public profile; the rest stays.
    pub fn clear_public(&mut self) {
        *self = Self {
            first_name: self.first_name.take(),
            last_name: self.last_name.take(),
            email: self.email.take(),
            mobile: self.mobile.take(),
            unfindable: self.unfindable,
            ..Self::default()
        };
    }

    fn text_mut(&mut self, field: ProfileField) -> Option<&mut Option<String>> {
        Some(match field {
            ProfileField::FriendlyName => &mut self.friendly_name,
            ProfileField::Country => &mut self.country,
            ProfileField::City => &mut self.city,
            ProfileField::Intention => &mut self.intention,
            ProfileField::Interests => &mut self.interests,
            ProfileField::FreeText => &mut self.free_text,
            ProfileField::FirstName => &mut self.first_name,
            ProfileField::LastName => &mut self.last_name,
            _ => return None,
        })
    }
}

fn age(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|digit| digit.is_ascii_digit());
    let years = text.parse().ok().filter(|years| *years <= MAX_AGE);
    years.filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_take_what_they_are_for_and_give_it_back() {
        let long = "x".repeat(256);
        for (field, given, expected) in [
            (ProfileField::FriendlyName, " Mikko M. ", Some("Mikko M.")),
            (ProfileField::City, "", Some("")),
            (ProfileField::City, &long, None),
            (ProfileField::City, "a\u{7}b", None),
            (ProfileField::FreeText, "two\nlines", Some("two\nlines")),
            (ProfileField::Age, "031", Some("31")),
            (ProfileField::Age, "151", None),
            (ProfileField::Age, "+3", None),
            (ProfileField::Age, "old", None),
            (ProfileField::Gender, "f", Some("F")),
            (ProfileField::Gender, "X", None),
            (ProfileField::MaritalStatus, "W", Some("W")),
            (ProfileField::MaritalStatus, "MM", None),
            (ProfileField::Email, "a@b.example", Some("a@b.example")),
            (ProfileField::Email, "nobody", None),
            (ProfileField::Mobile, "050 123", Some("+35850123")),
            (ProfileField::Mobile, "call me", None),
            (ProfileField::Findable, "no", Some("no")),
            (ProfileField::Findable, "", Some("yes")),
            (ProfileField::Findable, "perhaps", None),
        ] {
            let mut profile = Profile::default();
            let set = profile.set(field, given, "358");
            let got = set.map(|()| profile.get(field).unwrap_or_default());
            let expected = expected.map(str::to_owned).ok_or(BadValue(field));
            assert_eq!(got, expected, "{field:?} {given}");
        }
    }

    #[test]
    fn an_empty_text_removes_and_clearing_leaves_what_is_not_public() {
        let mut profile = Profile::default();
        for field in ProfileField::ALL {
            let value = match field {
                ProfileField::Email => "a@b",
                ProfileField::Gender | ProfileField::MaritalStatus => "M",
                ProfileField::Findable => "no",
                _ => "12",
            };
            profile.set(*field, value, "").unwrap();
        }
        let mut cleared = profile.clone();
        cleared.clear_public();
        for field in ProfileField::ALL {
            let kept = field.property().is_none();
            let value = profile.get(*field).filter(|_| kept);
            assert_eq!(cleared.get(*field), value, "{field:?}");
            profile.set(*field, "", "").unwrap();
        }
        assert_eq!(profile, Profile::default());
    }

    #[test]
    fn names_lead_back_to_their_fields() {
        for field in ProfileField::ALL {
            assert_eq!(ProfileField::from_name(field.name()), Some(*field));
            if let Some(property) = field.property() {
                let lower = property.to_lowercase();
                assert_eq!(ProfileField::from_property(&lower), Some(*field));
            }
        }
        assert_eq!(ProfileField::from_property("first-name"), None);
    }
}
