//! GetWatcherList (csp-presence 5): in 1.1 users, in 1.2 watchers with users, in 1.3 watchers
//! with addresses, their own names, and their number.

use super::Facts;
use super::result::text_of;
use hamlet_csp::elements::{
    GetWatcherListRequest, GetWatcherListResponse, Primitive, User, Watcher as Element,
    WatcherStatus as Status,
};
use hamlet_csp::{Text, Version};
use hamlet_elements::presence::{GetWatchers, Watcher, WatcherStatus, Watchers};

/// Reads GetWatcherList-Request; the number 0 sets no limit.
pub fn get(request: &GetWatcherListRequest) -> GetWatchers {
    GetWatchers {
        history: request.history_period,
        max: request.max_watcher_list.filter(|max| *max > 0),
    }
}

/// GetWatcherList-Response. `counted`: the request set a limit.
pub fn response(watchers: &Watchers, counted: bool, facts: &Facts<'_>) -> Primitive {
    let user = |watcher: &Watcher| User {
        user_id: Some(text_of(&watcher.user)),
        ..User::default()
    };
    let all = watchers.watchers.iter();
    let response = match facts.version {
        Version::V1_1 => GetWatcherListResponse {
            user: all
                .filter(|watcher| watcher.status == WatcherStatus::Current)
                .map(user)
                .collect(),
            ..GetWatcherListResponse::default()
        },
        Version::V1_2 => GetWatcherListResponse {
            history_period: watchers.history,
            watcher: all
                .map(|watcher| Element {
                    user: Some(user(watcher)),
                    watcher_status: Some(status(watcher.status)),
                    ..Element::default()
                })
                .collect(),
            ..GetWatcherListResponse::default()
        },
        Version::V1_3 => GetWatcherListResponse {
            history_period: watchers.history,
            watcher_count: counted.then_some(watchers.total),
            watcher: all
                .map(|watcher| Element {
                    user_id: Some(text_of(&watcher.user)),
                    friendly_name: watcher.name.as_deref().map(Text::new),
                    watcher_status: Some(status(watcher.status)),
                    ..Element::default()
                })
                .collect(),
            ..GetWatcherListResponse::default()
        },
    };
    Primitive::GetWatcherListResponse(Box::new(response))
}

fn status(status: WatcherStatus) -> Status {
    match status {
        WatcherStatus::Current => Status::CurrentSubscriber,
        WatcherStatus::Former => Status::FormerSubscriber,
        WatcherStatus::Access => Status::PresenceAccess,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_profile::ClientFamily::Standard;
    use crate::mapping::tests::{facts, home, user};

    #[test]
    fn each_version_has_its_own_form() {
        let home = home();
        let all = Watchers {
            history: Some(60),
            total: 7,
            watchers: vec![
                Watcher {
                    user: user("bob"),
                    status: WatcherStatus::Current,
                    name: Some("Bob".into()),
                },
                Watcher {
                    user: user("carol"),
                    status: WatcherStatus::Access,
                    name: None,
                },
            ],
        };
        let written = |version, counted| {
            let facts = facts(version, &home, Standard);
            match response(&all, counted, &facts) {
                Primitive::GetWatcherListResponse(response) => *response,
                other => panic!("{other:?}"),
            }
        };
        let old = written(Version::V1_1, true);
        assert_eq!((old.user.len(), old.watcher.len()), (1, 0));
        assert_eq!((old.history_period, old.watcher_count), (None, None));
        let middle = written(Version::V1_2, true);
        assert_eq!(
            (middle.history_period, middle.watcher_count),
            (Some(60), None)
        );
        assert!(middle.watcher.iter().all(|watcher| watcher.user.is_some()));
        let new = written(Version::V1_3, true);
        assert_eq!(new.watcher_count, Some(7));
        assert_eq!(new.watcher[0].friendly_name.as_deref(), Some("Bob"));
        assert_eq!(new.watcher[1].watcher_status, Some(Status::PresenceAccess));
        assert_eq!(written(Version::V1_3, false).watcher_count, None);
    }

    #[test]
    fn no_limit_and_the_limit_0_are_the_same() {
        for (max, expected) in [(None, None), (Some(0), None), (Some(3), Some(3))] {
            let request = GetWatcherListRequest {
                history_period: Some(5),
                max_watcher_list: max,
            };
            assert_eq!(get(&request).max, expected);
        }
    }
}
