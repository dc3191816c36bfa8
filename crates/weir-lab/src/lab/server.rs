//! One server of the lab: a process of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use weir_api::status::{ENDPOINTS_FILE, Endpoints};

use super::{rest::Rest, tree::Place};

/// How long a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often to look.
const GLANCE: Duration = Duration::from_millis(25);

/// A running server. Its process is in the [`Yard`].
#[derive(Debug)]
pub(super) struct Server {
    /// Its name in the story.
    pub(super) name: String,
    /// Its data folder.
    pub(super) data: PathBuf,
    /// Where it listens.
    pub(super) endpoints: Endpoints,
    /// The administrator's way to it.
    pub(super) rest: Rest,
}

/// The processes of a lab, in the order of their start. Whatever a story was about when it ended, they are here. They are
/// killed when this is dropped, and end by themselves when this process is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Yard(Arc<Mutex<Vec<(String, Child)>>>);

impl Yard {
    fn processes(&self) -> MutexGuard<'_, Vec<(String, Child)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the process of this id ended, if it did.
    fn ended(&self, id: Option<u32>) -> Option<ExitStatus> {
        let mut processes = self.processes();
        processes
            .iter_mut()
            .filter(|(_, child)| child.id() == id)
            .find_map(|(_, child)| child.try_wait().ok().flatten())
    }

    /// Asks all to end, the newest first, and waits; kills what takes too long. Gives the names of those that did not end well.
    pub(super) async fn stop(&self) -> Vec<String> {
        let mut processes = std::mem::take(&mut *self.processes());
        for (_, child) in processes.iter().rev() {
            let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            if let Some(id) = id {
                // an error says that it is gone already
                let _ = kill_process(id, Signal::TERM);
            }
        }
        let mut badly = Vec::new();
        for (name, child) in &mut processes {
            match tokio::time::timeout(PATIENCE, child.wait()).await {
                // one that does not listen to signals yet is ended by the first
                Ok(Ok(status)) if status.success() || status.code().is_none() => {}
                Ok(_) => badly.push(name.clone()),
                Err(_) => {
                    let _ = child.kill().await;
                    badly.push(name.clone());
                }
            }
        }
        badly
    }
}

impl Server {
    /// Starts a server on free ports of this machine and waits until it listens.
    pub(super) async fn start(place: &Place, name: &str, arguments: &[&str]) -> Result<Self> {
        let (binary, data) = (&place.binary, place.folder.join(name));
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let log = File::options().create(true).append(true).open(log_file(&data))?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--data").arg(&data);
        for option in ["--client-http", "--client-https", "--admin"] {
            command.args([option, "127.0.0.1:0"]);
        }
        command.args(arguments).arg("--exit-with-parent").arg(std::process::id().to_string());
        // tests choose the engine; without that the database is in the data folder
        if let Some(url) = weir_testkit::engine::database(&data) {
            command.args(["--database", &url]);
        }
        // what is set for a server of the administrator's own must not reach these
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("WEIR_") {
                command.env_remove(variable);
            }
        }
        // a group of its own: Ctrl+C is for the lab, which stops its servers in order
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let id = child.id();
        place.yard.processes().push((name.to_owned(), child));
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(endpoints) = endpoints(&data, id) {
                let rest = Rest::open(&data, &endpoints)?;
                return Ok(Self { name: name.to_owned(), data, endpoints, rest });
            }
            if let Some(status) = place.yard.ended(id) {
                bail!("the server {name} ended with {status}: {}", last_line(&data));
            }
            if Instant::now() > deadline {
                bail!("the server {name} does not listen after {} s: {}", PATIENCE.as_secs(), last_line(&data));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Where computers reach it, without TLS.
    pub(super) fn client_url(&self) -> Result<&str> {
        self.endpoints.client_http.as_deref().with_context(|| format!("{} has no listener for computers", self.name))
    }

    /// Where its log is.
    pub(super) fn log(&self) -> PathBuf {
        log_file(&self.data)
    }
}

fn log_file(data: &Path) -> PathBuf {
    data.with_extension("log")
}

/// `endpoints.json`, if this process wrote it; one that was killed leaves its own behind.
fn endpoints(data: &Path, id: Option<u32>) -> Option<Endpoints> {
    let text = std::fs::read(data.join(ENDPOINTS_FILE)).ok()?;
    let endpoints: Endpoints = serde_json::from_slice(&text).ok()?;
    (Some(endpoints.pid) == id).then_some(endpoints)
}

/// What it said last.
fn last_line(data: &Path) -> String {
    let log = std::fs::read_to_string(log_file(data)).unwrap_or_default();
    log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing was logged").to_owned()
}
