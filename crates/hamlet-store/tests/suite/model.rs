//! Random sequences of operations against a model that is a few lines of ordinary code.
//! Several users act at once, each with his own data: nobody may notice the others.

use crate::harness::{TestStore, at, list, on_both_engines, user};
use hamlet_model::{ContactListId, UserId};
use hamlet_store::{ContactList, MailboxEntry, MailboxKind, Member, Put, Quota};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::sync::atomic::{AtomicU32, Ordering};

const QUOTA: Quota = Quota {
    messages: 4,
    bytes: 50,
};

#[derive(Debug, Clone)]
enum Act {
    Put { id: u8, report: bool, size: u32 },
    Take { id: u8 },
    CreateList { list: u8, default: bool },
    DeleteList { list: u8 },
    SetDefault { list: u8 },
    PutMember { list: u8, member: u8, named: bool },
    RemoveMember { list: u8, member: u8 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..8u8, prop::bool::weighted(0.2), 0..30u32)
            .prop_map(|(id, report, size)| Act::Put { id, report, size }),
        2 => (0..8u8).prop_map(|id| Act::Take { id }),
        2 => (0..3u8, any::<bool>()).prop_map(|(list, default)| Act::CreateList { list, default }),
        1 => (0..3u8).prop_map(|list| Act::DeleteList { list }),
        1 => (0..3u8).prop_map(|list| Act::SetDefault { list }),
        3 => (0..3u8, 0..4u8, any::<bool>())
            .prop_map(|(list, member, named)| Act::PutMember { list, member, named }),
        1 => (0..3u8, 0..4u8).prop_map(|(list, member)| Act::RemoveMember { list, member }),
    ]
}

/// What one user has.
struct Model {
    owner: UserId,
    mailbox: Vec<MailboxEntry>,
    lists: Vec<(ContactList, Vec<Member>)>,
}

/// What an operation is expected to answer, and what it answered.
#[derive(Debug, PartialEq)]
enum Answer {
    Put(Put),
    Taken(Option<MailboxEntry>),
    Flag(bool),
    Refused,
}

impl Model {
    fn list_id(&self, list_number: u8) -> ContactListId {
        list(&format!("{}/{list_number}", self.owner.user()))
    }

    fn list(&mut self, list: u8) -> Option<&mut (ContactList, Vec<Member>)> {
        let id = self.list_id(list);
        self.lists.iter_mut().find(|(list, _)| list.id == id)
    }

    fn apply(&mut self, act: &Act) -> Answer {
        match *act {
            Act::Put { id, report, size } => {
                let entry = self.entry(id, report, size);
                Answer::Put(self.put(entry))
            }
            Act::Take { id } => {
                let place = self.mailbox.iter().position(|e| e.id == id.to_string());
                Answer::Taken(place.map(|place| self.mailbox.remove(place)))
            }
            Act::CreateList { list, default } => {
                if self.list(list).is_some() {
                    return Answer::Flag(false);
                }
                let made = self.contact_list(list);
                self.lists.push((made, Vec::new()));
                if default {
                    self.apply(&Act::SetDefault { list });
                }
                Answer::Flag(true)
            }
            Act::DeleteList { list } => {
                let (id, before) = (self.list_id(list), self.lists.len());
                self.lists.retain(|(list, _)| list.id != id);
                Answer::Flag(self.lists.len() < before)
            }
            Act::SetDefault { list } => {
                let id = self.list_id(list);
                let found = self.list(list).is_some();
                if found {
                    for (list, _) in &mut self.lists {
                        list.default = list.id == id;
                    }
                }
                Answer::Flag(found)
            }
            Act::PutMember {
                list,
                member,
                named,
            } => {
                let member = new_member(member, named);
                let Some((_, members)) = self.list(list) else {
                    return Answer::Refused;
                };
                match members.iter_mut().find(|known| known.user == member.user) {
                    Some(known) => *known = member,
                    None => members.push(member),
                }
                Answer::Flag(true)
            }
            Act::RemoveMember { list, member } => {
                let user = new_member(member, false).user;
                let Some((_, members)) = self.list(list) else {
                    return Answer::Flag(false);
                };
                let before = members.len();
                members.retain(|member| member.user != user);
                Answer::Flag(members.len() < before)
            }
        }
    }

    fn put(&mut self, entry: MailboxEntry) -> Put {
        if self.mailbox.iter().any(|known| known.id == entry.id) {
            return Put::Duplicate;
        }
        let messages = self
            .mailbox
            .iter()
            .filter(|known| known.kind == MailboxKind::Message);
        let bytes: u32 = messages.clone().map(|known| known.size).sum();
        let full = messages.count() >= QUOTA.messages as usize
            || u64::from(bytes + entry.size) > QUOTA.bytes;
        if entry.kind == MailboxKind::Message && full {
            return Put::Full;
        }
        self.mailbox.push(entry);
        Put::Stored
    }

