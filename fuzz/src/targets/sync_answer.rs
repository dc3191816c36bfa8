//! Answers of upstream servers, with their documents; what is read can be written and is read the same.

use weir_wire::{
    soap::SoapVersion,
    wsss::{
        Answer, GetAuthConfig, GetAuthorizationCookie, GetConfigData, GetCookie, GetDeployments, GetDriverIdList,
        GetDriverSetData, GetOutOfSyncComputers, GetRevisionIdList, GetRollupConfiguration, GetUpdateData,
        GetUpdateDecryptionData, Ping, RollupComputerStatus, RollupComputers,
        client::{Call, answer_limits, read},
        split_digests,
    },
};

fn check<C: Call>(data: &[u8]) -> bool {
    let limits = answer_limits(1 << 20);
    let Ok(answer) = read::<C>(data, &limits) else { return false };
    let mut first = String::new();
    answer.write(&mut first, SoapVersion::V11);
    // It may be refused now: escaped text is longer, and a year before 1 has no written form.
    let Ok(again) = read::<C>(first.as_bytes(), &limits) else { return true };
    let mut second = String::new();
    again.write(&mut second, SoapVersion::V11);
    assert_eq!(first, second);
    true
}

pub(super) fn run(data: &[u8]) -> bool {
    let reads = [
        check::<GetAuthConfig>(data),
        check::<GetAuthorizationCookie>(data),
        check::<GetConfigData>(data),
        check::<GetCookie>(data),
        check::<GetDeployments>(data),
        check::<GetDriverIdList>(data),
        check::<GetDriverSetData>(data),
        check::<GetOutOfSyncComputers>(data),
        check::<GetRevisionIdList>(data),
        check::<GetRollupConfiguration>(data),
        check::<GetUpdateData>(data),
        check::<GetUpdateDecryptionData>(data),
        check::<Ping>(data),
        check::<RollupComputerStatus>(data),
        check::<RollupComputers>(data),
    ];
    if let Ok(answer) = read::<GetUpdateData>(data, &answer_limits(1 << 20)) {
        for update in answer.result.updates.0 {
            let _ = update.into_document(1 << 20);
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = split_digests(text);
    }
    reads.contains(&true)
}
