//! VerifyID-Request (csp-access 11.2).

use super::Facts;
use hamlet_csp::Text;
use hamlet_csp::elements::VerifyIdRequest;
use hamlet_elements::verify::VerifyIds;
use hamlet_model::refusal::GivenScreenName;
use hamlet_model::{ContactListId, GroupId, UserId};

/// Reads VerifyID-Request. Empty elements name nothing.
pub fn request(request: &VerifyIdRequest, facts: &Facts<'_>) -> VerifyIds {
    let mut verify = VerifyIds::default();
    let Some(ids) = &request.id_list else {
        return verify;
    };
    let given = |text: &&Text| !text.is_empty();
    for text in ids.user_id.iter().filter(given) {
        match UserId::parse(text, facts.home) {
            Ok(user) => verify.users.push(user),
            Err(_) => verify.malformed_users.push(text.to_string()),
        }
    }
    for text in ids.contact_list.iter().filter(given) {
        match ContactListId::parse(text, facts.home) {
            Ok(list) => verify.contact_lists.push(list),
            Err(_) => verify.malformed_lists.push(text.to_string()),
        }
    }
    for text in ids.group_id.iter().filter(given) {
        match GroupId::parse(text, facts.home) {
            Ok(group) => verify.groups.push(group),
            Err(_) => verify.malformed_groups.push(text.to_string()),
        }
    }
    let text = |text: &Option<Text>| text.as_deref().unwrap_or("").to_owned();
    let names = ids.screen_name.iter().map(|name| GivenScreenName {
        name: text(&name.sname),
        group: text(&name.group_id),
    });
    verify.screen_names = names.collect();
    let domains = ids.domain.iter().filter(given).map(ToString::to_string);
    verify.domains = domains.collect();
    verify
}
