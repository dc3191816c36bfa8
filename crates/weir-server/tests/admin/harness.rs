//! A server of a test's own, and short ways to talk to its admin plane.

use std::path::Path;

use reqwest::{Certificate, Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use uuid::Uuid;
use weir_api::status::Endpoints;
use weir_model::ids::UpdateId;
use weir_server::{
    Options, StartError,
    config::{self, Settings},
    start,
};
use weir_testkit::engine::{self, Direct};

/// A running server.
pub(crate) struct Server {
    pub(crate) data: TempDir,
    pub(crate) endpoints: Endpoints,
    pub(crate) token: String,
    pub(crate) http: Client,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<Result<(), StartError>>>,
}

/// A good or bad answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) media: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, which must be of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
        self.body
    }

    /// The code of a problem, which it must be.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.media, "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        self.body["code"].as_str().expect("code")
    }
}

/// Settings of a server on free ports in this folder; no variable of the environment reaches it.
pub(crate) fn settings(data: &Path) -> Settings {
    settings_on(data, engine::database(data))
}

/// The same on this database of PostgreSQL; none: on the one in the folder.
pub(crate) fn settings_on(data: &Path, database: Option<String>) -> Settings {
    let free = Some("127.0.0.1:0".to_owned());
    let options = Options {
        data: Some(data.to_owned()),
        client_http: free.clone(),
        client_https: free.clone(),
        admin: free,
        database,
        ..Options::default()
    };
    config::load(&options, &|_| None).expect("settings")
}

/// How to open the store of a data folder without its server.
pub(crate) fn store(data: &Path) -> weir_store::Options {
    weir_store::Options { database: engine::database(data), ..weir_store::Options::default() }
}

/// An update id that reads well in failures.
pub(crate) fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 | number))
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("folder")).await
    }

    /// On the embedded database whatever was chosen, for what is about its file.
    pub(crate) async fn start_on_sqlite() -> Self {
        let data = tempfile::tempdir().expect("folder");
        engine::keep_sqlite(data.path());
        Self::start_in(data).await
    }

    pub(crate) async fn start_in(data: TempDir) -> Self {
        let settings = settings(data.path());
        Self::start_with(data, settings).await
    }

    pub(crate) async fn start_with(data: TempDir, settings: Settings) -> Self {
        let (stop, stopped) = oneshot::channel();
        let file = data.path().join("endpoints.json");
        let mut task = tokio::spawn(start::serve(settings, async {
            let _ = stopped.await;
        }));
        let endpoints = loop {
            if let Ok(text) = std::fs::read(&file) {
                break serde_json::from_slice(&text).expect("endpoints.json is written at once");
            }
            tokio::select! {
                ended = &mut task => panic!("the server ended: {ended:?}"),
                () = tokio::time::sleep(std::time::Duration::from_millis(10)) => {}
            }
        };
        let token = std::fs::read_to_string(data.path().join("admin.token")).expect("admin.token");
        let ca = std::fs::read(data.path().join("tls/ca.pem")).expect("tls/ca.pem");
        let http = Client::builder()
            .tls_certs_only([Certificate::from_pem(&ca).expect("certificate")])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("client");
        Self { data, endpoints, token: token.trim().to_owned(), http, stop: Some(stop), task: Some(task) }
    }

    /// Stops it and gives its data folder back.
    pub(crate) async fn stop(mut self) -> TempDir {
        drop(self.stop.take());
        self.task.take().expect("running").await.expect("no panic").expect("a clean end");
        self.data
    }

    /// Its database, past the server.
    pub(crate) fn database(&self) -> Direct {
        Direct::of(self.data.path())
    }

    /// Changes something there; gives how many rows.
    pub(crate) fn execute(&self, sql: &str, values: &[engine::Value]) -> u64 {
        engine::execute(self.data.path(), sql, values)
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        format!("{}{path}", self.endpoints.admin.as_deref().expect("admin"))
    }

    pub(crate) fn client(&self) -> &str {
        self.endpoints.client_http.as_deref().expect("client")
    }

    pub(crate) async fn answer(response: Response) -> Answer {
        let status = response.status();
        let media = response.headers().get("content-type").map(|value| value.to_str().expect("text").to_owned());
        let text = response.text().await.expect("body");
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(json!(text)) };
        Answer { status, media: media.unwrap_or_default(), body }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_as(&self.token, method, path, body).await
    }

    /// The same with the secret of another token.
    pub(crate) async fn call_as(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.http.request(method, self.admin(&format!("/api/v1/{path}"))).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Self::answer(request.send().await.expect("answer")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Sends files as `multipart/form-data`.
    pub(crate) async fn upload(&self, path: &str, files: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, bytes) in files {
            let head = format!(
                "--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--boundary--\r\n");
        let request = self
            .http
            .post(self.admin(&format!("/api/v1/{path}")))
            .bearer_auth(&self.token)
            .header("content-type", "multipart/form-data; boundary=boundary")
            .body(body);
        Self::answer(request.send().await.expect("answer")).await
    }

    /// Imports files and gives the whole import.
    pub(crate) async fn import(&self, files: &[(&str, &[u8])]) -> Value {
        self.upload("imports?wait=true", files).await.ok()
    }

    /// Imports documents that must all be new.
    pub(crate) async fn import_documents(&self, documents: &[weir_testkit::Document]) {
        let texts: Vec<(String, String)> = documents
            .iter()
            .enumerate()
            .map(|(number, document)| (format!("{number}.xml"), document.to_xml()))
            .collect();
        let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        let import = self.import(&files).await;
        assert_eq!(import["result"]["added"], documents.len(), "{import}");
    }
}
