//! `hamlet login`: checks an account and prints what was agreed.

use crate::account::finish;
use crate::cli::Account;
use crate::failure::Failure;
use crate::output::{line, plain};
use hamlet_client::{Client, Login};

/// Logs in, negotiates, prints, logs out.
pub async fn run(account: Account) -> Result<(), Failure> {
    let mut client = account.connect().await?;
    let outcome = check(&mut client).await;
    finish(client, outcome).await
}

async fn check(client: &mut Client) -> Result<(), Failure> {
    let login = client.login().await?;
    line(format!("user          {}", plain(client.user())))?;
    line(format!(
        "csp           {} {:?}",
        client.version(),
        client.syntax()
    ))?;
    print_login(&login)?;
    let agreed = client.negotiate_capabilities().await?;
    if let Some(span) = agreed.poll_min {
        line(format!("poll          every {} s", span.as_secs()))?;
    }
    if !agreed.cir_methods.is_empty() {
        line(format!(
            "cir           {}",
            plain(&agreed.cir_methods.join(" "))
        ))?;
    }
    let services = client.negotiate_services().await?;
    let denied = match &services.denied {
        None => "nothing".to_owned(),
        Some(tree) => branches(tree),
    };
    line(format!("denied        {denied}"))?;
    let info = client.sp_info().await;
    if let Ok(info) = info {
        line(format!("provider      {}", plain(&info.name)))?;
    }
    Ok(())
}

fn print_login(login: &Login) -> Result<(), Failure> {
    line(format!("session       {}", plain(login.session.as_str())))?;
    if let Some(span) = login.keep_alive {
        line(format!("keep-alive    {} s", span.as_secs()))?;
    }
    Ok(())
}

/// The features that something of is denied in; an empty tree is all of it.
fn branches(tree: &hamlet_client::elements::WVCSPFeat) -> String {
    let parts: Vec<&str> = [
        ("fundamental", tree.fundamental_feat.is_some()),
        ("presence", tree.presence_feat.is_some()),
        ("messages", tree.im_feat.is_some()),
        ("groups", tree.group_feat.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect();
    match parts.as_slice() {
        [] => "everything".to_owned(),
        parts => format!("functions of {}", parts.join(", ")),
    }
}
