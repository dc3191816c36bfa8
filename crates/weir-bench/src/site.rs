//! Servers of a hierarchy: processes of this program, driven through its own command line as an administrator would.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::{
    engine::{Home, Place},
    server::{Watch, watch},
};

/// How long a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running `weir serve` on loopback. Killed when dropped.
pub(crate) struct Site {
    child: Child,
    data: PathBuf,
    place: Place,
    endpoints: Value,
}

impl Site {
    /// Starts a server on a data folder and its database, with more arguments of `serve`, and waits until it listens.
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> anyhow::Result<Self> {
        let (data, place) = (home.data(), home.place());
        let file = data.join("endpoints.json");
        let _ = std::fs::remove_file(&file);
        let log = std::fs::File::create(data.join("bench-site.log"))?;
        let any = "127.0.0.1:0";
        let mut command = Command::new(std::env::current_exe()?);
        place.tell(&mut command);
        let mut child = command
            .args(["serve", "--client-http", any, "--client-https", any, "--admin", any, "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting a server")?;
        let until = Instant::now() + PATIENCE;
        loop {
            if let Ok(text) = std::fs::read_to_string(&file) {
                return Ok(Self { child, data: data.to_owned(), place, endpoints: serde_json::from_str(&text)? });
            }
            if child.try_wait()?.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(data.join("bench-site.log")).unwrap_or_default();
                let _ = child.kill();
                bail!("a server did not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a command against it and reads what it prints.
    pub(crate) fn weir(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let mut command = Command::new(std::env::current_exe()?);
        self.place.tell(&mut command);
        let output =
            command.args(arguments).args(["--json", "--data"]).arg(&self.data).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            bail!("weir {}: {}: {out}{error}", arguments.join(" "), output.status);
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
    }

    /// Address of its plain listener.
    pub(crate) fn url(&self) -> anyhow::Result<&str> {
        self.endpoints["client_http"].as_str().context("the server has no HTTP listener")
    }

    /// Address of the admin plane.
    pub(crate) fn admin(&self) -> anyhow::Result<&str> {
        self.endpoints["admin"].as_str().context("the server has no admin plane")
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in good order, as the system does, and waits for its end.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        ensure!(asked.success(), "the server could not be told to stop: {asked}");
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            ensure!(Instant::now() < until, "the server does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Watches its resident memory from now on.
    pub(crate) fn watch(&self) -> Watch {
        watch(self.child.id())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