    fn entry(&self, id: u8, report: bool, size: u32) -> MailboxEntry {
        MailboxEntry {
            recipient: self.owner.clone(),
            id: id.to_string(),
            kind: if report {
                MailboxKind::Report
            } else {
                MailboxKind::Message
            },
            expires: at(i64::from(size)),
            size,
            payload: vec![id; size as usize],
        }
    }

    fn contact_list(&self, list: u8) -> ContactList {
        ContactList {
            id: self.list_id(list),
            display_name: Some(list.to_string()),
            do_not_notify: list == 1,
            default: false,
        }
    }

    /// The same on the store, in a transaction of its own.
    async fn carry_out(&self, store: &TestStore, act: &Act) -> Answer {
        let (owner, store) = (self.owner.clone(), store.store());
        match *act {
            Act::Put { id, report, size } => {
                let entry = self.entry(id, report, size);
                Answer::Put(
                    store
                        .write(move |tx| tx.put_mailbox(&entry, &QUOTA))
                        .await
                        .expect("put"),
                )
            }
            Act::Take { id } => {
                let take = store.write(move |tx| tx.take_mailbox(&owner, &id.to_string()));
                Answer::Taken(take.await.expect("take"))
            }
            Act::CreateList { list, default } => {
                let list = ContactList {
                    default,
                    ..self.contact_list(list)
                };
                flag(store.write(move |tx| tx.create_contact_list(&list)).await)
            }
            Act::DeleteList { list } => {
                let id = self.list_id(list);
                flag(store.write(move |tx| tx.delete_contact_list(&id)).await)
            }
            Act::SetDefault { list } => {
                let id = self.list_id(list);
                flag(store.write(move |tx| tx.set_default_list(&id)).await)
            }
            Act::PutMember {
                list,
                member,
                named,
            } => {
                let (id, member) = (self.list_id(list), new_member(member, named));
                let put = store.write(move |tx| tx.put_member(&id, &member)).await;
                flag(put.map(|()| true))
            }
            Act::RemoveMember { list, member } => {
                let (id, member) = (self.list_id(list), new_member(member, false));
                flag(
                    store
                        .write(move |tx| tx.remove_member(&id, &member.user))
                        .await,
                )
            }
        }
    }

    /// Everything that can be read agrees with the model.
    async fn compare(self, store: &TestStore) {
        let owner = self.owner.clone();
        let (mailbox, lists, contacts) = store
            .read(move |tx| {
                let mut lists = Vec::new();
                for list in tx.contact_lists(&owner)? {
                    let members = tx.members(&list.id)?;
                    assert_eq!(tx.count_members(&list.id)?, members.len());
                    for member in &members {
                        assert!(tx.in_lists_of(&owner, &member.user)?);
                        assert!(tx.lists_with(&member.user)?.contains(&list.id));
                    }
                    lists.push((list, members));
                }
                Ok((tx.mailbox(&owner, 100)?, lists, tx.count_contacts(&owner)?))
            })
            .await;
        assert_eq!(mailbox, self.mailbox);
        assert_eq!(
            contacts,
            lists
                .iter()
                .map(|(_, members)| members.len())
                .sum::<usize>()
        );
        assert_eq!(lists, self.lists);
    }
}

fn new_member(number: u8, named: bool) -> Member {
    Member {
        user: user(&format!("member{number}")),
        nickname: named.then(|| format!("nick {number}")),
    }
}

fn flag(result: Result<bool, hamlet_store::StoreError>) -> Answer {
    match result {
        Ok(flag) => Answer::Flag(flag),
        Err(hamlet_store::StoreError::Constraint(_)) => Answer::Refused,
        Err(other) => panic!("{other}"),
    }
}

/// One user's acts, one after the other.
async fn act_out(store: &TestStore, owner: UserId, acts: &[Act]) {
    let mut model = Model {
        owner,
        mailbox: Vec::new(),
        lists: Vec::new(),
    };
    for act in acts {
        let answer = model.carry_out(store, act).await;
        assert_eq!(answer, model.apply(act), "{act:?}");
    }
    model.compare(store).await;
}

on_both_engines! {
    async fn mailboxes_and_lists_behave_like_their_model(store: &TestStore) {
        static CASE: AtomicU32 = AtomicU32::new(0);
        let acts = || prop::collection::vec(act(), 0..30);
        let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
        let done = tokio::task::block_in_place(|| {
            runner.run(&[acts(), acts(), acts(), acts()], |acts| {
                let case = CASE.fetch_add(1, Ordering::Relaxed);
                let each = |number: usize| act_out(store, user(&format!("case{case}-{number}")), &acts[number]);
                tokio::runtime::Handle::current()
                    .block_on(async { tokio::join!(each(0), each(1), each(2), each(3)) });
                Ok(())
            })
        });
        done.unwrap_or_else(|failure| panic!("{failure}"));
    }
}
