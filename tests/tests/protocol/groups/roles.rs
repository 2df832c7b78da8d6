//! Who may do what: the table of csp-group 4 on the wire, in all versions.

use super::{EACH, about, add_members, create, join, property, set, users};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;

/// What somebody is to a group, each alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Owner,
    OwnerJoined,
    Admin,
    AdminJoined,
    Moderator,
    ModeratorJoined,
    Member,
    Joined,
    Anybody,
}

const EVERYBODY: [Who; 9] = [
    Who::Owner,
    Who::OwnerJoined,
    Who::Admin,
    Who::AdminJoined,
    Who::Moderator,
    Who::ModeratorJoined,
    Who::Member,
    Who::Joined,
    Who::Anybody,
];

impl Who {
    fn user(self) -> &'static str {
        match self {
            Self::Owner | Self::OwnerJoined => "alice",
            _ => "bob",
        }
    }

    fn is_joined(self) -> bool {
        use Who::{AdminJoined, Joined, ModeratorJoined, OwnerJoined};
        matches!(self, OwnerJoined | AdminJoined | ModeratorJoined | Joined)
    }
}

/// Others in the group: an ordinary member, a moderator, an administrator; and one who is not.
const OTHERS: [&str; 4] = ["user", "mod", "adm", "stranger"];

