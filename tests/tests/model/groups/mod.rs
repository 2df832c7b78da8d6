//! Groups against a reference of their own: joins, leaves, messages and whispers, push, notify
//! and pull, ends of sessions, restarts and kills. Whoever has joined gets each message that
//! is for him, in the order of the group's log, until he has acknowledged it, and never again.

mod reference;
mod steps;
mod talk;

use crate::Run;
use crate::driver::{brief, ensure};
use crate::exchange::{carry, restart};
use crate::groups::reference::Model;
use crate::groups::steps::{GROUPS, Step, steps};
use crate::host::{Host, PASSWORD, Place};
use crate::phone::Phone;
use crate::reference::address;
use crate::steps::{CLIENTS, Fault, clients_of, dialect, user_of};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;

/// A run.
pub struct Groups {
    host: Host,
    model: Model,
    phones: Vec<Phone>,
    /// Numbers texts and transactions.
    last: u64,
}

fn group_id(group: usize) -> String {
    format!("wv:user0/room{group}@h")
}

/// The name of a client in every group.
fn screen_name(client: usize, group: usize) -> String {
    let group = group_id(group);
    format!("<ScreenName><SName>c{client}</SName><GroupID>{group}</GroupID></ScreenName>")
}

impl Run for Groups {
    type Step = Step;

    fn steps(seed: u64, count: usize) -> Vec<Step> {
        steps(seed, count)
    }

    async fn start(place: Place, store: Option<&str>, seed: u64) -> Self {
        let host = Host::start(place, store).await;
        let mut owner = Client::connect(host.address(), Version::V1_2, Syntax::Xml).await;
        owner.client_id = "WV:setup".to_owned();
        let login = owner.login_with_password(&address(0), PASSWORD).await;
        login.expect_code(200);
        for group in (0..GROUPS).map(group_id) {
            let create = format!(
                "<CreateGroup-Request><GroupID>{group}</GroupID><GroupProperties><Property>\
                 <Name>PrivateMessaging</Name><Value>T</Value></Property></GroupProperties>\
                 <JoinGroup>F</JoinGroup><SubscribeNotification>F</SubscribeNotification>\
                 </CreateGroup-Request>"
            );
            owner.request(&create).await.expect_code(200);
        }
        owner.request("<Logout-Request/>").await.expect_code(200);
        let mut phones = Vec::with_capacity(CLIENTS);
        for client in 0..CLIENTS {
            let (version, syntax) = dialect(client, seed);
            phones.push(Phone::new(client, host.address(), version, syntax).await);
        }
        Self {
            host,
            model: Model::default(),
            phones,
            last: 0,
        }
    }

    async fn stop(mut self) {
        self.host.stop().await;
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Login { client, fresh } => self.login(*client, *fresh).await,
            Step::Logout { client } => self.logout(*client).await,
            Step::EndSessions { user } => {
                if clients_of(*user).any(|client| self.model.live[client]) {
                    self.host.end_sessions(*user).await;
                    clients_of(*user).for_each(|client| self.model.session(client, false));
                }
                Ok(())
            }
            Step::AllSessionsExpire => {
                if self.host.expire_sessions().await {
                    (0..CLIENTS).for_each(|client| self.model.session(client, false));
                }
                Ok(())
            }
            Step::Restart => {
                restart(&mut self.host, &mut self.phones).await;
                self.model.restarted();
                Ok(())
            }
            Step::Join {
                client,
                group,
                fault,
            } => self.join(*client, *group, *fault).await,
            Step::Leave {
                client,
                group,
                fault,
            } => self.leave(*client, *group, *fault).await,
            Step::Say {
                client,
                group,
                only,
                fault,
            } => self.say(*client, *group, *only, *fault).await,
            Step::Together { clients, group } => self.together(clients, *group).await,
            Step::Poll { client, fault } => self.poll(*client, *fault).await,
            Step::Answer { client, how, fault } => self.answer(*client, *how, *fault).await,
            Step::Drain { client } => self.drain(*client).await,
            Step::Method {
                client,
                group,
                notify,
            } => self.method(*client, *group, *notify).await,
            Step::List { client } => self.list(*client).await,
            Step::Pull {
                client,
                nth,
                acknowledge,
                fault,
            } => self.pull(*client, *nth, *acknowledge, *fault).await,
            Step::Reject { client, nth, fault } => self.reject(*client, *nth, *fault).await,
            Step::Forward {
                client,
                nth,
                group,
                fault,
            } => self.forward(*client, *nth, *group, *fault).await,
            Step::Block { client, user, add } => self.block(*client, *user, *add).await,
            Step::Settle => self.settle().await,
        }
    }
}

impl Groups {
    fn next_id(&mut self) -> String {
        self.last += 1;
        format!("r{}", self.last)
    }

    /// A request of a client with a session, through the fault.
    async fn request(
        &mut self,
        client: usize,
        content: &str,
        fault: Fault,
    ) -> Result<Answer, String> {
        let id = self.next_id();
        self.exchange(
            client,
            ("Request", Some(id.as_str())),
            content,
            fault,
            |_| (),
        )
        .await
    }

