//! Content downloads against nginx on the same files; where it is not installed, against a handler that streams as many bytes.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command as Process, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use weir_store::{
    Actor, Store,
    content::{Content as _, ContentStore, Expected},
    content_file::{ContentFileRow, ContentState},
};
use weir_testkit::Payload;

use crate::{
    engine::Engine,
    load::{Command, write_bodies},
    measure::{Figure, Limit, Load, Rounds, Row, exponent, median},
    server::Server,
};

/// nginx serving a folder. Killed when dropped.
struct Nginx {
    child: Child,
    address: SocketAddr,
}

impl Nginx {
    fn start(scratch: &Path, root: &Path) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = scratch.join("nginx");
        std::fs::create_dir_all(&folder)?;
        let configuration = format!(
            "worker_processes 2;\ndaemon off;\nmaster_process on;\nuser root;\npid {folder}/pid;\nerror_log {folder}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n\
             client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n\
             uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n\
             server {{ listen {address}; root {root}; }} }}\n",
            folder = folder.display(),
            root = root.display()
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration)?;
        let child = Process::new("nginx")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("nginx is not installed; `apt-get install nginx-light` brings it")?;
        let nginx = Self { child, address };
        for _ in 0..200 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(nginx);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("nginx did not start: {}", std::fs::read_to_string(folder.join("error.log")).unwrap_or_default())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // the master passes a quit on to its workers; a kill would orphan them
        let _ = Process::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Megabytes (MiB) of the files that are downloaded; the last one is that of the budget.
const SIZES: [usize; 3] = [1, 16, BUDGET];
const BUDGET: usize = 64;
/// The part of the largest file that is asked for alone.
const RANGE: (u64, u64) = (1 << 20, (2 << 20) - 1);
/// Downloads at once.
const CONNECTIONS: usize = 7;

/// Rows, and the exponent by which the time of a download grows with the file.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// What downloads are compared with.
enum Baseline {
    Nginx(Nginx),
    /// The handler of the measured server that streams as many bytes from memory, and why it is not nginx.
    Null(String),
}

impl Baseline {
    fn name(&self) -> &'static str {
        match self {
            Self::Nginx(_) => "nginx on the same file",
            Self::Null(_) => "a handler that streams as many bytes from memory: nginx could not be started",
        }
    }
}

/// Compares whole downloads of files of several sizes, and ranges of 1 MiB of the largest, from the folder that both servers serve.
pub(crate) fn measure(
    engine: &Engine,
    scratch: &Path,
    seconds: f64,
    quick: bool,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let home = engine.home(scratch.join("content-data"))?;
    let content = ContentStore::open(&home.join("content"))?;
    let mut files = Vec::new();
    {
        let store = home.open()?;
        for size in SIZES {
            let payload = Payload::random(&format!("payload-{size}.cab"), size << 20, size as u64);
            files.push((size, put(&store, &content, &payload)?));
        }
    }
    let server = Server::start(&home)?;
    let baseline = match Nginx::start(scratch, content.folder()) {
        Ok(nginx) => Baseline::Nginx(nginx),
        Err(error) => Baseline::Null(format!("{error:#}")),
    };
    tell(&format!("content: downloads against {}", baseline.name()));
    let bodies = scratch.join("content.bodies");
    write_bodies(&bodies, &[Vec::new()])?;
    let seconds = if quick { seconds } else { seconds.max(1.5) };
    let bench = Bench { server, baseline, bodies, seconds, load: Load::start()? };
    bench.rows(&files)
}

struct Bench {
    server: Server,
    baseline: Baseline,
    bodies: PathBuf,
    seconds: f64,
    load: Load,
}

impl Bench {
    fn rows(mut self, files: &[(usize, String)]) -> anyhow::Result<Figures> {
        let (mut rows, mut growth) = (Vec::new(), Vec::new());
        for (size, path) in files {
            let (row, rate) = self.row("whole", *size, path, None)?;
            growth.push((*size as f64, 1.0 / rate));
            rows.push(row);
        }
        if let Some((size, path)) = files.last() {
            rows.push(self.row("range of 1 MiB", *size, path, Some(RANGE))?.0);
        }
        Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
    }

    /// A row, and downloads a second.
    fn row(&mut self, case: &str, size: usize, path: &str, range: Option<(u64, u64)>) -> anyhow::Result<(Row, f64)> {
        let command = |address, path: &str| Command {
            address,
            head: match range {
                None => format!("GET {path} HTTP/1.1\r\n"),
                Some((from, to)) => format!("GET {path} HTTP/1.1\r\nRange: bytes={from}-{to}\r\n"),
            },
            bodies: self.bodies.clone(),
            connections: CONNECTIONS,
            seconds: self.seconds,
            requests: None,
            vary: false,
            rate: None,
            others: Vec::new(),
        };
        let bytes = range.map_or((size as u64) << 20, |(from, to)| to + 1 - from);
        let weir = command(self.server.client()?, &format!("/Content/{path}"));
        let other = match &self.baseline {
            Baseline::Nginx(nginx) => command(nginx.address, &format!("/{path}")),
            Baseline::Null(_) => command(self.server.client()?, &format!("/bench/stream/{bytes}")),
        };
        let cpu_us = self.server.cost(&mut self.load, &weir)?;
        let rounds = Rounds::measure(&mut self.load, &[weir, other])?;
        let ratios = rounds.ratios_of(0, 1);
        let row = Row {
            case: case.to_owned(),
            revisions: size,
            value: rounds.figure(0, |outcome| outcome.bytes as f64 / outcome.seconds / 1e6),
            unit: "MB/s",
            baseline: Some(self.baseline.name()),
            ratio_null: Some(median(ratios.clone())),
            pairs: ratios.len(),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            cpu_us,
            answer_bytes: Some(bytes as f64),
            budget: match &self.baseline {
                Baseline::Nginx(_) => format!("{CONNECTIONS} at once"),
                Baseline::Null(why) => {
                    format!("{CONNECTIONS} at once; >= 0.9 of nginx is asked, which was not measured: {why}")
                }
            },
            ..Row::default()
        };
        let judged = matches!(self.baseline, Baseline::Nginx(_));
        Ok((row.within_if(judged, [Limit::of_at_least(Figure::RatioNull, 0.9)]), rounds.rate(0)))
    }
}

/// Adds a verified file; gives its path below the content folder.
fn put(store: &Store, content: &ContentStore, payload: &Payload) -> anyhow::Result<String> {
    let (digest, sha256, size) = (payload.sha1(), payload.sha256(), payload.bytes.len() as u64);
    let extension = ContentStore::extension(&payload.name);
    let mut put = content.put()?;
    put.write(&payload.bytes)?;
    put.finish(&Expected { digest: Some(digest), sha256: Some(sha256), size: Some(size) }, &extension)?;
    let path = ContentStore::relative_path(digest, &extension);
    let verified_at = Timestamp::now();
    let row = ContentFileRow { digest, sha256, size, extension, state: ContentState::Verified, verified_at };
    store.write(&Actor::system("bench", verified_at), |tx| tx.content_file_put(&row))?;
    Ok(path)
}
