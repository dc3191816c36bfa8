//! The way to a server: which one, with which token, trusting which certificate.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::{Serialize, de::DeserializeOwned};
use weir_api::{
    Problem,
    status::{CA_FILE, ENDPOINTS_FILE, Endpoints, TOKEN_FILE},
};

/// The data folder when nothing names another.
pub(crate) const DEFAULT_DATA: &str = "weir-data";

/// No server answers. The message names the command that starts one.
#[derive(Debug, thiserror::Error)]
#[error("no server is running {place}\nstart one with: {start}")]
struct NotRunning {
    place: String,
    start: String,
}

/// A refusal of the server.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .0.detail, .0.next_step.as_ref().map(|step| format!("\nnext: {step}")).unwrap_or_default())]
pub(crate) struct Refused(pub(crate) Problem);

/// A server's REST interface.
pub(crate) struct Connection {
    http: Client,
    base: Url,
    token: String,
    not_running: (String, String),
    /// What `--data` named.
    pub(crate) data: Option<PathBuf>,
}

impl Connection {
    /// Finds the server: `--data`, else `WEIR_URL`, else the data folder of `WEIR_DATA` or `./weir-data`.
    pub(crate) fn open(data: Option<&Path>) -> Result<Self> {
        let mut connection = Self::find(data)?;
        connection.data = data.map(Path::to_owned);
        Ok(connection)
    }

    fn find(data: Option<&Path>) -> Result<Self> {
        match (data, std::env::var("WEIR_URL").ok().filter(|url| !url.is_empty())) {
            (Some(folder), _) => Self::from_folder(folder),
            (None, Some(url)) => Self::from_environment(&url),
            (None, None) => match std::env::var_os("WEIR_DATA").filter(|folder| !folder.is_empty()) {
                Some(folder) => Self::from_folder(Path::new(&folder)),
                None => Self::from_folder(Path::new(DEFAULT_DATA)),
            },
        }
    }

