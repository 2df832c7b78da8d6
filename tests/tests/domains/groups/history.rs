//! What a group elsewhere remembers (csp-im 7.3, 7.4; ssp 11.2).

use super::{EACH, GROUP, heard, joins, say, whisper, with_group};
use crate::{Domains, WEATHER, log_in, log_in_as};
use hamlet_csp::{Syntax, Version};
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::group::{about, property, set};

async fn list(client: &mut Client) -> Answer {
    let content =
        format!("<GetMessageList-Request><GroupID>{GROUP}</GroupID></GetMessageList-Request>");
    client.request(&content).await
}

/// The MessageIDs of the history, oldest first.
async fn history(client: &mut Client) -> Vec<String> {
    let answer = list(client).await;
    let list = answer.expect("GetMessageList-Response");
    let path = match client.version {
        Version::V1_3 => "MessageInfoList/MessageInfo/MessageID",
        _ => "MessageInfo/MessageID",
    };
    list.texts(path).into_iter().map(str::to_owned).collect()
}

async fn get(client: &mut Client, id: &str) -> Answer {
    let content = format!("<GetMessage-Request><MessageID>{id}</MessageID></GetMessage-Request>");
    client.request(&content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_joined_reads_what_a_group_elsewhere_remembers() {
    for (version, syntax) in EACH {
        let domains = Domains::start(WEATHER[0]).await;
        let mut alice = with_group(&domains, &[("PrivateMessaging", "T")]).await;
        let mut bob = log_in(&domains.b, version, syntax, "wv:bob@b").await;
        let mut carl = domains.carl().await;
        joins(&mut carl, "Carl").await;
        list(&mut bob).await.expect_status(808);
        joins(&mut bob, "Bo").await;
        list(&mut bob).await.expect_status(821);
        // A property of 1.3.
        let mut owner = log_in_as(
            "WV:desk",
            &domains.a,
            Version::V1_3,
            Syntax::Xml,
            "wv:alice@a",
        )
        .await;
        set(&mut owner, GROUP, Some(&property("History", "T")), None)
            .await
            .expect_status(200);
        for text in ["one", "two"] {
            say(&mut alice, text).await.expect_code(200);
        }
        whisper(&mut alice, "Bo", "psst").await.expect_code(200);
        say(&mut bob, "three").await.expect_code(200);
        heard(&mut bob, "psst").await;
        let known = history(&mut bob).await;
        assert_eq!(known.len(), 3, "without the whisper");
        assert_eq!(known, history(&mut carl).await, "{version:?}");
        for (id, text) in known.iter().zip(["one", "two", "three"]) {
            let answer = get(&mut bob, id).await;
            let message = answer.expect("GetMessage-Response");
            assert_eq!(message.text("ContentData"), Some(text), "{version:?}");
            let group = message.text("MessageInfo/Recipient/Group/GroupID");
            assert_eq!(group, Some(GROUP));
            let delivered =
                format!("<MessageDelivered><MessageID>{id}</MessageID></MessageDelivered>");
            bob.request(&delivered).await.expect_code(200);
        }
        get(&mut bob, "none").await.expect_status(426);
        assert_eq!(history(&mut bob).await.len(), 3, "it is still there");
        about(&mut bob, "LeaveGroup", GROUP).await.expect_code(200);
        list(&mut bob).await.expect_status(808);
        get(&mut bob, &known[0]).await.expect_status(426);
    }
}
