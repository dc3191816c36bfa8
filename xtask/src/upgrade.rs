//! Programs of earlier releases, built from their commits, and the tests of an upgrade with them.
//!
//! `tests/schemas/releases` names the commit of each release. One whose commit is not in this clone, or that has none of its own, is
//! passed over, which is said. What is built stays below `target/upgrade`, so that the next run takes seconds.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{cargo, needs, root, succeed, target_dir};

/// A release, as `tests/schemas/releases` has it.
#[derive(Debug, Eq, PartialEq)]
struct Release {
    version: String,
    /// None: it came with the one after it.
    commit: Option<String>,
}

/// Tests upgrades from the newest release that can be built here, or from all of them.
pub(crate) fn run(all: bool) -> Result<()> {
    needs::provide()?;
    let list = fs::read_to_string(root().join("tests/schemas/releases")).context("tests/schemas/releases")?;
    let mut tested = 0;
    for release in releases(&list)?.iter().rev() {
        let Some(commit) = &release.commit else {
            println!("xtask: {} is passed over: it has no commit of its own", release.version);
            continue;
        };
        if !is_here(commit) {
            println!("xtask: {} is passed over: its commit {commit} is not in this clone", release.version);
            continue;
        }
        let program = build(&release.version, commit)?;
        let mut tests = cargo("test");
        tests.args([
            "--release",
            "--package",
            "weir",
            "--test",
            "system",
            "--",
            "front_ends::upgrade::",
            "--nocapture",
        ]);
        succeed(tests.env("PREVIOUS_WEIR", &program))?;
        tested += 1;
        if !all {
            break;
        }
    }
    ensure!(tested > 0, "no earlier release can be built here");
    Ok(())
}

/// The releases of a list, oldest first.
fn releases(list: &str) -> Result<Vec<Release>> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let release = |line: &str| {
        let mut fields = line.split(' ').map(str::to_owned);
        let (Some(version), Some(commit)) = (fields.next(), fields.next()) else {
            bail!("tests/schemas/releases has the line {line:?}");
        };
        Ok(Release { version, commit: Some(commit).filter(|commit| commit != "-") })
    };
    lines.map(release).collect()
}

/// A git in the workspace's root.
fn git(arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.current_dir(root()).args(arguments).stdin(Stdio::null());
    git
}

fn is_here(commit: &str) -> bool {
    let mut look = git(&["cat-file", "-e", &format!("{commit}^{{commit}}")]);
    look.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The program of a release; built if that was not done before.
fn build(version: &str, commit: &str) -> Result<PathBuf> {
    let folder = target_dir().join("upgrade");
    let (source, program) = (folder.join(version), folder.join(format!("weir-{version}")));
    if program.is_file() {
        return Ok(program);
    }
    extract(commit, &source)?;
    let built = folder.join("target");
    let mut build = cargo("build");
    build.args(["--release", "--locked", "--package", "weir"]).current_dir(&source).env("CARGO_TARGET_DIR", &built);
    succeed(&mut build)?;
    // under its name only when it is whole
    let copy = folder.join("weir.new");
    fs::copy(built.join("release/weir"), &copy).with_context(|| copy.display().to_string())?;
    fs::rename(&copy, &program).with_context(|| program.display().to_string())?;
    fs::remove_dir_all(&source).with_context(|| source.display().to_string())?;
    Ok(program)
}

/// Puts the files of a commit into a folder of their own.
fn extract(commit: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut archive =
        git(&["archive", "--format=tar", commit]).stdout(Stdio::piped()).spawn().context("git archive")?;
    let files = archive.stdout.take().context("git archive has no output")?;
    succeed(Command::new("tar").arg("-x").arg("-C").arg(folder).stdin(files))?;
    ensure!(archive.wait()?.success(), "git archive {commit} failed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_releases_is_read() {
        let read = releases("# version commit schema database\n0.1.0 1886 a b\n0.2.0 - c d\n").expect("a list");
        let release = |version: &str, commit: Option<&str>| Release {
            version: version.to_owned(),
            commit: commit.map(str::to_owned),
        };
        assert_eq!(read, [release("0.1.0", Some("1886")), release("0.2.0", None)]);
        assert!(releases("0.1.0").is_err());
        let own = fs::read_to_string(root().join("tests/schemas/releases")).expect("a list");
        assert!(releases(&own).is_ok_and(|all| all.len() > 5));
    }
}