    fn from_folder(folder: &Path) -> Result<Self> {
        let start = if folder == Path::new(DEFAULT_DATA) {
            "weir serve".to_owned()
        } else {
            format!("weir serve --data {}", folder.display())
        };
        let place = format!("on {}", folder.display());
        let endpoints_file = folder.join(ENDPOINTS_FILE);
        let text = match fs::read(&endpoints_file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(NotRunning { place, start }.into());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", endpoints_file.display()));
            }
        };
        let endpoints: Endpoints = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged; restart the server", endpoints_file.display()))?;
        let Some(admin) = endpoints.admin else {
            bail!("the server on {} has no admin listener; start it with --admin ADDRESS", folder.display());
        };
        let token_file = folder.join(TOKEN_FILE);
        let token = fs::read_to_string(&token_file).with_context(|| format!("cannot read {}", token_file.display()))?;
        Self::new(&admin, token.trim(), Some(&folder.join(CA_FILE)), (place, start))
    }

    fn from_environment(url: &str) -> Result<Self> {
        let token = std::env::var("WEIR_TOKEN").unwrap_or_default();
        if token.trim().is_empty() {
            bail!(
                "WEIR_URL is set, but WEIR_TOKEN is not: it is the secret of an API token (weir tokens create), or the text of \
                 the server's {TOKEN_FILE}"
            );
        }
        let authority = std::env::var_os("WEIR_CA").map(PathBuf::from);
        let missing = (format!("at {url} (WEIR_URL)"), "weir serve --admin ADDRESS, on that machine".to_owned());
        Self::new(url, token.trim(), authority.as_deref(), missing)
    }

    fn new(base: &str, token: &str, authority: Option<&Path>, not_running: (String, String)) -> Result<Self> {
        let base = Url::parse(base).with_context(|| format!("{base:?} is no address such as https://host:8540"))?;
        if base.scheme() != "https" {
            // every request carries the token
            bail!(
                "{base} is not https, and the administrator's token is not sent in clear\nnext: give WEIR_URL as \
                 https://HOST:8540, and the server's {CA_FILE} in WEIR_CA"
            );
        }
        let mut builder = Client::builder()
            .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(30));
        if let Some(file) = authority {
            let pem = weir_server::file::small(file).with_context(|| format!("cannot read {}", file.display()))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).with_context(|| format!("{} is no certificate", file.display()))?;
            if certificates.is_empty() {
                bail!("{} is no certificate", file.display());
            }
            // exactly this certificate, no public authority, and no proxy between
            builder = builder.tls_certs_only(certificates).no_proxy();
        }
        Ok(Self { http: builder.build()?, base, token: token.to_owned(), not_running, data: None })
    }

    /// A request to the resource at `path`, whose segments are escaped.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder> {
        if let Some(name) = path.iter().find(|name| matches!(**name, "" | "." | "..")) {
            // an address with such a part means another resource
            bail!("{name:?} cannot name anything in a command; give the id that the list shows");
        }
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("{} is no address such as https://host:8540", self.base))?
            .pop_if_empty()
            .extend(weir_api::PREFIX.split('/').filter(|segment| !segment.is_empty()))
            .extend(path);
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    /// Sends a request; a refusal becomes [`Refused`].
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() && !is_tls(&error) => {
                let (place, start) = self.not_running.clone();
                return Err(NotRunning { place, start }.into());
            }
            Err(error) if is_tls(&error) => {
                return Err(anyhow!(
                    "the certificate of {} is not trusted\nnext: name the server's {CA_FILE} in WEIR_CA",
                    self.base
                ));
            }
            Err(error) => return Err(error).context("the connection to the server failed"),
        };
        let status = response.status();
        if let Some(number) = response.headers().get("weir-approval").and_then(|number| number.to_str().ok()) {
            // nothing was done yet: what a command would print of it is not there
            return Err(Refused(Problem {
                status: status.as_u16(),
                code: "waits_for_approval".to_owned(),
                title: "A second person decides".to_owned(),
                detail: format!(
                    "this waits as approval {number}, for a day; it is done when another administrator approves it"
                ),
                next_step: Some(format!("another administrator: weir approvals approve {number}")),
            })
            .into());
        }
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => Err(Refused(problem).into()),
            Err(_) if status == StatusCode::UNAUTHORIZED => {
                bail!("the server does not accept this token; use the one in its {TOKEN_FILE}")
            }
            Err(_) => bail!(
                "the server answered {status}; is {} the address of its admin plane, such as https://host:8540?",
                self.base
            ),
        }
    }

    /// Reads a resource.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &[&str], query: &impl Serialize) -> Result<T> {
        let request = self.request(Method::GET, path)?.query(query);
        answer(self.send(request).await?).await
    }

    /// Sends JSON and reads the answer.
    pub(crate) async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T> {
        let request = self.request(method, path)?.json(body);
        answer(self.send(request).await?).await
    }

    /// Calls an operation that takes no body.
    pub(crate) async fn call<T: DeserializeOwned>(&self, path: &[&str], query: &impl Serialize) -> Result<T> {
        let request = self.request(Method::POST, path)?.query(query);
        answer(self.send(request).await?).await
    }

    /// Calls an operation that takes neither a body nor a query.
    pub(crate) async fn call_method<T: DeserializeOwned>(&self, method: Method, path: &[&str]) -> Result<T> {
        answer(self.send(self.request(method, path)?).await?).await
    }

    /// Deletes a resource.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<()> {
        self.send(self.request(Method::DELETE, path)?).await.map(drop)
    }
}

/// Whether a command failed only because no server runs on a folder of this machine: what needs none can be done without.
pub(crate) fn is_not_running(error: &anyhow::Error, data: Option<&Path>) -> bool {
    let elsewhere = data.is_none() && std::env::var_os("WEIR_URL").is_some_and(|url| !url.is_empty());
    !elsewhere && error.downcast_ref::<NotRunning>().is_some()
}

/// Reads an answer's JSON.
pub(crate) async fn answer<T: DeserializeOwned>(response: Response) -> Result<T> {
    let text = response.bytes().await.context("the answer of the server broke off")?;
    serde_json::from_slice(&text).context("the server's answer is not understood; its version may differ from this one")
}

/// Whether a connection failed because of certificates, which is not "no server there".
fn is_tls(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<rustls::Error>() || cause.to_string().contains("certificate") {
            return true;
        }
        source = cause.source();
    }
    false
}
