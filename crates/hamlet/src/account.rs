//! From the command line to a client.

use crate::cli::Account;
use crate::failure::Failure;
use hamlet_client::{
    Builder, Client, Digest, Incoming, StatusCode, Syntax, TransportOptions, Version,
};
use std::path::PathBuf;

impl Account {
    /// The CSP version; 1.3 when none was named.
    pub fn version(&self) -> Version {
        self.csp.unwrap_or(Version::V1_3)
    }

    /// The syntax; WBXML when none was named.
    pub fn syntax(&self) -> Syntax {
        self.syntax.map_or(Syntax::Wbxml, Syntax::from)
    }

    /// The user; an error when none was named.
    pub fn user(&self) -> Result<&str, Failure> {
        self.user
            .as_deref()
            .ok_or_else(|| Failure::said("which account? (--user wv:name@domain)"))
    }

    /// The password of the command line or of HAMLET_PASSWORD.
    pub fn password(&self) -> Result<String, Failure> {
        self.password
            .clone()
            .or_else(|| std::env::var("HAMLET_PASSWORD").ok())
            .ok_or_else(|| Failure::said("which password? (--password, or HAMLET_PASSWORD)"))
    }

    /// Everything of a client but the user.
    pub fn builder(&self) -> Result<Builder, Failure> {
        let mut builder = Client::builder(&self.server)
            .version(self.version())
            .syntax(self.syntax())
            .client_id(&self.client_id)
            .user_agent(concat!("hamlet/", env!("CARGO_PKG_VERSION")))
            .timeout(self.answer_timeout);
        if let Some(span) = self.poll_every {
            builder = builder.poll_every(span);
        }
        if let Some(pem) = self.trusted()? {
            builder = builder.trust_pem(&pem)?;
        }
        Ok(builder)
    }

    /// For requests beside those of a client: waits as long, and trusts the same.
    pub fn transport(&self) -> Result<TransportOptions, Failure> {
        let mut options = TransportOptions {
            timeout: self.answer_timeout,
            ..TransportOptions::default()
        };
        if let Some(pem) = self.trusted()? {
            options.trust_pem(&pem)?;
        }
        Ok(options)
    }

    /// The certificates that are trusted beside the public authorities.
    fn trusted(&self) -> Result<Option<Vec<u8>>, Failure> {
        let read = |file: &PathBuf| {
            std::fs::read(file)
                .map_err(|error| Failure::said(format!("{}: {error}", file.display())))
        };
        self.ca.as_ref().map(read).transpose()
    }

    /// A client of the user, connected and logged in, with everything negotiated.
    pub async fn open(&self) -> Result<Client, Failure> {
        // Who wants to poll at an interval of his own has his reasons.
        let wake_up = self.poll_every.is_none();
        let mut client = self.user_builder()?.wake_up(wake_up).connect().await?;
        client.open().await?;
        Ok(client)
    }

    /// Like [`Account::open`], but messages are announced, not pushed: for commands that
    /// leave them to whoever reads them.
    pub async fn open_aside(&self) -> Result<Client, Failure> {
        let mut client = self.user_builder()?.notify(true).connect().await?;
        client.open().await?;
        Ok(client)
    }

    /// A client of the user, connected.
    pub async fn connect(&self) -> Result<Client, Failure> {
        Ok(self.user_builder()?.connect().await?)
    }

    fn user_builder(&self) -> Result<Builder, Failure> {
        let builder = self
            .builder()?
            .user(self.user()?)
            .password(self.password()?);
        Ok(self.digests().into_iter().fold(builder, Builder::digest))
    }

    /// The digests to offer; none is a login in two steps, which shows the password to
    /// whoever listens, so that it is the default only where nobody can.
    pub fn digests(&self) -> Vec<Digest> {
        if self.digest.is_empty() && !self.is_private() {
            return vec![Digest::Sha, Digest::Md5];
        }
        self.digest.iter().filter_map(|name| name.0).collect()
    }

