//! Requests as native agents send them, for many different computers.

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use weir_model::ids::RevisionId;
use weir_testkit::{Computer, Random, ScriptedAgent, agent::event};
use weir_wire::{
    soap::{ClientOnly, Nillable, SoapVersion},
    wusp::{
        ComputerSpec, Cookie, Device, InstalledDriver, ProductsParameters, ReportEventBatch, SyncUpdateParameters,
        SyncUpdates, SystemSpec, client::Call as _,
    },
};

use crate::load::{ID, TIME};

/// Path of the client service.
pub(crate) const PATH: &str = "/ClientWebService/client.asmx";
/// Path of the reporting service.
pub(crate) const REPORTS: &str = "/ReportingWebService/ReportingWebService.asmx";

/// Head of a status report up to Host, with the path given.
pub(crate) fn report_head(path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nConnection: Keep-Alive\r\nContent-Type: text/xml; charset=utf-8\r\n\
         SOAPAction: \"http://www.microsoft.com/SoftwareDistribution/ReportEventBatch\"\r\n"
    )
}

/// The body of a status report (event 156) of a computer, with these lists. The load generator gives each an id of its own.
pub(crate) fn report(client_id: &str, cookie: Cookie, at: Timestamp, lists: Vec<String>) -> anyhow::Result<Vec<u8>> {
    let mut status = event(client_id, at, 156, None, 0, Vec::new(), lists);
    if let Some(basic) = &mut status.basic_data {
        basic.event_instance_id = ID.parse()?;
    }
    let batch = ReportEventBatch { cookie: Some(cookie), client_time: Some(at), event_batch: vec![status] };
    let mut text = String::new();
    batch.encode(&mut text, SoapVersion::V11);
    // the encoder leaves out a fraction of zero; the load generator wants a fixed width
    Ok(text.replace("2026-01-05T00:00:00Z", TIME).into_bytes())
}

/// Head of a SyncUpdates request up to Host, with the path given.
pub(crate) fn head(path: &str, xpress: bool, timed: bool) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nCache-Control: no-cache\r\nConnection: Keep-Alive\r\nPragma: no-cache\r\n\
         Content-Type: text/xml; charset=utf-8\r\n{}\
         User-Agent: Windows-Update-Agent/1507.2601.30012.0 Client-Protocol/2.90\r\n\
         SOAPAction: \"http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService/SyncUpdates\"\r\n{}",
        if xpress { "Accept-Encoding: xpress\r\n" } else { "" },
        if timed { "X-Bench-Timed: 1\r\n" } else { "" },
    )
}

/// What the agents of current systems say about themselves in every scan: about 1.3 kB of text that no server needs.
fn attributes(seed: u64) -> ProductsParameters {
    let mut random = Random::new(seed);
    let mut device_attributes = String::new();
    for number in 0..48 {
        device_attributes += &format!("Attribute{number:02}=10.0.{}.{};", random.below(30_000), random.below(9_999));
    }
    ProductsParameters {
        sync_current_version_only: false,
        device_attributes,
        caller_attributes: "Interactive=0;SheddingAware=1;Id=Bench;".to_owned(),
        products: String::new(),
    }
}

/// A software pass with these lists.
pub(crate) fn software(cookie: &Cookie, installed: Vec<RevisionId>, other: Vec<RevisionId>, seed: u64) -> SyncUpdates {
    SyncUpdates {
        cookie: Some(cookie.clone()),
        parameters: Some(SyncUpdateParameters {
            installed_non_leaf_update_ids: installed,
            other_cached_update_ids: other,
            products_parameters: ClientOnly(Some(attributes(seed))),
            ..SyncUpdateParameters::new()
        }),
    }
}

/// A driver pass: 70 devices, about 46 kB.
pub(crate) fn driver(cookie: &Cookie, installed: Vec<RevisionId>, seed: u64) -> SyncUpdates {
    let mut random = Random::new(seed);
    let mut devices = Vec::new();
    for _ in 0..70 {
        let (vendor, device, sub) = (random.below(0xffff), random.below(0xffff), random.below(0xffff));
        let hardware_ids = vec![
            format!("PCI\\VEN_{vendor:04X}&DEV_{device:04X}&SUBSYS_{sub:08X}&REV_01"),
            format!("PCI\\VEN_{vendor:04X}&DEV_{device:04X}&SUBSYS_{sub:08X}"),
            format!("PCI\\VEN_{vendor:04X}&DEV_{device:04X}&CC_020000"),
            format!("PCI\\VEN_{vendor:04X}&DEV_{device:04X}&CC_0200"),
        ];
        let driver = InstalledDriver {
            matching_id: hardware_ids.get(1).cloned(),
            driver_ver_date: Some(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 13_300)),
            driver_ver_version: 0x000a_0000_65f4_0001,
            class: Some("{4d36e972-e325-11ce-bfc1-08002be10318}".to_owned()),
            manufacturer: None,
            provider: None,
            model: None,
            matching_computer_hwid: Nillable(None),
            driver_rank: 0x00ff_0000,
            skip_provider_filtering: None,
            is_generic: None,
        };
        devices.push(Device {
            hardware_ids,
            compatible_ids: vec![format!("PCI\\VEN_{vendor:04X}&CC_020000"), "PCI\\CC_020000".to_owned()],
            installed_driver: Some(driver),
            extension_drivers: Vec::new(),
            driver_recovery_ids: Vec::new(),
            device_flags: None,
        });
    }
    SyncUpdates {
        cookie: Some(cookie.clone()),
        parameters: Some(SyncUpdateParameters {
            installed_non_leaf_update_ids: installed,
            system_spec: Some(SystemSpec::new(devices)),
            skip_software_sync: true,
            computer_spec: Some(ComputerSpec { hardware_ids: (0..8).map(|_| random.guid()).collect() }),
            feature_score_matching_key: Some("AMD64.10.0".to_owned()),
            products_parameters: ClientOnly(Some(attributes(seed))),
            ..SyncUpdateParameters::new()
        }),
    }
}

/// The body of a request.
pub(crate) fn body(request: &SyncUpdates) -> Vec<u8> {
    let mut text = String::new();
    request.encode(&mut text, SoapVersion::V11);
    text.into_bytes()
}

/// Makes a computer known to the server and gives its first cookie.
pub(crate) async fn known(base: &str, number: u64) -> anyhow::Result<Cookie> {
    let mut agent = ScriptedAgent::new(base, Computer::numbered(number))?;
    agent.handshake().await?;
    agent.state.cookie.clone().context("the handshake brought no cookie")
}

/// Makes a computer known to the server and gives a cookie whose anchor is current, so that nothing counts as changed.
pub(crate) async fn enlist(
    base: &str,
    number: u64,
    installed: &[RevisionId],
    other: &[RevisionId],
) -> anyhow::Result<Cookie> {
    let mut agent = ScriptedAgent::new(base, Computer::numbered(number))?;
    agent.handshake().await?;
    let cookie = agent.state.cookie.clone().context("the handshake brought no cookie")?;
    let request = software(&cookie, installed.to_vec(), other.to_vec(), number);
    let answer = agent.call(&request).await?.result.context("an empty answer")?;
    if !answer.new_updates.is_empty() {
        bail!("the computer was to be settled, yet {} updates are new to it", answer.new_updates.len());
    }
    answer.new_cookie.context("the answer brought no cookie")
}
