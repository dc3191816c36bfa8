//! Answers, as a client reads them; what is read is written and read the same.

use weir_wire::{
    soap::{Limits, SoapVersion},
    wusp::{
        Answer, GetAuthorizationCookie, GetConfig, GetCookie, GetExtendedUpdateInfo, GetExtendedUpdateInfo2,
        GetFileLocations, RefreshCache, RegisterComputer, ReportEventBatch, StartCategoryScan, SyncPrinterCatalog,
        SyncUpdates, client::Call,
    },
};

fn check<C: Call>(data: &[u8]) -> bool {
    let mut is_read = false;
    let limits = Limits::default();
    for version in [SoapVersion::V11, SoapVersion::V12] {
        let Ok(answer) = C::decode(data, version, &limits) else { continue };
        is_read = true;
        let mut first = String::new();
        answer.write(&mut first, version);
        // It may be refused now: escaped text is longer, and a year before 1 has no written form.
        let Ok(again) = C::decode(first.as_bytes(), version, &limits) else { continue };
        let mut second = String::new();
        again.write(&mut second, version);
        assert_eq!(first, second);
    }
    is_read
}

pub(super) fn run(data: &[u8]) -> bool {
    let read = [
        check::<GetAuthorizationCookie>(data),
        check::<GetConfig>(data),
        check::<GetCookie>(data),
        check::<GetExtendedUpdateInfo>(data),
        check::<GetExtendedUpdateInfo2>(data),
        check::<GetFileLocations>(data),
        check::<RefreshCache>(data),
        check::<RegisterComputer>(data),
        check::<ReportEventBatch>(data),
        check::<StartCategoryScan>(data),
        check::<SyncPrinterCatalog>(data),
        check::<SyncUpdates>(data),
    ];
    read.contains(&true)
}
