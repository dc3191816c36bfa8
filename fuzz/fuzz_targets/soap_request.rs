//! Requests to the three services, with the device list of a driver pass.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_wire::{
    soap::{Hints, Limits},
    wusp::{Request, Service, parse},
};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    for service in [Service::Client, Service::Reporting, Service::SimpleAuth] {
        let Ok(parsed) = parse(service, Hints::default(), data, &limits) else { continue };
        if let Request::SyncUpdates(request) = parsed.request {
            if let Some(spec) = request.parameters.and_then(|parameters| parameters.system_spec) {
                let _ = spec.devices(data, &limits);
            }
        }
    }
});