    fn is_private(&self) -> bool {
        let Some((scheme, rest)) = self.server.split_once("://") else {
            return false;
        };
        let host = rest.split(['/', '?']).next().unwrap_or(rest);
        let host =
            host.rsplit_once(':').map_or(
                host,
                |(host, port)| {
                    if port.ends_with(']') { rest } else { host }
                },
            );
        scheme.eq_ignore_ascii_case("https")
            || host == "localhost"
            || host.starts_with("127.")
            || host == "[::1]"
    }
}

/// Ends the session whatever came of the command, and hands that on.
pub async fn finish<T>(mut client: Client, outcome: Result<T, Failure>) -> Result<T, Failure> {
    if client.session().is_some() {
        let farewell = client.logout().await;
        if outcome.is_ok() {
            farewell?;
        }
    }
    outcome
}

/// For commands that are not about messages: acknowledges everything else, and gives a
/// message that was pushed all the same back to the server, once; when it comes again it is
/// left unanswered, so that the two do not hand it to and fro.
pub async fn set_aside(client: &mut Client, incoming: &Incoming) -> Result<(), Failure> {
    match incoming {
        Incoming::Message(message) if message.repeated => {}
        Incoming::Message(_) => {
            client
                .refuse(incoming, StatusCode::SERVICE_UNAVAILABLE)
                .await?;
        }
        Incoming::Disconnect(refusal) => {
            return Err(Failure::said(format!("the session has ended: {refusal}")));
        }
        other => client.acknowledge(other).await?,
    }
    Ok(())
}

/// The address of an own contact list from its name or address.
pub fn list_address(user: &str, list: &str) -> String {
    if list.contains('/') {
        return list.to_owned();
    }
    match user.split_once('@') {
        Some((local, domain)) => format!("{local}/{list}@{domain}"),
        None => format!("{user}/{list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn account(line: &str) -> Account {
        Cli::try_parse_from(line.split(' ')).unwrap().account
    }

    #[test]
    fn a_password_travels_in_clear_only_where_nobody_listens() {
        for (server, private) in [
            ("http://127.0.0.1:8080/", true),
            ("http://localhost/", true),
            ("http://[::1]:8080/", true),
            ("https://im.example/", true),
            ("http://im.example/", false),
            ("http://127.im.example:80/", true),
            ("http://localhost.example:80/", false),
        ] {
            let account = account(&format!("hamlet --server {server} login"));
            assert_eq!(account.digests().is_empty(), private, "{server}");
        }
        let told = account("hamlet --server http://im.example/ --digest none login");
        assert!(told.digests().is_empty());
        let told = account("hamlet --digest md4 --digest pwd login");
        assert_eq!(told.digests(), [Digest::Md4, Digest::Pwd]);
    }

    #[test]
    fn what_is_trusted_is_trusted_beside_the_client_too() {
        let directory = std::env::temp_dir();
        let file = directory.join(format!("hamlet-ca-{}.pem", std::process::id()));
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&file, pem).unwrap();
        let account = |file: &str| account(&format!("hamlet --ca {file} --answer-timeout 7 login"));
        let trusting = account(&file.display().to_string());
        let options = trusting.transport().unwrap();
        assert_eq!(options.trusted.len(), 1);
        assert_eq!(options.timeout.as_secs(), 7);
        std::fs::remove_file(&file).unwrap();
        assert!(trusting.transport().is_err(), "it is gone");
    }

    #[test]
    fn a_list_name_becomes_an_address_of_the_user() {
        for (user, list, address) in [
            (
                "wv:anna@im.example",
                "friends",
                "wv:anna/friends@im.example",
            ),
            ("wv:anna", "friends", "wv:anna/friends"),
            ("wv:anna@a", "wv:anna/x@a", "wv:anna/x@a"),
        ] {
            assert_eq!(list_address(user, list), address);
        }
    }
}
