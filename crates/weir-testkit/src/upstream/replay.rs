//! Recorded exchanges as answers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use weir_model::ids::UpdateIdentity;
use weir_wire::{
    soap::{ErrorCode, Hints, SoapVersion},
    wsss::{
        self, GetUpdateData, GetUpdateDataAnswer, Operation, Request, ServerSyncUpdateData, ServerSyncUrlData,
        ServerUpdateData,
        client::{self, answer_limits},
        request_limits,
    },
};

use super::answer::{Outcome, write};
use crate::replay::{recorded, replace_all};

/// The exchanges of one recording.
#[derive(Debug)]
pub(super) struct Recording {
    exchanges: Vec<Exchange>,
    documents: BTreeMap<UpdateIdentity, ServerSyncUpdateData>,
    urls: Vec<ServerSyncUrlData>,
}

#[derive(Debug)]
struct Exchange {
    request: Request,
    status: u16,
    answer: String,
}

impl Recording {
    /// Reads a folder of captures.
    pub(super) fn load(folder: &str) -> Self {
        let mut recording = Self { exchanges: Vec::new(), documents: BTreeMap::new(), urls: Vec::new() };
        for exchange in recorded(folder) {
            let operation = Operation::ALL.iter().copied().find(|known| known.name() == exchange.operation);
            let operation = operation.unwrap_or_else(|| panic!("{} is no operation", exchange.operation));
            let limits = request_limits(64 << 20);
            let parsed = wsss::parse(operation.service(), Hints::default(), exchange.request.as_bytes(), &limits);
            let parsed = parsed.unwrap_or_else(|rejection| panic!("{operation}: {}", rejection.reason));
            let answer = exchange.response;
            if operation == Operation::GetUpdateData && exchange.status == 200 {
                let data = client::read::<GetUpdateData>(answer.as_bytes(), &answer_limits(256 << 20));
                let data = data.unwrap_or_else(|error| panic!("{operation}: {error}")).result;
                recording.documents.extend(data.updates.0.into_iter().map(|update| (update.id, update)));
                recording.urls.extend(data.file_urls.0);
            }
            recording.exchanges.push(Exchange { request: parsed.request, status: exchange.status, answer });
        }
        recording
    }

    /// Lets lists name the recorded documents alone.
    pub(super) fn cut(mut self) -> Self {
        let named = |documents: &BTreeMap<UpdateIdentity, ServerSyncUpdateData>| {
            let entry = |id: &UpdateIdentity| {
                format!(
                    "<UpdateIdentity><UpdateID>{}</UpdateID><RevisionNumber>{}</RevisionNumber></UpdateIdentity>",
                    id.update_id, id.revision
                )
            };
            documents.keys().map(entry).collect::<String>()
        };
        let named = named(&self.documents);
        for exchange in &mut self.exchanges {
            let Request::GetRevisionIdList(request) = &exchange.request else { continue };
            let config = request.filter.as_ref().is_some_and(|filter| filter.get_config);
            // the answer to an anchor is empty as it is
            let list = if config { "" } else { &named };
            exchange.answer = replace_all(&exchange.answer, "<NewRevisions>", "</NewRevisions>", list);
        }
        self
    }

    /// What was recorded for a request like this, in its version of SOAP.
    pub(super) fn answer(&self, request: &Request, version: SoapVersion) -> Option<Outcome> {
        if let Request::GetUpdateData(request) = request {
            return request.sealed().map(|_| self.documents(request, version));
        }
        let found = self.exchanges.iter().filter(|exchange| exchange.request.operation() == request.operation());
        let found = found.min_by_key(|exchange| distance(&exchange.request, request))?;
        if found.status != 200 {
            // Faults are written anew, with their own ids.
            return None;
        }
        let text = match request {
            // The recorded cookie is of the past.
            Request::GetCookie(_) => {
                let expiration = (Timestamp::now() + SignedDuration::from_hours(4)).to_string();
                &replace_all(&found.answer, "<Expiration>", "</Expiration>", &expiration)
            }
            _ => &found.answer,
        };
        Some(Ok(match version {
            SoapVersion::V11 => text.clone(),
            SoapVersion::V12 => {
                text.replacen("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope", 1)
            }
        }))
    }

    fn documents(&self, request: &GetUpdateData, version: SoapVersion) -> Outcome {
        let ids = request.validate(100).map_err(|refusal| (refusal.code, refusal.path.to_owned()))?;
        let mut updates = Vec::new();
        for id in ids {
            // As the recorded server does.
            let known = self.documents.get(id).ok_or((ErrorCode::InternalServerError, String::new()))?;
            updates.push(known.clone());
        }
        let named = |url: &&ServerSyncUrlData| {
            let digest = url.file_digest.as_ref();
            digest.is_some_and(|digest| updates.iter().any(|update| update.file_digest_list.contains(digest)))
        };
        let file_urls: Vec<_> = self.urls.iter().filter(named).cloned().collect();
        let result = ServerUpdateData { updates: updates.into(), file_urls: file_urls.into() };
        write(&GetUpdateDataAnswer { result }, version)
    }
}

/// How much two requests of one operation differ in what steers the answer.
fn distance(recorded: &Request, request: &Request) -> u32 {
    let (Request::GetRevisionIdList(recorded), Request::GetRevisionIdList(request)) = (recorded, request) else {
        return 0;
    };
    let facts = |request: &wsss::GetRevisionIdList| {
        let filter = request.filter.as_ref();
        let config = filter.is_some_and(|filter| filter.get_config);
        let anchor = filter.is_some_and(|filter| filter.anchor.text().is_some());
        (request.sealed().is_some(), config, anchor)
    };
    let (a, b) = (facts(recorded), facts(request));
    4 * u32::from(a.0 != b.0) + 2 * u32::from(a.1 != b.1) + u32::from(a.2 != b.2)
}
