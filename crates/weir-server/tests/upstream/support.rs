//! What the items share: a downstream server that does what it is told, and a catalogue.

use serde_json::json;
use uuid::Uuid;
use weir_model::{ids::UpdateIdentity, update::CategoryKind};
use weir_store::downstream::DownstreamRow;
use weir_testkit::{
    Document,
    http::{Answer, Connection},
};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wsss::{
        AnchorText, Cookie, GetAuthorizationCookie, GetCookie, GetDeployments, GetRevisionIdList, GetUpdateData,
        IdAndDelta, ServerSyncDeploymentResult, ServerSyncFilter, ServerUpdateData,
        client::{self, Call, CallError, ServerFault},
    },
};

use crate::common::{Server, actor, id};

/// Starts a server whose server plane is on and open to everybody.
pub(crate) async fn start() -> Server {
    let server = asking().await;
    set(&server, "downstream.policy", json!("open"));
    server
}

/// Starts a server whose server plane is on, with the default policy.
pub(crate) async fn asking() -> Server {
    let server = Server::start().await;
    server.state.upstream.switch(true);
    server
}

/// Sets a setting behind the server's back.
pub(crate) fn set(server: &Server, key: &str, value: serde_json::Value) {
    server.state.store.write(&actor(), |tx| tx.setting_put(key, &value)).expect("setting");
}

/// The rows of downstream servers.
pub(crate) fn rows(server: &Server) -> Vec<DownstreamRow> {
    server.state.store.read(|tx| tx.downstream_list()).expect("rows")
}

/// A downstream server.
pub(crate) struct Downstream {
    pub(crate) connection: Connection,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) version: SoapVersion,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) cookie: Option<Cookie>,
    /// The last answer.
    pub(crate) last: Option<Answer>,
}

impl Downstream {
    pub(crate) fn of(server: &Server) -> Self {
        Self {
            connection: server.connect(),
            id: Uuid::from_u128(0x6f1c_2f6e),
            name: "branch.example.org".to_owned(),
            version: SoapVersion::V11,
            headers: Vec::new(),
            cookie: None,
            last: None,
        }
    }

    /// One that has a cookie.
    pub(crate) async fn ready(server: &Server) -> Self {
        let mut downstream = Self::of(server);
        downstream.enter("1.20").await.expect("a cookie");
        downstream
    }

    pub(crate) async fn call<C: Call>(&mut self, request: &C) -> Result<C::Answer, ServerFault> {
        let body = client::write(request, self.version);
        let path = C::OPERATION.service().path();
        let mut headers = self.headers.clone();
        headers.push(("Content-Type", self.version.content_type()));
        let answer = self.connection.send("POST", path, &headers, body.as_bytes()).await.expect("an answer");
        let read = client::read::<C>(&answer.body, &client::answer_limits(answer.body.len().max(1 << 20)));
        let status = answer.status;
        self.last = Some(answer);
        match read {
            Ok(read) => {
                assert_eq!(status, 200);
                Ok(read)
            }
            Err(CallError::Fault { fault, .. }) => {
                assert_eq!(status, 500);
                Err(*fault)
            }
            Err(error) => panic!("{error}: {}", self.last.as_ref().expect("an answer").text()),
        }
    }

    /// The fault's code and message; an answer fails the test.
    pub(crate) async fn refused<C: Call>(&mut self, request: &C) -> (ErrorCode, String) {
        let fault = self.call(request).await.err().unwrap_or_else(|| panic!("{} was answered", C::OPERATION));
        (fault.code.expect("a known code"), fault.message.unwrap_or_default())
    }

    pub(crate) fn authorization(&self) -> GetAuthorizationCookie {
        GetAuthorizationCookie {
            account_name: Some(self.name.clone()),
            account_guid: Some(self.id.to_string()),
            program_keys: None,
        }
    }

    /// Gets both cookies.
    pub(crate) async fn enter(&mut self, protocol: &str) -> Result<(), ServerFault> {
        let authorization = self.call(&self.authorization()).await?.result;
        let request = GetCookie {
            auth_cookies: vec![authorization],
            old_cookie: None,
            protocol_version: Some(protocol.to_owned()),
        };
        self.cookie = Some(self.call(&request).await?.result);
        Ok(())
    }

