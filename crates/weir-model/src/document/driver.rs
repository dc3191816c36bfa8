//! `WindowsDriverMetaData`.

use jiff::{Timestamp, civil};
use uuid::Uuid;

use super::{
    DocumentError, Fault,
    rules::value::Version,
    source::{Ns, Sink, Source, cut},
    value::{Value, read},
};
use crate::update::DriverMetadata;

/// Longest `HardwareID`, in characters (MS-WUSP, product behavior note 42).
const HARDWARE_ID_CHARACTERS: usize = 200;

/// A date: `DriverVerDate`, which may carry a time and a zone although its schema has neither.
struct Date(i64);

impl Value for Date {
    const EXPECTED: &'static str = "a date";

    fn read(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('Z');
        let date = text.parse::<civil::Date>().ok().filter(|_| text.len() == 10);
        let midnight = match date {
            Some(date) => date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp(),
            None => Timestamp::read(text)?,
        };
        Some(Self(midnight.as_millisecond()))
    }
}

/// A driver version: four numbers of 16 bits.
struct DriverVersion(u64);

impl Value for DriverVersion {
    const EXPECTED: &'static str = "a driver version of up to four numbers from 0 to 65535";

    fn read(text: &str) -> Option<Self> {
        let version: Version = text.parse().ok()?;
        let mut packed = 0;
        for part in version.parts {
            packed = packed << 16 | u64::from(u16::try_from(part).ok()?);
        }
        Some(Self(packed))
    }
}

/// Reads the current element and past its end.
pub(super) fn metadata<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<DriverMetadata, DocumentError> {
    let hardware_id: String = source.required("HardwareID")?;
    if hardware_id.is_empty() || hardware_id.chars().count() > HARDWARE_ID_CHARACTERS {
        let expected = "1 to 200 characters long";
        return Err(source.error(Fault::Value { what: "HardwareID", value: cut(&hardware_id), expected }));
    }
    let text = |name| Ok(source.optional(name)?.unwrap_or_default());
    let mut driver = DriverMetadata {
        hardware_id,
        driver_date_ms: source.required::<Date>("DriverVerDate")?.0,
        driver_version: source.required::<DriverVersion>("DriverVerVersion")?.0,
        class: text("Class")?,
        manufacturer: text("Manufacturer")?,
        provider: text("Provider")?,
        model: text("Model")?,
        company: text("Company")?,
        whql_driver_id: source.optional("WhqlDriverID")?,
        ..DriverMetadata::default()
    };
    source.children(|source| {
        if source.ns() != Ns::DRIVER {
            return Ok(());
        }
        match source.local() {
            "CompatibleProvider" => driver.compatible_providers.push(source.content()?),
            "FeatureScore" => {
                let score = (source.required("OperatingSystem")?, source.required("FeatureScore")?);
                driver.feature_scores.push(score);
            }
            "DistributionComputerHardwareId" => driver.distribution_computer_ids.push(computer_id(source)?),
            "TargetComputerHardwareId" => driver.target_computer_ids.push(computer_id(source)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(driver)
}

fn computer_id<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<Uuid, DocumentError> {
    let text = source.content()?;
    read("computer hardware id", &text).map_err(|fault| source.error(fault))
}
