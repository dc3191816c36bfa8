//! A client plane of its own for each test: a store and a content folder in a temporary place, a listener on port 0,
//! and short ways to put things in.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::{io::Cursor, sync::Arc};

use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, DeploymentId, UpdateId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};
use weir_server::{
    client::ClientService,
    import::{Batch, Input},
    state::{AppState, ClientSettings, Connection},
};
use weir_store::{
    Actor, Options, Store,
    collection::{MemberSource, NewCollection},
    content::{Content as _, ContentStore, Expected},
    content_file::{ContentFileRow, ContentState},
    deployment::{Deployed, NewDeployment},
};
use weir_testkit::{Computer, Document, Payload, ScriptedAgent, engine, http};

/// A running client plane.
pub struct Server {
    /// What it runs on.
    pub state: Arc<AppState>,
    /// Its address, such as `http://127.0.0.1:12345`.
    pub base: String,
    folder: Option<TempDir>,
    listener: JoinHandle<()>,
}

/// The actor of everything that a test does behind the server's back.
pub fn actor() -> Actor {
    Actor::system("test", Timestamp::now())
}

/// An update id that reads well in failures.
pub fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 | number))
}

impl Server {
    /// Starts on an empty store with the default settings.
    pub async fn start() -> Self {
        Self::start_with(ClientSettings::default()).await
    }

    /// Starts on an empty store.
    pub async fn start_with(settings: ClientSettings) -> Self {
        Self::open(tempfile::tempdir().expect("temporary folder"), settings).await
    }

    async fn open(folder: TempDir, settings: ClientSettings) -> Self {
        let options = Options { database: engine::database(folder.path()), ..Options::default() };
        let store = Store::open(folder.path(), &options).expect("store");
        let content = ContentStore::open(&folder.path().join("content")).expect("content store");
        let state = AppState::open(store, content, settings).await.expect("state");
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let address = tcp.local_addr().expect("address");
        state.set_content_port(address.port());
        let listener = tokio::spawn(listen(tcp, ClientService::new(Arc::clone(&state))));
        Self { state, base: format!("http://{address}"), folder: Some(folder), listener }
    }

