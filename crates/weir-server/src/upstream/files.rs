//! What concerns files and drivers, and the small calls (MS-WSUSSS 3.1.4.7 to 3.1.4.9, 3.1.4.11, 3.1.4.12).

use std::collections::HashSet;

use weir_store::Actor;
use weir_wire::{
    soap::{Binary, ErrorCode},
    wsss::{
        DownloadFiles, DownloadFilesAnswer, DriverIdList, DriverSetData, GetDriverIdList, GetDriverIdListAnswer,
        GetDriverSetData, GetDriverSetDataAnswer, GetUpdateDecryptionData, GetUpdateDecryptionDataAnswer,
        MonitoredServicesResponse, PingAnswer, Request, ServerDecryptionData, ServerSyncFileDecryption,
        ServerSyncUpdateFileDecryption, join_digests,
    },
};

use crate::rollup::{self, Question};

use super::{Call, Refusal, Reply, UPDATES, admission};

impl Call<'_> {
    /// Diagnostics of every service, which tell a stranger that it is there.
    pub(super) fn ping(&self) -> Reply {
        self.text(&PingAnswer { result: MonitoredServicesResponse::well(self.service, self.now, self.connection.tls) })
    }

    /// Notes the files that a downstream server misses; the content job fetches them.
    pub(super) async fn download_files(&self, request: &DownloadFiles) -> Result<Reply, Refusal> {
        let cookie = self.caller(request.sealed()).await?;
        let asked = request.validate()?;
        let digests: Vec<_> = asked.iter().filter_map(Binary::digest).collect();
        let by = cookie.holder.id.to_string();
        let actor = Actor::system("downstream servers", self.now);
        let unknown = self.state.write(actor, move |tx| tx.content_request_add(&digests, &by)).await?;
        self.state.upstream.requested.notify_one();
        let unknown: HashSet<_> = unknown.into_iter().collect();
        let missing = |asked: &&Binary| asked.digest().is_none_or(|digest| unknown.contains(&digest));
        let missing: Vec<Binary> = asked.iter().filter(missing).cloned().collect();
        if missing.is_empty() {
            return Ok(self.text(&DownloadFilesAnswer {}));
        }
        Err(Refusal { code: ErrorCode::FileDigestsMissing, message: join_digests(&missing) })
    }

    pub(super) async fn get_update_decryption_data(&self, request: &GetUpdateDecryptionData) -> Result<Reply, Refusal> {
        self.caller(request.sealed()).await?;
        let asked = request.validate(UPDATES)?.to_vec();
        let read = move |tx: &weir_store::ReadTx<'_>| {
            let mut updates = Vec::new();
            for identity in asked {
                let Some((id, _)) = tx.document_find(identity)? else { continue };
                let keys = tx.file_keys_of(id)?.into_iter().map(|(digest, key)| ServerSyncFileDecryption {
                    file_digest: Some(digest.into()),
                    decryption_key: Some(Binary(key)),
                });
                let keys: Vec<_> = keys.collect();
                if !keys.is_empty() {
                    let update_id = identity;
                    updates.push(ServerSyncUpdateFileDecryption { update_id, file_decryption_data: keys.into() });
                }
            }
            Ok(updates)
        };
        let updates = self.state.read(read).await?;
        Ok(self.text(&GetUpdateDecryptionDataAnswer { result: ServerDecryptionData { updates: updates.into() } }))
    }

    /// Drivers are exchanged as ordinary updates.
    pub(super) async fn get_driver_id_list(&self, request: &GetDriverIdList) -> Result<Reply, Refusal> {
        self.caller(request.sealed()).await?;
        let filter = request.validate()?;
        // none of them changed since whatever the caller knows
        let result = DriverIdList { anchor: filter.anchor.clone(), ..DriverIdList::default() };
        Ok(self.text(&GetDriverIdListAnswer { result }))
    }

    pub(super) async fn get_driver_set_data(&self, request: &GetDriverSetData) -> Result<Reply, Refusal> {
        self.caller(request.sealed()).await?;
        request.validate(0)?;
        Ok(self.text(&GetDriverSetDataAnswer { result: DriverSetData::default() }))
    }

    /// Roll-ups carry no identity that could be checked: they are taken from servers that are known otherwise.
    pub(super) async fn roll_up(&self, request: Request) -> Result<Reply, Refusal> {
        let Some(caller) = admission::reporter(self.state, self.connection, self.now).await? else {
            tracing::info!(peer = %self.connection.peer, "a roll-up of a server that was not authorized was refused");
            return Err(Refusal::new(ErrorCode::InternalServerError));
        };
        let invalid = || Refusal::new(ErrorCode::InvalidParameters);
        let question = Question::read(&request).ok_or_else(invalid)??;
        let reply = rollup::answer(self.state, caller, question).await.map_err(|fault| match fault {
            rollup::Fault::Parameter(refusal) => refusal.into(),
            rollup::Fault::Internal(why) => {
                tracing::info!(peer = %self.connection.peer, why, "a roll-up was refused");
                Refusal::new(ErrorCode::InternalServerError)
            }
        })?;
        let mut out = String::with_capacity(1_024);
        reply.write(&mut out, self.version);
        Ok(Reply::Text(out))
    }
}
