//! AND-36: Android's parser loses a text that ends at a multiple of 1024 octets.

use crate::android::{logged_in, village};
use hamlet_tests::strict_wbxml;

#[tokio::test(flavor = "multi_thread")]
async fn no_text_ends_where_an_android_phone_would_lose_it() {
    // T-22: answers of 1 to 3 kB, in steps of one octet.
    let server = village().await;
    let mut phone = logged_in("android-1.2", &server).await;
    let mut other = server.xml("alice").await;
    let mut longest = 0;
    let mut past_a_boundary = 0;
    for length in 1..=64 {
        let name = "n".repeat(length);
        for contact in ["bob", "cat", "dan", "eve2", "fay", "new", "new2", "carol"] {
            let answer = other
                .request(&format!(
                    "<ListManage-Request><ContactList>wv:alice/friends@h</ContactList><AddNickList><NickName>\
                     <Name>{name}{}</Name><UserID>wv:{contact}@h</UserID></NickName></AddNickList></ListManage-Request>",
                    "x".repeat(60)
                ))
                .await;
            answer.expect_code(200);
        }
        let body = phone.send("read-list").await.http.body;
        let document = strict_wbxml::read(&body).unwrap();
        for end in document.text_ends {
            assert_ne!(end % 1024, 0, "a text ends at {end}");
        }
        longest = longest.max(body.len());
        past_a_boundary += usize::from(body.len() > 1024);
    }
    assert!(
        longest > 1024 && past_a_boundary > 16,
        "{longest}, {past_a_boundary}"
    );
}
