//! What a search costs in a store of few and of many accounts. Both are filled with accounts
//! that have profiles and no credentials, among them the same few whom the searches find.
//!
//! `cargo run --release -p hamlet-store --example search -- [STORE [FEW [MANY]]]`; STORE is a
//! directory for SQLite files (a new one by default), or the `postgres://` URL of a server with
//! databases `hamlet_search_FEW` and `hamlet_search_MANY`, without the name of a database.

#![allow(clippy::print_stdout)]

use hamlet_model::{Domain, Profile, Timestamp, UserId};
use hamlet_store::{
    Account, AccountStatus, Criterion, Search, SearchedText, Store, StoreConfig, StoreError,
};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Accounts of one transaction.
const BATCH: u64 = 2000;

/// How often each search is made.
const ROUNDS: u32 = 200;

/// Every so many accounts of the smaller store one is of those who are found: there are as
/// many in the larger one.
const FOUND: u64 = 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let temporary = tempfile::tempdir()?;
    let place = match arguments.next() {
        Some(place) => place,
        None => temporary.path().display().to_string(),
    };
    let few: u64 = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let many: u64 = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let mut figures = Vec::new();
    for accounts in [few, many] {
        let url = match place.contains("://") {
            true => format!("{place}/hamlet_search_{accounts}"),
            false => {
                let path = PathBuf::from(&place).join(format!("search-{accounts}.db"));
                path.display().to_string()
            }
        };
        let config = StoreConfig::new(url.parse()?);
        let store = tokio::task::block_in_place(|| Store::open(&config))?;
        load(&store, accounts).await?;
        figures.push(measure(&store).await?);
        store.close().await;
    }
    println!("{:34} {:>6} {few:>10} {many:>10}  ratio", "search", "found");
    for (small, large) in figures[0].iter().zip(&figures[1]) {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(ROUNDS);
        let (few, many) = (micros(small.time), micros(large.time));
        println!(
            "{:34} {:>6} {few:>7.0} µs {many:>7.0} µs {:>6.2}",
            small.name,
            format!("{}/{}", small.found, large.found),
            many / few
        );
    }
    Ok(())
}

/// Fills a store, unless it has been filled before.
async fn load(store: &Store, accounts: u64) -> Result<(), StoreError> {
    if !store.read(|tx| tx.accounts(None, 1)).await?.is_empty() {
        return Ok(());
    }
    let begun = Instant::now();
    let mut next = 0;
    while next < accounts {
        let end = accounts.min(next + BATCH);
        store
            .write(move |tx| {
                for number in next..end {
                    let (account, profile) = somebody(number, accounts);
                    tx.create_account_with_profile(&account, &profile)?;
                }
                Ok(())
            })
            .await?;
        next = end;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{accounts} accounts loaded in {seconds:.0} s");
    Ok(())
}

const SYLLABLES: &[&str] = &[
    "an", "be", "ca", "di", "el", "fo", "gu", "ha", "is", "jo", "ka", "li", "ma", "no", "ol", "pe",
    "ri", "sa", "ti", "ul", "va", "wi", "yr", "zo",
];

/// An account with its profile: names of a village, and for some a name that nobody else has.
fn somebody(number: u64, of: u64) -> (Account, Profile) {
    let mut dice = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut word = |syllables: usize| {
        let mut word = String::new();
        for _ in 0..syllables {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            word += SYLLABLES[(dice % SYLLABLES.len() as u64) as usize];
        }
        word
    };
    let (first, last, city) = (word(2), word(3), word(2));
    let is_found = number.is_multiple_of((of / FOUND).max(1));
    let last = if is_found {
        "Quixwort".to_owned()
    } else {
        last
    };
    let home = Domain::parse("im.example").expect("a domain");
    let user = UserId::parse(&format!("{first}.{last}{number}"), &home).expect("a user");
    let profile = Profile {
        friendly_name: Some(format!("{first} {last}")),
        email: Some(format!("{first}{number}@post.example")),
        mobile: Some(format!("+35850{number:07}")),
        age: Some(18 + (number % 60) as u32),
        first_name: Some(first),
        last_name: Some(last),
        city: Some(city),
        ..Profile::default()
    };
    let account = Account {
        user,
        credential: None,
        status: AccountStatus::Active,
        created: Timestamp::from_secs(1),
    };
    (account, profile)
}

struct Figure {
    name: &'static str,
    found: usize,
    time: Duration,
}

async fn measure(store: &Store) -> Result<Vec<Figure>, StoreError> {
    let last = |string: &str| Criterion::Contains(SearchedText::LastName, string.into());
    let searches = [
        ("last name contains `quixw`", last("quixw")),
        (
            "address contains `xwort`",
            Criterion::UserName {
                part: "xwort".into(),
                from_start: false,
                to_end: false,
            },
        ),
        (
            "`quixwort`, over 30, not `ann`",
            Criterion::All(vec![
                Criterion::AgeAtLeast(30),
                last("quixwort"),
                Criterion::Not(Box::new(Criterion::Contains(
                    SearchedText::FirstName,
                    "ann".into(),
                ))),
            ]),
        ),
        ("phone number", Criterion::Mobile("+358500000001".into())),
        (
            "e-mail address",
            Criterion::Email("nobody@post.example".into()),
        ),
        ("nobody: `zzzzz`", last("zzzzz")),
        // Too many in either store: ends at its limit.
        ("too many: first name `an`", {
            Criterion::Contains(SearchedText::FirstName, "an".into())
        }),
    ];
    let mut figures = Vec::new();
    for (name, criterion) in searches {
        let mut found = 0;
        let mut begun = Instant::now();
        for round in 0..=ROUNDS {
            if round == 1 {
                // The first one reads pages that the others find in memory.
                begun = Instant::now();
            }
            let search = Search {
                criterion: criterion.clone(),
                hidden: HashSet::new(),
                limit: 200,
                deadline: Instant::now() + Duration::from_secs(60),
            };
            found = store.read(move |tx| tx.search(&search)).await?.users.len();
        }
        figures.push(Figure {
            name,
            found,
            time: begun.elapsed(),
        });
    }
    Ok(figures)
}
