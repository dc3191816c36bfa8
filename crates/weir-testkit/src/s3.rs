//! A server that speaks S3 and is not ours (moto), as a process of its own, behind a gate that can be in the way.

mod gate;

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use self::gate::{Gate, Mode};

/// The bucket that is there.
pub const BUCKET: &str = "weir";
/// The secret key that servers are given; whatever shows it leaks it.
pub const SECRET: &str = "a-secret-of-the-store";

/// It asks for no particular signature, but for one.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// A running server with one bucket. It ends when this is dropped.
#[derive(Debug)]
pub struct S3 {
    process: Process,
    gate: Arc<Gate>,
    /// Objects of a server that was killed: it has them in its memory, others on a disk.
    kept: Vec<(String, Vec<u8>)>,
}

/// A process, killed when dropped.
#[derive(Debug)]
struct Process {
    child: Child,
    address: SocketAddr,
}

impl S3 {
    /// Starts one with an empty bucket.
    ///
    /// # Panics
    ///
    /// If it does not start, or is absent; `cargo xtask test` installs it.
    pub fn start() -> Self {
        let s3 = Self { process: Process::start(), gate: Gate::start(), kept: Vec::new() };
        s3.gate.lead_to(s3.process.address);
        s3.make_bucket();
        s3
    }

    /// Kills the server. What it has comes back with [`S3::start_again`].
    ///
    /// # Panics
    ///
    /// If its objects cannot be read before.
    pub fn kill(&mut self) {
        let objects = self.names().into_iter().map(|name| {
            let bytes = self.object(&name).unwrap_or_else(|| panic!("{name} cannot be read"));
            (name, bytes)
        });
        self.kept = objects.collect();
        self.process.kill();
    }

    /// Starts the server again with what it had.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_again(&mut self) {
        self.process = Process::start();
        self.make_bucket();
        for (name, bytes) in std::mem::take(&mut self.kept) {
            self.put(&name, &bytes);
        }
        // nobody sees it before everything is there
        self.gate.lead_to(self.process.address);
    }

    /// Starts the server again as one that lost everything.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_empty(&mut self) {
        self.kept.clear();
        self.start_again();
    }

    fn make_bucket(&self) {
        assert_eq!(self.ask("PUT", "", b"").0, 200, "the bucket is made");
    }

    /// `http://127.0.0.1:PORT` of the gate.
    pub fn url(&self) -> String {
        format!("http://{}", self.gate.address())
    }

    /// Writes what a server with this store needs into its data folder: `weir.toml` with the place of the interface, and a file
    /// with credentials. `more` are lines for the table `object_store`.
    ///
    /// # Panics
    ///
    /// If that cannot be written.
    pub fn configure(&self, data: &Path, more: &str) {
        std::fs::create_dir_all(data).expect("a folder");
        let credentials = format!("AWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY={SECRET}\n");
        std::fs::write(data.join("store.env"), credentials).expect("written");
        let settings = format!(
            "content = \"s3://{BUCKET}/site\"\n\n[object_store]\nendpoint = \"{}\"\nallow_http = true\ncredentials_file = \
             \"store.env\"\n{more}",
            self.url()
        );
        std::fs::write(data.join("weir.toml"), settings).expect("written");
    }

    /// The bytes of an object below `site/`; none if there is none.
    pub fn object(&self, name: &str) -> Option<Vec<u8>> {
        let (status, body) = self.ask("GET", &format!("/site/{name}"), b"");
        (status == 200).then_some(body)
    }

    /// Writes an object below `site/`.
    ///
    /// # Panics
    ///
    /// If the server does not take it.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        assert_eq!(self.ask("PUT", &format!("/site/{name}"), bytes).0, 200);
    }

    /// Deletes an object below `site/`.
    ///
    /// # Panics
    ///
    /// If the server does not.
    pub fn delete(&self, name: &str) {
        assert_eq!(self.ask("DELETE", &format!("/site/{name}"), b"").0, 204);
    }

    /// Names of all objects below `site/`, without that.
    ///
    /// # Panics
    ///
    /// If the server does not list them.
    pub fn names(&self) -> Vec<String> {
        let (status, body) = self.ask("GET", "?list-type=2&prefix=site/", b"");
        assert_eq!(status, 200);
        let text = String::from_utf8_lossy(&body).into_owned();
        let keys = text.split("<Key>site/").skip(1).filter_map(|rest| rest.split("</Key>").next());
        keys.map(str::to_owned).collect()
    }

    /// Ends every connection through the gate, and lets none come about.
    pub fn shut(&self) {
        self.gate.set(Mode::Shut);
    }

    /// Takes requests that write and lets them wait; they end without an answer when that is over. Others pass.
    pub fn hold_writes(&self) {
        self.gate.set(Mode::HoldWrites);
    }

    /// Answers every request with 503, as a store does that has too much to do.
    pub fn refuse(&self) {
        self.gate.set(Mode::Refuse);
    }

    /// Lets answers end after so many bytes, head included, so many times.
    pub fn cut_answers(&self, after: u64, times: usize) {
        self.gate.set(Mode::Cut { after, times });
    }

    /// Lets answers come so much later, or with [`S3::pass`].
    pub fn slow_down(&self, by: Duration) {
        self.gate.set(Mode::Slow(by));
    }

    /// Lets everything pass.
    pub fn pass(&self) {
        self.gate.set(Mode::Pass);
    }

    /// Requests that wait since [`S3::hold_writes`].
    pub fn held(&self) -> usize {
        self.gate.held()
    }

    /// Asks the server itself, beside the gate.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let exchange = || -> io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(self.process.address)?;
            let head = format!(
                "{method} /{BUCKET}{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {SIGNED}\r\nContent-Type: \
                 application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                self.process.address,
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        let answer = exchange().unwrap_or_else(|error| panic!("{method} {path} at the S3 server: {error}"));
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an end of the head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer[end + 4..].to_vec())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.gate.set(Mode::Shut);
    }
}

impl Process {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = std::env::var_os("S3_PYTHON").map_or_else(
            || {
                let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
                target.join("s3-venv/bin/python")
            },
            PathBuf::from,
        );
        assert!(
            python.is_file(),
            "this test needs a Python with moto at {}: run `cargo xtask test --prepare`, or name one in S3_PYTHON",
            python.display()
        );
        let mut child = Command::new(&python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", python.display()));
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next().and_then(Result::ok);
            let line = line.unwrap_or_else(|| panic!("the S3 server ended before it listened: {said}"));
            if let Some((_, address)) = line.split_once("Running on http://") {
                break address.trim().parse().expect("an address");
            }
            said.push_str(&line);
        };
        // it would end if nobody read what else it has to say
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, address }
    }

    fn kill(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
