//! Answers of the operations.

use jiff::{SignedDuration, Timestamp};
use weir_wire::{
    soap::{Binary, ErrorCode, SoapVersion},
    wsss::{
        Anchor, Answer, AuthorizationCookie, Cookie, DownloadFiles, DownloadFilesAnswer, GetAuthConfigAnswer,
        GetAuthorizationCookieAnswer, GetConfigData, GetConfigDataAnswer, GetCookie, GetCookieAnswer, GetDeployments,
        GetDeploymentsAnswer, GetRelatedRevisionsForUpdatesAnswer, GetRevisionIdListAnswer, GetUpdateData,
        GetUpdateDecryptionDataAnswer, MonitoredServicesResponse, PingAnswer, Refusal, Request, RevisionIdList,
        ServerAuthConfig, ServerDecryptionData, ServerSyncDeploymentResult, Service, UpdateDataWriter, blob,
        join_digests,
    },
};

use super::{Blobs, Served, lists, rollup};

/// A body, or the code and message of a fault.
pub(super) type Outcome = Result<String, (ErrorCode, String)>;

fn refuse(refusal: Refusal) -> (ErrorCode, String) {
    (refusal.code, refusal.path.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "nearly every answer ends with it")]
pub(super) fn write(answer: &impl Answer, version: SoapVersion) -> Outcome {
    let mut out = String::new();
    answer.write(&mut out, version);
    Ok(out)
}

/// Answers a request as a server of this state does.
pub(super) fn answer(served: &mut Served, request: &Request, version: SoapVersion, base: &str) -> Outcome {
    if let Some(sealed) = cookie_of(request) {
        served.check_cookie(sealed)?;
    }
    match request {
        Request::DownloadFiles(request) => served.download(request, version),
        Request::GetAuthConfig(_) => {
            write(&GetAuthConfigAnswer { result: ServerAuthConfig::new(Served::time_of(0)) }, version)
        }
        Request::GetAuthorizationCookie(request) => {
            let (name, id) = request.validate().map_err(refuse)?;
            let sealed = format!("{}:{id}:{name}", served.incarnation).into_bytes();
            write(&GetAuthorizationCookieAnswer { result: AuthorizationCookie::new(sealed) }, version)
        }
        Request::GetConfigData(request) => served.configuration(request, version),
        Request::GetCookie(request) => served.cookie(request, version),
        Request::GetDeployments(request) => served.deployments(request, version),
        Request::GetDriverIdList(_) => Err((ErrorCode::InvalidParameters, "filter".to_owned())),
        Request::GetDriverSetData(_) => Err((ErrorCode::InvalidParameters, "driverSets".to_owned())),
        Request::GetRelatedRevisionsForUpdates(_) => {
            write(&GetRelatedRevisionsForUpdatesAnswer { result: Vec::new().into() }, version)
        }
        Request::GetRevisionIdList(request) => {
            let (filter, anchor) = request.validate().map_err(refuse)?;
            let since = anchor.map_or(0, |anchor| anchor.number);
            let revisions = lists::revisions(served, filter, since);
            let result = RevisionIdList { anchor: served.anchor().into(), new_revisions: revisions.into() };
            write(&GetRevisionIdListAnswer { result }, version)
        }
        Request::GetUpdateData(request) => served.documents(request, version, base),
        Request::GetUpdateDecryptionData(request) => {
            request.validate(100).map_err(refuse)?;
            write(&GetUpdateDecryptionDataAnswer { result: ServerDecryptionData::default() }, version)
        }
        Request::Ping(_) => {
            let result = MonitoredServicesResponse::well(Service::ServerSync, Timestamp::now(), false);
            write(&PingAnswer { result }, version)
        }
        roll_up => rollup::answer(served, roll_up, version),
    }
}

/// The cookie of a request to the sync service, if the operation needs one: empty if it is absent.
fn cookie_of(request: &Request) -> Option<&[u8]> {
    let sealed = match request {
        Request::DownloadFiles(request) => request.sealed(),
        Request::GetConfigData(request) => request.sealed(),
        Request::GetDeployments(request) => request.sealed(),
        Request::GetDriverIdList(request) => request.sealed(),
        Request::GetDriverSetData(request) => request.sealed(),
        Request::GetRelatedRevisionsForUpdates(request) => request.sealed(),
        Request::GetRevisionIdList(request) => request.sealed(),
        Request::GetUpdateData(request) => request.sealed(),
        Request::GetUpdateDecryptionData(request) => request.sealed(),
        _ => return None,
    };
    Some(sealed.unwrap_or_default())
}

impl Served {
    /// The anchor of now.
    pub(super) fn anchor(&self) -> Anchor {
        Anchor { number: self.change, time: Self::time_of(self.change) }
    }

