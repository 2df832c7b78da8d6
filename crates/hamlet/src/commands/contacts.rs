//! `hamlet contacts`.

use crate::account::{finish, list_address};
use crate::cli::{Account, Contacts};
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::{Client, Contact, ContactList, ListChange, Refusal};

/// Shows and changes contact lists.
pub async fn run(account: Account, command: Contacts) -> Result<(), Failure> {
    let mut client = account.open().await?;
    let outcome = perform(&mut client, command).await;
    finish(client, outcome).await
}

async fn perform(client: &mut Client, command: Contacts) -> Result<(), Failure> {
    match command {
        Contacts::List { list: None } => {
            let lists = client.get_lists().await?;
            for list in lists.all() {
                let mark = match lists.default.as_deref() == Some(list) {
                    true => " (default)",
                    false => "",
                };
                line(format!("{}{mark}", plain(list)))?;
            }
            Ok(())
        }
        Contacts::List { list: Some(list) } => {
            let list = list_address(client.user(), &list);
            print(&client.manage_list(&list, ListChange::Read).await?)
        }
        Contacts::Add {
            contact,
            name,
            list,
        } => {
            let contact = Contact::named(contact, name.unwrap_or_default());
            change(client, list, ListChange::Add(vec![contact])).await
        }
        Contacts::Remove { contact, list } => {
            change(client, list, ListChange::Remove(vec![contact])).await
        }
        Contacts::Create {
            list,
            name,
            default,
        } => {
            let mut properties = Vec::new();
            properties.extend(name.map(|name| ("DisplayName".to_owned(), name)));
            properties.extend(default.then(|| ("Default".to_owned(), "T".to_owned())));
            let list = list_address(client.user(), &list);
            check(&client.create_list(&list, Vec::new(), properties).await?)
        }
        Contacts::Delete { list } => {
            let list = list_address(client.user(), &list);
            Ok(client.delete_list(&list).await?)
        }
    }
}

async fn change(
    client: &mut Client,
    list: Option<String>,
    change: ListChange,
) -> Result<(), Failure> {
    let list = match list {
        Some(list) => list_address(client.user(), &list),
        None => client.get_lists().await?.default.ok_or_else(|| {
            Failure::said("there is no default contact list (name one with --list)")
        })?,
    };
    print(&client.manage_list(&list, change).await?)
}

fn print(list: &ContactList) -> Result<(), Failure> {
    for contact in list.members.iter().flatten() {
        let text = match contact.nickname.as_str() {
            "" => contact.user.clone(),
            name => format!("{} {name:?}", contact.user),
        };
        line(plain(&text))?;
    }
    check(&list.result)
}

fn check(result: &Refusal) -> Result<(), Failure> {
    match result.details.is_empty() {
        true => Ok(()),
        false => Err(Failure::said(format!("partly refused: {result}"))),
    }
}
