//! Public profiles: GetPublicProfile, UpdatePublicProfile (csp-access 11.1; data-types 4.4).

use super::Facts;
use super::result::{self, text_of};
use hamlet_csp::Text;
use hamlet_csp::elements::{
    GetPublicProfileRequest, GetPublicProfileResponse, Primitive, Property, PublicProfile,
    UpdatePublicProfileRequest,
};
use hamlet_elements::profile::{
    GetPublicProfiles, PublicProfiles, UpdatePublicProfile, UserProfile,
};
use hamlet_model::{ProfileField, Refusal, StatusCode, UserId};

/// Reads GetPublicProfile-Request. Empty elements name nobody.
pub fn get(request: &GetPublicProfileRequest, facts: &Facts<'_>) -> GetPublicProfiles {
    let mut get = GetPublicProfiles {
        users: Vec::new(),
        malformed: Vec::new(),
    };
    for text in request.user_id.iter().filter(|text| !text.is_empty()) {
        match UserId::parse(text, facts.home) {
            Ok(user) => get.users.push(user),
            Err(_) => get.malformed.push(text.to_string()),
        }
    }
    get
}

/// Reads UpdatePublicProfile-Request.
pub fn update(
    request: &UpdatePublicProfileRequest,
    facts: &Facts<'_>,
) -> Result<UpdatePublicProfile, Refusal> {
    let clear = request.clear_public_profile.unwrap_or(false);
    let profile = request.public_profile.as_ref();
    if profile.is_none() && !clear {
        let why = "There is neither a profile nor one to clear";
        return Err(Refusal::because(StatusCode::BAD_REQUEST, why));
    }
    let named = profile.and_then(|profile| profile.user_id.as_ref());
    let user = named.filter(|text| !text.is_empty()).map(|text| {
        // What is no address is not the own one either.
        UserId::parse(text, facts.home).map_err(|_| Refusal::new(StatusCode::UNAUTHORIZED))
    });
    let mut update = UpdatePublicProfile {
        user: user.transpose()?,
        clear,
        changes: Vec::new(),
        unknown: Vec::new(),
    };
    for property in profile.into_iter().flat_map(|profile| &profile.property) {
        let name = property.name.as_ref().map_or("", |name| name.as_str());
        let value = property.value.as_deref().unwrap_or("").to_owned();
        match ProfileField::from_property(name) {
            Some(field) => update.changes.push((field, value)),
            None => update.unknown.push(name.to_owned()),
        }
    }
    Ok(update)
}

/// GetPublicProfile-Response: for a user without profile only his address.
pub fn response(profiles: &PublicProfiles, facts: &Facts<'_>) -> Primitive {
    Primitive::GetPublicProfileResponse(Box::new(GetPublicProfileResponse {
        result: Some(result::result(
            profiles.code(),
            "",
            &profiles.details,
            facts,
        )),
        public_profile: profiles.profiles.iter().map(element).collect(),
    }))
}

/// GetPublicProfile-Response with nothing but a Result (csp-access 1.5).
pub fn refused(refusal: &Refusal, facts: &Facts<'_>) -> Primitive {
    Primitive::GetPublicProfileResponse(Box::new(GetPublicProfileResponse {
        result: Some(result::result(
            refusal.code,
            &refusal.description,
            &refusal.details,
            facts,
        )),
        public_profile: Vec::new(),
    }))
}

fn element(found: &UserProfile) -> PublicProfile {
    let fields = ProfileField::ALL.iter();
    let property = fields.filter_map(|field| {
        Some(Property {
            name: Some(field.property()?.into()),
            value: Some(Text::new(found.profile.get(*field)?)),
        })
    });
    PublicProfile {
        user_id: Some(text_of(&found.user)),
        property: property.collect(),
    }
}
