//! Fetching content with a server that is killed on the way.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

pub(crate) use weir_testkit::process::PATIENCE;
use weir_testkit::{Document, Payload, WeirProcess, process::load};

use super::{id, json, server};

/// Serves one file: to the first who asks for a beginning only half of it, and then nothing more.
pub(crate) struct Source {
    pub(crate) url: String,
    /// The ranges asked for.
    asked: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Source {
    pub(crate) fn start(bytes: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let url = format!("http://{}/file.cab", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (bytes, log) = (bytes.clone(), Arc::clone(&log));
                std::thread::spawn(move || answer(&stream, &bytes, &log));
            }
        });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Option<usize>> {
        self.asked.lock().expect("sound").clone()
    }
}

fn answer(stream: &TcpStream, bytes: &[u8], log: &Mutex<Vec<Option<usize>>>) {
    let mut from = None;
    for line in BufReader::new(stream).lines() {
        // the other side was killed
        let Ok(line) = line else { return };
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
        if line.is_empty() {
            break;
        }
    }
    log.lock().expect("sound").push(from);
    let (head, body) = match from {
        Some(from) => {
            let range = format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            (format!("HTTP/1.1 206 Partial Content\r\n{range}"), &bytes[from..])
        }
        None => ("HTTP/1.1 200 OK\r\n".to_owned(), bytes),
    };
    let head = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let sent = if from.is_some() { body } else { &body[..body.len() / 2] };
    let mut stream = stream;
    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent)).is_ok() && from.is_none() {
        std::thread::sleep(PATIENCE);
    }
}

pub(crate) fn until(server: &WeirProcess, arguments: &[&str], ready: impl Fn(&serde_json::Value) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let value = json(server, arguments);
        if ready(&value) {
            return;
        }
        assert!(Instant::now() < deadline, "{arguments:?} stays {value} ({})", load());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_file_is_gone_on_with_after_the_server_was_killed_on_the_way() {
    let payload = Payload::random("file.cab", 4_000_000, 3);
    let source = Source::start(payload.bytes.clone());
    let mut server = server();
    let xml = Document::software(id(1), 1).file(&payload).to_xml();
    let document = server.data().join("document.xml");
    fs::write(&document, xml.replacen("<upd:File ", &format!("<upd:File OriginUri=\"{}\" ", source.url), 1))
        .expect("written");
    assert_eq!(json(&server, &["import", document.to_str().expect("UTF-8")])["added"], 1);
    let update = id(1).to_string();
    let create = ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"];
    let deployment = json(&server, &create)["id"].to_string();
    until(&server, &["content", "status"], |value| value["waiting_bytes_here"] == 2_000_000);

    server.kill().expect("killed");
    let piece = server.data().join(format!("content/incoming/{}.part", payload.sha1().to_hex()));
    let kept = fs::metadata(&piece).expect("a piece is kept").len() as usize;
    assert!(kept == 2_000_000, "{kept} bytes");
    server.restart().expect("it starts again");
    until(&server, &["deployments", "show", &deployment], |value| value["state"] == "active");
    assert_eq!(source.asked(), [None, Some(kept)], "what was here was not fetched again");
    let stored = server.data().join("content").join(payload.content_path());
    assert_eq!(fs::read(stored).expect("stored"), payload.bytes);
    assert!(!piece.exists());
}
