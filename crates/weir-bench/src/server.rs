//! The measured server, a process of its own.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
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
    engine::Home,
    load::Command as Run,
    measure::{Load, cpu_seconds, resident},
};

/// A running server of a benchmark, with the benchmark's own handlers beside the real ones. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    endpoints: serde_json::Value,
}

impl Server {
    /// Starts it on a data folder and its database, and waits until it listens.
    pub(crate) fn start(home: &Home) -> anyhow::Result<Self> {
        Self::start_as(Command::new(std::env::current_exe()?), home)
    }

    /// The same with 10 ms added to every flush of the disk, by strace: those of this process, which are all where the database is
    /// embedded.
    pub(crate) fn start_with_slow_flushes(home: &Home) -> anyhow::Result<Self> {
        Command::new("strace")
            .arg("-V")
            .stdout(Stdio::null())
            .status()
            .context("strace is not installed; `apt-get install strace` brings it")?;
        let mut command = Command::new("strace");
        command.args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]).args([
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            "inject=fsync,fdatasync:delay_exit=10000",
        ]);
        command.arg(std::env::current_exe()?);
        Self::start_as(command, home)
    }

    fn start_as(mut command: Command, home: &Home) -> anyhow::Result<Self> {
        let data = home.data();
        home.place().tell(&mut command);
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
        Ok(self.costs(load, run, &|| None)?.0)
    }

    /// The same with what it takes elsewhere, where `elsewhere` says how many processor seconds were used there so far.
    pub(crate) fn costs(
        &self,
        load: &mut Load,
        run: &Run,
        elsewhere: &dyn Fn() -> Option<f64>,
    ) -> anyhow::Result<(Option<f64>, Option<f64>)> {
        let used = || (cpu_seconds(self.pid()), elsewhere());
        let before = used();
        let outcome = load.run(run)?;
        let after = used();
        let of_one = |(before, after): (f64, f64)| (after - before) * 1e6 / outcome.requests.max(1) as f64;
        let cost =
            |before: Option<f64>, after: Option<f64>| before.zip(after).filter(|_| outcome.requests > 0).map(of_one);
        Ok((cost(before.0, after.0), cost(before.1, after.1)))
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
