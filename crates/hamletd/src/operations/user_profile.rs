//! User profiles: what users are subscribed to, allow and prefer.

use super::{Actor, Failure, Operations};
use hamlet_model::{UserId, UserProfileChange};
use hamlet_sap::WholeUserProfile;

impl Operations {
    /// The user profile of a user.
    pub async fn user_profile(&self, user: &str) -> Result<WholeUserProfile, Failure> {
        let user = self.home_user(user)?;
        let profile = self.sap.user_profile(&user).await;
        profile.map_err(|refusal| Failure::of(&user, refusal))
    }

    /// Changes the user profile of a user: all of the changes or none.
    pub async fn change_user_profile(
        &self,
        by: &Actor,
        user: &str,
        change: UserProfileChange,
        findable: Option<bool>,
    ) -> Result<UserId, Failure> {
        let work = async {
            let user = self.home_user(user)?;
            let changed = self.sap.change_user_profile(&user, change, findable).await;
            changed.map_err(|refusal| Failure::of(&user, refusal))?;
            Ok(user)
        };
        let target = self.target(user);
        self.audited(by, "user.user-profile", &target, work).await
    }

    /// Whether an application may read and change the user profile of a user. Who may not
    /// does not learn whether the user exists.
    pub async fn may_manage(&self, application: &str, user: &str) -> Result<(), Failure> {
        let application = hamlet_model::ApplicationId::new(application);
        let found = self.sap.application(&application).await;
        let found = found.map_err(|refusal| Failure::of_application(&application, refusal))?;
        let forbidden = || Failure::forbidden("the application may not do this for this user");
        let user = self.home_user(user).map_err(|_| forbidden())?;
        let grants = found.is_some_and(|found| found.active && found.profiles);
        let acts = self.sap.acts_for(&application, &user).await;
        let acts = acts.map_err(|refusal| Failure::of_application(&application, refusal))?;
        match grants && acts {
            true => Ok(()),
            false => Err(forbidden()),
        }
    }
}
