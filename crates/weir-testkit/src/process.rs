//! A `weir` process of a test's own.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// A running `weir serve` on free ports with a data folder of its own. Killed when dropped.
#[derive(Debug)]
pub struct WeirProcess {
    binary: PathBuf,
    data: PathBuf,
}

impl WeirProcess {
    /// Starts `binary` (in an integration test: `env!("CARGO_BIN_EXE_weir")`) on port 0 everywhere with a temporary data
    /// folder and waits until it has written `endpoints.json`.
    pub fn start(binary: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(binary, None, &[])
    }

    /// The same with a data folder that outlives it, if given, and more arguments of `serve`.
    pub fn start_with(binary: impl AsRef<Path>, data: Option<&Path>, arguments: &[&str]) -> Result<Self> {
        let _ = (binary, data, arguments);
        unimplemented!()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The program.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// `http://127.0.0.1:PORT` of the client plane.
    pub fn client_url(&self) -> String {
        unimplemented!()
    }

    /// `https://127.0.0.1:PORT` of the admin plane.
    pub fn admin_url(&self) -> String {
        unimplemented!()
    }

    /// The administrator's token.
    pub fn token(&self) -> Result<String> {
        unimplemented!()
    }

    /// Runs the command line against it (`--data` is added).
    pub fn weir(&self, arguments: &[&str]) -> Result<std::process::Output> {
        let _ = arguments;
        unimplemented!()
    }

    /// Runs the command line with `--json`, expects exit code 0 and gives what it printed.
    pub fn json(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let _ = arguments;
        unimplemented!()
    }

    /// Ends it at once (SIGKILL), as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        unimplemented!()
    }

    /// Asks it to end (SIGTERM) and waits; gives whether it ended well.
    pub fn stop(&mut self) -> Result<bool> {
        unimplemented!()
    }

    /// Starts it again on the same data folder after [`WeirProcess::kill`] or [`WeirProcess::stop`].
    pub fn restart(&mut self) -> Result<()> {
        unimplemented!()
    }
}