    /// Cookies read `incarnation:expiration in seconds`.
    fn check_cookie(&mut self, sealed: &[u8]) -> Result<(), (ErrorCode, String)> {
        let invalid = || (ErrorCode::InvalidCookie, String::new());
        let text = std::str::from_utf8(sealed).map_err(|_| invalid())?;
        let (incarnation, expiration) = text.split_once(':').ok_or_else(invalid)?;
        let expiration: i64 = expiration.parse().map_err(|_| invalid())?;
        if expiration <= Timestamp::now().as_second() {
            return Err(invalid());
        }
        let foreign = incarnation != self.incarnation.to_string();
        if foreign && self.told.insert(sealed.to_vec()) {
            return Err((ErrorCode::ServerChanged, String::new()));
        }
        Ok(())
    }

    fn cookie(&self, request: &GetCookie, version: SoapVersion) -> Outcome {
        let (sealed, _) = request.validate().map_err(refuse)?;
        let own = format!("{}:", self.incarnation);
        if !sealed.starts_with(own.as_bytes()) {
            return Err((ErrorCode::InvalidAuthorizationCookie, String::new()));
        }
        let expiration = Timestamp::now() + SignedDuration::from_secs(self.cookie_seconds);
        let sealed = format!("{}:{}", self.incarnation, expiration.as_second()).into_bytes();
        write(&GetCookieAnswer { result: Cookie::new(expiration, sealed) }, version)
    }

    fn configuration(&self, request: &GetConfigData, version: SoapVersion) -> Outcome {
        let since = request.validate().map_err(refuse)?.map_or(0, |anchor| anchor.number);
        let mut result = self.config.clone();
        result.new_config_anchor = self.anchor().into();
        let changed = self.languages.iter().filter(|(change, _)| *change > since);
        result.language_update_list = changed.map(|(_, language)| language.clone()).collect::<Vec<_>>().into();
        write(&GetConfigDataAnswer { result }, version)
    }

    fn documents(&self, request: &GetUpdateData, version: SoapVersion, base: &str) -> Outcome {
        let limit = usize::try_from(self.config.max_number_of_updates_per_request).unwrap_or(0);
        let ids = request.validate(limit).map_err(refuse)?;
        let unknown = ids.iter().any(|id| !self.revisions.contains_key(id));
        if self.strict_ids && unknown {
            return Err((ErrorCode::InternalServerError, String::new()));
        }
        let writer = UpdateDataWriter::new(version);
        let mut out = String::new();
        writer.head(&mut out);
        let (mut files, mut sent) = (Vec::new(), 0);
        for id in ids {
            let Some(revision) = self.revisions.get(id) else { continue };
            let document = &revision.document;
            let own = document.files.iter().chain(document.eulas.iter().map(|eula| &eula.file));
            let digests: Vec<_> = own.map(|file| file.digest).collect();
            let before = out.len();
            let units = revision.text.encode_utf16().count();
            match self.blobs {
                Blobs::CabinetFrom(from) if units * 2 >= from => {
                    let packed = blob::compress(&revision.text)
                        .map_err(|error| (ErrorCode::InternalServerError, error.to_string()))?;
                    writer.update_compressed(&mut out, *id, &packed, &digests);
                }
                _ => writer.update(&mut out, *id, &revision.text, &digests),
            }
            if sent > 0 && out.len() > self.answer_bytes {
                out.truncate(before);
                break;
            }
            sent += 1;
            files.extend(digests);
        }
        writer.urls_open(&mut out);
        files.sort_unstable();
        files.dedup();
        for digest in files {
            let name = self.files.get(&digest).map(|file| file.payload.name.as_str());
            let source = name.map(|name| format!("{base}/mu/{}/{name}", digest.to_hex().to_ascii_lowercase()));
            writer.url(&mut out, digest, source.as_deref());
        }
        writer.tail(&mut out);
        Ok(out)
    }

    fn deployments(&self, request: &GetDeployments, version: SoapVersion) -> Outcome {
        let (from, to) = request.validate().map_err(refuse)?;
        let from = from.map_or(0, |anchor| anchor.number);
        let due = |dead: bool| {
            let changed =
                self.deployments.iter().filter(move |served| served.change > from && served.change <= to.number);
            changed.filter(move |served| served.dead == dead)
        };
        let deployments: Vec<_> = due(false).map(|served| served.deployment.clone()).collect();
        let dead: Vec<_> = due(true).map(|served| served.deployment.deployment_guid).collect();
        let result = ServerSyncDeploymentResult {
            anchor: to.into(),
            groups: self.groups.clone().into(),
            deployments: deployments.into(),
            dead_deployments: dead.into(),
            hidden_updates: self.hidden.iter().copied().collect::<Vec<_>>().into(),
            accepted_eulas: self.eulas.iter().copied().collect::<Vec<_>>().into(),
        };
        write(&GetDeploymentsAnswer { result }, version)
    }

    fn download(&mut self, request: &DownloadFiles, version: SoapVersion) -> Outcome {
        let mut missing: Vec<Binary> = Vec::new();
        for digest in request.validate().map_err(refuse)? {
            match digest.digest().and_then(|digest| self.files.get_mut(&digest)) {
                Some(file) => file.here = true,
                None => missing.push(digest.clone()),
            }
        }
        if missing.is_empty() {
            write(&DownloadFilesAnswer {}, version)
        } else {
            Err((ErrorCode::FileDigestsMissing, join_digests(&missing)))
        }
    }
}