    /// One transaction; `done` is noted before what came in an answer that was lost is looked
    /// at.
    async fn exchange(
        &mut self,
        client: usize,
        transaction: (&str, Option<&str>),
        content: &str,
        fault: Fault,
        done: impl FnOnce(&mut Model) + Send,
    ) -> Result<Answer, String> {
        let what = (transaction, content);
        let carried = carry(&mut self.host, &mut self.phones, client, what, fault).await;
        if carried.killed {
            self.model.restarted();
        }
        done(&mut self.model);
        if let Some(lost) = carried.lost {
            self.check(client, &lost)?;
        }
        Ok(carried.answer)
    }

    /// A request that is answered by this code.
    async fn simple(
        &mut self,
        client: usize,
        content: &str,
        fault: Fault,
        code: u16,
    ) -> Result<(), String> {
        let answer = self.request(client, content, fault).await?;
        ensure!(
            answer.code() == Some(code),
            "{content}: {} instead of {code}",
            brief(&answer)
        );
        Ok(())
    }

    async fn login(&mut self, client: usize, fresh: bool) -> Result<(), String> {
        let was_live = self.model.live[client];
        let phone = &mut self.phones[client];
        let before = phone.client.session.clone();
        let answer = phone.login(fresh).await;
        ensure!(answer.code() == Some(200), "login: {}", brief(&answer));
        if phone.client.session == before {
            ensure!(was_live && !fresh, "a session that is over goes on");
            phone.lapse();
            return Ok(());
        }
        phone.begin();
        self.model.session(client, true);
        Ok(())
    }

    async fn logout(&mut self, client: usize) -> Result<(), String> {
        if self.model.live[client] {
            self.simple(client, "<Logout-Request/>", Fault::None, 200)
                .await?;
            self.model.session(client, false);
        }
        Ok(())
    }

    async fn join(&mut self, client: usize, group: usize, fault: Fault) -> Result<(), String> {
        if !self.model.live[client] {
            return Ok(());
        }
        let content = format!(
            "<JoinGroup-Request><GroupID>{}</GroupID>{}<JoinedRequest>F</JoinedRequest>\
             <SubscribeNotification>F</SubscribeNotification></JoinGroup-Request>",
            group_id(group),
            screen_name(client, group)
        );
        if self.model.has_joined(client, group) {
            return self.simple(client, &content, fault, 807).await;
        }
        let answer = self.request(client, &content, fault).await?;
        ensure!(
            answer.primitive().name == "JoinGroup-Response",
            "{}",
            brief(&answer)
        );
        self.model.join(client, group);
        Ok(())
    }

    async fn leave(&mut self, client: usize, group: usize, fault: Fault) -> Result<(), String> {
        if !self.model.live[client] {
            return Ok(());
        }
        let id = group_id(group);
        let content = format!("<LeaveGroup-Request><GroupID>{id}</GroupID></LeaveGroup-Request>");
        let code = match self.model.has_joined(client, group) {
            true => 200,
            false => 808,
        };
        self.simple(client, &content, fault, code).await?;
        self.model.leave(client, group);
        Ok(())
    }

    async fn method(
        &mut self,
        client: usize,
        group: Option<usize>,
        notify: bool,
    ) -> Result<(), String> {
        if !self.model.live[client] {
            return Ok(());
        }
        let method = if notify { "N" } else { "P" };
        let of = group.map_or(String::new(), |group| {
            format!("<GroupID>{}</GroupID>", group_id(group))
        });
        let content = format!(
            "<SetDeliveryMethod-Request><DeliveryMethod>{method}</DeliveryMethod>{of}</SetDeliveryMethod-Request>"
        );
        if group.is_some_and(|group| !self.model.has_joined(client, group)) {
            return self.simple(client, &content, Fault::None, 808).await;
        }
        self.simple(client, &content, Fault::None, 200).await?;
        self.model.method(client, group, notify);
        // From then on it may be told of something, and leave that unanswered.
        self.phones[client].quiet |= notify;
        Ok(())
    }

    async fn block(&mut self, client: usize, user: usize, add: bool) -> Result<(), String> {
        if !self.model.live[client] {
            return Ok(());
        }
        let change = if add { "AddList" } else { "RemoveList" };
        let entities = format!("<{change}><UserID>{}</UserID></{change}>", address(user));
        let list = match self.phones[client].client.version {
            Version::V1_3 => {
                format!("<BlockList>{entities}</BlockList><BlockListInUse>T</BlockListInUse>")
            }
            _ => format!("<BlockList><InUse>T</InUse>{entities}</BlockList>"),
        };
        let content = format!("<BlockEntity-Request>{list}</BlockEntity-Request>");
        self.simple(client, &content, Fault::None, 200).await?;
        self.model.block(user_of(client), user, add);
        Ok(())
    }
}
