//! A whole server inside the test process: the listeners of the product with everything behind them, for what depends on
//! how connections are treated.

use std::time::Duration;

use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use weir_server::{
    config::{Options, Settings},
    start::{self, StartError},
};

pub(crate) struct Whole {
    /// The client plane, such as `http://127.0.0.1:12345`.
    pub(crate) base: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), StartError>>,
    folder: TempDir,
}

impl Whole {
    /// Starts on an empty data folder and free ports.
    pub(crate) async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let data = folder.path().join("data");
        let free = || Some("127.0.0.1:0".to_owned());
        let options = Options {
            data: Some(data.clone()),
            client_http: free(),
            client_https: Some("off".to_owned()),
            admin: free(),
            database: weir_testkit::engine::database(&data),
            ..Options::default()
        };
        let mut settings = start::settings(&options).expect("settings");
        change(&mut settings);
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(start::serve(settings, async {
            // a sender that is gone stops the server too
            let _ = stopped.await;
        }));
        let base = loop {
            assert!(!running.is_finished(), "the server ended: {:?}", running.await);
            let endpoints = std::fs::read(data.join("endpoints.json")).ok();
            let endpoints = endpoints.and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
            match endpoints.as_ref().and_then(|endpoints| endpoints["client_http"].as_str()) {
                Some(base) => break base.to_owned(),
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        Self { base, stop, running, folder }
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Stops it, as the administrator does.
    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("running");
        self.running.await.expect("no panic").expect("a clean end");
    }
}
