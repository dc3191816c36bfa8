//! Short runs of the fuzz targets, which need a nightly compiler and cargo-fuzz.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{root, succeed, works};

pub(crate) fn run(seconds: u32, only: &[String]) -> Result<()> {
    if !works("cargo", &["+nightly", "--version"]) {
        bail!("fuzzing needs a nightly compiler: rustup toolchain install nightly");
    }
    if !works("cargo", &["fuzz", "--version"]) {
        bail!("fuzzing needs cargo-fuzz: cargo install --locked cargo-fuzz");
    }
    let folder = root().join("fuzz/fuzz_targets");
    let mut targets: Vec<String> = fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    targets.sort();
    if let Some(unknown) = only.iter().find(|name| !targets.contains(name)) {
        bail!("no fuzz target {unknown}; there are {}", targets.join(", "));
    }
    targets.retain(|target| only.is_empty() || only.contains(target));
    for target in targets {
        succeed(Command::new("cargo").current_dir(root()).args(["+nightly", "fuzz", "run", &target, "--"]).args([
            format!("-max_total_time={seconds}"),
            "-rss_limit_mb=2048".into(),
            "-timeout=10".into(),
        ]))?;
    }
    Ok(())
}
