//! Owner, members and server end at every step of a group's life: nobody is joined without a
//! session, no name belongs to nobody, and nobody is in a group that is gone (csp-group 9).

use super::{EACH, GROUP, about, create, join, join_with, take};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;
use std::collections::BTreeSet;
use std::time::Duration;

/// What happens in the life of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Create,
    Join(usize),
    Leave(usize),
    Logout(usize),
    Login(usize),
    Delete,
}

use Step::{Create, Delete, Join, Leave, Login, Logout};

const LIFE: &[Step] = &[
    Create,
    Join(0),
    Join(1),
    Leave(0),
    Join(0),
    Logout(1),
    Login(1),
    Join(1),
    Delete,
    Create,
    Join(1),
    Logout(0),
];

/// How it is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The server is restarted.
    Restart,
    /// It is, and the session of a member ends meanwhile.
    SilenceOf(usize),
    /// All sessions expire.
    Expiry,
    /// The owner deletes the group, and the server is restarted.
    DeleteAndRestart,
}

const ENDS: [End; 5] = [
    End::Restart,
    End::SilenceOf(0),
    End::SilenceOf(1),
    End::Expiry,
    End::DeleteAndRestart,
];

const MEMBERS: [&str; 2] = ["bo", "cy"];

/// The server, its clients, and what there should be.
struct Life {
    server: TestServer,
    owner: Client,
    members: Vec<Client>,
    form: (Version, Syntax),
    exists: bool,
    joined: BTreeSet<usize>,
}

impl Life {
    async fn begin(form: (Version, Syntax)) -> Self {
        let server = TestServer::with_users(&[], &["alice", "bo", "cy", "dan"]).await;
        let owner = server.client(form.0, form.1, "alice").await;
        let mut members = Vec::new();
        for name in MEMBERS {
            members.push(server.client(form.0, form.1, name).await);
        }
        Self {
            server,
            owner,
            members,
            form,
            exists: false,
            joined: BTreeSet::new(),
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Create => {
                let made = create(&mut self.owner, GROUP, &[], None).await;
                made.expect_status(200);
                self.exists = true;
            }
            Delete => {
                about(&mut self.owner, "DeleteGroup", GROUP)
                    .await
                    .expect_status(200);
                self.exists = false;
                for at in std::mem::take(&mut self.joined) {
                    let told = take(&mut self.members[at], "LeaveGroup-Response").await;
                    assert_eq!(told.text("Result/Code"), Some("800"));
                }
            }
            Join(at) => {
                let answer = join_with(&mut self.members[at], GROUP, &name(at), "F", "").await;
                answer.expect("JoinGroup-Response");
                self.joined.insert(at);
            }
            Leave(at) => {
                about(&mut self.members[at], "LeaveGroup", GROUP)
                    .await
                    .expect_code(200);
                self.joined.remove(&at);
            }
            Logout(at) => {
                let over = self.members[at].request("<Logout-Request/>").await;
                over.expect_code(200);
                self.joined.remove(&at);
            }
            Login(at) => {
                let (version, syntax) = self.form;
                self.members[at] = self.server.client(version, syntax, MEMBERS[at]).await;
            }
        }
    }

    async fn end(&mut self, end: End) {
        match end {
            End::Restart => self.server.restart().await,
            End::SilenceOf(at) => {
                let session = self.members[at].session.clone();
                self.server.restart_after_silence_of(&session).await;
                // A restart alone ends nobody at once.
                let some_time = Duration::from_secs(300);
                self.server.sweep_sessions_after(some_time).await;
                self.joined.remove(&at);
            }
            End::Expiry => {
                self.server
                    .sweep_sessions_after(Duration::from_secs(100_000))
                    .await;
                self.joined.clear();
            }
            End::DeleteAndRestart => {
                let gone = about(&mut self.owner, "DeleteGroup", GROUP).await;
                gone.expect_status(if self.exists { 200 } else { 800 });
                self.exists = false;
                self.joined.clear();
                self.server.restart().await;
            }
        }
        self.server.sweep_after(Duration::ZERO).await;
    }

    /// The group is what it should be, and every name that nobody bears can be had.
    async fn check(&mut self, what: &str) {
        let orphans = self.server.store().read(|tx| tx.joined_without_session(9));
        let orphans = orphans.await.expect("a store");
        assert!(orphans.is_empty(), "{what}: {orphans:?}");
        // A session of the owner that is certainly there, in a version that can ask.
        let mut owner = self
            .server
            .client(Version::V1_2, Syntax::Xml, "alice")
            .await;
        let asked = about(&mut owner, "GetGroupProps", GROUP).await;
        let exists = asked.code().is_none();
        assert_eq!(exists, self.exists, "{what}");
        if !exists {
            create(&mut owner, GROUP, &[], None)
                .await
                .expect_status(200);
        }
        let there = join(&mut owner, GROUP, "Ann").await;
        let there = there.expect("JoinGroup-Response");
        let mut expected: Vec<String> = self.joined.iter().map(|at| MEMBERS[*at].into()).collect();
        expected.insert(0, "Ann".to_owned());
        let found = super::joined_names(there, Version::V1_2);
        assert_eq!(found, expected, "{what}");
        let mut dan = self.server.client(Version::V1_2, Syntax::Xml, "dan").await;
        for at in 0..MEMBERS.len() {
            let answer = join_with(&mut dan, GROUP, &name(at), "F", "").await;
            if self.joined.contains(&at) {
                answer.expect_status(811);
            } else {
                answer.expect("JoinGroup-Response");
                about(&mut dan, "LeaveGroup", GROUP).await.expect_code(200);
            }
        }
    }
}

fn name(at: usize) -> String {
    super::screen_name(MEMBERS[at], GROUP)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_at_whatever_step_the_group_is_what_it_should_be() {
    for count in 0..=LIFE.len() {
        for (turn, end) in ENDS.into_iter().enumerate() {
            let form = EACH[(count + turn) % EACH.len()];
            let mut life = Life::begin(form).await;
            for step in &LIFE[..count] {
                life.step(*step).await;
            }
            life.end(end).await;
            life.check(&format!("{end:?} after {count} steps in {form:?}"))
                .await;
        }
    }
}
