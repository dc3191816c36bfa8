//! Answers, as a client reads them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_wire::{
    soap::{Limits, SoapVersion},
    wusp::{GetConfig, GetExtendedUpdateInfo, SyncUpdates, client::Call},
};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    for version in [SoapVersion::V11, SoapVersion::V12] {
        let _ = GetConfig::decode(data, version, &limits);
        let _ = GetExtendedUpdateInfo::decode(data, version, &limits);
        let _ = SyncUpdates::decode(data, version, &limits);
    }
});
