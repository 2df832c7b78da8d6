//! Architecture document 5.3.5: content that users keep, and by what it is shared.

use crate::harness::{TestStore, at, on_both_engines, user};
use crate::profiles::account;
use hamlet_model::{Domain, GroupId};
use hamlet_store::{ContentPut, ContentQuota, ContentUsage, StoredContent};

const QUOTA: ContentQuota = ContentQuota {
    owner_octets: 200_000,
    owner_items: 3,
    total_octets: 300_000,
};

fn content(id: &str, owner: &str) -> StoredContent {
    StoredContent {
        id: id.to_owned(),
        owner: user(owner),
        purpose: None,
        media_type: "image/png".to_owned(),
        name: "a.png".to_owned(),
        size: 0,
        revision: 0,
        created: at(1),
        expires: at(100),
    }
}

fn octets(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at % 251) as u8).collect()
}

fn usage(octets: u64, items: u64) -> ContentUsage {
    ContentUsage { octets, items }
}

fn group_id(name: &str) -> GroupId {
    GroupId::parse(name, &Domain::parse("im.example").expect("a domain")).expect("a group")
}

on_both_engines! {
    async fn any_part_of_what_is_kept_can_be_read(store: &TestStore) {
        store
            .write(|tx| {
                let all = octets(150_000);
                assert_eq!(tx.put_content(&content("c", "anna"), &all, &QUOTA)?, ContentPut::Kept);
                let kept = tx.content("c")?.expect("it is kept");
                assert_eq!((kept.size, kept.revision), (150_000, 1));
                assert_eq!(kept.media_type, "image/png");
                for (from, to) in [
                    (0, 150_000), (0, 1), (65_535, 65_537), (65_536, 65_536), (70_000, 140_000),
                    (149_999, 150_000), (149_999, 200_000), (131_072, 150_000), (150_000, 150_001),
                ] {
                    let end = to.min(all.len());
                    let part = all.get(from..end).unwrap_or_default();
                    assert_eq!(tx.content_octets("c", from as u64..to as u64)?, part, "{from} {to}");
                }
                assert_eq!(tx.content_octets("other", 0..9)?, b"");
                assert_eq!(tx.content("other")?, None);
                // An empty one is one, too.
                tx.put_content(&content("empty", "anna"), b"", &QUOTA)?;
                assert_eq!(tx.content_octets("empty", 0..9)?, b"");
                assert_eq!(tx.contents_of(&user("anna"), 9)?.len(), 2);
                assert_eq!(tx.contents_of(&user("bo"), 9)?, []);
                Ok(())
            })
            .await;
    }

    async fn nobody_keeps_more_than_he_may_nor_all_together(store: &TestStore) {
        store
            .write(|tx| {
                use ContentPut::{Full, Kept, OwnerFull};
                let mut put = |id: &str, owner: &str, size| {
                    tx.put_content(&content(id, owner), &octets(size), &QUOTA)
                };
                assert_eq!(put("a", "anna", 150_000)?, Kept);
                assert_eq!(put("b", "anna", 50_001)?, OwnerFull);
                assert_eq!(put("b", "anna", 50_000)?, Kept);
                assert_eq!(put("c", "anna", 0)?, Kept);
                assert_eq!(put("d", "anna", 0)?, OwnerFull, "the fourth piece");
                assert_eq!(put("e", "bo", 100_001)?, Full);
                assert_eq!(put("e", "bo", 100_000)?, Kept);
                // What is replaced makes room.
                assert_eq!(put("a", "anna", 150_001)?, OwnerFull);
                assert_eq!(put("a", "anna", 1)?, Kept);
                assert_eq!(tx.content("a")?.map(|kept| kept.revision), Some(2));
                assert_eq!(tx.content_octets("a", 0..99)?, octets(1));
                assert_eq!(tx.content_usage(Some(&user("anna")))?, usage(50_001, 3));
                assert_eq!(tx.content_usage(None)?, usage(150_001, 4));
                assert!(tx.remove_content("b")?);
                assert!(!tx.remove_content("b")?);
                assert_eq!(tx.content_octets("b", 0..9)?, b"");
                assert_eq!(tx.content_usage(Some(&user("anna")))?, usage(1, 2));
                assert_eq!(tx.content_usage(None)?, usage(100_001, 3));
                Ok(())
            })
            .await;
    }

    async fn content_goes_when_its_time_is_over_or_with_its_owner(store: &TestStore) {
        store
            .write(|tx| {
                tx.create_account(&account("anna"))?;
                for (id, owner, expires) in [("a", "anna", 10), ("b", "anna", 20), ("c", "bo", 30)] {
                    let kept = StoredContent { expires: at(expires), ..content(id, owner) };
                    tx.put_content(&kept, &octets(10), &QUOTA)?;
                }
                tx.share_content("b", "i")?;
                tx.put_group_share(&group_id("wv:bo/g"), &user("anna"), "i", at(99), b"x")?;
                assert_eq!(tx.purge_content(at(9))?, 0);
                assert_eq!(tx.purge_content(at(10))?, 1);
                assert_eq!(tx.content("a")?, None);
                assert_eq!(tx.content_usage(None)?, usage(20, 2));
                assert!(tx.delete_account(&user("anna"))?);
                assert_eq!(tx.content("b")?, None);
                assert_eq!(tx.group_shares(&group_id("wv:bo/g"), at(1), 9)?.len(), 0);
                assert_eq!(tx.content_usage(Some(&user("anna")))?, usage(0, 0));
                assert_eq!(tx.content_usage(None)?, usage(10, 1));
                Ok(())
            })
            .await;
    }

    async fn what_the_server_keeps_for_a_purpose_is_found_by_it(store: &TestStore) {
        store
            .write(|tx| {
                let kept = StoredContent { purpose: Some("m1".into()), ..content("a", "anna") };
                tx.put_content(&kept, b"x", &QUOTA)?;
                tx.put_content(&content("b", "anna"), b"x", &QUOTA)?;
                tx.put_content(&content("c", "anna"), b"x", &QUOTA)?;
                let found = tx.content_for(&user("anna"), "m1")?.map(|kept| kept.id);
                assert_eq!(found.as_deref(), Some("a"));
                assert_eq!(tx.content_for(&user("anna"), "m2")?, None);
                assert_eq!(tx.content_for(&user("bo"), "m1")?, None);
                Ok(())
            })
            .await;
    }

    async fn content_goes_with_the_last_invitation_that_shares_it(store: &TestStore) {
        store
            .write(|tx| {
                for id in ["a", "b", "c"] {
                    tx.put_content(&content(id, "anna"), b"x", &QUOTA)?;
                }
                for (content, invitation) in [("a", "i"), ("a", "j"), ("b", "i"), ("a", "i")] {
                    tx.share_content(content, invitation)?;
                }
                assert_eq!(tx.unshare_content(&user("bo"), "i")?, 0, "it is not his");
                assert_eq!(tx.unshare_content(&user("anna"), "i")?, 1);
                assert_eq!(tx.content("b")?, None);
                assert!(tx.content("a")?.is_some(), "another shares it");
                assert_eq!(tx.unshare_content(&user("anna"), "i")?, 0);
                assert_eq!(tx.unshare_content(&user("anna"), "j")?, 1);
                assert!(tx.content("a")?.is_none() && tx.content("c")?.is_some());
                Ok(())
            })
            .await;
    }

    async fn what_is_shared_with_a_group_is_known_until_it_is_withdrawn(store: &TestStore) {
        store
            .write(|tx| {
                let (one, two) = (group_id("wv:bo/one"), group_id("wv:/two"));
                let (anna, bo) = (user("anna"), user("bo"));
                for (group, inviter, expires) in [(&one, &anna, 100), (&one, &bo, 90), (&two, &anna, 100)] {
                    tx.put_group_share(group, inviter, "i", at(expires), inviter.as_str().as_bytes())?;
                }
                assert_eq!(tx.group_shares(&one, at(89), 9)?.len(), 2);
                assert_eq!(tx.group_shares(&one, at(90), 9)?, [anna.as_str().as_bytes()]);
                assert_eq!(tx.count_group_shares(&one, &anna, at(99))?, 1);
                assert_eq!(tx.count_group_shares(&one, &anna, at(100))?, 0);
                assert!(!tx.unshare_with_groups(&anna, "i", Some(&group_id("wv:/x")))?);
                assert!(tx.unshare_with_groups(&anna, "i", Some(&two))?);
                assert_eq!(tx.group_shares(&two, at(1), 9)?.len(), 0);
                assert!(tx.unshare_with_groups(&anna, "i", None)?);
                assert!(!tx.unshare_with_groups(&anna, "i", None)?);
                assert_eq!(tx.group_shares(&one, at(1), 9)?, [bo.as_str().as_bytes()]);
                Ok(())
            })
            .await;
    }
}
