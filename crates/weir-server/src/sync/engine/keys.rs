//! Keys of encrypted files (MS-WSUSSS 3.2.4.8, GetUpdateDecryptionData).

use weir_model::ids::{ContentDigest, UpdateIdentity};
use weir_wire::wsss::GetUpdateDecryptionData;

use super::SyncError;
use crate::{
    admin::{App, Caller},
    sync::{peer::Peer, progress::Progress},
};

/// Rows read at once.
const AHEAD: u32 = 1_000;
/// Bytes of a key.
const KEY: usize = 1_024;

/// Asks for the keys of every staged revision that has encrypted files, at most `batch` (not 0) in a call.
pub(super) async fn fetch(
    app: &App,
    caller: &Caller,
    peer: &Peer,
    progress: &Progress,
    batch: usize,
) -> Result<(), SyncError> {
    let mut after = 0;
    loop {
        let rows = app.read(move |tx| tx.staged_secured(after, AHEAD)).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = *last;
        for part in rows.chunks(batch.clamp(1, 500)) {
            progress.check()?;
            let asked: Vec<UpdateIdentity> = part.iter().map(|(_, identity)| *identity).collect();
            let request = GetUpdateDecryptionData { cookie: None, update_ids: Some(asked.clone()) };
            let answer = peer.call(request).await?.result;
            let keys: Vec<(ContentDigest, Vec<u8>)> = answer
                .updates
                .0
                .into_iter()
                .filter(|update| asked.contains(&update.update_id))
                .flat_map(|update| update.file_decryption_data.0)
                .filter_map(|file| Some((file.file_digest?.digest()?, file.decryption_key?.0)))
                .filter(|(_, key)| !key.is_empty() && key.len() <= KEY)
                .collect();
            let done: Vec<i64> = part.iter().map(|(no, _)| *no).collect();
            let write = move |tx: &weir_store::WriteTx<'_>| {
                for (digest, key) in &keys {
                    tx.file_key_put(*digest, key)?;
                }
                for no in done {
                    tx.staged_keys_known(no)?;
                }
                Ok(())
            };
            app.write(caller, write).await?;
        }
    }
}
