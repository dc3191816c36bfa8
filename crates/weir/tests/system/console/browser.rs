//! Running a module of `tests/console` against a server, and doing what it asks for.

#![expect(clippy::print_stderr, reason = "what the browser found is read by people")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use weir_testkit::process::PATIENCE;

/// Seconds that a module may take on a busy machine; its own waits are shorter, so that it says what it waited for.
const LIMIT: &str = "3000";

/// The folder into which the preparation installed what modules need.
pub(super) fn installed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    let folder = std::env::var_os("CONSOLE_BROWSER").map_or_else(|| target.join("console-browser"), PathBuf::from);
    assert!(
        folder.join("node_modules/playwright-core").is_dir(),
        "this test needs playwright-core in {}: run `cargo xtask test --prepare`, or name its folder in CONSOLE_BROWSER",
        folder.display()
    );
    folder
}

/// A server whose console is opened, by its data folder.
#[derive(Clone, Debug)]
pub(super) struct Site {
    admin: String,
    data: PathBuf,
}

impl Site {
    pub(super) fn new(data: &Path) -> Self {
        let text = fs::read(data.join("endpoints.json")).expect("the server listens");
        let endpoints: Value = serde_json::from_slice(&text).expect("JSON");
        let admin = endpoints["admin"].as_str().expect("an admin plane").to_owned();
        Self { admin, data: data.to_owned() }
    }

    /// The link that a new server prints, which it does after it has said where it listens.
    pub(super) fn first_link(&self, log: impl Fn() -> String) -> String {
        let begin = format!("{}/sign-in?code=", self.admin);
        let patience = Instant::now();
        loop {
            let text = log();
            // a line that ends is a whole one
            if let Some((link, _)) = text.split_once(&begin).and_then(|(_, rest)| rest.split_once('\n')) {
                return format!("{begin}{link}");
            }
            assert!(patience.elapsed() < PATIENCE, "the server printed no sign-in link:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A new link.
    pub(super) fn link(&self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(["admin", "sign-in", "--json", "--data"]).arg(&self.data).stdin(Stdio::null());
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let link: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        link["url"].as_str().expect("a link").to_owned()
    }
}

/// A module in the making.
pub(super) struct Module<'s> {
    name: &'s str,
    command: Command,
}

impl<'s> Module<'s> {
    /// A module that opens the console of a site and keeps what it makes in a folder.
    pub(super) fn new(name: &'s str, site: &Site, folder: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/console").join(format!("{name}.mjs"));
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=10", LIMIT, "node"])
            .arg(fs::canonicalize(&script).unwrap_or_else(|error| panic!("{}: {error}", script.display())))
            .current_dir(installed())
            .env("WEIR_URL", &site.admin)
            .env("WEIR_CA", site.data.join("tls/ca.pem"))
            .env("WEIR_OUT", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { name, command }
    }

    /// A link that it signs in with.
    pub(super) fn link(self, link: &str) -> Self {
        self.variable("WEIR_LINK", link)
    }

    /// Something that it is told.
    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end. A line `ASK WHAT` is answered with `done` when `act` has done that, or with why not. The error is all
    /// that it said, if it did not end well.
    pub(super) fn run(mut self, mut act: impl FnMut(&str) -> anyhow::Result<()>) -> Result<(), String> {
        let started = Instant::now();
        let mut child = self.command.spawn().expect("node starts");
        let mut answers = child.stdin.take().expect("it is piped");
        let mut errors = child.stderr.take().expect("it is piped");
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            // half of a text is better than none
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut told = String::new();
        for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
            let line = line.expect("text");
            if let Some(asked) = line.strip_prefix("ASK ") {
                let answer = act(asked).map_or_else(|error| format!("failed: {error:#}"), |()| "done".to_owned());
                // one that ended meanwhile has no use for it
                let _ = writeln!(answers, "{}", answer.replace('\n', " "));
            }
            eprintln!("{}: {line}", self.name);
            told.push_str(&line);
            told.push('\n');
        }
        let status = child.wait().expect("it is ours");
        let complaints = complaints.join().unwrap_or_default();
        eprintln!("{}: {:.1} s, {status}", self.name, started.elapsed().as_secs_f64());
        if status.success() { Ok(()) } else { Err(format!("== {} ({status})\n{told}{complaints}", self.name)) }
    }
}

/// A module that asks for nothing.
pub(super) fn nothing(asked: &str) -> anyhow::Result<()> {
    anyhow::bail!("nobody does {asked} here")
}
