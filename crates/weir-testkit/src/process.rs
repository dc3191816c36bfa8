//! A `weir` process of a test's own.

use std::{
    fs::{self, File},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::engine;

/// How long what a server does by itself may take on a busy machine: a start, a stop, a state that comes. Much of that happens once a
/// minute, so that one that was just missed has to fit in, too.
pub const PATIENCE: Duration = Duration::from_mins(5);
/// How long a command may take on a busy machine; one that waits for ever fails its test instead of stopping all.
const LIMIT: Duration = Duration::from_mins(15);
/// How often to look.
const GLANCE: Duration = Duration::from_millis(20);
/// Ports that are given by name only: Linux gives those from 32768 on to whoever does not care.
const PORTS: (u32, u32) = (20_000, 12_000);
/// Lines of a log that are worth reading after a failure, and bytes of them.
const TAIL: (usize, usize) = (60, 16 * 1024);

/// An address on this machine for a server that has to come back to it. The port is none that the system gives to others meanwhile,
/// as it may do with that of a server which listened anywhere and was stopped.
///
/// # Panics
///
/// If no port is free.
pub fn lasting_address() -> String {
    static TURN: AtomicU32 = AtomicU32::new(0);
    let (first, count) = PORTS;
    // processes that run side by side begin at different places
    let begin = std::process::id().wrapping_mul(97);
    let port = (0..count).find_map(|_| {
        let port = first + begin.wrapping_add(TURN.fetch_add(1, Ordering::Relaxed)) % count;
        TcpListener::bind(("127.0.0.1", u16::try_from(port).ok()?)).ok().map(|_| port)
    });
    format!("127.0.0.1:{}", port.unwrap_or_else(|| panic!("no port from {first} on is free")))
}

/// The end of a log: what is worth reading after a failure.
pub fn tail(text: &str) -> &str {
    let (lines, bytes) = TAIL;
    let begin = text.trim_end().rmatch_indices('\n').nth(lines - 1).map_or(0, |(at, _)| at + 1);
    let begin = begin.max(text.len().saturating_sub(bytes));
    (begin..=text.len()).find_map(|at| text.get(at..)).unwrap_or_default()
}

/// How busy this machine is: what a test that took too long is read by.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("load {} on {cores} processors", load.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

/// A running `weir serve` on free ports with a data folder of its own, on the database that [`engine`] has for it. Killed when
/// dropped.
#[derive(Debug)]
pub struct WeirProcess {
    binary: PathBuf,
    data: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
    endpoints: Value,
    // removed last
    _folder: Option<TempDir>,
}

impl WeirProcess {
    /// Starts `binary` (in an integration test: `env!("CARGO_BIN_EXE_weir")`) on port 0 everywhere with a temporary data
    /// folder and waits until it has written `endpoints.json`.
    ///
    /// # Errors
    ///
    /// It does not start or ends early; its log is part of the message.
    pub fn start(binary: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(binary, None, &[])
    }

    /// The same with a data folder that outlives it, if given, and more arguments of `serve`.
    ///
    /// # Errors
    ///
    /// As [`WeirProcess::start`].
    pub fn start_with(binary: impl AsRef<Path>, data: Option<&Path>, arguments: &[&str]) -> Result<Self> {
        let mut process = Self::ready(binary.as_ref(), data, arguments)?;
        process.restart()?;
        Ok(process)
    }

    /// The same on the embedded database whatever was chosen, for a test that is about its file.
    ///
    /// # Errors
    ///
    /// As [`WeirProcess::start`].
    pub fn start_on_sqlite(binary: impl AsRef<Path>, data: Option<&Path>, arguments: &[&str]) -> Result<Self> {
        let mut process = Self::ready(binary.as_ref(), data, arguments)?;
        engine::keep_sqlite(&process.data);
        process.restart()?;
        Ok(process)
    }

    /// One that was not started.
    fn ready(binary: &Path, data: Option<&Path>, arguments: &[&str]) -> Result<Self> {
        let (data, folder) = if let Some(data) = data {
            (data.to_owned(), None)
        } else {
            let folder = tempfile::Builder::new().prefix("weir-test-").tempdir()?;
            (folder.path().join("data"), Some(folder))
        };
        Ok(Self {
            binary: binary.to_owned(),
            data,
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            child: None,
            endpoints: Value::Null,
            _folder: folder,
        })
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The program.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Its process id.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("the server is running").id()
    }

    /// `http://127.0.0.1:PORT` of the client plane.
    ///
    /// # Panics
    ///
    /// If it has no such listener.
    pub fn client_url(&self) -> String {
        self.endpoint("client_http")
    }

    /// `https://127.0.0.1:PORT` of the admin plane.
    ///
    /// # Panics
    ///
    /// If it has no such listener.
    pub fn admin_url(&self) -> String {
        self.endpoint("admin")
    }

    /// `https://127.0.0.1:PORT` of the client plane.
    ///
    /// # Panics
    ///
    /// If it has no such listener.
    pub fn client_https_url(&self) -> String {
        self.endpoint("client_https")
    }

    /// Where downstream servers reach it now; none while it serves none.
    pub fn server_url(&self) -> Option<String> {
        let text = fs::read(self.data.join("endpoints.json")).ok()?;
        let endpoints: Value = serde_json::from_slice(&text).ok()?;
        Some(endpoints.get("server")?.as_str()?.to_owned())
    }

    /// Runs the command line with `--json` until what it prints is what is waited for, at most for [`PATIENCE`].
    ///
    /// # Errors
    ///
    /// A command fails, or the time is over; what was printed last is part of the message.
    pub fn wait_for(&self, arguments: &[&str], is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.json(arguments)?;
            if is_it(&value) {
                return Ok(value);
            }
            ensure!(Instant::now() < deadline, "weir {} still prints {value} ({})", arguments.join(" "), load());
            std::thread::sleep(GLANCE);
        }
    }

    /// Gives other arguments of `serve` to the next start.
    pub fn set_arguments(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    }

    fn endpoint(&self, key: &str) -> String {
        let address = self.endpoints.get(key).and_then(Value::as_str);
        address.unwrap_or_else(|| panic!("endpoints.json has no {key}: {}", self.endpoints)).to_owned()
    }

    /// The administrator's token.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn token(&self) -> Result<String> {
        Ok(fs::read_to_string(self.data.join("admin.token"))?.trim().to_owned())
    }

    /// What it has logged and printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// The command line with these arguments against it (`--data` is added, and the database is in the environment).
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--data").arg(&self.data).stdin(Stdio::null());
        command.envs(self.database().map(|url| (engine::DATABASE, url)));
        command
    }

    /// The address of its database: that which it was given, else that which belongs to its folder; none if it is in the folder.
    pub fn database(&self) -> Option<String> {
        let given = self.arguments.iter().position(|argument| argument == "--database");
        let given = given.and_then(|at| self.arguments.get(at + 1)).cloned();
        given.or_else(|| engine::database(&self.data))
    }

    /// Runs the command line against it.
    ///
    /// # Errors
    ///
    /// It does not start, or does not end within some minutes; the server's log is part of the message.
    pub fn weir(&self, arguments: &[&str]) -> Result<Output> {
        self.output(self.command(arguments), arguments)
    }

    fn output(&self, mut command: Command, arguments: &[&str]) -> Result<Output> {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("cannot start {}", self.binary.display()))?;
        let id = child.id();
        let (ended, end) = mpsc::channel();
        // the other end may have given up
        std::thread::spawn(move || drop(ended.send(child.wait_with_output())));
        if let Ok(output) = end.recv_timeout(LIMIT) {
            return Ok(output?);
        }
        Command::new("kill").args(["-KILL", &id.to_string()]).status()?;
        bail!("weir {} did not end within {LIMIT:?} ({}); the server: {}", arguments.join(" "), load(), self.log());
    }

    /// Runs the command line with `--json`, expects exit code 0 and gives what it printed.
    ///
    /// # Errors
    ///
    /// Another exit code, or no JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let (code, value) = self.json_with_code(arguments)?;
        ensure!(code == 0, "weir {} ended with {code}: {value}", arguments.join(" "));
        Ok(value)
    }

    /// Runs the command line with `--json`; gives the exit code and what it printed. A refusal prints nothing: its text
    /// on standard error is given as a JSON text.
    ///
    /// # Errors
    ///
    /// It does not start or end, was killed, or printed something else than JSON.
    pub fn json_with_code(&self, arguments: &[&str]) -> Result<(i32, Value)> {
        let mut command = self.command(arguments);
        command.arg("--json");
        let output = self.output(command, arguments)?;
        let code = output.status.code().context("killed by a signal")?;
        if output.stdout.trim_ascii().is_empty() {
            return Ok((code, Value::String(String::from_utf8_lossy(&output.stderr).into_owned())));
        }
        let value: Value = serde_json::from_slice(&output.stdout).with_context(|| {
            format!("weir {} printed {}", arguments.join(" "), String::from_utf8_lossy(&output.stdout))
        })?;
        // answers may have a field of that name, too: a sentence, or null
        if value.get("problem").is_some_and(Value::is_object) {
            // tests read refusals as people do
            return Ok((code, Value::String(String::from_utf8_lossy(&output.stderr).into_owned())));
        }
        Ok((code, value))
    }

    /// Ends it at once (SIGKILL), as a power cut would.
    ///
    /// # Errors
    ///
    /// It is not running.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the server is not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits; gives whether it ended well.
    ///
    /// # Errors
    ///
    /// It is not running, or does not end within [`PATIENCE`].
    pub fn stop(&mut self) -> Result<bool> {
        let mut child = self.child.take().context("the server is not running")?;
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        ensure!(asked.success(), "cannot send SIGTERM");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status.success());
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                bail!("the server did not end within {PATIENCE:?} ({}): {}", load(), self.log());
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Starts it again on the same data folder after [`WeirProcess::kill`] or [`WeirProcess::stop`].
    ///
    /// # Errors
    ///
    /// As [`WeirProcess::start`].
    pub fn restart(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "the server is running already");
        fs::create_dir_all(&self.data)?;
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--data").arg(&self.data);
        for option in ["--client-http", "--client-https", "--admin"] {
            if !self.arguments.iter().any(|argument| argument == option) {
                command.args([option, "127.0.0.1:0"]);
            }
        }
        command.envs(self.database().map(|url| (engine::DATABASE, url)));
        command.args(&self.arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = spawned(&mut command).with_context(|| format!("cannot start {}", self.binary.display()))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(endpoints) = self.endpoints_of(child.id()) {
                self.endpoints = endpoints;
                self.child = Some(child);
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}: {}", self.log());
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                bail!("the server wrote no endpoints.json within {PATIENCE:?} ({}): {}", load(), self.log());
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// `endpoints.json`, if it is there and of this process; a killed server leaves its own behind.
    fn endpoints_of(&self, id: u32) -> Option<Value> {
        let text = fs::read(self.data.join("endpoints.json")).ok()?;
        let endpoints: Value = serde_json::from_slice(&text).ok()?;
        (endpoints.get("pid")?.as_u64()? == u64::from(id)).then_some(endpoints)
    }
}

