//! The reference of the configuration, in Markdown (docs/configuration.md).

use super::declaration::{KEYS, SECTIONS};
use super::settings::Key;
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Configuration of hamletd

<!-- Written by `hamletd config-reference`; edit crates/hamletd/src/config/declaration.rs instead. -->

Every value has a default: `hamletd` without a configuration serves the domain `localhost` from the directory `data`.
Values are set in a TOML file named by `--config FILE`, and by `--set KEY=VALUE` on the command line, before or after a
subcommand, as often as needed. What is set later wins: defaults, then the file, then `--set` in the order given. A key
that does not exist is an error. Paths are relative to the directory in which the server is started.

```toml
domain = \"im.example.org\"

[http]
listen = \"0.0.0.0:8080\"
max_body = \"2MiB\"

[http.tls]
listen = \"0.0.0.0:8443\"
certificate = \"/etc/hamlet/fullchain.pem\"
key = \"/etc/hamlet/privkey.pem\"
```

The same on the command line: `--set domain=im.example.org --set http.listen=0.0.0.0:8080`, and so on.
";

/// The whole reference.
pub fn reference() -> String {
    let mut out = INTRODUCTION.to_owned();
    section(&mut out, "general", "", "");
    for (name, about) in SECTIONS {
        section(&mut out, name, about, name);
    }
    out
}

fn section(out: &mut String, title: &str, about: &str, name: &str) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\n## {title}\n\n");
    if !about.is_empty() {
        let _ = write!(out, "{}\n\n", one_line(about));
    }
    out.push_str("| Key | Default | Value | Meaning |\n|---|---|---|---|\n");
    for key in KEYS.iter().filter(|key| key.section == name) {
        row(out, key);
    }
}

fn row(out: &mut String, key: &Key) {
    let default = match key.default {
        "" => "not set".to_owned(),
        text => format!("`{text}`"),
    };
    let _ = writeln!(
        out,
        "| `{}` | {default} | {} | {} |",
        key.name,
        cell(key.expected),
        cell(&one_line(key.doc))
    );
}

/// The lines of a comment as one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
