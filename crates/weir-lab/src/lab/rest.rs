//! A server's REST interface, as far as the lab needs it.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use reqwest::{Certificate, Client, Method, RequestBuilder, Url, header};
use serde::{Serialize, de::DeserializeOwned};
use weir_api::{
    List, PREFIX, Problem,
    status::{CA_FILE, Endpoints, TOKEN_FILE},
};

/// A server that does not answer within this time, also not on a busy machine, is named as what failed.
const PATIENCE: Duration = Duration::from_mins(5);
/// Largest page of a list.
const PAGE: u32 = 1_000;

/// An administrator's way to one server.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    http: Client,
    base: Url,
    token: String,
}

/// One file of an upload.
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Rest {
    /// Reads the address, the token and the certificate from a data folder.
    pub(super) fn open(data: &Path, endpoints: &Endpoints) -> Result<Self> {
        let admin = endpoints.admin.as_deref().context("the server has no admin listener")?;
        let read = |name: &str| {
            fs::read(data.join(name)).with_context(|| format!("cannot read {}", data.join(name).display()))
        };
        let token = String::from_utf8(read(TOKEN_FILE)?)?.trim().to_owned();
        let certificates = Certificate::from_pem_bundle(&read(CA_FILE)?)?;
        let http = Client::builder().timeout(PATIENCE).tls_certs_only(certificates).no_proxy().build()?;
        Ok(Self { http, base: Url::parse(admin)?, token })
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder> {
        let mut url = self.base.clone();
        let Ok(mut segments) = url.path_segments_mut() else { bail!("{} is no address", self.base) };
        segments.pop_if_empty().extend(PREFIX.split('/').filter(|segment| !segment.is_empty())).extend(path);
        drop(segments);
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    async fn send<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
        let response = request.send().await.context("the server does not answer")?;
        let status = response.status();
        let text = response.bytes().await.context("the answer broke off")?;
        if !status.is_success() {
            match serde_json::from_slice::<Problem>(&text) {
                Ok(problem) => bail!("{} ({status})", problem.detail),
                Err(_) => bail!("the server answered {status}"),
            }
        }
        let text: &[u8] = if text.is_empty() { b"null" } else { &text };
        serde_json::from_slice(text).context("the answer is not understood")
    }

    /// Reads a resource.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &[&str], query: &impl Serialize) -> Result<T> {
        let answer = Self::send(self.request(Method::GET, path)?.query(query)).await;
        answer.with_context(|| format!("GET {}", path.join("/")))
    }

    /// Sends JSON and reads the answer.
    pub(super) async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T> {
        let name = format!("{method} {}", path.join("/"));
        Self::send(self.request(method, path)?.json(body)).await.context(name)
    }

    /// Reads a whole list.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let page: List<T> = self.read(path, &query).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Sends files as one form (RFC 7578), each as a part `file`.
    pub(super) async fn upload<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
        files: impl IntoIterator<Item = Upload>,
    ) -> Result<T> {
        const BOUNDARY: &str = "weir-lab-5d1f0a7e9c3b";
        let mut body = Vec::new();
        for file in files {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n",
                file.name
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&file.bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = self.request(Method::POST, path)?.query(query).header(header::CONTENT_TYPE, kind).body(body);
        Self::send(request).await.with_context(|| format!("POST {}", path.join("/")))
    }
}
