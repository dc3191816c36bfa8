//! Drivers: for the devices that modelled computers have, and for many that nobody has.

use jiff::{Span, civil::Date};
use weir_model::{document::RebootBehavior, update::DriverMetadata};
use weir_testkit::{Document, Payload};

use super::{
    Kind, calendar,
    products::{Products, client_rule, product},
    release::{Maker, Release},
    texts::{self, Texts},
};

/// A device: hardware id, class, provider, model, the version that modelled computers come with.
type Device = (&'static str, &'static str, &'static str, &'static str, [u16; 4]);

/// Devices of modelled computers whose makers have something newer.
const DEVICES: &[Device] = &[
    (r"PCI\VEN_8086&DEV_9A49", "Display", "Intel Corporation", "Graphics X", [31, 0, 101, 5186]),
    (r"PCI\VEN_8086&DEV_15FA", "Net", "Intel", "Ethernet I219", [12, 19, 2, 60]),
    (r"PCI\VEN_10EC&DEV_8168", "Net", "Realtek", "Ethernet 8168", [10, 68, 815, 2023]),
    (r"HDAUDIO\FUNC_01&VEN_10EC&DEV_0257", "MEDIA", "Realtek Semiconductor Corp.", "Audio 257", [6, 0, 9506, 1]),
    (r"PCI\VEN_8086&DEV_51F0", "Net", "Intel", "Wireless AX", [23, 60, 1, 2]),
    (r"USB\VID_8087&PID_0026", "Bluetooth", "Intel Corporation", "Bluetooth", [23, 60, 0, 1]),
    (r"PCI\VEN_14E4&DEV_165F", "Net", "Broadcom", "Ethernet 165F", [221, 0, 8, 0]),
];

/// Makers of what nobody has, with the vendor number and the class.
const OTHERS: &[(&str, u16, &str)] = &[
    ("Aldersund", 0x1a2b, "Printer"),
    ("Bergvik Systems", 0x1b73, "USB"),
    ("Castellan", 0x1d17, "SCSIAdapter"),
    ("Dunmore", 0x1dd8, "Net"),
    ("Eastlake Audio", 0x1e4b, "MEDIA"),
    ("Fennmark", 0x1f0a, "Camera"),
    ("Greifer", 0x10b5, "System"),
    ("Holmgard", 0x11ab, "Bluetooth"),
];

/// Releases of a driver, in life and here.
const VERSIONS: i64 = 3;
/// Days between two of them.
const INTERVAL: i64 = 120;

/// Adds so many drivers, at least those for modelled computers.
pub(super) fn add(maker: &mut Maker, products: &Products, count: usize) {
    let rule = client_rule(10_240, None);
    let clients = product(maker, products.windows, "Windows 10 and later drivers", &rule);
    let mut left = count.saturating_sub(DEVICES.len() * VERSIONS as usize);
    for device in DEVICES {
        add_line(maker, products, clients, device);
    }
    let mut index = 0;
    while left > 0 {
        let Some(&(provider, vendor, class)) = OTHERS.get(index % OTHERS.len()) else { break };
        let number = maker.number(&format!("driver/other/{index}"));
        let place = Place {
            hardware: format!(r"PCI\VEN_{vendor:04X}&DEV_{:04X}&SUBSYS_{:08X}", number as u16, (number >> 16) as u32),
            class,
            provider,
            model: format!("Device {:04X}", number as u16),
        };
        let back = (number >> 20) as i64 % 700;
        let day = maker.shape.until.saturating_sub(Span::new().days(back));
        let version = [1 + (number >> 8) as u16 % 20, (number >> 24) as u16 % 10, (number >> 40) as u16, 0];
        add_driver(maker, products, clients, &place, version, day, None);
        left -= 1;
        index += 1;
    }
}

/// A driver with those that it replaced.
fn add_line(maker: &mut Maker, products: &Products, product: weir_model::ids::UpdateId, device: &Device) {
    let (hardware, class, provider, model, [first, second, third, fourth]) = *device;
    let place = Place { hardware: hardware.to_owned(), class, provider, model: model.to_owned() };
    let mut before = None;
    for step in 0..VERSIONS {
        let day = maker.shape.until.saturating_sub(Span::new().days((VERSIONS - 1 - step) * INTERVAL + 10));
        let version = [first, second, third.saturating_add(1 + step as u16), fourth];
        before = Some(add_driver(maker, products, product, &place, version, day, before));
    }
}

struct Place<'a> {
    hardware: String,
    class: &'a str,
    provider: &'a str,
    model: String,
}

fn add_driver(
    maker: &mut Maker,
    products: &Products,
    product: weir_model::ids::UpdateId,
    place: &Place<'_>,
    version: [u16; 4],
    day: Date,
    before: Option<weir_model::ids::UpdateId>,
) -> weir_model::ids::UpdateId {
    let [a, b, c, d] = version;
    let text = format!("{a}.{b}.{c}.{d}");
    let month = format!("{:04}-{:02}", day.year(), day.month());
    let values = [
        ("provider", place.provider),
        ("class", place.class),
        ("version", text.as_str()),
        ("model", place.model.as_str()),
        ("month", month.as_str()),
    ];
    let release = Release {
        key: format!("driver/{}/{text}", place.hardware),
        kind: Kind::Driver,
        day,
        texts: Texts::fill(texts::DRIVER, "", &values, None),
        categories: vec![products.drivers, product],
        supersedes: before,
        ..Release::default()
    };
    let id = maker.id(&release.key);
    let created = calendar::instant(day, 0);
    let wide = [a, b, c, d].iter().fold(0, |wide, part| wide << 16 | u64::from(*part));
    let name = format!("{:08x}.cab", maker.number(&release.key) as u32);
    let size = 8 * 1024 + (maker.number(&name) % 40_000) as usize;
    let mut document = Document::driver(id, 200)
        .property("CreationDate", &created.to_string())
        .restarts(RebootBehavior::CanRequestReboot)
        .installed_if("<drv:WindowsDriverInstalled />")
        .installable_if("<drv:WindowsDriverInstallable />")
        .requires(product)
        .file(&Payload::random(&name, size, maker.number(&release.key)))
        .driver_metadata(DriverMetadata {
            hardware_id: place.hardware.clone(),
            driver_date_ms: calendar::instant(day, 0).as_millisecond() / 86_400_000 * 86_400_000,
            driver_version: wide,
            class: place.class.to_owned(),
            manufacturer: place.provider.to_owned(),
            provider: place.provider.to_owned(),
            model: place.model.clone(),
            company: place.provider.to_owned(),
            ..DriverMetadata::default()
        });
    for (language, title, description) in &release.texts.localized {
        document = document.localized(language, title, Some(description));
    }
    document = release.categories.iter().fold(document, |document, id| document.in_category(*id));
    document = before.iter().fold(document, |document, id| document.supersedes(*id));
    maker.add(document);
    maker.note(&release, id);
    id
}
