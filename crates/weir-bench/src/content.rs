//! Content downloads against nginx on the same files.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command as Process, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use weir_store::{
    Actor, Options, Store,
    content::{Content as _, ContentStore, Expected},
    content_file::{ContentFileRow, ContentState},
};
use weir_testkit::Payload;

use crate::{
    load::{Command, write_bodies},
    measure::{Load, Rounds, Row, median},
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

/// Bytes of the file that is downloaded.
const SIZE: usize = 64 << 20;

/// Compares whole downloads and ranges of 1 MiB of one file, in the folder that both servers serve.
pub(crate) fn measure(scratch: &Path, seconds: f64, tell: &dyn Fn(&str)) -> anyhow::Result<Vec<Row>> {
    tell("content: downloads");
    let data = scratch.join("content-data");
    std::fs::create_dir_all(&data)?;
    let content = ContentStore::open(&data.join("content"))?;
    let path = {
        let store = Store::open(&data, &Options::default())?;
        put(&store, &content, &Payload::random("payload.cab", SIZE, 5))?
    };
    let server = Server::start(&data)?;
    let nginx = match Nginx::start(scratch, content.folder()) {
        Ok(nginx) => nginx,
        Err(error) => {
            let budget = format!(">= 0.9 of nginx; not measured: {error:#}");
            return Ok(vec![Row { case: "content".to_owned(), unit: "MB/s", budget, ..Row::default() }]);
        }
    };
    let bodies = scratch.join("content.bodies");
    write_bodies(&bodies, &[Vec::new()])?;
    let mut load = Load::start()?;
    let mut rows = Vec::new();
    for (case, range) in [("whole", None), ("range_1mib", Some((1 << 20, (2 << 20) - 1)))] {
        let command = |address, path: &str| Command {
            address,
            head: match range {
                None => format!("GET {path} HTTP/1.1\r\n"),
                Some((from, to)) => format!("GET {path} HTTP/1.1\r\nRange: bytes={from}-{to}\r\n"),
            },
            bodies: bodies.clone(),
            connections: 7,
            seconds: seconds.max(1.5),
            requests: None,
            vary: false,
            rate: None,
        };
        let weir = command(server.client()?, &format!("/Content/{path}"));
        let rounds = Rounds::measure(&mut load, &[weir, command(nginx.address, &format!("/{path}"))])?;
        let ratios = rounds.ratios_of(0, 1);
        let ratio = median(ratios.clone());
        rows.push(Row {
            case: format!("content_{case}"),
            value: rounds.figure(0, |outcome| outcome.bytes as f64 / outcome.seconds / 1e6),
            unit: "MB/s",
            ratio_null: Some(ratio),
            pairs: ratios.len(),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            budget: format!(">= 0.9 of nginx on a file of {} MiB", SIZE >> 20),
            met: Some(ratio >= 0.9),
            ..Row::default()
        });
    }
    Ok(rows)
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