/// What each of [`EVERYBODY`] is answered, as csp-group 4 has it. What is done by those who may
/// comes in an order in which nothing is in the way of what comes after it.
const TABLE: &[(&str, [u16; 9])] = &[
    (
        "GetGroupMembers",
        [200, 200, 200, 200, 200, 200, 816, 816, 810],
    ),
    (
        "GetJoinedUsers",
        [808, 200, 808, 200, 808, 200, 808, 200, 808],
    ),
    (
        "GetGroupProps",
        [200, 200, 200, 200, 200, 200, 200, 200, 200],
    ),
    (
        "SetGroupProps",
        [200, 200, 200, 200, 816, 816, 816, 816, 816],
    ),
    (
        "SetOwnProperties",
        [200, 200, 200, 200, 200, 200, 200, 200, 808],
    ),
    (
        "SubscribeNotices",
        [808, 200, 808, 200, 808, 200, 808, 200, 808],
    ),
    ("SendMessage", [808, 200, 808, 200, 808, 200, 808, 200, 808]),
    ("Announce", [200, 200, 200, 200, 427, 427, 427, 427, 427]),
    ("Invite", [200, 200, 200, 200, 200, 200, 808, 200, 808]),
    (
        "InviteMembers",
        [200, 200, 200, 200, 200, 200, 808, 816, 808],
    ),
    ("AddMember", [200, 200, 200, 200, 200, 200, 816, 816, 816]),
    ("UserToUser", [200, 200, 200, 200, 200, 200, 816, 816, 816]),
    ("UserToMod", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("UserToAdmin", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("ModToUser", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("AdminToUser", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("DemoteOwner", [816, 816, 816, 816, 816, 816, 816, 816, 816]),
    ("RejectList", [200, 200, 200, 200, 200, 200, 816, 816, 816]),
    ("RejectUser", [200, 200, 200, 200, 200, 200, 816, 816, 816]),
    ("RejectMod", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("RejectAdmin", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("RemoveUser", [200, 200, 200, 200, 200, 200, 816, 816, 816]),
    ("RemoveMod", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("RemoveAdmin", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
    ("RemoveOwner", [816, 816, 816, 816, 816, 816, 816, 816, 816]),
    ("LeaveGroup", [808, 200, 808, 200, 808, 200, 808, 200, 808]),
    ("DeleteGroup", [200, 200, 200, 200, 816, 816, 816, 816, 816]),
];

/// MemberAccess-Request that gives one user a role.
async fn access(client: &mut Client, group: &str, role: &str, name: &str) -> Answer {
    let list = format!("<UserList><User><UserID>wv:{name}@h</UserID></User></UserList>");
    let roles = match (role, client.version) {
        ("User", Version::V1_3) => list,
        ("User", _) => format!("<Users>{list}</Users>"),
        (role, _) => format!("<{role}>{list}</{role}>"),
    };
    let content =
        format!("<MemberAccess-Request><GroupID>{group}</GroupID>{roles}</MemberAccess-Request>");
    client.request(&content).await
}

async fn remove(client: &mut Client, group: &str, name: &str) -> Answer {
    let list = users(client.version, &[name]);
    let content = format!(
        "<RemoveGroupMembers-Request><GroupID>{group}</GroupID>{list}</RemoveGroupMembers-Request>"
    );
    client.request(&content).await
}

async fn reject(client: &mut Client, group: &str, name: &str) -> Answer {
    let content = format!(
        "<RejectList-Request><GroupID>{group}</GroupID><AddList><UserID>wv:{name}@h</UserID></AddList></RejectList-Request>"
    );
    client.request(&content).await
}

async fn say(client: &mut Client, group: &str, sender: &str) -> Answer {
    let to = format!("<Group><GroupID>{group}</GroupID></Group>");
    let content = format!(
        "<SendMessage-Request><DeliveryReport>F</DeliveryReport><MessageInfo><ContentSize>5</ContentSize>\
         <Recipient>{to}</Recipient>{sender}</MessageInfo><ContentData>hello</ContentData></SendMessage-Request>"
    );
    client.request(&content).await
}

async fn invite(client: &mut Client, group: &str, kind: &str) -> Answer {
    let content = format!(
        "<Invite-Request><InviteID>{kind} {group}</InviteID><InviteType>{kind}</InviteType>\
         <Recipient><User><UserID>wv:stranger@h</UserID></User></Recipient>\
         <GroupID>{group}</GroupID><Validity>600</Validity></Invite-Request>"
    );
    client.request(&content).await
}

/// `None` where the version does not have it.
async fn try_to(operation: &str, client: &mut Client, group: &str) -> Option<Answer> {
    let version = client.version;
    let [user, moderator, admin, stranger] = OTHERS;
    Some(match operation {
        "GetJoinedUsers" if version == Version::V1_1 => return None,
        "InviteMembers" if version == Version::V1_1 => return None,
        "GetGroupMembers" | "GetJoinedUsers" | "GetGroupProps" | "RejectList" | "LeaveGroup"
        | "DeleteGroup" => about(client, operation, group).await,
        "SetGroupProps" => set(client, group, Some(&property("Topic", "Snow")), None).await,
        "SetOwnProperties" => set(client, group, None, Some(&property("ShowID", "F"))).await,
        "SubscribeNotices" => {
            let content = format!(
                "<SubscribeGroupNotice-Request><GroupID>{group}</GroupID>\
                 <SubscribeType>S</SubscribeType></SubscribeGroupNotice-Request>"
            );
            client.request(&content).await
        }
        "SendMessage" => say(client, group, "").await,
        "Announce" => {
            let sender = format!("<Sender><Group><GroupID>{group}</GroupID></Group></Sender>");
            say(client, group, &sender).await
        }
        "Invite" => invite(client, group, "GR").await,
        "InviteMembers" => invite(client, group, "GM").await,
        "AddMember" => add_members(client, group, &[stranger]).await,
        "UserToUser" => access(client, group, "User", user).await,
        "UserToMod" => access(client, group, "Mod", stranger).await,
        "UserToAdmin" => access(client, group, "Admin", stranger).await,
        "ModToUser" => access(client, group, "User", moderator).await,
        "AdminToUser" => access(client, group, "User", admin).await,
        "DemoteOwner" => access(client, group, "User", "alice").await,
        "RejectUser" => reject(client, group, user).await,
        "RejectMod" => reject(client, group, moderator).await,
        "RejectAdmin" => reject(client, group, admin).await,
        "RemoveUser" => remove(client, group, user).await,
        "RemoveMod" => remove(client, group, moderator).await,
        "RemoveAdmin" => remove(client, group, admin).await,
        "RemoveOwner" => remove(client, group, "alice").await,
        other => panic!("{other}"),
    })
}

/// A group of alice's in which somebody is `who`.
async fn prepare(alice: &mut Client, client: &mut Client, who: Who, group: &str) {
    create(alice, group, &[], None).await.expect_status(200);
    roles(alice, group).await;
    let role = match who {
        Who::Admin | Who::AdminJoined => "Admin",
        Who::Moderator | Who::ModeratorJoined => "Mod",
        Who::Member => "User",
        _ => "",
    };
    if !role.is_empty() {
        let given = access(alice, group, role, who.user()).await;
        given.expect_status(200);
    }
    if who.is_joined() {
        let name = who.user();
        join(client, group, name).await.expect("JoinGroup-Response");
    }
}

/// The others are what they were.
async fn roles(alice: &mut Client, group: &str) {
    let [user, moderator, admin, _] = OTHERS;
    for (role, name) in [("User", user), ("Mod", moderator), ("Admin", admin)] {
        access(alice, group, role, name).await.expect_status(200);
    }
}

fn code(answer: &Answer) -> u16 {
    // What answers more than a code has done it.
    answer.code().unwrap_or(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_operations_are_answered_as_the_table_says_in_every_version() {
    for (version, syntax) in EACH {
        let names = [&["alice", "bob"], OTHERS.as_slice()].concat();
        let server = TestServer::with_users(&[], &names).await;
        let mut alice = server.client(Version::V1_2, Syntax::Xml, "alice").await;
        for (at, who) in EVERYBODY.into_iter().enumerate() {
            let group = format!("wv:alice/g{at}@h");
            let mut client = Client::connect(server.address(), version, syntax).await;
            client.client_id = format!("WV:{at}");
            let address = format!("wv:{}@h", who.user());
            let login = client.login_with_password(&address, "secret").await;
            login.expect_code(200);
            prepare(&mut alice, &mut client, who, &group).await;
            for (operation, expected) in TABLE {
                let Some(answer) = try_to(operation, &mut client, &group).await else {
                    continue;
                };
                // csp-im 13: 427 is a code of 1.3.
                let expected = match expected[at] {
                    427 if version < Version::V1_3 => 402,
                    code => code,
                };
                assert_eq!(code(&answer), expected, "{who:?}: {operation} in {version}");
                if operation.contains("To") {
                    roles(&mut alice, &group).await;
                }
            }
            client.request("<Logout-Request/>").await.expect_code(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_restricted_group_shows_its_properties_to_its_own_alone() {
    // csp-group 4: non-joined for open groups or Searchable=T.
    for (version, syntax) in EACH {
        let server = TestServer::with_users(&[], &["alice", "bob"]).await;
        let mut alice = server.client(Version::V1_2, Syntax::Xml, "alice").await;
        let mut bob = server.client(version, syntax, "bob").await;
        for (access, searchable, expected) in [
            ("Open", "F", 200),
            ("Open", "T", 200),
            ("Restricted", "T", 200),
            ("Restricted", "F", 816),
        ] {
            let group = format!("wv:alice/{access}{searchable}@h");
            let properties = [
                ("Name", "Snow"),
                ("Accesstype", access),
                ("Searchable", searchable),
            ];
            create(&mut alice, &group, &properties, None)
                .await
                .expect_status(200);
            let answer = about(&mut bob, "GetGroupProps", &group).await;
            assert_eq!(code(&answer), expected, "{group} {version}");
            add_members(&mut alice, &group, &["bob"])
                .await
                .expect_status(200);
            let answer = about(&mut bob, "GetGroupProps", &group).await;
            assert_eq!(code(&answer), 200, "a member");
        }
    }
}
