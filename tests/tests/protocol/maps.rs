//! GetMap (csp-access 11.3; csp-presence 11): locate a friend and show a map.

use crate::profile::befriend;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hamlet_csp::{Syntax, Version};
use hamlet_model::UserProfileChange;
use hamlet_tests::answer::Answer;
use hamlet_tests::client::Client;
use hamlet_tests::http::{Connection, HttpAnswer};
use hamlet_tests::server::{CONTACTS, TestServer};
use hamletd::control::Request;

/// Turku, between land in the north-east and sea in the south-west.
const TURKU: &str = "<GeoLocation><Qualifier>T</Qualifier><Longitude>22 16 12E</Longitude><Latitude>60 27 0N</Latitude><Accuracy>40000</Accuracy></GeoLocation>";

pub async fn publish(client: &mut Client, attributes: &str) {
    let content = format!(
        "<UpdatePresence-Request><PresenceSubList>{attributes}</PresenceSubList></UpdatePresence-Request>"
    );
    client.request(&content).await.expect_status(200);
}

pub async fn map_of(client: &mut Client, user: &str) -> Answer {
    let content = format!("<GetMap-Request><UserID>{user}</UserID></GetMap-Request>");
    client.request(&content).await
}

async fn map_at(client: &mut Client, attributes: &str) -> Answer {
    let content =
        format!("<GetMap-Request><PresenceSubList>{attributes}</PresenceSubList></GetMap-Request>");
    client.request(&content).await
}

/// Type and octets of the picture in an answer.
#[track_caller]
pub fn picture(answer: &Answer) -> (String, Vec<u8>) {
    let response = answer.expect("GetMap-Response");
    assert_eq!(response.child_names(), ["Map"]);
    let map = response.at("Map").expect("a map");
    assert_eq!(map.text("ContentEncoding"), Some("BASE64"));
    let data = map.text("ContentData").expect("ContentData");
    let media_type = map.text("ContentType").expect("ContentType").to_owned();
    (media_type, STANDARD.decode(data).expect("base64"))
}

/// The URL in an answer.
#[track_caller]
fn url(answer: &Answer) -> String {
    let response = answer.expect("GetMap-Response");
    assert_eq!(response.child_names(), ["URL"]);
    response.text("URL").expect("a URL").to_owned()
}

/// Size and pixels of a PNG.
pub struct Pixels {
    pub size: (usize, usize),
    rgb: Vec<u8>,
}

impl Pixels {
    pub fn of(octets: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(octets));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut rgb = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut rgb).expect("pixels");
        Self {
            size: (info.width as usize, info.height as usize),
            rgb,
        }
    }

    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * self.size.0 + x);
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    pub fn is_sea(&self, x: usize, y: usize) -> bool {
        let [red, _, blue] = self.at(x, y);
        blue > red
    }

    pub fn is_red(&self, x: usize, y: usize) -> bool {
        let [red, green, blue] = self.at(x, y);
        red > 180 && green < 60 && blue < 60
    }
}

async fn server(settings: &[&str]) -> TestServer {
    let settings = [&[CONTACTS], settings].concat();
    TestServer::with_users(&settings, &["alice", "bob", "carl"]).await
}

/// The body of a GET on a URL of the server, whatever it calls itself.
async fn get(server: &TestServer, url: &str) -> HttpAnswer {
    let path = url.splitn(4, '/').nth(3).expect("a path");
    let mut connection = Connection::open(server.address()).await;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: h\r\n\r\n");
    connection
        .send(request.as_bytes())
        .await
        .expect("a connection");
    connection.receive().await.expect("an answer")
}

async fn capabilities(client: &mut Client, list: &str) {
    let content = format!(
        "<ClientCapability-Request><CapabilityList><ClientType>MOBILE_PHONE</ClientType>{list}</CapabilityList></ClientCapability-Request>"
    );
    let answer = client.request(&content).await;
    answer.expect("ClientCapability-Response");
}

