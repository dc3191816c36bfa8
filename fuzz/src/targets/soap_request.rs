//! Requests to the three services, with the device list of a driver pass.

use weir_wire::{
    soap::{Hints, Limits},
    wusp::{Request, Service, parse},
};

pub(super) fn run(data: &[u8]) -> bool {
    let limits = Limits::default();
    let mut is_read = false;
    for service in [Service::Client, Service::Reporting, Service::SimpleAuth] {
        let Ok(parsed) = parse(service, Hints::default(), data, &limits) else { continue };
        is_read = true;
        if let Request::SyncUpdates(request) = parsed.request {
            if let Some(spec) = request.parameters.and_then(|parameters| parameters.system_spec) {
                let _ = spec.devices(data, &limits);
            }
        }
    }
    is_read
}
