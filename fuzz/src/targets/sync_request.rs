//! Requests between servers; what is read can be written and is read the same.

use weir_wire::{
    soap::{Hints, SoapVersion},
    wsss::{
        Request, Service,
        client::{Call, write},
        parse, request_limits,
    },
};

fn again<C: Call + Into<Request>>(request: C) {
    let limits = request_limits(1 << 20);
    let parse = |text: &str| parse(C::OPERATION.service(), Hints::default(), text.as_bytes(), &limits);
    let first = write(&request, SoapVersion::V12);
    // It may be refused now: escaped text is longer, and a year before 1 has no written form.
    let Ok(parsed) = parse(&first) else { return };
    assert_eq!(parsed.request, request.into());
}

pub(super) fn run(data: &[u8]) -> bool {
    let limits = request_limits(1 << 20);
    let mut is_read = false;
    for &service in Service::ALL {
        let Ok(parsed) = parse(service, Hints::default(), data, &limits) else { continue };
        is_read = true;
        match parsed.request {
            Request::DownloadFiles(request) => {
                let _ = request.validate();
                again(request);
            }
            Request::GetAuthConfig(request) => again(request),
            Request::GetAuthorizationCookie(request) => {
                let _ = request.validate();
                again(request);
            }
            Request::GetConfigData(request) => {
                let _ = request.validate();
                again(request);
            }
            Request::GetCookie(request) => {
                let _ = request.validate();
                again(request);
            }
            Request::GetDeployments(request) => {
                let _ = request.validate();
                again(request);
            }
            Request::GetRevisionIdList(request) => {
                let _ = request.validate();
                again(request);
            }
            Request::GetUpdateData(request) => {
                let _ = request.validate(100);
                again(request);
            }
            Request::RollupDownstreamServers(request) => {
                let _ = request.validate(100);
            }
            Request::RollupComputers(request) => {
                let _ = request.validate(100);
            }
            Request::RollupComputerStatus(request) => {
                let _ = request.validate(100);
            }
            _ => {}
        }
    }
    is_read
}
