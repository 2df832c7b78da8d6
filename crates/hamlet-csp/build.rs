//! Turns `model/csp.model` and the token table of docs/protocol into Rust.

#[path = "build/emit.rs"]
mod emit;
#[path = "build/model.rs"]
mod model;
#[path = "build/sample.rs"]
mod sample;
#[path = "build/tokens.rs"]
mod tokens;

use std::{env, fs, path::Path};

fn main() {
    let tokens_path = "../../docs/protocol/wbxml-tokens.tsv";
    let model_path = "model/csp.model";
    for path in [tokens_path, model_path, "build", "build.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let read =
        |path: &str| fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let model = model::Model::parse(&read(model_path));
    let table = tokens::Table::parse(&read(tokens_path));
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, text: String| {
        fs::write(Path::new(&out).join(name), text)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    };
    write("tags.rs", tokens::emit(&table, &model));
    write("elements.rs", emit::elements(&model));
    write("sample.rs", sample::samples(&model));
}