fn accepted(media_type: &str, length: u32) -> String {
    format!(
        "<AcceptedContentType><ContentType>{media_type}</ContentType><AcceptedRichContentLength>{length}</AcceptedRichContentLength></AcceptedContentType>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_friend_sees_where_a_user_is() {
    for syntax in [Syntax::Xml, Syntax::Wbxml] {
        let server = server(&[]).await;
        let mut alice = server.client(Version::V1_3, syntax, "alice").await;
        let mut bob = server.client(Version::V1_3, syntax, "bob").await;
        befriend(&mut bob, "bob", &["alice"]).await;
        publish(&mut alice, TURKU).await;
        let (media_type, octets) = picture(&map_of(&mut bob, "wv:alice@h").await);
        assert_eq!(media_type, "image/png");
        let map = Pixels::of(&octets);
        assert_eq!(map.size, (240, 240));
        assert!(map.is_red(120, 120), "the marker");
        // 1 km a pixel. The circle of the accuracy; land in the north-east, the sea in the
        // south-west.
        assert!((78..=82).any(|x| map.is_red(x, 120)), "the circle");
        assert!(!map.is_sea(190, 60), "{:?}", map.at(190, 60));
        assert!(map.is_sea(75, 195), "{:?}", map.at(75, 195));
        // One's own place too, as the latest said it.
        publish(&mut alice, &TURKU.replace("40000", "100")).await;
        let (_, closer) = picture(&map_of(&mut alice, "alice").await);
        assert!(!Pixels::of(&closer).is_sea(75, 195));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_where_a_user_is_learns_as_much_as_if_nothing_were_known() {
    // csp-access 11.3: 404 in both cases; the rest in order: 531, 516, 400, 402.
    let server = server(&[]).await;
    let mut alice = server.client(Version::V1_3, Syntax::Xml, "alice").await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    let mut carl = server.client(Version::V1_3, Syntax::Xml, "carl").await;
    befriend(&mut bob, "bob", &["alice"]).await;
    let nothing_known = map_of(&mut bob, "wv:alice@h").await;
    publish(&mut alice, TURKU).await;
    let not_for_him = map_of(&mut carl, "wv:alice@h").await;
    for answer in [&nothing_known, &not_for_him] {
        answer.expect_status(404);
    }
    assert_eq!(
        nothing_known.primitive().child_names(),
        not_for_him.primitive().child_names()
    );
    picture(&map_of(&mut bob, "wv:alice@h").await);
    // The user profile may forbid it; himself he sees all the same.
    for (allowed, code) in [(Some(false), Some(404)), (None, None)] {
        let mut change = UserProfileChange::default();
        change.privacy.insert("Location".into(), allowed);
        let set = Request::UserProfileSet {
            user: "wv:alice@h".into(),
            change,
            findable: None,
        };
        server.operate(set).await;
        assert_eq!(map_of(&mut bob, "wv:alice@h").await.code(), code);
        picture(&map_of(&mut alice, "wv:alice@h").await);
    }
    // What is withdrawn is not known any more.
    let gone = "<GeoLocation><Qualifier>F</Qualifier></GeoLocation>";
    publish(&mut alice, gone).await;
    map_of(&mut bob, "wv:alice@h").await.expect_status(404);
    for (user, code) in [
        ("wv:nobody@h", 531),
        ("wv:a b", 531),
        ("wv:bob@elsewhere.example", 516),
        ("", 400),
    ] {
        map_of(&mut bob, user).await.expect_status(code);
    }
    bob.request("<GetMap-Request/>").await.expect_status(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_of_a_place_that_the_client_names() {
    let server = server(&[]).await;
    let mut bob = server.client(Version::V1_3, Syntax::Wbxml, "bob").await;
    for attributes in [
        TURKU.to_owned(),
        "<GeoLocation><Longitude>-70.66</Longitude><Latitude>-33.45</Latitude></GeoLocation>"
            .to_owned(),
        "<Address><Country>FI</Country><City>Turku</City></Address>".to_owned(),
    ] {
        let (_, octets) = picture(&map_at(&mut bob, &attributes).await);
        assert!(Pixels::of(&octets).is_red(120, 120), "{attributes}");
    }
    for (attributes, code) in [
        ("", 400),
        ("<StatusText/>", 400),
        ("<GeoLocation/>", 400),
        ("<GeoLocation><Longitude>1</Longitude></GeoLocation>", 402),
        (
            "<GeoLocation><Longitude>here</Longitude><Latitude>there</Latitude></GeoLocation>",
            402,
        ),
        (
            "<GeoLocation><Longitude>181</Longitude><Latitude>0</Latitude></GeoLocation>",
            402,
        ),
        (
            "<Address><Country>FI</Country><City>Atlantis</City></Address>",
            404,
        ),
    ] {
        map_at(&mut bob, attributes).await.expect_status(code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_is_of_the_older_versions_not_and_only_where_it_is_agreed() {
    // csp-access 1.5: 405 for a primitive of another version, 506 for what is not agreed.
    let server = server(&[]).await;
    for version in [Version::V1_1, Version::V1_2] {
        let mut bob = server.client(version, Syntax::Xml, "bob").await;
        map_of(&mut bob, "wv:bob@h").await.expect_status(405);
    }
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    publish(&mut bob, TURKU).await;
    let agree = |function: &str| {
        format!(
            "<Service-Request><Functions><WVCSPFeat>{function}</WVCSPFeat></Functions><AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>"
        )
    };
    bob.request(&agree("<PresenceFeat/>"))
        .await
        .expect("Service-Response");
    map_of(&mut bob, "wv:bob@h").await.expect_status(506);
    let with = "<FundamentalFeat><ServiceFunc><GETMAP/></ServiceFunc></FundamentalFeat>";
    let answer = bob.request(&agree(with)).await;
    let response = answer.expect("Service-Response");
    assert!(response.at("Functions").is_none(), "{response:?}");
    picture(&map_of(&mut bob, "wv:bob@h").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_has_a_type_and_a_size_that_the_client_takes() {
    let server = server(&[]).await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    publish(&mut bob, TURKU).await;
    for (list, media_type, begins) in [
        (accepted("image/gif", 100_000), "image/gif", &b"GIF89a"[..]),
        (
            accepted("text/plain", 100) + &accepted("image/jpeg", 100_000),
            "image/jpeg",
            b"\xff\xd8\xff",
        ),
        (accepted("image/*", 100_000), "image/png", b"\x89PNG"),
    ] {
        capabilities(&mut bob, &list).await;
        let (shown, octets) = picture(&map_of(&mut bob, "wv:bob@h").await);
        assert_eq!(shown, media_type);
        assert!(octets.starts_with(begins), "{media_type}");
    }
    // A smaller one, where the usual one is too large.
    capabilities(&mut bob, "").await;
    let (_, whole) = picture(&map_of(&mut bob, "wv:bob@h").await);
    let limit = whole.len() as u32 - 1;
    capabilities(&mut bob, &accepted("image/png", limit)).await;
    let (_, smaller) = picture(&map_of(&mut bob, "wv:bob@h").await);
    assert!(smaller.len() as u32 <= limit);
    let (width, height) = Pixels::of(&smaller).size;
    assert!(width < 240 && width == height, "{width}");
    assert!(Pixels::of(&smaller).is_red(width / 2, height / 2));
    // The whole answer is within ParserSize.
    let parser = whole.len() * 4 / 3;
    capabilities(&mut bob, &format!("<ParserSize>{parser}</ParserSize>")).await;
    let answer = map_of(&mut bob, "wv:bob@h").await;
    assert!(
        answer.http.body.len() <= parser,
        "{}",
        answer.http.body.len()
    );
    picture(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_such_picture_gets_a_link_to_one() {
    let server = server(&[]).await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    publish(&mut bob, TURKU).await;
    for (list, media_type) in [
        (accepted("text/plain", 1000), "image/png"),
        (accepted("image/gif", 500), "image/gif"),
        ("<ParserSize>1500</ParserSize>".to_owned(), "image/png"),
    ] {
        capabilities(&mut bob, &list).await;
        let url = url(&map_of(&mut bob, "wv:bob@h").await);
        let base = format!("http://{}/map/", server.address());
        assert!(url.starts_with(&base), "{url}");
        // Nothing of the place can be read in it.
        assert!(!url.contains("60.45") && url.len() > 100, "{url}");
        let answer = get(&server, &url).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some(media_type));
        assert_eq!(answer.header("cache-control"), Some("private"));
        assert!(answer.body.len() > 1000);
    }
    for path in ["/map/", "/map/abc.png", "/map/AAAA.gif"] {
        let answer = get(&server, &format!("http://h{path}")).await;
        assert!(
            [404, 405].contains(&answer.status),
            "{path}: {}",
            answer.status
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_says_where_links_begin_how_large_maps_are_and_whose_they_are() {
    let server1 = server(&[
        "cir.http.url=https://im.example/imps",
        "map.width=120",
        "map.height=100",
    ])
    .await;
    let mut bob = server1.client(Version::V1_3, Syntax::Xml, "bob").await;
    publish(&mut bob, TURKU).await;
    let (_, octets) = picture(&map_of(&mut bob, "wv:bob@h").await);
    assert_eq!(Pixels::of(&octets).size, (120, 100));
    capabilities(&mut bob, &accepted("text/plain", 1000)).await;
    let link = url(&map_of(&mut bob, "wv:bob@h").await);
    assert!(link.starts_with("https://im.example/imps/map/"), "{link}");
    // The path may have been cut on the way.
    assert_eq!(get(&server1, &link).await.status, 200);

    let server2 = server(&["map.url_template=https://tiles.example/{zoom}/{x}/{y}.png"]).await;
    let mut bob = server2.client(Version::V1_3, Syntax::Xml, "bob").await;
    publish(&mut bob, TURKU).await;
    let elsewhere = url(&map_of(&mut bob, "wv:bob@h").await);
    assert_eq!(elsewhere, "https://tiles.example/6/35/18.png");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_exceeds_parser_size_comes_in_parts_where_that_is_agreed() {
    // csp-access 14.
    let server = server(&[]).await;
    let mut bob = server.client(Version::V1_3, Syntax::Xml, "bob").await;
    publish(&mut bob, TURKU).await;
    let all = "<Service-Request><Functions><WVCSPFeat/></Functions><AllFunctionsRequest>F</AllFunctionsRequest></Service-Request>";
    bob.request(all).await.expect("Service-Response");
    capabilities(&mut bob, "<ParserSize>1500</ParserSize>").await;
    let answer = map_of(&mut bob, "wv:bob@h").await;
    answer.expect("GetSegment-Response");
    assert!(answer.http.body.len() <= 1500);
}
