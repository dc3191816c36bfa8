//! The measured server, a process of its own.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::{
    load::Command as Run,
    measure::{Load, cpu_seconds, resident},
};

/// A running server of a benchmark, with the benchmark's own handlers beside the real ones. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    endpoints: serde_json::Value,
}

impl Server {
    /// Starts it on a data folder and waits until it listens.
    pub(crate) fn start(data: &Path) -> anyhow::Result<Self> {
        Self::start_as(itself()?, data)
    }

    /// The same with its data in a database of PostgreSQL.
    pub(crate) fn start_on(database: &str, data: &Path) -> anyhow::Result<Self> {
        let mut command = itself()?;
        command.env(DATABASE, database);
        Self::start_as(command, data)
    }

    /// The same with 10 ms added to every flush of the disk, by strace.
    pub(crate) fn start_with_slow_flushes(data: &Path) -> anyhow::Result<Self> {
        Command::new("strace")
            .arg("-V")
            .stdout(Stdio::null())
            .status()
            .context("strace is not installed; `apt-get install strace` brings it")?;
        let mut command = Command::new("strace");
        without_settings(&mut command);
        command.args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]).args([
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            "inject=fsync,fdatasync:delay_exit=10000",
        ]);
        command.arg(std::env::current_exe()?);
        Self::start_as(command, data)
    }

    fn start_as(mut command: Command, data: &Path) -> anyhow::Result<Self> {
        let file = data.join("endpoints.json");
        let _ = std::fs::remove_file(&file);
        let log = std::fs::File::create(data.join("bench-server.log"))?;
        let child = command
            .args(["bench-server", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting the measured server")?;
        let mut server = Self { child, endpoints: serde_json::Value::Null };
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            if let Ok(text) = std::fs::read_to_string(&file) {
                server.endpoints = serde_json::from_str(&text)?;
                return Ok(server);
            }
            if server.child.try_wait()?.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(data.join("bench-server.log")).unwrap_or_default();
                bail!("the measured server did not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The server's own process, which a tracer may stand before.
    fn pid(&self) -> u32 {
        self.endpoints["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap_or_else(|| self.child.id())
    }

    /// Address of the client plane.
    pub(crate) fn client(&self) -> anyhow::Result<SocketAddr> {
        let url = self.endpoints["client_http"].as_str().context("the server has no HTTP listener")?;
        Ok(url.trim_start_matches("http://").parse()?)
    }

    /// Base address of the client plane.
    pub(crate) fn client_url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.client()?))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        resident(self.pid())
    }

    /// Watches the resident memory from now on.
    pub(crate) fn watch(&self) -> Watch {
        watch(self.pid())
    }

    /// Microseconds of processor time that one request of a run takes here, those of the kernel for this process included. The load
    /// generator does not distort it as it does rates.
    pub(crate) fn cost(&self, load: &mut Load, run: &Run) -> anyhow::Result<Option<f64>> {
        let before = cpu_seconds(self.pid());
        let outcome = load.run(run)?;
        let used = before.zip(cpu_seconds(self.pid())).map(|(before, after)| (after - before) * 1e6);
        Ok(used.filter(|_| outcome.requests > 0).map(|used| used / outcome.requests as f64))
    }
}

/// The variable that names the database of a measured server, as it does that of `weir serve`.
pub(crate) const DATABASE: &str = "WEIR_DATABASE";

/// This program. What is set for a server of the administrator's own must not reach those that are measured: they would use its data.
pub(crate) fn itself() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    without_settings(&mut command);
    Ok(command)
}

fn without_settings(command: &mut Command) {
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("WEIR_") {
            command.env_remove(variable);
        }
    }
}

/// Watches the resident memory of a process from now on.
pub(crate) fn watch(pid: u32) -> Watch {
    let stop = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut peak = 0;
        while !until.load(Ordering::Relaxed) {
            peak = peak.max(resident(pid));
            std::thread::sleep(Duration::from_millis(10));
        }
        peak
    });
    Watch { stop, thread }
}

/// Keeps the highest resident memory of a server.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Watch {
    /// Ends it and gives the highest value in bytes.
    pub(crate) fn peak(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or(0)
    }
}

/// One GET, for the benchmark's own paths; the body of the answer.
pub(crate) fn fetch(address: SocketAddr, path: &str) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("no answer")? + 4;
    anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    Ok(answer.split_off(end))
}

impl Drop for Server {
    fn drop(&mut self) {
        // a killed tracer would leave the server running
        if self.pid() != self.child.id() {
            let _ = Command::new("kill").arg("-KILL").arg(self.pid().to_string()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
