//! A source of content files on a loopback port, which can misbehave.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use weir_testkit::{Document, Payload};

/// How it answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    /// Without end.
    Endless,
    /// As it should.
    Good,
    /// Half of the file, then nothing more, with the connection kept open.
    Hanging,
    /// With this status.
    Status(u16),
    /// The right length, and one wrong byte.
    Wrong,
}

#[derive(Debug)]
struct Shared {
    files: Mutex<HashMap<String, Vec<u8>>>,
    manner: Mutex<Manner>,
    log: Mutex<Vec<(String, Option<String>)>>,
}

/// A running source.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    shared: Arc<Shared>,
    base: String,
}

impl Publisher {
    pub(crate) async fn start() -> Self {
        let shared =
            Arc::new(Shared { files: Mutex::default(), manner: Mutex::new(Manner::Good), log: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let base = format!("http://{}", listener.local_addr().expect("address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let service = hyper_util::service::TowerToHyperService::new(router.clone());
                tokio::spawn(async move {
                    let io = hyper_util::rt::TokioIo::new(stream);
                    // the other side cuts connections on purpose
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
                });
            }
        });
        Self { shared, base }
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.shared.manner.lock().expect("sound") = manner;
    }

    /// Paths asked for, with the range, in order.
    pub(crate) fn log(&self) -> Vec<(String, Option<String>)> {
        self.shared.log.lock().expect("sound").clone()
    }

    fn add(&self, payload: &Payload) -> String {
        let path = format!("/{}", payload.sha1());
        self.shared.files.lock().expect("sound").insert(path.clone(), payload.bytes.clone());
        format!("{}{path}", self.base)
    }

    /// The document, naming this source for each of its files.
    pub(crate) fn document(&self, document: &Document) -> String {
        let mut xml = document.to_xml();
        for payload in document.payloads() {
            let digest = format!("Digest=\"{}\"", payload.sha1().to_base64());
            let url = self.add(payload);
            xml = xml.replacen(&digest, &format!("OriginUri=\"{url}\" {digest}"), 1);
        }
        xml
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let range = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    shared.log.lock().expect("sound").push((path.clone(), range.clone()));
    let Some(mut bytes) = shared.files.lock().expect("sound").get(&path).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let manner = *shared.manner.lock().expect("sound");
    match manner {
        Manner::Status(status) => return StatusCode::from_u16(status).expect("a status").into_response(),
        Manner::Endless => {
            let more = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![7; 65_536])));
            return Body::from_stream(more).into_response();
        }
        Manner::Wrong => *bytes.last_mut().expect("not empty") ^= 1,
        Manner::Good | Manner::Hanging => {}
    }
    let total = bytes.len();
    let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let rest = bytes.split_off(from.unwrap_or(0).min(total));
    let length = rest.len();
    let body = if manner == Manner::Hanging {
        let half = Bytes::copy_from_slice(&rest[..length / 2]);
        let sent = futures_util::stream::iter([Ok::<_, std::io::Error>(half)]);
        Body::from_stream(sent.chain(futures_util::stream::pending()))
    } else {
        Body::from(rest)
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    if let Some(from) = from {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {from}-{}/{total}", total - 1);
        response.headers_mut().insert(header::CONTENT_RANGE, range.parse().expect("a header"));
    }
    response
}