    /// GetRevisionIdList: the anchor, and what is listed.
    pub(crate) async fn list(&mut self, filter: ServerSyncFilter) -> (String, Vec<UpdateIdentity>) {
        let request = GetRevisionIdList { cookie: self.cookie.clone(), filter: Some(filter) };
        let result = self.call(&request).await.expect("a list").result;
        (result.anchor.into_text().expect("an anchor"), result.new_revisions.0)
    }

    /// GetUpdateData.
    pub(crate) async fn documents(&mut self, ids: &[UpdateIdentity]) -> ServerUpdateData {
        let request = GetUpdateData { cookie: self.cookie.clone(), update_ids: Some(ids.to_vec()) };
        self.call(&request).await.expect("documents").result
    }

    /// GetDeployments.
    pub(crate) async fn decisions(&mut self, from: Option<&str>, to: &str) -> ServerSyncDeploymentResult {
        let request = GetDeployments {
            cookie: self.cookie.clone(),
            deployment_anchor: from.map(AnchorText::new).unwrap_or_default(),
            sync_anchor: AnchorText::new(to),
        };
        self.call(&request).await.expect("decisions").result
    }
}

pub(crate) const PRODUCT: u128 = 2;
pub(crate) const OTHER_PRODUCT: u128 = 3;
pub(crate) const FAMILY: u128 = 1;
pub(crate) const SECURITY: u128 = 4;
pub(crate) const TOOLS: u128 = 5;
pub(crate) const DETECTOID: u128 = 6;

/// A family with one product, another product, two classifications and a detectoid.
pub(crate) fn tree() -> Vec<Document> {
    vec![
        Document::category(id(FAMILY), 1, CategoryKind::ProductFamily),
        Document::category(id(PRODUCT), 1, CategoryKind::Product).in_category(id(FAMILY)),
        Document::category(id(OTHER_PRODUCT), 1, CategoryKind::Product),
        Document::category(id(SECURITY), 1, CategoryKind::UpdateClassification),
        Document::category(id(TOOLS), 1, CategoryKind::UpdateClassification),
        Document::detectoid(id(DETECTOID), 1),
    ]
}

/// A security update of the product.
pub(crate) fn update(number: u128, revision: u32) -> Document {
    Document::software(id(number), revision).in_category(id(PRODUCT)).in_category(id(SECURITY))
}

pub(crate) fn identity(number: u128, revision: u32) -> UpdateIdentity {
    UpdateIdentity::new(id(number), revision)
}

/// The entries of a filter.
pub(crate) fn entries(of: &[(u128, bool)]) -> Vec<IdAndDelta> {
    of.iter().map(|(number, delta)| IdAndDelta { id: id(*number), delta: *delta }).collect()
}

/// A filter of updates by categories and classifications.
pub(crate) fn filter(categories: &[(u128, bool)], classifications: &[(u128, bool)]) -> ServerSyncFilter {
    ServerSyncFilter {
        categories: Some(entries(categories)),
        classifications: Some(entries(classifications)),
        ..ServerSyncFilter::default()
    }
}

/// The filter of categories.
pub(crate) fn config() -> ServerSyncFilter {
    ServerSyncFilter { get_config: true, ..ServerSyncFilter::default() }
}

/// The same filter after an anchor.
pub(crate) fn after(anchor: &str, filter: ServerSyncFilter) -> ServerSyncFilter {
    ServerSyncFilter { anchor: AnchorText::new(anchor), ..filter }
}

/// Numbers and revisions, sorted.
pub(crate) fn numbers(found: &[UpdateIdentity]) -> Vec<(u128, u32)> {
    let base = id(0).0.as_u128();
    let mut numbers: Vec<_> = found.iter().map(|one| (one.update_id.0.as_u128() ^ base, one.revision.0)).collect();
    numbers.sort_unstable();
    numbers
}
