//! Block lists that hide presence, where the operator says so (csp-presence 6.8, 7 row 2a).

use crate::presence::{get, notice, subscribe, update, value};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::client::Client;
use hamlet_tests::server::TestServer;

const HIDES: &str = "presence.block_hides=true";

const ASKED: &str = "<OnlineStatus/><StatusText/>";

/// Everybody sees everything, as far as no block list is in the way.
async fn village(settings: &[&str]) -> TestServer {
    let settings = [&["presence.unauthorized=everyone"], settings].concat();
    TestServer::with_users(&settings, &["alice", "bob", "carol"]).await
}

/// Changes the block list of the client's user, in the form of its version.
async fn block(client: &mut Client, in_use: char, changes: &str) {
    let content = match client.version {
        Version::V1_3 => {
            format!("<BlockList>{changes}</BlockList><BlockListInUse>{in_use}</BlockListInUse>")
        }
        _ => format!("<BlockList><InUse>{in_use}</InUse>{changes}</BlockList>"),
    };
    let request = format!("<BlockEntity-Request>{content}</BlockEntity-Request>");
    client.request(&request).await.expect_status(200);
}

const ADD_BOB: &str = "<AddList><UserID>wv:bob@h</UserID></AddList>";
const REMOVE_BOB: &str = "<RemoveList><UserID>wv:bob@h</UserID></RemoveList>";

async fn say(client: &mut Client, text: &str) {
    let status = format!(
        "<StatusText><Qualifier>T</Qualifier><PresenceValue>{text}</PresenceValue></StatusText>"
    );
    update(client, &status).await;
}

/// What a client hears of alice's status text; `?` when it is said to be unknown.
async fn hears(client: &mut Client) -> Option<String> {
    let seen = notice(client, "alice").await?;
    let text = value(&seen, "StatusText");
    let unknown = seen.text("StatusText/Qualifier") == Some("F")
        && seen.text("OnlineStatus/Qualifier") == Some("F");
    assert!(unknown || text.is_some(), "{seen:#?}");
    Some(text.unwrap_or("?").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_sees_nothing_from_that_moment_on_and_sees_again_when_he_is_not() {
    for version in Version::ALL {
        let mut server = village(&[HIDES]).await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        let mut carol = server.client(version, Syntax::Wbxml, "carol").await;
        say(&mut alice, "one").await;
        for watcher in [&mut bob, &mut carol] {
            subscribe(watcher, &["alice"], ASKED).await;
            assert_eq!(hears(watcher).await.as_deref(), Some("one"));
        }
        // 6.9: what he loses is said once.
        block(&mut alice, 'T', ADD_BOB).await;
        assert_eq!(hears(&mut bob).await.as_deref(), Some("?"), "{version:?}");
        say(&mut alice, "two").await;
        assert_eq!(hears(&mut bob).await, None);
        assert_eq!(hears(&mut carol).await.as_deref(), Some("two"));
        assert!(get(&mut bob, "alice", "").await.children.is_empty());
        // No decision for him comes before it, and nobody is asked about him.
        alice.accept("wv:bob@h").await;
        subscribe(&mut bob, &["alice"], ASKED).await;
        assert_eq!(hears(&mut bob).await, None);
        assert!(alice.take().await.is_none());
        // He is hidden from, not hidden.
        assert!(!get(&mut alice, "bob", "").await.children.is_empty());
        // A list that is not in use hides nothing.
        block(&mut alice, 'F', "").await;
        assert_eq!(hears(&mut bob).await.as_deref(), Some("two"));
        block(&mut alice, 'T', "").await;
        assert_eq!(hears(&mut bob).await.as_deref(), Some("?"));
        server.restart().await;
        let mut alice = server.client(version, Syntax::Wbxml, "alice").await;
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        assert!(get(&mut bob, "alice", "").await.children.is_empty());
        subscribe(&mut bob, &["alice"], ASKED).await;
        block(&mut alice, 'T', REMOVE_BOB).await;
        assert_eq!(hears(&mut bob).await.as_deref(), Some("two"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_list_that_is_blocked_stands_for_its_members_of_the_moment() {
    // Contact lists in block lists are of 1.3; so is AuthorizeAndGrant (2.7).
    let server = village(&[HIDES]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Wbxml, "alice").await;
    let mut bob = server.client(Version::V1_1, Syntax::Wbxml, "bob").await;
    say(&mut alice, "one").await;
    subscribe(&mut bob, &["alice"], ASKED).await;
    assert_eq!(hears(&mut bob).await.as_deref(), Some("one"));
    let foes = "<ContactList>wv:alice/foes@h</ContactList>";
    let create = format!("<CreateList-Request>{foes}</CreateList-Request>");
    alice.request(&create).await.expect("CreateList-Response");
    block(&mut alice, 'T', &format!("<AddList>{foes}</AddList>")).await;
    assert_eq!(hears(&mut bob).await, None, "he is not in it");
    let manage = |change: &str| format!("<ListManage-Request>{foes}{change}</ListManage-Request>");
    let add = "<AddNickList><UserID>wv:bob@h</UserID></AddNickList>";
    let remove = "<RemoveNickList><UserID>wv:bob@h</UserID></RemoveNickList>";
    for (change, seen) in [(add, "?"), (remove, "one"), (add, "?")] {
        alice.request(&manage(change)).await.expect_code(200);
        assert_eq!(hears(&mut bob).await.as_deref(), Some(seen), "{change}");
    }
    let delete = format!("<DeleteList-Request>{foes}</DeleteList-Request>");
    alice.request(&delete).await.expect_status(200);
    assert_eq!(hears(&mut bob).await.as_deref(), Some("one"));
    block(&mut alice, 'T', ADD_BOB).await;
    assert_eq!(hears(&mut bob).await.as_deref(), Some("?"));
    let friends = "<ContactList>wv:alice/friends@h</ContactList>";
    let grant = format!(
        "<ListManage-Request>{friends}{add}<AuthorizeAndGrant>T</AuthorizeAndGrant></ListManage-Request>"
    );
    alice.request(&grant).await.expect_code(200);
    assert_eq!(hears(&mut bob).await.as_deref(), Some("one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_list_hides_nothing_and_a_block_list_only_where_the_operator_says_so() {
    for (settings, hides) in [(&[][..], false), (&[HIDES], true)] {
        let server = village(settings).await;
        let mut alice = server.xml("alice").await;
        let mut bob = server.xml("bob").await;
        say(&mut alice, "one").await;
        subscribe(&mut bob, &["alice"], ASKED).await;
        assert_eq!(hears(&mut bob).await.as_deref(), Some("one"));
        let nobody =
            "<BlockEntity-Request><GrantList><InUse>T</InUse></GrantList></BlockEntity-Request>";
        alice.request(nobody).await.expect_status(200);
        say(&mut alice, "two").await;
        assert_eq!(hears(&mut bob).await.as_deref(), Some("two"));
        block(&mut alice, 'T', ADD_BOB).await;
        say(&mut alice, "three").await;
        let expected = if hides { "?" } else { "three" };
        assert_eq!(hears(&mut bob).await.as_deref(), Some(expected));
    }
}