    /// Stops, and starts again on the same data.
    pub async fn restart(mut self, settings: ClientSettings) -> Self {
        let folder = self.folder.take().expect("folder");
        self.listener.abort();
        let state = Arc::clone(&self.state);
        drop(self);
        // connections end with the listener; the writer thread with the last of the state
        for _ in 0..200 {
            if Arc::strong_count(&state) == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        drop(state);
        for _ in 0..200 {
            match Store::lock(folder.path()) {
                Ok(lock) => {
                    drop(lock);
                    break;
                }
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
        Self::open(folder, settings).await
    }

    /// The folder of its data.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("running").path()
    }

    /// Changes the settings, as the administrator does.
    pub fn set(&self, change: impl FnOnce(&mut ClientSettings)) {
        let mut configuration = (*self.state.configuration.load()).clone();
        change(&mut configuration.settings);
        self.state.configuration.replace(configuration);
    }

    /// Changes the settings in a way that GetConfig shows.
    pub fn set_configuration(&self, change: impl FnOnce(&mut ClientSettings)) {
        let mut configuration = (*self.state.configuration.load()).clone();
        change(&mut configuration.settings);
        configuration.last_change_ms += 1;
        self.state.configuration.replace(configuration);
    }

    /// Imports documents and publishes.
    pub async fn import(&self, documents: &[Document]) {
        self.import_texts(documents.iter().map(Document::to_xml)).await;
    }

    /// Imports documents, given as text, and publishes.
    pub async fn import_texts(&self, texts: impl IntoIterator<Item = String>) {
        let numbered = texts.into_iter().enumerate();
        let inputs = numbered.map(|(number, text)| Input {
            name: format!("document {number}"),
            source: Box::new(Cursor::new(text.into_bytes())),
        });
        let mut batch = Batch::read(inputs.collect(), &|_, _, _| ()).expect("read");
        self.state.store.try_write(&actor(), |tx| batch.store(tx, &|_, _, _| ())).expect("import");
        assert_eq!((batch.result.errors.as_slice(), batch.result.skipped), (&[][..], 0));
        self.publish().await;
    }

    /// Publishes what was written.
    pub async fn publish(&self) {
        self.state.live.republish().await.expect("publish");
    }

    /// Puts a content file in.
    pub async fn add_content(&self, payload: &Payload) {
        let (digest, sha256) = (payload.sha1(), payload.sha256());
        let extension = ContentStore::extension(&payload.name);
        let size = payload.bytes.len() as u64;
        let mut put = self.state.content.put().expect("put");
        put.write(&payload.bytes).expect("write");
        let expected = Expected { digest: Some(digest), sha256: Some(sha256), size: Some(size) };
        put.finish(&expected, &extension).expect("finish");
        let verified_at = Timestamp::now();
        let row = ContentFileRow { digest, sha256, size, extension, state: ContentState::Verified, verified_at };
        self.state.store.write(&actor(), |tx| tx.content_file_put(&row)).expect("content row");
        self.publish().await;
    }

    /// Makes a collection below All Computers.
    pub async fn collection(&self, name: &str) -> CollectionId {
        self.nested(name, None).await
    }

    /// Makes a collection.
    pub async fn nested(&self, name: &str, parent: Option<CollectionId>) -> CollectionId {
        let new = NewCollection {
            id: CollectionId(Uuid::new_v4()),
            name: name.to_owned(),
            parent,
            kind: CollectionKind::TargetGroup,
        };
        self.state.store.write(&actor(), |tx| tx.collection_create(&new)).expect("collection");
        self.publish().await;
        new.id
    }

    /// Makes an agent's computer a member.
    pub async fn join(&self, agent: &ScriptedAgent, collection: CollectionId) {
        let no = self.computer(agent).expect("the computer is known").no;
        self.state.store.write(&actor(), |tx| tx.collection_add(collection, no, MemberSource::Manual)).expect("join");
        self.publish().await;
    }

    /// Takes an agent's computer out.
    pub async fn leave(&self, agent: &ScriptedAgent, collection: CollectionId) {
        let no = self.computer(agent).expect("the computer is known").no;
        let removed = self.state.store.write(&actor(), |tx| tx.collection_remove(collection, no, MemberSource::Manual));
        removed.expect("leave");
        self.publish().await;
    }

    /// Deploys an update from now on, and publishes.
    pub async fn deploy(&self, update: UpdateId, to: CollectionId, action: DeploymentAction) -> DeploymentId {
        self.deploy_as(NewDeployment {
            guid: Uuid::new_v4(),
            deployed: Deployed::Update { id: update, revision: None },
            collection: to,
            action,
            available_at: Timestamp::now() - SignedDuration::from_secs(1),
            deadline_at: None,
            origin: DeploymentOrigin::Local,
            active: false,
            terms: weir_model::deployment::Terms::default(),
        })
        .await
    }

    /// Makes a deployment, and publishes.
    pub async fn deploy_as(&self, new: NewDeployment) -> DeploymentId {
        let id = self.state.store.write(&actor(), |tx| tx.deployment_create(&new)).expect("deployment");
        self.publish().await;
        id
    }

    /// Deletes a deployment, and publishes.
    pub async fn undeploy(&self, deployment: DeploymentId) {
        self.state.store.write(&actor(), |tx| tx.deployment_delete(deployment)).expect("deletion");
        self.publish().await;
    }

    /// Declines an update, and publishes.
    pub async fn decline(&self, update: UpdateId) {
        self.state.store.write(&actor(), |tx| tx.update_decline(update)).expect("decline");
        self.publish().await;
    }

    /// An agent of this server.
    pub fn agent(&self, number: u64) -> ScriptedAgent {
        self.agent_of(Computer::numbered(number))
    }

    /// An agent of this server that plays a given computer.
    pub fn agent_of(&self, computer: Computer) -> ScriptedAgent {
        ScriptedAgent::new(&self.base, computer).expect("agent")
    }

    /// The row of an agent's computer.
    pub fn computer(&self, agent: &ScriptedAgent) -> Option<weir_store::computer::ComputerRow> {
        let id = agent.computer.client_id.parse().expect("computer id");
        self.state.store.read(|tx| tx.computer_find(&id)).expect("read")
    }

    /// A connection of its own.
    pub fn connect(&self) -> http::Connection {
        http::Connection::to(&self.base).expect("address")
    }

    /// One request on a connection of its own.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> http::Answer {
        self.connect().send(method, path, headers, body.as_bytes()).await.expect("answer")
    }

    /// Posts a SOAP body to the client service.
    pub async fn post(&self, body: &str) -> http::Answer {
        let headers = [("Content-Type", "text/xml; charset=utf-8")];
        self.send("POST", "/ClientWebService/client.asmx", &headers, body).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(tcp: TcpListener, service: ClientService) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, peer)) = tcp.accept().await else { return };
        stream.set_nodelay(true).unwrap_or_default();
        let service = service.on(Connection { peer, tls: false, certificate: None });
        connections.spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            // a client that goes away is no failure of a test
            let _ = connection.await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The text of an element's content in an answer, by its unprefixed name.
pub fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("<{name}>"))?.1;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

/// An envelope of SOAP 1.1 around a payload in the client service's namespace.
pub fn envelope(operation: &str, payload: &str) -> String {
    let namespace = "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService";
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><{operation} \
         xmlns=\"{namespace}\">{payload}</{operation}></s:Body></s:Envelope>"
    )
}
