//! Rules about drivers (UpdateHandlers/WindowsDriver, MS-WUSP product behavior note 42). Drivers are ranked as the server
//! ranks them (MS-WUSP 3.1.5.7; the driver pass of the catalogue).

use std::{
    cmp::{Ordering, Reverse},
    collections::HashMap,
};

use super::{misfit, not_collected};
use crate::{
    applicability::{
        Facts, Truth,
        evaluate::Context,
        facts::{Device, Fact, InstalledDriver},
    },
    catalogue::{
        drivers::{DriverEntry, Maker, WORST_FEATURE, fold, is_printer},
        ranking::Rank,
    },
    document::rules::driver::DriverRule,
    update::DriverMetadata,
};

/// How the best driver of an update for a device stands to the one that the device has.
#[derive(Clone, Debug)]
pub(in crate::applicability) struct Standing {
    /// The place of the device.
    pub(in crate::applicability) device: usize,
    /// `Less` if it is better.
    pub(in crate::applicability) order: Ordering,
    /// What the device would have with it.
    pub(in crate::applicability) driver: InstalledDriver,
}

/// The rules compare the update with what is installed: equal, better or worse. An update serves several devices; it is
/// installable as long as it is better for one of them, then installed if it is equal for one, then superseded if it is
/// worse. The schema speaks of one device only.
pub(super) fn evaluate(rule: DriverRule, facts: &dyn Facts, context: &Context<'_>) -> Truth {
    let standings = match standings(facts, context) {
        Ok(standings) => standings,
        Err(gap) => return Truth::gap(gap),
    };
    let best = standings.iter().map(|standing| match standing.order {
        Ordering::Less => 0,
        Ordering::Equal => 1,
        Ordering::Greater => 2,
    });
    let wanted = match rule {
        DriverRule::Installable => 0,
        DriverRule::Installed => 1,
        DriverRule::Superseded => 2,
    };
    (best.min() == Some(wanted)).into()
}

/// Each device that the update serves.
pub(in crate::applicability) fn standings(facts: &dyn Facts, context: &Context<'_>) -> Fact<Vec<Standing>> {
    if context.drivers.is_empty() {
        return Err(misfit("driver without metadata".to_owned()));
    }
    let devices = facts.devices()?;
    let mut computer: Option<Vec<uuid::Uuid>> = None;
    let mut key: Option<Box<str>> = None;
    let mut standings = Vec::new();
    for (number, device) in devices.iter().enumerate() {
        let mut places: HashMap<Box<str>, usize> = HashMap::new();
        for (place, id) in device.hardware_ids.iter().chain(&device.compatible_ids).enumerate() {
            places.entry(fold(id)).or_insert(place);
        }
        let mut best: Option<(Rank, &DriverMetadata)> = None;
        for driver in context.drivers {
            let Some(place) = places.get(&fold(&driver.hardware_id)) else { continue };
            if !driver.target_computer_ids.is_empty() || !driver.distribution_computer_ids.is_empty() {
                if computer.is_none() {
                    computer = Some(facts.computer_hardware_ids()?.into_owned());
                }
            }
            if !driver.feature_scores.is_empty() && key.is_none() {
                key = Some(feature_key(facts)?);
            }
            let entry = DriverEntry::new(0, driver);
            let Some(place_of_computer) = entry.computer_place(computer.as_deref().unwrap_or_default()) else {
                continue;
            };
            let rank = Rank {
                computer: place_of_computer,
                feature: entry.feature(key.as_deref()),
                hardware: *place,
                date: Reverse(driver.driver_date_ms),
                version: Reverse(driver.driver_version),
            };
            if best.is_none_or(|(known, _)| rank < known) {
                best = Some((rank, driver));
            }
        }
        let Some((rank, driver)) = best else { continue };
        if computer.is_none() && device.driver.as_ref().is_some_and(|found| found.matching_computer_id.is_some()) {
            computer = Some(facts.computer_hardware_ids()?.into_owned());
        }
        let ids = computer.as_deref().unwrap_or_default();
        if let Some(order) = compare(rank, driver, device, &places, ids) {
            standings.push(Standing { device: number, order, driver: installed(rank, driver, ids) });
        }
    }
    Ok(standings)
}

/// The order of a driver and what the device has, `Less` if it is better; none if it must not replace it: a printer
/// keeps its maker.
fn compare(
    rank: Rank,
    driver: &DriverMetadata,
    device: &Device,
    places: &HashMap<Box<str>, usize>,
    computer: &[uuid::Uuid],
) -> Option<Ordering> {
    let Some(found) = device.driver.as_ref().filter(|found| !found.matching_id.trim().is_empty()) else {
        return Some(Ordering::Less);
    };
    let place = found.matching_computer_id.and_then(|id| computer.iter().position(|known| *known == id));
    let order = rank.cmp(&Rank {
        computer: place.unwrap_or(usize::MAX),
        feature: ((found.rank >> 16) & u32::from(WORST_FEATURE)) as u8,
        hardware: places.get(&fold(found.matching_id.trim())).copied().unwrap_or(usize::MAX),
        date: Reverse(found.date_ms),
        version: Reverse(found.version),
    });
    let keeps = is_printer(&found.class) && !Maker::new(driver).is(&found.manufacturer, &found.provider);
    if order.is_lt() && keeps { None } else { Some(order) }
}

/// What a device has when a driver of this rank is installed.
fn installed(rank: Rank, driver: &DriverMetadata, computer: &[uuid::Uuid]) -> InstalledDriver {
    InstalledDriver {
        matching_id: driver.hardware_id.clone(),
        matching_computer_id: computer.get(rank.computer).copied(),
        date_ms: driver.driver_date_ms,
        version: driver.driver_version,
        class: driver.class.clone(),
        manufacturer: driver.manufacturer.clone(),
        provider: driver.provider.clone(),
        model: driver.model.clone(),
        rank: u32::from(rank.feature) << 16,
    }
}

/// The operating system key of feature scores, such as `amd64.10.0`, in lower case (MS-WUSP 2.2.2.2.4,
/// `FeatureScoreMatchingKey`).
fn feature_key(facts: &dyn Facts) -> Fact<Box<str>> {
    let system = facts.system();
    let (major, minor, _) = system.version.ok_or_else(|| not_collected("version of Windows"))?;
    let architecture = match system.architecture.ok_or_else(|| not_collected("processor architecture"))? {
        0 => "x86",
        5 => "arm",
        6 => "ia64",
        9 => "amd64",
        12 => "arm64",
        _ => "unknown",
    };
    Ok(format!("{architecture}.{major}.{minor}").into_boxed_str())
}
