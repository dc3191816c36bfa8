//! Asks the upstream server to fetch what it lists and does not hold (DownloadFiles, MS-WSUSSS 3.2.4.4).

use weir_model::ids::ContentDigest;
use weir_wire::{
    soap::{Binary, ErrorCode},
    wsss::DownloadFiles,
};

use crate::{
    admin::{App, chain},
    content::upstream,
    sync::{
        peer::{Peer, PeerError},
        progress::Progress,
    },
};

/// The session with the upstream server, made when it is first needed.
#[derive(Default)]
pub(super) struct Asker {
    peer: Option<Peer>,
}

impl Asker {
    /// Asks for files. Says in words how that went, for those who wait for them.
    pub(super) async fn ask(&mut self, app: &App, digests: &[ContentDigest]) -> String {
        match self.call(app, digests).await {
            Ok(()) => "it was asked to fetch it".to_owned(),
            Err(error) if error.fault_code() == Some(ErrorCode::FileDigestsMissing) => {
                "it was asked to fetch it, and does not know it".to_owned()
            }
            Err(error) => {
                // the next attempt begins with a new session
                self.peer = None;
                tracing::warn!(error = chain(&error), "the upstream server could not be asked for content");
                format!("asking it to fetch it failed: {}", chain(&error))
            }
        }
    }

    async fn call(&mut self, app: &App, digests: &[ContentDigest]) -> Result<(), PeerError> {
        let peer = if let Some(peer) = &self.peer {
            peer.clone()
        } else {
            let Some(upstream) = upstream::load(app).await? else { return Ok(()) };
            self.peer.insert(Peer::connect(app, &upstream, &Progress::new()).await?).clone()
        };
        let mut outcome = Ok(());
        for some in digests.chunks(DownloadFiles::MAX) {
            let list = some.iter().map(|digest| Binary(digest.0.to_vec())).collect();
            match peer.call(DownloadFiles { cookie: None, file_digest_list: Some(list) }).await {
                Ok(_) => {}
                // the others of the call are fetched
                Err(error) if error.fault_code() == Some(ErrorCode::FileDigestsMissing) => outcome = Err(error),
                Err(error) => return Err(error),
            }
        }
        outcome
    }
}
