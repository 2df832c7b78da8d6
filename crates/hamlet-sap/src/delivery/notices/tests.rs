//! What waits, and what is sent when.

use super::*;
use crate::session::tests::user_id;
use hamlet_model::ClientId;
use hamlet_model::presence::StatusContent;

const WINDOW: Duration = Duration::from_secs(2);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + millis)
}

fn nothing() -> Arc<Vec<Attribute>> {
    Arc::new(Vec::new())
}

fn one(name: AttributeName, client: Option<&str>, value: AttributeValue) -> Attribute {
    Attribute {
        name,
        qualifier: value != AttributeValue::None,
        client: client.map(ClientId::from_url),
        value,
    }
}

fn picture(size: usize) -> Arc<Vec<Attribute>> {
    let content = StatusContent {
        direct: Some("A".repeat(size)),
        ..StatusContent::default()
    };
    let value = AttributeValue::StatusContent(Box::new(content));
    Arc::new(vec![one(AttributeName::StatusContent, None, value)])
}

fn publishers(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|n| n.publisher.user()).collect()
}

fn take(notices: &mut Notices, limit: usize) -> Vec<Notice> {
    notices.take(limit, at(0), WINDOW)
}

#[test]
fn only_the_newest_set_of_a_publisher_waits() {
    let mut notices = Notices::default();
    for name in ["anna", "bob", "anna"] {
        assert!(notices.add(user_id(name), nothing(), 10));
    }
    let taken = take(&mut notices, 10);
    assert_eq!(publishers(&taken), ["anna", "bob"]);
    assert!(notices.is_empty());
}

#[test]
fn the_oldest_goes_when_there_are_too_many() {
    let mut notices = Notices::default();
    assert!(notices.add(user_id("a"), nothing(), 2));
    assert!(notices.add(user_id("b"), nothing(), 2));
    assert!(!notices.add(user_id("c"), nothing(), 2));
    assert_eq!(publishers(&take(&mut notices, 9)), ["b", "c"]);
}

#[test]
fn what_is_not_acknowledged_is_tried_three_times() {
    let mut notices = Notices::default();
    notices.add(user_id("a"), nothing(), 9);
    notices.add(user_id("b"), nothing(), 9);
    for _ in 0..3 {
        let taken = take(&mut notices, 1);
        assert_eq!(publishers(&taken), ["a"]);
        assert!(notices.is_news(&taken[0], 7, at(0)), "a repetition is sent");
        notices.put_back(taken);
    }
    assert_eq!(publishers(&take(&mut notices, 9)), ["b"]);
}

#[test]
fn an_outdated_notice_does_not_come_back() {
    let mut notices = Notices::default();
    notices.add(user_id("a"), nothing(), 9);
    let old = take(&mut notices, 1);
    let newer = nothing();
    notices.add(user_id("a"), newer.clone(), 9);
    notices.put_back(old);
    let taken = take(&mut notices, 9);
    assert_eq!(taken.len(), 1);
    assert!(Arc::ptr_eq(&taken[0].attributes, &newer));
}

#[test]
fn that_an_attribute_is_gone_is_said_even_if_something_newer_comes_before() {
    use AttributeName::{CommCap, OnlineStatus, StatusText};
    let gone = Arc::new(vec![
        one(OnlineStatus, Some("p"), AttributeValue::Flag(false)),
        one(CommCap, Some("p"), AttributeValue::None),
    ]);
    let text = one(StatusText, None, AttributeValue::Text("x".into()));
    let mut notices = Notices::default();
    notices.add(user_id("a"), gone.clone(), 9);
    notices.add(user_id("a"), Arc::new(vec![text.clone()]), 9);
    let taken = take(&mut notices, 9);
    let expected = [gone[0].clone(), gone[1].clone(), text.clone()];
    assert_eq!(*taken[0].attributes, expected);
    // The same when the first was sent and not acknowledged.
    notices.add(user_id("a"), gone.clone(), 9);
    let old = take(&mut notices, 9);
    let online = one(OnlineStatus, Some("p"), AttributeValue::Flag(true));
    notices.add(
        user_id("a"),
        Arc::new(vec![online.clone(), text.clone()]),
        9,
    );
    notices.put_back(old);
    let taken = take(&mut notices, 9);
    assert_eq!(*taken[0].attributes, [online, gone[1].clone(), text]);
}

#[test]
fn a_publisher_who_changes_often_is_told_once_in_two_seconds() {
    let mut notices = Notices::default();
    notices.add(user_id("a"), nothing(), 9);
    let first = notices.take(9, at(0), WINDOW);
    assert!(notices.is_news(&first[0], 1, at(0)));
    notices.add(user_id("a"), nothing(), 9);
    notices.add(user_id("b"), nothing(), 9);
    assert_eq!(
        publishers(&notices.take(9, at(1999), WINDOW)),
        ["b"],
        "others need not wait"
    );
    assert_eq!(notices.due(WINDOW), Some(at(2000)));
    assert_eq!(publishers(&notices.take(9, at(2000), WINDOW)), ["a"]);
    assert_eq!(notices.due(WINDOW), None);
}

#[test]
fn what_is_the_same_as_before_is_no_news_unless_the_client_asks_anew() {
    let mut notices = Notices::default();
    let notice = Notice {
        publisher: user_id("a"),
        attributes: nothing(),
        tries: 1,
    };
    assert!(notices.is_news(&notice, 1, at(0)));
    assert!(!notices.is_news(&notice, 1, at(5000)));
    assert!(notices.is_news(&notice, 2, at(6000)));
    notices.begin_anew();
    assert!(notices.is_news(&notice, 2, at(7000)));
}

#[test]
fn at_most_32_publishers_travel_together_and_large_pictures_alone() {
    let mut notices = Notices::default();
    for number in 0..40 {
        notices.add(user_id(&format!("u{number}")), nothing(), 99);
    }
    assert_eq!(take(&mut notices, 99).len(), 32);
    assert_eq!(take(&mut notices, 99).len(), 8);
    for (name, attributes) in [
        ("a", nothing()),
        ("b", picture(HEAVY + 1)),
        ("c", picture(HEAVY)),
        ("d", nothing()),
    ] {
        notices.add(user_id(name), attributes, 99);
    }
    assert_eq!(publishers(&take(&mut notices, 99)), ["a"]);
    assert_eq!(publishers(&take(&mut notices, 99)), ["b"]);
    assert_eq!(publishers(&take(&mut notices, 99)), ["c", "d"]);
}

#[test]
fn what_is_too_large_comes_in_smaller_parts_then_lighter_then_not_at_all() {
    let mut notices = Notices::default();
    for name in ["a", "b", "c", "d"] {
        notices.add(user_id(name), picture(10), 99);
    }
    let lighter = |attributes: &[Attribute]| {
        let is_light = attributes.is_empty();
        (!is_light).then(Vec::new)
    };
    let all = take(&mut notices, 99);
    assert_eq!(notices.too_large(all, lighter), 0);
    let two = take(&mut notices, 99);
    assert_eq!(publishers(&two), ["a", "b"]);
    assert_eq!(notices.too_large(two, lighter), 0);
    let a = take(&mut notices, 99);
    assert_eq!(publishers(&a), ["a"]);
    assert_eq!(notices.too_large(a, lighter), 0);
    let a = take(&mut notices, 99);
    assert!(a[0].attributes.is_empty() && a[0].tries == 1);
    assert_eq!(notices.too_large(a, lighter), 1);
    assert_eq!(publishers(&take(&mut notices, 99)), ["b"]);
}
