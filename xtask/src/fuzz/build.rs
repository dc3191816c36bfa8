//! The program with all targets.
//!
//! Only what decodes is instrumented, package by package: the rest of the server is several times larger, took longest to build and
//! would add nothing. The address sanitizer goes to libraries that have unsafe code, and into the program, so that their allocations
//! are watched; code of ours has none (`unsafe_code = "forbid"`).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{cargo, root, succeed, target_dir};

/// What instruments code for libFuzzer: edges, and operands of comparisons.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
const ADDRESS_SANITIZER: &str = "-Zsanitizer=address";

/// Packages that decode, without unsafe code.
const OURS: [&str; 5] = ["weir-agent", "weir-fuzz", "weir-model", "weir-server", "weir-wire"];
/// Packages that decode for us. None of them is part of a build script or of a macro: what is set for a package holds there, too.
const THEIRS: [&str; 9] =
    ["asn1-rs", "der-parser", "flate2", "jiff", "lzxd", "quick-xml", "regf", "x509-parser", "zlib-rs"];
const PROGRAM: &str = "weir-fuzz-runner";
/// Where the compiler has the address sanitizer.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Everything about fuzzing that is made.
pub(super) fn folder() -> PathBuf {
    target_dir().join("fuzz")
}

/// Builds the program, and says where it is.
pub(super) fn program() -> Result<PathBuf> {
    let host = host()?;
    if !PLATFORMS.contains(&host.as_str()) {
        bail!("fuzzing runs on {}, not on {host}", PLATFORMS.join(" and "));
    }
    let libraries = told_by_rustc(&["--print", "target-libdir"])?;
    if !has_sanitizer(Path::new(libraries.trim())) {
        bail!(
            "{} has no library of the address sanitizer: take the compiler as rustup or rust-lang.org have it",
            libraries.trim()
        );
    }
    same_versions()?;
    let mut cargo = cargo("build");
    // with a target named, libraries of build scripts and macros are built apart
    cargo.args(["--release", "--manifest-path", "fuzz/runner/Cargo.toml", "--target", &host, "-Zprofile-rustflags"]);
    for setting in settings() {
        cargo.args(["--config", &setting]);
    }
    // the stable cargo and compiler take unstable options then
    cargo.arg("--target-dir").arg(folder()).env("RUSTC_BOOTSTRAP", "1");
    succeed(&mut cargo)?;
    Ok(folder().join(host).join("release").join(PROGRAM))
}

/// The flags of each package.
fn settings() -> Vec<String> {
    let of = |package: &str, flags: &[&str]| format!("profile.release.package.{package}.rustflags={flags:?}");
    let watched: Vec<&str> = COVERAGE.into_iter().chain([ADDRESS_SANITIZER]).collect();
    let ours = OURS.iter().map(|package| of(package, &COVERAGE));
    let theirs = THEIRS.iter().map(|package| of(package, &watched));
    ours.chain(theirs).chain([of(PROGRAM, &[ADDRESS_SANITIZER])]).collect()
}

/// The platform of the compiler.
fn host() -> Result<String> {
    let text = told_by_rustc(&["-vV"])?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for which platform it is")
}

/// What the compiler prints with these arguments.
fn told_by_rustc(arguments: &[&str]) -> Result<String> {
    let output = Command::new("rustc").args(arguments).output().context("cannot start rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the compiler came with the address sanitizer, which it links into programs: compilers of distributions often do not.
fn has_sanitizer(libraries: &Path) -> bool {
    // librustc-stable_rt.asan.a, or of another channel
    let is = |name: &str| name.starts_with("librustc-") && name.ends_with("_rt.asan.a");
    let mut entries = libraries.read_dir().into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_str().is_some_and(is))
}

/// Begins the lock file of the program with that of the workspace: what is fuzzed has the versions that are shipped. It is begun
/// anew only when those changed, so that no registry is asked otherwise.
fn same_versions() -> Result<()> {
    let (ours, begun) = (root().join("Cargo.lock"), folder().join("Cargo.lock"));
    let lock = root().join("fuzz/runner/Cargo.lock");
    let wanted = fs::read(&ours).with_context(|| ours.display().to_string())?;
    if lock.exists() && fs::read(&begun).is_ok_and(|known| known == wanted) {
        return Ok(());
    }
    fs::create_dir_all(folder()).with_context(|| folder().display().to_string())?;
    fs::write(&lock, &wanted).with_context(|| lock.display().to_string())?;
    fs::write(&begun, &wanted).with_context(|| begun.display().to_string())
}
