//! The subscription to notices (csp-group 5.12).

use super::change::{View, client_of, done};
use super::rights::Operation;
use super::types::{SubscribeGroupNotice, SubscribeType};
use crate::elements::Inner;
use crate::service::{Answer, IdempotenceKey, Requestor, Response};

impl Inner {
    pub(crate) async fn subscribe_group_notice(
        &self,
        requestor: Requestor,
        request: SubscribeGroupNotice,
        key: Option<IdempotenceKey>,
    ) -> Answer {
        if request.kind == SubscribeType::Get {
            return self
                .read_group(move |tx| {
                    let view = View::read(tx, &request.group, &requestor)?;
                    view.check(&requestor.user, Operation::Notices)?;
                    let subscribed = view.joined.is_some_and(|joined| joined.subscribed);
                    Ok(Response::GroupNotices(subscribed))
                })
                .await;
        }
        self.change_group(key, move |tx| {
            let view = View::read(tx, &request.group, &requestor)?;
            view.check(&requestor.user, Operation::Notices)?;
            let (user, client) = (&requestor.user, client_of(&requestor));
            let subscribed = request.kind == SubscribeType::Set;
            tx.set_group_subscribed(&request.group, user, &client, subscribed)?;
            Ok((done(), Vec::new()))
        })
        .await
    }
}