/// Starts a program. One that was written a moment ago may be held open for writing by a process of another test that is between its
/// beginning and its program: then a moment later.
fn spawned(command: &mut Command) -> io::Result<Child> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < deadline => {
                std::thread::sleep(GLANCE);
            }
            outcome => return outcome,
        }
    }
}

impl Drop for WeirProcess {
    #[expect(clippy::print_stderr, reason = "who reads of a test that failed wants to know what its servers said")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} ({}):\n{}", self.log_file().display(), load(), tail(&self.log()));
        }
        if self.child.is_some() {
            // a test that fails leaves no server behind; there is nobody to tell
            let _ = self.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_has_the_last_lines_and_is_not_long() {
        let log = (0..500).map(|number| format!("line {number}\n")).collect::<Vec<_>>().concat();
        let end = tail(&log);
        assert!(end.starts_with("line 440\n") && end.ends_with("line 499\n"), "{end}");
        assert_eq!(tail("one\ntwo"), "one\ntwo");
        assert_eq!(tail(""), "");
        let long = "\u{e4}".repeat(20_001);
        assert_eq!(tail(&long).len(), TAIL.1);
        assert_eq!(tail(&format!("x{long}y")).len(), TAIL.1 - 1, "whole characters");
    }

    #[test]
    fn a_lasting_address_is_of_nobody_else() {
        let (one, other) = (lasting_address(), lasting_address());
        assert_ne!(one, other);
        let port: u32 = one.split(':').next_back().expect("a port").parse().expect("a number");
        assert!((PORTS.0..PORTS.0 + PORTS.1).contains(&port), "{one}");
        TcpListener::bind(&one).expect("it is free");
    }
}
