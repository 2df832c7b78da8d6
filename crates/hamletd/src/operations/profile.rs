//! What others read of a user and find him by.

use super::{Actor, Failure, Operations};
use hamlet_model::{Profile, ProfileField, UserId};

impl Operations {
    /// The profile of a user.
    pub async fn profile(&self, user: &str) -> Result<Profile, Failure> {
        let user = self.home_user(user)?;
        let profile = self.sap.elements().profile(&user).await?;
        profile.ok_or_else(|| Failure::no_account(&user))
    }

    /// Changes fields of a profile, named as [`ProfileField::name`] does; an empty value
    /// removes. All of the changes or none.
    pub async fn set_profile(
        &self,
        by: &Actor,
        user: &str,
        changes: &[(String, String)],
    ) -> Result<UserId, Failure> {
        let set = async {
            let user = self.home_user(user)?;
            let changes = changes
                .iter()
                .map(|(name, value)| Ok((field(name)?, value.clone())))
                .collect::<Result<Vec<_>, Failure>>()?;
            let changed = self.sap.elements().set_profile(&user, changes).await;
            changed.map_err(|refusal| Failure::of(&user, refusal))?;
            Ok(user)
        };
        self.audited(by, "user.profile", &self.target(user), set)
            .await
    }
}

fn field(name: &str) -> Result<ProfileField, Failure> {
    ProfileField::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = ProfileField::ALL.iter().map(|field| field.name()).collect();
        let names = names.join(", ");
        Failure::invalid(format!("there is no field `{name}`; there are {names}"))
    })
}
